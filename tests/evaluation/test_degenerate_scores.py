"""Every metric refuses, or states its result for, one class, no numbers, and a constant."""

import math

import numpy as np
import pandas as pd
import pytest

from lnm_kit.errors import InputError
from lnm_kit.evaluation import (
    auc,
    brier_score,
    calibration_curve,
    calibration_intercept,
    calibration_slope,
    confusion_metrics,
    delong_test,
    delong_test_unpaired,
    hosmer_lemeshow,
    log_loss,
    roc_points,
    youden_threshold,
)
from lnm_kit.evaluation.calibration import scaled_brier_score
from lnm_kit.evaluation.decision_curve import decision_curve
from lnm_kit.evaluation.estimate import Estimate
from lnm_kit.evaluation.per_patient import auc_clustered
from lnm_kit.evaluation.permutation import permutation_tests
from lnm_kit.evaluation.recalibration import fit_recalibration
from lnm_kit.evaluation.reclassification import net_reclassification

LABEL = np.repeat([0, 1], [14, 6])
SCORE = np.random.default_rng(0).uniform(0.1, 0.9, 20)

METRICS = {
    "auc": auc,
    "auc_clustered": lambda label, score: auc_clustered(label, score, np.arange(len(label)) // 2),
    "brier_score": brier_score,
    "calibration_curve": lambda label, score: calibration_curve(label, score, groups=2),
    "calibration_intercept": calibration_intercept,
    "calibration_slope": calibration_slope,
    "confusion_metrics": lambda label, score: confusion_metrics(label, score, 0.5),
    "decision_curve": lambda label, score: decision_curve(label, score, [0.2, 0.4], resamples=20),
    "delong_test": lambda label, score: delong_test(label, score, SCORE),
    "delong_test_unpaired": lambda label, score: delong_test_unpaired(LABEL, SCORE, label, score),
    "fit_recalibration": fit_recalibration,
    "hosmer_lemeshow": lambda label, score: hosmer_lemeshow(label, score, external=True, groups=3),
    "log_loss": log_loss,
    "net_reclassification": lambda label, score: net_reclassification(label, score, SCORE),
    "permutation_tests": lambda label, score: permutation_tests(
        label, score, 0.5, permutations=20, seed=0
    ),
    "roc_points": roc_points,
    "scaled_brier_score": scaled_brier_score,
    "youden_threshold": youden_threshold,
}


def silent_nans(result: object) -> list[str]:
    """Where a result holds a NaN without a word about it."""
    if isinstance(result, Estimate):
        numbers = (result.value, result.lo, result.hi)
        said = "undefined" in result.method
        return [str(result)] if any(map(math.isnan, numbers)) and not said else []
    if isinstance(result, pd.DataFrame):
        return [name for name in result if result[name].isna().any()]
    if isinstance(result, dict):
        return [found for value in result.values() for found in silent_nans(value)]
    if isinstance(result, float):
        return ["NaN"] if math.isnan(result) else []
    if isinstance(result, list | tuple):
        return [found for value in result for found in silent_nans(value)]
    if isinstance(result, str | int | bool | None):
        return []
    if hasattr(result, "difference"):  # a test between models says it in its difference
        return silent_nans(result.difference)
    return silent_nans(vars(result))


@pytest.mark.parametrize("name", METRICS)
def test_what_it_gives_for_ordinary_scores_has_no_nan(name):
    assert silent_nans(METRICS[name](LABEL, SCORE)) == []


@pytest.mark.parametrize("only", [0, 1])
@pytest.mark.parametrize("name", METRICS)
def test_one_class_is_refused(name, only):
    with pytest.raises(InputError, match="class"):
        METRICS[name](np.full(20, only), SCORE)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", METRICS)
def test_scores_that_are_not_finite_are_refused_with_their_place(name, value):
    score = SCORE.copy()
    score[[3, 7]] = value
    with pytest.raises(InputError, match=r"not finite at 2 positions, first \[3, 7\]"):
        METRICS[name](LABEL, score)


@pytest.mark.parametrize("value", [0.3, 0.5])
@pytest.mark.parametrize("name", sorted(set(METRICS) - {"fit_recalibration"}))
def test_constant_scores_have_a_stated_result(name, value):
    assert silent_nans(METRICS[name](LABEL, np.full(20, value))) == []


def test_constant_scores_cannot_be_recalibrated():
    with pytest.raises(InputError, match="all predictions are equal"):
        fit_recalibration(LABEL, np.full(20, 0.5))


def test_constant_scores_are_worth_a_coin():
    assert auc(LABEL, np.full(20, 0.5)).value == 0.5
    points = roc_points(LABEL, np.full(20, 0.5))
    assert len(points) == 2
    assert not calibration_slope(LABEL, np.full(20, 0.5)).defined
