import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    cohen_kappa_score,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

from lnm_kit.errors import InputError
from lnm_kit.evaluation import METRICS, auc, bootstrap_metrics, confusion_metrics


def cases(n=60, seed=0, decimals=2):
    """Scores with ties; probabilities 0 and 1 do not occur."""
    rng = np.random.default_rng(seed)
    label = np.r_[0, 1, rng.random(n - 2) < 0.4].astype(int)
    score = 1 / (1 + np.exp(-rng.normal(label, 1.2)))
    return label, score.round(decimals).clip(0.01, 0.99)


def by_sklearn(label, score, threshold):
    called = score >= threshold
    asked = {"zero_division": np.nan}
    return {
        "auc": roc_auc_score(label, score),
        "accuracy": accuracy_score(label, called),
        "sensitivity": recall_score(label, called, **asked),
        "specificity": recall_score(label, called, pos_label=0, **asked),
        "ppv": precision_score(label, called, **asked),
        "npv": precision_score(label, called, pos_label=0, **asked),
        "f1": f1_score(label, called, **asked),
        "kappa": cohen_kappa_score(label, called),
        "brier": brier_score_loss(label, score),
        "log_loss": log_loss(label, score),
    }


@pytest.mark.parametrize("decimals", [1, 2, 9])
def test_every_metric_of_every_resample_is_that_of_scikit_learn_on_the_copied_cases(decimals):
    label, score = cases(decimals=decimals)
    found = bootstrap_metrics(label, score, 0.5, resamples=40, seed=7)
    # counts are drawn case by case in the order of the scores
    order = np.argsort(score, kind="stable")
    rng = np.random.default_rng(7)
    drawn = [order[rng.integers(0, len(order), len(order))] for _ in range(40)]
    expected = [by_sklearn(label[rows], score[rows], 0.5) for rows in drawn]
    assert set(found) == {"auc", *METRICS, "brier", "log_loss"}
    for name, estimate in found.items():
        samples = [one[name] for one in expected]
        assert estimate.value == pytest.approx(by_sklearn(label, score, 0.5)[name], abs=1e-12)
        limits = np.quantile(samples, [0.025, 0.975])
        assert (estimate.lo, estimate.hi) == pytest.approx(tuple(limits), abs=1e-12), name


def test_intervals_are_near_those_of_the_formulas():
    label, score = cases(n=600, decimals=9)
    found = bootstrap_metrics(label, score, 0.5)
    exact = {"auc": auc(label, score), **confusion_metrics(label, score, 0.5)}
    for name, estimate in exact.items():
        width = estimate.hi - estimate.lo
        assert found[name].lo == pytest.approx(estimate.lo, abs=0.1 * width), name
        assert found[name].hi == pytest.approx(estimate.hi, abs=0.1 * width), name


def test_the_seed_decides():
    first, again, other = (bootstrap_metrics(*cases(), 0.5, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first["auc"] != other["auc"]


def test_few_cases_leave_resamples_without_a_class_out():
    label, score = np.array([0, 0, 0, 1]), np.array([0.1, 0.2, 0.6, 0.9])
    found = bootstrap_metrics(label, score, 0.5)
    assert all(np.isfinite([one.lo, one.hi]).all() for one in found.values())


def test_nobody_called_positive_has_no_ppv():
    found = bootstrap_metrics(*cases(), 1.0)
    assert not found["ppv"].defined
    assert found["sensitivity"].value == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probability": [0.1, 1.2]}, "probability is 0.1 to 1.2; allowed: 0 to 1"),
        ({"threshold": np.nan, "resamples": 1}, "threshold is nan.*resamples is 1"),
        ({"label": [1, 1]}, "both classes are needed"),
    ],
)
def test_wrong_input_is_named(change, message):
    given = {"label": [0, 1], "probability": [0.2, 0.7], "threshold": 0.5} | change
    with pytest.raises(InputError, match=message):
        bootstrap_metrics(**given)
