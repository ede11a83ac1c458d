import numpy as np
import pandas as pd
import pytest

from lnm_kit.errors import InputError
from lnm_kit.evaluation.auc import auc, delong_test
from lnm_kit.runs.compare import compare_runs, different_parameters, same_cohort
from lnm_kit.runs.compare_page import paired_rows, write_page
from lnm_kit.runs.gate import page_problems
from lnm_kit.runs.inventory import find_run

LABEL = np.arange(40) % 2
PNG = b"\x89PNG\r\n\x1a\n"


def predictions(seed, strength, *, label=LABEL, split="test_a", model="SVM"):
    noise = np.random.default_rng(seed).normal(size=len(label))
    probability = 1 / (1 + np.exp(-(strength * label + noise)))
    case_ids = [f"c{number}" for number in range(len(label))]
    return pd.DataFrame(
        {"case_id": case_ids, "split": split, "model": model, "probability": probability}
        | {"label": label}
    )


def metrics(table):
    rows = []
    for (model, split), group in table.groupby(["model", "split"]):
        found = auc(group.label, group.probability)
        rows.append({"model": model, "split": split, "metric": "auc", **vars(found)})
    return rows


@pytest.fixture
def two_runs(make_run, tmp_path):
    """Return a function that makes two runs, the second with other parameters or cases."""

    def make(first=None, second=None, **parameters):
        tables = [first if first is not None else predictions(1, 0.5)]
        tables.append(second if second is not None else predictions(2, 2.0))
        record = {"cohort_digest": None}
        make_run("1-1-a", record=record, metrics=metrics(tables[0]), predictions=tables[0])
        make_run(
            "1-1-b", record=record, metrics=metrics(tables[1]), predictions=tables[1], **parameters
        )
        return [find_run(name, tmp_path) for name in "ab"], tables

    return make


def test_paired_test_is_that_of_delong_on_the_same_cases_in_any_order(two_runs):
    second = predictions(2, 2.0)
    runs, (a, _) = two_runs(second=second.sample(frac=1, random_state=0), epochs=7)
    comparison = compare_runs(runs)
    (found,) = comparison.tests
    expected = delong_test(LABEL, second.probability, a.probability)
    assert found.test == expected
    assert expected.difference.value > 0  # the second run is the better one
    assert (found.n_cases, found.run) == (40, 1)
    assert comparison.parameters == [("epochs", [None, 7])]
    assert comparison.notes == []
    assert paired_rows(comparison)[0][2] == "B - A"


def test_only_cases_that_both_predicted_are_tested(two_runs):
    second = predictions(2, 2.0)
    runs, (a, _) = two_runs(second=second.iloc[10:])
    (found,) = compare_runs(runs).tests
    assert found.n_cases == 30
    label, b = LABEL[10:], second.probability[10:]
    assert found.test == delong_test(label, b.to_numpy(), a.probability[10:].to_numpy())


@pytest.mark.parametrize("parameter", [{"seed": 1}, {"signal": 0.5}, {"size": 0.5}])
def test_runs_of_different_cohorts_are_shown_but_not_tested(two_runs, parameter):
    runs, _ = two_runs(**parameter)
    comparison = compare_runs(runs)
    assert comparison.tests == []
    assert f"differ in {next(iter(parameter))}" in comparison.notes[0]
    assert len(comparison.metrics["SVM", "test_a", "auc"]) == 2


def test_same_ids_with_other_labels_are_other_patients(two_runs):
    runs, _ = two_runs(second=predictions(2, 2.0, label=1 - LABEL))
    (found,) = compare_runs(runs).tests
    assert found.test is None
    assert "40 of 40 cases have another label" in found.reason


def test_too_few_common_cases_are_not_tested(two_runs):
    first, second = predictions(1, 0.5), predictions(2, 2.0)
    second["case_id"] = [name if name in ("c0", "c1") else f"x{name}" for name in second.case_id]
    (found,) = compare_runs(two_runs(first, second)[0]).tests
    assert (found.n_cases, found.test) == (2, None)
    assert "fewer than 2 common cases of a class" in found.reason


def test_own_cohorts_are_told_apart_by_their_files(make_run, tmp_path):
    for name, folder, digest in [("a", "x", "1"), ("b", "moved", "1"), ("c", "x", "2")]:
        make_run(f"1-1-{name}", cohort=folder, record={"cohort_digest": digest})
    make_run("1-1-d", cohort="x")
    make_run("1-1-e")
    a, b, c, d, e = (find_run(name, tmp_path) for name in "abcde")
    assert same_cohort(a, b) == ""
    assert "files of their cohorts differ" in same_cohort(a, c)
    assert same_cohort(a, d) == ""
    assert "different cohort folders" in same_cohort(b, d)
    assert "one cohort is simulated" in same_cohort(a, e)


def test_other_chapter_is_another_cohort(make_run, tmp_path):
    make_run("1-1-a")
    make_run("1-1-b", chapter="lvlnm")
    a, b = find_run("a", tmp_path), find_run("b", tmp_path)
    assert "differ in chapter" in same_cohort(a, b)
    assert different_parameters([a, b]) == [("chapter", ["llnm", "lvlnm"])]


def test_runs_with_nothing_in_common_are_refused(make_run, tmp_path):
    make_run("1-1-a", metrics=metrics(predictions(1, 1)))
    make_run("1-1-b", metrics=metrics(predictions(1, 1, model="Network")))
    make_run("1-1-c", record={"outcome": "error"})
    a, b, c = (find_run(name, tmp_path) for name in "abc")
    for runs in ([a, b], [a, c], [a, b, c]):
        with pytest.raises(InputError, match="nothing in common"):
            compare_runs(runs)
    with pytest.raises(InputError, match="at least two"):
        compare_runs([a])
    with pytest.raises(InputError, match="more than once"):
        compare_runs([a, b, a])


def test_page_holds_everything_and_takes_hostile_names_as_text(two_runs, tmp_path):
    name = "<script>alert(1)</script>"
    tables = [predictions(seed, 1.0, model=name) for seed in (1, 2)]
    runs, _ = two_runs(*tables, cohort=name)
    figures = runs[0].folder / "figures"
    figures.mkdir()
    (figures / "roc.png").write_bytes(PNG)
    write_page(compare_runs(runs), tmp_path / "deep" / "page.html")
    html = (tmp_path / "deep" / "page.html").read_text()
    assert page_problems(html) == []
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert 'src="data:image/png;base64,' in html
    assert "no such figure" in html
    assert "No paired test" in html
    assert "not for clinical use" in html
