import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lnm_kit.errors import InputError
from lnm_kit.simulate.population import simulate_population
from lnm_kit.simulate.truth import expected_auc, oracle_auc


@pytest.fixture(scope="module")
def cohorts() -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    return [simulate_population("llnm", seed=seed, signal=1.0) for seed in range(6)]


def mean_auc(cohorts, split, score) -> float:
    return float(np.mean([oracle_auc(*cohort, split, score=score) for cohort in cohorts]))


def test_the_oracle_reaches_what_the_paper_reports(cohorts):
    # the integrated model: 0.943 in validation, 0.951 in test set A
    assert mean_auc(cohorts, "training", "probability") == pytest.approx(0.95, abs=0.012)
    for split in ("validation", "test_a", "test_b"):
        assert mean_auc(cohorts, split, "probability") == pytest.approx(0.95, abs=0.03)


def test_the_aggressiveness_alone_comes_close_but_not_as_far(cohorts):
    assert mean_auc(cohorts, "training", "aggressiveness") == pytest.approx(0.88, abs=0.02)


def test_without_signal_the_oracle_guesses():
    cases, truth = simulate_population("llnm", seed=3, signal=0.0)
    for split in cases["split"].unique():
        assert oracle_auc(cases, truth, split) == 0.5


def test_more_signal_means_a_better_oracle():
    aucs = [
        oracle_auc(*simulate_population("llnm", seed=8, signal=signal), "training")
        for signal in (0.0, 0.25, 0.5, 1.0, 2.0)
    ]
    assert aucs == sorted(aucs)
    assert aucs[-1] > 0.97


def test_the_expected_auc_is_the_mean_over_labels():
    rng = np.random.default_rng(0)
    probability = pd.Series(rng.uniform(0.05, 0.6, 400))
    score = probability + rng.normal(0, 0.1, 400)
    drawn = [roc_auc_score(rng.uniform(size=400) < probability, score) for _ in range(200)]
    assert expected_auc(score, probability) == pytest.approx(np.mean(drawn), abs=0.006)


def test_cases_without_truth_are_refused(cohorts):
    cases, truth = cohorts[0]
    with pytest.raises(InputError, match="1 cases of split 'training' are missing"):
        oracle_auc(cases, truth.iloc[1:], "training")


def test_an_unknown_split_is_refused(cohorts):
    with pytest.raises(InputError, match="Did you mean 'training'"):
        oracle_auc(*cohorts[0], "trainng")
