"""What the chapter on several images per patient does with cohorts that are not its own."""

import subprocess

import pandas as pd
import pytest

from tests.chapters import (
    LNM,
    change,
    positives_kept,
    refusal,
    run_chapter,
    smallest_cohort,
    text_of,
)


@pytest.fixture
def cohort(tmp_path, shared_cache):
    """The smallest simulated cohort, to be spoiled."""
    return smallest_cohort("lvlnm", shared_cache, tmp_path / "cohort")


def test_everything_that_is_wrong_is_listed_before_anything_is_computed(cohort):
    spoilt = {}

    def spoil(cases):
        for split, n in (("training", 3), ("validation", 0), ("test", 0)):
            positives_kept(cases, split, n)
        first, second = cases.index[cases.split == "training"][:2]
        cases.loc[second, "patient_id"] = cases.patient_id[first]
        cases.loc[[first, second], "label"] = ["0", "1"]
        spoilt["patient"] = cases.patient_id[first]
        spoilt["of_validation"] = cases.case_id[cases.split == "validation"].iloc[0]
        return cases

    change(cohort / "cases.csv", spoil)
    message = refusal("lvlnm", cohort)
    assert f"1 patients have cases of both labels ({spoilt['patient']})" in message
    assert "patients with label 1" in message
    assert "a choice inside of a cross-validation needs 6 or more" in message
    assert "no split but training holds both classes" in message
    assert spoilt["of_validation"] in message


def test_it_goes_on_without_a_split_of_one_class(cohort):
    change(cohort / "cases.csv", lambda cases: positives_kept(cases, "test", 0))
    short = ["epochs=1", "resamples=2", "compared_epochs=0"]
    run = run_chapter("lvlnm", cohort.parent, f"cohort={cohort}", *short)
    assert "test" in text_of(run)
    metrics = pd.read_json(run / "metrics.json")
    assert set(metrics.split) == {"training", "validation"}


def test_several_frames_of_real_patients_run_to_the_end(tmp_path, ddti_source):
    cohort = tmp_path / "ddti"
    subprocess.run([LNM, "cohort", "import", "ddti", ddti_source, cohort], check=True)
    short = ["epochs=1", "resamples=2", "compared_epochs=0"]
    run = run_chapter("lvlnm", tmp_path, f"cohort={cohort}", *short)
    assert "These are real images" in text_of(run)
    metrics = pd.read_json(run / "metrics.json")
    per_image = metrics[metrics.metric == "auc, per image"]
    per_patient = metrics[metrics.metric == "auc"]
    assert set(per_image.model) <= set(per_patient.model)
    assert {"training", "validation", "test_a"} <= set(per_patient.split)
