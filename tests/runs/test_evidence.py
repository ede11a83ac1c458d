import pandas as pd
import pytest

from lnm_kit.cohort import load_cohort
from lnm_kit.reporting import CHECKLISTS, MISSING, fill, read_checklist
from lnm_kit.runs.evidence import evidence_of, run_cases
from lnm_kit.runs.inventory import read_run

FINAL = "Combined"
SIMULATED = {"signal": 1.0, "size": 0.1, "n_jobs": 1}


def metric(model, split, metric, value=0.7, lo=0.6, hi=0.8):
    row = {"model": model, "split": split, "metric": metric, "method": "DeLong, logit"}
    return row | {"value": value, "lo": lo, "hi": hi}


FULL = [
    metric(FINAL, "training", "auc"),
    metric(FINAL, "test", "auc"),
    metric(FINAL, "test", "sensitivity"),
    metric(FINAL, "test", "specificity"),
    metric(f"{FINAL}, recalibrated", "test", "calibration_slope"),
    metric("Clinical", "test", "auc"),
    metric(f"{FINAL} minus Clinical", "test", "auc_difference"),
]


def evidence(folder):
    run = read_run(folder)
    return evidence_of(run, run_cases(run))


@pytest.fixture
def full(make_run):
    """A run that answers much."""
    record = {"git_revision": "a" * 40, "versions": {"lnm-kit": "0.1"}}
    given = SIMULATED | {"radiomics_spacing_mm": 0.25, "wavelets": True}
    folder = make_run("20260101-000000-a", chapter="clnm", record=record, metrics=FULL, **given)
    (folder / "models" / "network").mkdir(parents=True)
    (folder / "figures").mkdir()
    for name in ("grad_cam", "lasso", "icc", "roc"):
        (folder / "figures" / f"{name}.png").touch()
    return folder


def test_a_bare_run_proves_no_result(make_run):
    found = evidence(make_run("20260101-000000-a", chapter="clnm", **SIMULATED))
    assert set(found) <= {
        *("source", "outcome", "partition", "counts", "centers", "complete", "predictors", "data")
    }
    for name in CHECKLISTS:
        table = fill(read_checklist(name), found).set_index("topic")
        open_items = table[table.answer == MISSING]
        assert len(open_items) > 3
        assert "performance" not in table[table.found != ""].index


def test_a_full_run_answers_every_question_that_is_asked_of_runs(full):
    found = evidence(full)
    asked = {
        key for name in CHECKLISTS for item in read_checklist(name).items for key in item.evidence
    }
    unanswered = asked - set(found)
    # this study joins no image types, and the simple model beside it has no test
    assert unanswered == {"single_test", "simple_test"}
    assert found["clinical"] == "Clinical 0.70; final 0.70"
    assert found["clinical_test"] == "Clinical +0.70"
    assert found["model"] == "network"
    assert found["intervals"] == "7 of 7 metrics"
    assert found["explanations"] == "figure grad_cam"


def test_of_a_difference_in_several_splits_the_held_out_one_counts(make_run):
    several = [
        metric(f"{FINAL} minus Clinical", split, "auc_difference", value=value)
        for split, value in (("outside", 0.2), ("test", 0.1), ("training", 0.3))
    ]
    metrics = [each for each in FULL if each["metric"] != "auc_difference"] + several
    found = evidence(make_run("20260101-000000-a", chapter="clnm", metrics=metrics, **SIMULATED))
    assert found["clinical_test"] == "Clinical +0.10"
    assert found["comparison"] == "1 difference of AUCs with intervals"


@pytest.mark.parametrize(
    ("chapter", "external"), [("clnm", True), ("ceus", False), ("dgfnet", True)]
)
def test_external_means_another_center(make_run, chapter, external):
    model = {"clnm": FINAL, "ceus": "Triple-modality", "dgfnet": "DGFNet"}[chapter]
    folder = make_run(
        "20260101-000000-a", chapter=chapter, metrics=[metric(model, "test", "auc")], **SIMULATED
    )
    found = evidence(folder)
    assert ("external" in found) == external
    origin = "another center" if external else "the training center"
    assert found["testing"] == f"simulated: test from {origin}"


def test_a_split_that_was_not_judged_is_no_test(make_run):
    folder = make_run(
        "20260101-000000-a",
        chapter="clnm",
        metrics=[metric("Clinical", "test", "auc")],
        **SIMULATED,
    )
    assert not {"external", "testing", "discrimination", "clinical"} & set(evidence(folder))


def test_one_metric_without_an_interval_is_told(make_run):
    rows = [*FULL, metric(FINAL, "validation", "auc", lo=None, hi=None)]
    folder = make_run("20260101-000000-a", chapter="clnm", metrics=rows, **SIMULATED)
    assert "intervals" not in evidence(folder)


@pytest.mark.parametrize("revision", [None, "a" * 40 + "+changes"])
def test_code_that_no_commit_names_is_no_evidence(make_run, revision):
    folder = make_run(
        "20260101-000000-a", chapter="clnm", record={"git_revision": revision}, **SIMULATED
    )
    assert "code" not in evidence(folder)


def test_the_site_decides_which_nodules_count_as_positive(make_run):
    cases = [
        run_cases(
            read_run(make_run(f"20260101-000000-{site}", chapter="dgfnet", site=site, **SIMULATED))
        )
        for site in ("central", "lateral")
    ]
    assert cases[1].label.tolist() == cases[0].label_lateral.tolist()


def test_of_a_real_cohort_its_folder_speaks_while_it_is_the_same(
    make_run, write_noise_cohort, tmp_path
):
    root = tmp_path / "cohort"
    write_noise_cohort(root)
    digest = load_cohort(root).digest()
    given = SIMULATED | {"cohort": str(root)}
    same = make_run("20260101-000000-a", chapter="clnm", record={"cohort_digest": digest}, **given)
    found = evidence(same)
    assert found["source"] == load_cohort(root).info.source
    assert "data" not in found
    assert not any("simulated" in text for text in found.values())
    other = make_run(
        "20260101-000000-b", chapter="clnm", record={"cohort_digest": "other"}, **given
    )
    assert run_cases(read_run(other)) is None
    assert "counts" not in evidence(other)


def test_a_patient_in_two_splits_is_no_proper_partition(full):
    run = read_run(full)
    cases = run_cases(run)
    first = cases.index[cases.split == "training"][0]
    other = cases.index[cases.split == "test"][0]
    cases.loc[other, "patient_id"] = cases.patient_id[first]
    cases.loc[other, "age_years"] = float("nan")
    found = evidence_of(run, pd.DataFrame(cases))
    assert not {"partition", "complete"} & set(found)
