import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import rankdata
from statsmodels.discrete.discrete_model import Logit

from lnm_kit.errors import InputError
from lnm_kit.evaluation.auc import auc
from lnm_kit.evaluation.calibration import calibration_intercept, calibration_slope
from lnm_kit.evaluation.recalibration import Recalibration, fit_recalibration


def drawn(seed, n, *, slope, intercept):
    """Labels whose true logit is intercept + slope times the logit of the prediction."""
    rng = np.random.default_rng(seed)
    probability = expit(rng.normal(-1, 1.2, n))
    truth = expit(intercept + slope * logit(probability))
    return (rng.random(n) < truth).astype(int), probability


@pytest.mark.parametrize(("slope", "intercept"), [(0.4, 0.8), (1.0, 0.0), (2.0, -1.0), (-0.7, 0.3)])
def test_it_is_the_logistic_regression_of_statsmodels(slope, intercept):
    label, probability = drawn(1, 400, slope=slope, intercept=intercept)
    found = fit_recalibration(label, probability)
    design = np.column_stack([np.ones(400), logit(probability)])
    reference = Logit(label, design).fit(disp=0, tol=1e-12)
    assert [found.intercept, found.slope] == pytest.approx(reference.params, abs=1e-6)


@given(st.integers(0, 10_000), st.floats(0.3, 2.5), st.floats(-1.5, 1.5))
@settings(max_examples=30, deadline=None)
def test_on_the_cases_it_was_fitted_on_slope_is_1_and_intercept_0(seed, slope, intercept):
    label, probability = drawn(seed, 200, slope=slope, intercept=intercept)
    mended = fit_recalibration(label, probability).apply(probability)
    assert calibration_slope(label, mended).value == pytest.approx(1, abs=1e-5)
    assert calibration_intercept(label, mended).value == pytest.approx(0, abs=1e-6)
    assert mended.mean() == pytest.approx(label.mean(), abs=1e-6)


def test_it_finds_the_truth_in_many_cases_and_helps_on_others():
    label, probability = drawn(2, 50_000, slope=0.5, intercept=0.6)
    found = fit_recalibration(label, probability)
    assert found.slope == pytest.approx(0.5, abs=0.03)
    assert found.intercept == pytest.approx(0.6, abs=0.05)
    others, predicted = drawn(3, 5_000, slope=0.5, intercept=0.6)
    slope = calibration_slope(others, found.apply(predicted))
    assert slope.lo < 1 < slope.hi
    assert calibration_slope(others, predicted).hi < 0.7


def test_ranks_and_with_them_the_auc_stay_as_they_are():
    label, probability = drawn(4, 300, slope=0.5, intercept=1.0)
    mended = fit_recalibration(label, probability).apply(probability)
    assert (rankdata(mended) == rankdata(probability)).all()
    assert auc(label, mended) == auc(label, probability)


def test_a_known_shift_and_stretch():
    # log-odds 0 and ln 3: 0.5 * 0 + ln 3 -> 3/4; 2 * ln 3 -> 9/10
    assert Recalibration(np.log(3), 0.5).apply([0.5]) == pytest.approx([0.75])
    assert Recalibration(0.0, 2.0).apply([0.75]) == pytest.approx([0.9])


@pytest.mark.parametrize("bad", [0.0, 1.0, -0.1, 1.2, np.nan])
def test_what_is_no_inner_probability_is_refused(bad):
    with pytest.raises(InputError, match=r"at 1 positions, first \[1\]"):
        Recalibration(0.0, 1.0).apply([0.5, bad])
    with pytest.raises(InputError):
        fit_recalibration([0, 1, 0, 1], [0.2, bad, 0.6, 0.4])


@pytest.mark.parametrize(
    ("label", "probability", "reason"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9], "separate the classes"),
        ([0, 1, 0, 1], [0.4, 0.4, 0.4, 0.4], "all predictions are equal"),
        ([1, 1, 1], [0.1, 0.2, 0.7], "both classes are needed"),
    ],
)
def test_scores_without_a_best_slope_are_refused_with_the_reason(label, probability, reason):
    with pytest.raises(InputError, match=reason):
        fit_recalibration(label, probability)
