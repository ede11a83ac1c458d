"""What the chapter on two planes says to cohorts that lack something."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

LNM = Path(sys.executable).with_name("lnm")


@pytest.fixture
def cohort(tmp_path):
    """The smallest simulated cohort, to be spoiled."""
    root = tmp_path / "cohort"
    words = ["cohort", "simulate", "clnm", root, "--size", "0.1"]
    subprocess.run([LNM, *words], check=True, cwd=tmp_path)
    return root


def change(table: Path, how) -> None:
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    how(rows).to_csv(table, index=False)


def positives_kept(cases: pd.DataFrame, split: str, n: int) -> pd.DataFrame:
    positive = cases.index[(cases.split == split) & (cases.label == "1")]
    cases.loc[positive[n:], "label"] = "0"
    return cases


def run(cohort: Path, *assignments: str) -> subprocess.CompletedProcess:
    words = [word for each in (f"cohort={cohort}", *assignments) for word in ("-p", each)]
    return subprocess.run(
        [LNM, "run", "clnm", "-p", "profile=smoke", *words],
        cwd=cohort.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_cases_without_a_plane_are_listed_before_anything_is_computed(cohort):
    change(cohort / "images.csv", lambda images: images.drop(index=[1, 4]))
    done = run(cohort)
    assert done.returncode == 2
    assert "no longitudinal image: sim-clnm-0003" in done.stderr
    assert "no transverse image: sim-clnm-0001" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_training_split_that_nothing_can_be_learned_from_is_refused(cohort):
    change(cohort / "cases.csv", lambda cases: positives_kept(cases, "training", 3))
    done = run(cohort)
    assert done.returncode == 2
    assert "the training split holds 3 patients of its rarer class" in done.stderr


def test_it_goes_on_without_columns_a_class_and_folds_and_says_so(cohort):
    def spoil(cases):
        cases = positives_kept(positives_kept(cases, "training", 5), "test", 0)
        return cases.assign(sex="female", age_years="").drop(columns="ete")

    change(cohort / "cases.csv", spoil)
    first_of_test = pd.read_csv(cohort / "cases.csv").query("split == 'test'").case_id.iloc[0]
    done = run(cohort, "folds=10", "epochs=1", "resamples=2")
    assert done.returncode == 0, done.stderr[-2000:]
    (folder,) = (cohort.parent / "runs" / "clnm").iterdir()
    cells = nbformat.read(folder / "notebook.ipynb", as_version=4).cells
    shown = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    text = "\n".join(data.get("text/markdown", "") for data in shown)
    assert "`ete`" in text
    assert "`sex` has one value only" in text
    assert "*test* holds one class only" in text
    assert f"it is left out: {first_of_test}" in text
    assert "Only 5: the folds are 5 instead of 10" in text
    metrics = pd.read_json(folder / "metrics.json")
    assert set(metrics.split) == {"training", "validation"}
