import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from lnm_kit.errors import InputError
from lnm_kit.evaluation.audit.auc_interval import (
    check_auc_interval,
    delong_se_bounds,
    hanley_mcneil_se,
    smaller_class,
)
from lnm_kit.evaluation.audit.printed_range import Range, printed_range

Z = norm.ppf(0.975)


def delong(positives, negatives):
    """AUC and DeLong's variance, by the definition, without ties."""
    wins = positives[:, None] > negatives[None, :]
    of_positives, of_negatives = wins.mean(axis=1), wins.mean(axis=0)
    return wins.mean(), of_positives.var(ddof=1) / len(positives) + of_negatives.var(ddof=1) / len(
        negatives
    )


@given(st.permutations(range(24)), st.integers(2, 22))
@settings(max_examples=300, deadline=None)
def test_every_ranking_lies_inside_the_bounds(order, positive):
    scores = np.array(order, dtype=float)
    value, variance = delong(scores[:positive], scores[positive:])
    bounds = delong_se_bounds(float(value), positive, 24 - positive)
    assert bounds.lo <= np.sqrt(variance) + 1e-9
    assert np.sqrt(variance) <= bounds.hi + 1e-9


def test_the_upper_bound_is_reached():
    # Half of the positives above all negatives, half below all.
    positives, negatives = np.r_[np.arange(5) + 100.0, np.arange(5) - 100.0], np.arange(40.0)
    value, variance = delong(positives, negatives)
    assert np.sqrt(variance) == pytest.approx(delong_se_bounds(float(value), 10, 40).hi)


def test_the_lower_bound_is_nearly_reached_by_its_line():
    # ROC line y = c + x with m = n: the k-th best positive just above the negative of rank k - c n.
    n, shift = 400, 120
    negatives = -np.arange(n, dtype=float)
    positives = -np.arange(n, dtype=float) + shift + 0.5
    value, variance = delong(positives, negatives)
    assert np.sqrt(variance) == pytest.approx(delong_se_bounds(float(value), n, n).lo, rel=0.01)


@given(st.floats(0.5, 0.99), st.integers(10, 300), st.integers(10, 300))
def test_hanley_and_mcneil_lie_inside_the_bounds(value, positive, negative):
    bounds = delong_se_bounds(value, positive, negative)
    # Their variance divides by m n, DeLong's by m - 1 and n - 1.
    assert 0.95 * bounds.lo <= hanley_mcneil_se(value, positive, negative) <= bounds.hi


@pytest.mark.parametrize("method", ["wald", "logit", "bootstrap", "hanley"])
def test_true_intervals_are_not_flagged(method):
    rng = np.random.default_rng(5)
    for _ in range(60):
        positive, negative = int(rng.integers(15, 120)), int(rng.integers(15, 400))
        separation = rng.uniform(0.2, 2.5)
        label = np.repeat([1, 0], [positive, negative])
        score = rng.normal(size=len(label)) + separation * label
        value, variance = delong(score[:positive], score[positive:])
        se = np.sqrt(variance)
        if method == "bootstrap":
            ranks = score[:positive, None] > score[None, positive:]
            draws = [
                ranks[rng.integers(positive, size=positive)][
                    :, rng.integers(negative, size=negative)
                ].mean()
                for _ in range(300)
            ]
            lo, hi = np.quantile(draws, [0.025, 0.975])
        elif method == "hanley":
            half = Z * hanley_mcneil_se(value, positive, negative)
            lo, hi = value - half, min(value + half, 1)
        elif method == "logit":
            center, half = np.log(value / (1 - value)), Z * se / (value * (1 - value))
            lo, hi = 1 / (1 + np.exp(-(center - half))), 1 / (1 + np.exp(-(center + half)))
        else:
            lo, hi = value - Z * se, min(value + Z * se, 1)
        cells = [printed_range(f"{number:.3f}") for number in (value, lo, hi)]
        assert check_auc_interval(*cells, positive, negative).fits


def test_an_auc_outside_its_interval_and_wrong_widths_are_seen():
    def judged(value, lo, hi, positive=81, negative=797):
        cells = [printed_range(cell) for cell in (value, lo, hi)]
        return check_auc_interval(*cells, positive, negative)

    assert judged("0.881", "0.853", "0.902").fits
    assert not judged("0.871", "0.802", "0.853").inside
    narrow = judged("0.750", "0.745", "0.755")
    assert narrow.inside
    assert not narrow.fits
    assert not judged("0.750", "0.550", "0.950").fits
    assert judged("0.990", "0.950", "1.000", 20, 30).fits


def test_ties_lift_the_lower_bound_only():
    free, tied = delong_se_bounds(0.8, 30, 60), delong_se_bounds(0.8, 30, 60, ties=True)
    assert (tied.lo, tied.hi) == (0, free.hi)


def test_an_interval_hints_at_the_smaller_class():
    se = hanley_mcneil_se(0.8, 30, 170)
    exact = [Range(value, value) for value in (0.8, 0.8 - Z * se, 0.8 + Z * se)]
    rounded = [printed_range(f"{value.lo:.3f}") for value in exact]
    found = smaller_class(*rounded, 200)
    assert found.lo <= 30 <= found.hi
    assert smaller_class(Range(0.8, 0.8), Range(0.79, 0.79), Range(0.81, 0.81), 50) is None


@pytest.mark.parametrize(("value", "positive"), [(1.2, 10), (-0.1, 10), (0.8, 1)])
def test_what_has_no_bounds_is_refused(value, positive):
    with pytest.raises(InputError, match=r"outside 0 to 1|at least 2"):
        delong_se_bounds(value, positive, 10)
