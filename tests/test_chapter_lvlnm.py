"""What the chapter on several images per patient does with cohorts that are not its own."""

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
    words = ["cohort", "simulate", "lvlnm", root, "--size", "0.1"]
    subprocess.run([LNM, *words], check=True, cwd=tmp_path)
    return root


def run(cohort: Path, *assignments: str) -> subprocess.CompletedProcess:
    words = [word for each in (f"cohort={cohort}", *assignments) for word in ("-p", each)]
    return subprocess.run(
        [LNM, "run", "lvlnm", "-p", "profile=smoke", *words],
        cwd=cohort.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def shown_text(cohort: Path) -> tuple[str, pd.DataFrame]:
    (folder,) = (cohort.parent / "runs" / "lvlnm").iterdir()
    cells = nbformat.read(folder / "notebook.ipynb", as_version=4).cells
    shown = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    text = "\n".join(data.get("text/markdown", "") for data in shown)
    return text, pd.read_json(folder / "metrics.json")


def relabel(cohort: Path, split: str, n_positive: int) -> list[str]:
    """Leave this many positive patients in a split; give the split's cases."""
    cases = pd.read_csv(cohort / "cases.csv", dtype=str, keep_default_na=False)
    positive = cases[(cases.split == split) & (cases.label == "1")].patient_id.unique()
    cases.loc[cases.patient_id.isin(positive[n_positive:]), "label"] = "0"
    cases.to_csv(cohort / "cases.csv", index=False)
    return cases.case_id[cases.split == split].tolist()


def test_everything_that_is_wrong_is_listed_before_anything_is_computed(cohort):
    relabel(cohort, "training", 3)
    of_validation = relabel(cohort, "validation", 0)
    relabel(cohort, "test", 0)
    cases = pd.read_csv(cohort / "cases.csv", dtype=str, keep_default_na=False)
    first, second = cases.index[cases.split == "training"][:2]
    cases.loc[second, "patient_id"] = cases.patient_id[first]
    cases.loc[[first, second], "label"] = ["0", "1"]
    cases.to_csv(cohort / "cases.csv", index=False)
    done = run(cohort)
    assert done.returncode == 2
    patient = cases.patient_id[first]
    assert f"1 patients have cases of both labels ({patient})" in done.stderr
    assert "patients with label 1" in done.stderr
    assert "a choice inside of a cross-validation needs 6 or more" in done.stderr
    assert "no split but training holds both classes" in done.stderr
    assert of_validation[0] in done.stderr
    assert "Traceback" not in done.stderr


def test_it_goes_on_without_a_split_of_one_class(cohort):
    relabel(cohort, "test", 0)
    done = run(cohort, "epochs=1", "resamples=2", "compared_epochs=0")
    assert done.returncode == 0, done.stderr[-2000:]
    text, metrics = shown_text(cohort)
    assert "test" in text
    assert set(metrics.split) == {"training", "validation"}


def test_several_frames_of_real_patients_run_to_the_end(tmp_path, ddti_source):
    cohort = tmp_path / "ddti"
    subprocess.run([LNM, "cohort", "import", "ddti", ddti_source, cohort], check=True)
    done = run(cohort, "compared_epochs=0")
    assert done.returncode == 0, done.stderr[-2000:]
    text, metrics = shown_text(cohort)
    assert "These are real images" in text
    per_image = metrics[metrics.metric == "auc, per image"]
    per_patient = metrics[metrics.metric == "auc"]
    assert set(per_image.model) <= set(per_patient.model)
    assert {"training", "validation", "test_a"} <= set(per_patient.split)
