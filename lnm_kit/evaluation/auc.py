"""Area under the ROC curve with DeLong's variance, and DeLong's tests between models."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm, rankdata
from sklearn.metrics import roc_curve

from lnm_kit.errors import InputError
from lnm_kit.evaluation.estimate import LEVEL, Estimate, Numbers, labels_and_scores

_Z = float(norm.ppf((1 + LEVEL) / 2))


@dataclass(frozen=True)
class DeLongTest:
    """Difference of two AUCs (first minus second) with its interval, z and two-sided p value."""

    difference: Estimate
    z: float
    p_value: float


def auc(label: Numbers, score: Numbers) -> Estimate:
    r"""Area under the ROC curve with a 95 % interval from DeLong's variance on the logit scale.

    The AUC is the probability that a positive case scores above a negative one, ties counting a
    half. The interval is :math:`\mathrm{expit}(\mathrm{logit}\,A \pm z\,\mathrm{se}/(A(1-A)))`,
    which stays inside [0, 1] and covers better near 1 than the plain one. Where DeLong's variance
    is zero or undefined (perfect separation, all scores equal, one case of a class) the interval is
    Newcombe's score interval, which needs only the AUC and the two counts; `method` says which.

    The cases are taken as independent: with several images per patient, aggregate first. The
    interval is that of large samples: of normal scores with an area of 0.80, it covered the truth
    in 94.8 % of 20,000 simulated samples with 40 positives and 120 negatives, in 92.5 % of 6,000
    with 10 and 90.

    Parameters
    ----------
    label
        (N,), 0 or 1; 1 is the positive class.
    score
        (N,), finite; higher means more likely positive.

    Raises
    ------
    InputError
        When a label is not 0 or 1, a score is not finite, or a class is missing.

    Notes
    -----
    *Source*: DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837-845; computed by mid-ranks,
    Sun and Xu, IEEE Signal Process Lett 2014;21:1389-1393; logit interval, Pepe 2003, section
    5.2; degenerate cases, Newcombe, Stat Med 2006;25:559-573, method 5.

    Examples
    --------
    >>> print(auc([0, 0, 1, 0, 1, 1], [0.1, 0.3, 0.35, 0.4, 0.8, 0.9]))
    0.889 (0.261 to 0.995)
    >>> auc([0, 0, 1, 1], [1, 2, 3, 4]).method
    'Newcombe score (DeLong variance is zero)'
    """
    labels, scores = labels_and_scores(label, score)
    positive, negative = _placements(labels, scores)
    value = float(positive.mean())
    variance = _variance(positive, negative)
    if not variance > 0 or value in (0.0, 1.0):
        why = "a class has one case" if math.isnan(variance) else "DeLong variance is zero"
        lo, hi = _newcombe(value, positive.size, negative.size)
        return Estimate(value, lo, hi, f"Newcombe score ({why})")
    half = _Z * math.sqrt(variance) / (value * (1 - value))
    center = float(logit(value))
    return Estimate(
        value, float(expit(center - half)), float(expit(center + half)), "DeLong, logit"
    )


def delong_test(label: Numbers, score_a: Numbers, score_b: Numbers) -> DeLongTest:
    """Test whether two scores of the *same* cases have equal AUCs.

    Parameters
    ----------
    label
        (N,), 0 or 1.
    score_a, score_b
        (N,), finite; both scores of every case, in the same order.

    Returns
    -------
    DeLongTest
        AUC of a minus AUC of b. When neither ranking has any spread and the AUCs differ, the
        p value is undefined (NaN) and `difference.method` says so; equal AUCs give p = 1.

    Raises
    ------
    InputError
        As in :func:`auc`.

    Notes
    -----
    *Source*: DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837-845, equation 5.

    Examples
    --------
    >>> label = [0, 0, 0, 1, 1, 1]
    >>> test = delong_test(label, [1, 2, 4, 3, 5, 6], [2, 1, 6, 3, 4, 5])
    >>> round(test.difference.value, 3), round(test.p_value, 3)
    (0.222, 0.371)
    """
    labels, first = labels_and_scores(label, score_a)
    _, second = labels_and_scores(label, score_b)
    positive_a, negative_a = _placements(labels, first)
    positive_b, negative_b = _placements(labels, second)
    variance = _variance(positive_a - positive_b, negative_a - negative_b)
    return _test(float(positive_a.mean() - positive_b.mean()), variance, "DeLong, paired")


def delong_test_unpaired(
    label_a: Numbers, score_a: Numbers, label_b: Numbers, score_b: Numbers
) -> DeLongTest:
    """Test whether two scores of *different* cases have equal AUCs.

    Parameters
    ----------
    label_a, score_a
        (N,), the first group of cases.
    label_b, score_b
        (M,), the second group; no case may be in both.

    Raises
    ------
    InputError
        As in :func:`auc`.

    Notes
    -----
    *Source*: DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837-845; the variances of
    independent areas add.

    Examples
    --------
    >>> test = delong_test_unpaired([0, 0, 1, 1, 1], [1, 3, 2, 4, 5], [0, 0, 1, 1], [1, 4, 2, 3])
    >>> round(test.difference.value, 3), round(test.p_value, 3)
    (0.333, 0.546)
    """
    positive_a, negative_a = _placements(*labels_and_scores(label_a, score_a))
    positive_b, negative_b = _placements(*labels_and_scores(label_b, score_b))
    variance = _variance(positive_a, negative_a) + _variance(positive_b, negative_b)
    return _test(float(positive_a.mean() - positive_b.mean()), variance, "DeLong, unpaired")


def roc_points(label: Numbers, score: Numbers) -> pd.DataFrame:
    """Corners of the empirical ROC curve.

    Returns
    -------
    pandas.DataFrame
        `false_positive_rate`, `true_positive_rate`, `threshold` (a case is called positive when its
        score is at least the threshold), from (0, 0) to (1, 1).

    Raises
    ------
    InputError
        As in :func:`auc`.

    Examples
    --------
    >>> roc_points([0, 1, 0, 1], [1, 2, 3, 4])["true_positive_rate"].tolist()
    [0.0, 0.5, 0.5, 1.0, 1.0]
    """
    labels, scores = labels_and_scores(label, score)
    false_positive, true_positive, threshold = roc_curve(labels, scores, drop_intermediate=True)
    return pd.DataFrame(
        {
            "false_positive_rate": false_positive,
            "true_positive_rate": true_positive,
            "threshold": threshold,
        }
    )


def _placements(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of the other class that each case is ranked rightly against, per class."""
    positive, negative = scores[labels], scores[~labels]
    ranks = rankdata(scores)  # mid-ranks over both classes, O(N log N)
    return (
        (ranks[labels] - rankdata(positive)) / negative.size,
        1 - (ranks[~labels] - rankdata(negative)) / positive.size,
    )


def _variance(positive: np.ndarray, negative: np.ndarray) -> float:
    """Variance of the mean placement (or of a difference of two); NaN with one case in a class."""
    if positive.size < 2 or negative.size < 2:
        return math.nan
    variance = positive.var(ddof=1) / positive.size + negative.var(ddof=1) / negative.size
    # Placements that are equal up to rounding must not pass for a spread.
    return 0.0 if variance < 1e-24 else float(variance)


def _test(difference: float, variance: float, method: str) -> DeLongTest:
    if math.isnan(variance):
        raise InputError(
            "DeLong's test needs at least two cases of each class; one class has a single case."
        )
    if variance == 0:
        if abs(difference) < 1e-12:
            return DeLongTest(Estimate(0.0, 0.0, 0.0, f"{method} (identical ranks)"), 0.0, 1.0)
        estimate = Estimate(
            difference, math.nan, math.nan, f"{method} undefined: neither ranking has any spread"
        )
        return DeLongTest(estimate, math.nan, math.nan)
    error = math.sqrt(variance)
    z = difference / error
    lo, hi = difference - _Z * error, difference + _Z * error
    return DeLongTest(Estimate(difference, lo, hi, method), z, float(2 * norm.sf(abs(z))))


def _newcombe(value: float, n_positive: int, n_negative: int) -> tuple[float, float]:
    """Values that lie z standard errors from `value`, the error taken at the value tried."""
    mean_size = (n_positive + n_negative) / 2

    def distance(tried: float) -> float:
        spread = (mean_size - 1) * ((1 - tried) / (2 - tried) + tried / (1 + tried))
        variance = tried * (1 - tried) * (1 + spread) / (n_positive * n_negative)
        return abs(value - tried) - _Z * math.sqrt(variance)

    # At 0 and 1 the distance has a second root, the value itself, where the error vanishes.
    below, above = min(value, 1 - 1e-9), max(value, 1e-9)
    lo = 0.0 if value == 0 else brentq(distance, 0.0, below)
    hi = 1.0 if value == 1 else brentq(distance, above, 1.0)
    return float(lo), float(hi)
