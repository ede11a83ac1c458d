"""What the chapter on two planes says to cohorts that lack something."""

import pandas as pd
import pytest

from tests.chapters import (
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
    return smallest_cohort("clnm", shared_cache, tmp_path / "cohort")


def test_cases_without_a_plane_are_listed_before_anything_is_computed(cohort):
    change(cohort / "images.csv", lambda images: images.drop(index=[1, 4]))
    message = refusal("clnm", cohort)
    assert "no longitudinal image: sim-clnm-0003" in message
    assert "no transverse image: sim-clnm-0001" in message


def test_a_training_split_that_nothing_can_be_learned_from_is_refused(cohort):
    change(cohort / "cases.csv", lambda cases: positives_kept(cases, "training", 3))
    assert "the training split holds 3 patients of its rarer class" in refusal("clnm", cohort)


def test_it_goes_on_without_columns_a_class_and_folds_and_says_so(cohort):
    def spoil(cases):
        cases = positives_kept(positives_kept(cases, "training", 5), "test", 0)
        return cases.assign(sex="female", age_years="").drop(columns="ete")

    change(cohort / "cases.csv", spoil)
    first_of_test = pd.read_csv(cohort / "cases.csv").query("split == 'test'").case_id.iloc[0]
    short = ["folds=10", "epochs=1", "resamples=2"]
    run = run_chapter("clnm", cohort.parent, f"cohort={cohort}", *short)
    text = text_of(run)
    assert "`ete`" in text
    assert "`sex` has one value only" in text
    assert "*test* holds one class only" in text
    assert f"it is left out: {first_of_test}" in text
    assert "Only 5: the folds are 5 instead of 10" in text
    metrics = pd.read_json(run / "metrics.json")
    assert set(metrics.split) == {"training", "validation"}
