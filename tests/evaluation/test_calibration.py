import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import kstest
from sklearn import calibration as reference_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, d2_brier_score
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.stats.proportion import proportion_confint

from lnm_kit.errors import InputError
from lnm_kit.evaluation.calibration import (
    brier_score,
    calibration_curve,
    calibration_intercept,
    calibration_slope,
    hosmer_lemeshow,
    scaled_brier_score,
)

cases = st.lists(
    st.tuples(st.booleans(), st.integers(0, 20).map(lambda i: i / 20)), min_size=10, max_size=80
).filter(lambda rows: 0 < sum(label for label, _ in rows) < len(rows))


def drawn(seed: int, n: int, *, slope: float = 1.0, intercept: float = 0.0):
    """Labels whose true logit is intercept + slope times the logit of the prediction."""
    rng = np.random.default_rng(seed)
    probability = expit(rng.normal(-1, 1.2, n))
    truth = expit(intercept + slope * logit(probability))
    return (rng.random(n) < truth).astype(int), probability


@given(cases, st.integers(2, 10))
@settings(max_examples=60, deadline=None)
def test_groups_hold_every_case_once_and_rise(rows, groups):
    label, probability = map(np.array, zip(*rows, strict=True))
    curve = calibration_curve(label, probability, groups=groups)
    assert curve["n"].sum() == len(rows)
    assert curve["positives"].sum() == label.sum()
    assert (curve["n"] * curve["mean_predicted"]).sum() == pytest.approx(probability.sum())
    assert 1 <= len(curve) <= groups
    assert (np.diff(curve["mean_predicted"]) > 0).all()
    assert (curve["observed"] == curve["positives"] / curve["n"]).all()


def test_groups_are_the_quantile_bins_of_scikit_learn():
    label, probability = drawn(0, 500)
    curve = calibration_curve(label, probability, groups=10)
    observed, predicted = reference_curve.calibration_curve(
        label, probability, n_bins=10, strategy="quantile"
    )
    assert (curve["n"] == 50).all()
    assert curve["observed"].to_numpy() == pytest.approx(observed)
    assert curve["mean_predicted"].to_numpy() == pytest.approx(predicted)
    for row in curve.itertuples():
        assert (row.lo, row.hi) == pytest.approx(
            proportion_confint(row.positives, row.n, method="wilson")
        )


def test_equal_predictions_are_never_parted():
    label = np.arange(60) % 2
    probability = np.repeat([0.1, 0.2, 0.9], [40, 10, 10])
    curve = calibration_curve(label, probability, groups=6)
    assert curve["n"].tolist() == [40, 10, 10]
    assert curve["mean_predicted"].tolist() == pytest.approx([0.1, 0.2, 0.9])


def test_hosmer_lemeshow_by_hand():
    # Four groups of 10 at 0.1, 0.3, 0.6, 0.8 with 2, 3, 4, 10 positives; expected 1, 3, 6, 8:
    # 1/0.9 + 0 + 4/2.4 + 4/1.6 = 5.2778; exp(-x/2) (1 + x/2) is the tail of 4 degrees of freedom.
    probability = np.repeat([0.1, 0.3, 0.6, 0.8], 10)
    label = np.concatenate([[1] * k + [0] * (10 - k) for k in (2, 3, 4, 10)])
    external = hosmer_lemeshow(label, probability, external=True, groups=4)
    statistic = 1 / 0.9 + 4 / 2.4 + 4 / 1.6
    assert external.statistic == pytest.approx(statistic)
    assert (external.degrees_of_freedom, external.groups) == (4, 4)
    assert external.p_value == pytest.approx(math.exp(-statistic / 2) * (1 + statistic / 2))
    development = hosmer_lemeshow(label, probability, external=False, groups=4)
    assert (development.statistic, development.degrees_of_freedom) == (external.statistic, 2)
    assert development.p_value == pytest.approx(math.exp(-statistic / 2))


def test_hosmer_lemeshow_p_is_uniform_for_true_probabilities_on_external_data():
    found = [hosmer_lemeshow(*drawn(seed, 600), external=True).p_value for seed in range(400)]
    assert kstest(found, "uniform").pvalue > 0.01
    assert 0.025 <= np.mean(np.array(found) < 0.05) <= 0.085


def test_two_degrees_of_freedom_are_lost_on_development_data():
    p_values = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        features = rng.normal(size=(500, 2))
        label = rng.random(500) < expit(features @ [0.8, -0.5] - 0.5)
        fitted = LogisticRegression(C=1e12).fit(features, label).predict_proba(features)[:, 1]
        p_values.append(hosmer_lemeshow(label, fitted, external=False).p_value)
    assert kstest(p_values, "uniform").pvalue > 0.01


def test_hosmer_lemeshow_sees_predictions_that_are_too_extreme():
    label, probability = drawn(1, 2000, slope=0.5)
    assert hosmer_lemeshow(label, probability, external=True).p_value < 1e-6


def test_certain_predictions_add_nothing_when_right_and_everything_when_wrong():
    probability = np.repeat([0.0, 0.5, 1.0], 10)
    label = np.repeat([0, 1, 0, 1], [10, 5, 5, 10])
    assert hosmer_lemeshow(label, probability, external=True, groups=3).statistic == 0
    label[0] = 1
    wrong = hosmer_lemeshow(label, probability, external=True, groups=3)
    assert (wrong.statistic, wrong.p_value) == (math.inf, 0)


@pytest.mark.parametrize("seed", range(4))
def test_intercept_and_slope_are_those_of_a_generalized_linear_model(seed):
    label, probability = drawn(seed, 150, slope=0.7, intercept=0.4)
    offset = logit(probability)
    for found, design, kept in (
        (calibration_intercept(label, probability), {"offset": offset}, 0),
        (calibration_slope(label, probability), {}, 1),
    ):
        columns = [np.ones(150)] if "offset" in design else [np.ones(150), offset]
        fit = GLM(label, np.column_stack(columns), family=Binomial(), **design).fit()
        assert found.value == pytest.approx(fit.params[kept], abs=1e-6)
        assert (found.lo, found.hi) == pytest.approx(tuple(fit.conf_int()[kept]), abs=1e-5)


def test_slope_is_that_of_an_unpenalized_classifier():
    label, probability = drawn(9, 400, slope=0.6)
    model = LogisticRegression(C=1e12, tol=1e-10).fit(logit(probability)[:, None], label)
    assert calibration_slope(label, probability).value == pytest.approx(model.coef_[0, 0], abs=1e-5)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, 0.0), (1.0, 0.7), (2.0, 0.0)])
def test_intercept_and_slope_find_the_miscalibration_that_was_put_in(slope, intercept):
    label, probability = drawn(3, 40_000, slope=slope, intercept=intercept)
    assert calibration_slope(label, probability).value == pytest.approx(slope, abs=0.06)
    if slope == 1:
        found = calibration_intercept(label, probability)
        assert found.value == pytest.approx(intercept, abs=0.05)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    covered = np.zeros(2)
    for seed in range(400):
        label, probability = drawn(seed, 200)
        intercept = calibration_intercept(label, probability)
        slope = calibration_slope(label, probability)
        covered += [intercept.lo <= 0 <= intercept.hi, slope.lo <= 1 <= slope.hi]
    assert (np.abs(covered / 400 - 0.95) <= 0.03).all()


def test_extreme_predictions_have_an_intercept():
    # Newton's steps run off here; the score equation still has its root, by symmetry at 0.
    probability = np.repeat([1e-9, 1 - 1e-9], 4)
    found = calibration_intercept([1, 0, 0, 0, 0, 1, 1, 1], probability)
    assert found.value == pytest.approx(0, abs=1e-3)
    assert found.lo < -100
    assert found.hi > 100


@pytest.mark.parametrize(
    ("label", "probability", "reason"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], "separate"),
        ([0, 0, 1, 1], [0.1, 0.2, 0.2, 0.4], "separate"),
        ([1, 1, 0, 0], [0.1, 0.2, 0.3, 0.4], "separate"),
        ([1, 0, 1, 0], [0.3] * 4, "equal"),
    ],
)
def test_a_slope_that_does_not_exist_is_undefined_and_says_why(label, probability, reason):
    found = calibration_slope(label, probability)
    assert not found.defined
    assert reason in found.method


@given(cases)
@settings(max_examples=15, deadline=None)
def test_brier_scores_are_those_of_scikit_learn(rows):
    label, probability = map(np.array, zip(*rows, strict=True))
    label = label.astype(int)
    found, scaled = brier_score(label, probability), scaled_brier_score(label, probability)
    assert found.value == pytest.approx(brier_score_loss(label, probability))
    assert scaled.value == pytest.approx(d2_brier_score(label, probability))
    assert 0 <= found.lo <= found.hi <= 1
    assert scaled.lo <= scaled.hi <= 1


def test_the_bootstrap_of_the_brier_score_agrees_with_the_error_of_a_mean():
    label, probability = drawn(5, 400)
    found = brier_score(label, probability)
    half = 1.96 * ((probability - label) ** 2).std(ddof=1) / math.sqrt(400)
    assert (found.hi - found.lo) / 2 == pytest.approx(half, rel=0.08)
    assert (found.hi + found.lo) / 2 == pytest.approx(found.value, abs=0.1 * half)


def test_share_of_positives_for_everybody_has_scaled_brier_score_0():
    label = np.arange(100) % 4 == 0
    found = scaled_brier_score(label, np.full(100, 0.25))
    assert found.value == pytest.approx(0)
    assert scaled_brier_score(label, label.astype(float)).value == 1


def test_the_seed_decides_the_bootstrap_only():
    label, probability = drawn(6, 60)
    for score in (brier_score, scaled_brier_score):
        first, again, other = (score(label, probability, seed=s) for s in (0, 0, 1))
        assert first == again
        assert first.value == other.value
        assert first.lo != other.lo


@pytest.mark.parametrize(
    "function",
    [
        calibration_curve,
        calibration_intercept,
        calibration_slope,
        brier_score,
        scaled_brier_score,
        lambda label, probability: hosmer_lemeshow(label, probability, external=True),
    ],
)
@pytest.mark.parametrize(
    ("label", "probability", "message"),
    [
        ([0, 1, 1], [0.2, 1.2, 0.4], r"outside of \[0, 1\] at 1 positions, first \[1\] \(1.2\)"),
        ([0, 1, 1], [-0.1, 0.2, 0.4], r"outside of \[0, 1\]"),
        ([0, 1, 1], [0.1, float("nan"), 0.4], "not finite"),
        ([0, 0, 0], [0.1, 0.2, 0.4], "both classes"),
    ],
)
def test_bad_input_is_named(function, label, probability, message):
    with pytest.raises(InputError, match=message):
        function(label, probability)


@pytest.mark.parametrize("function", [calibration_intercept, calibration_slope])
def test_certain_predictions_have_no_logit(function):
    with pytest.raises(InputError, match=r"exactly 0 or 1 at 2 positions.*clip"):
        function([0, 1, 0, 1], [0.0, 0.2, 0.3, 1.0])


@pytest.mark.parametrize("groups", [1, 5])
def test_groups_are_at_least_two_and_at_most_the_cases(groups):
    with pytest.raises(InputError, match=f"groups is {groups}; allowed: 2 to 4"):
        calibration_curve([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], groups=groups)


def test_development_data_need_three_groups():
    with pytest.raises(InputError, match="2 groups were formed of 10"):
        hosmer_lemeshow([0, 1] * 10, [0.2] * 10 + [0.4] * 10, external=False)
