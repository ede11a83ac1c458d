"""Whether an interval can belong to an AUC of so many positives and negatives."""

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.stats import norm

from lnm_kit.errors import InputError
from lnm_kit.evaluation.audit.printed_range import Range

TOLERANCE = 0.15
"""Share by which the interval may be narrower or wider than the bounds: bootstrap intervals of
small samples and other estimators of the variance differ so much from DeLong's."""


@dataclass(frozen=True)
class IntervalCheck:
    """Whether an interval can be that of the AUC, and the standard errors it was judged by.

    Parameters
    ----------
    fits
        Whether it can.
    inside
        Whether the AUC lies inside the interval.
    printed_se
        The standard errors that the interval stands for, as a Wald or a logit interval.
    possible_se
        The smallest and the largest DeLong standard error at that AUC and those counts.
    """

    fits: bool
    inside: bool
    printed_se: Range
    possible_se: Range


def delong_se_bounds(auc: float, positive: int, negative: int, *, ties: bool = False) -> Range:
    r"""Smallest and largest DeLong standard error that an AUC can have.

    DeLong's variance is :math:`\zeta_{10}/(m-1) + \zeta_{01}/(n-1)`, where :math:`\zeta_{10}` and
    :math:`\zeta_{01}` are the variances (divisor m, n) of the placement values of the m positives
    and n negatives. As their sum is at most A (1 - A),

    .. math:: \mathrm{Var} \le A (1 - A) / (\min(m, n) - 1).

    With a ROC curve y(x) of area A, :math:`\zeta_{10} = \int 2 (1-x) y\,dx - A^2` and
    :math:`\zeta_{01} = \int y^2 dx - A^2`. The weighted sum is smallest, pointwise, for the
    straight line :math:`y = c + x (n-1)/(m-1)` cut off at 0 and 1, with c such that the area
    is A: no curve without ties has a smaller variance.

    Parameters
    ----------
    auc
        Area under the curve, 0 to 1.
    positive, negative
        Cases of each class, at least 2.
    ties
        Whether the score has few levels (a reading, a flag); then the lower bound is 0.

    Raises
    ------
    InputError
        When the AUC is outside 0 to 1 or a class has fewer than 2 cases.

    Notes
    -----
    *Source*: DeLong et al., Biometrics 1988;44:837-845; the upper bound in the form of Birnbaum
    and Klose, Ann Math Stat 1957;28:933-945; the lower one is derived above.

    Examples
    --------
    >>> bounds = delong_se_bounds(0.877, 18, 202)
    >>> round(bounds.lo, 3), round(bounds.hi, 3)
    (0.022, 0.08)
    """
    if not 0 <= auc <= 1:
        raise InputError(f"an AUC of {auc} lies outside 0 to 1.")
    if min(positive, negative) < 2:
        raise InputError(f"{positive} positives and {negative} negatives; at least 2 of each.")
    largest = math.sqrt(auc * (1 - auc) / (min(positive, negative) - 1))
    if ties or auc in (0, 1):
        return Range(0.0, largest)
    return Range(min(math.sqrt(_least_variance(auc, positive - 1, negative - 1)), largest), largest)


def hanley_mcneil_se(auc: float, positive: int, negative: int) -> float:
    r"""Hanley and McNeil's standard error of an AUC, from negative exponential scores.

    .. math:: SE^2 = \frac{A(1-A) + (m-1)(Q_1 - A^2) + (n-1)(Q_2 - A^2)}{mn},\quad
       Q_1 = \frac{A}{2-A},\ Q_2 = \frac{2A^2}{1+A}

    Notes
    -----
    *Source*: Hanley and McNeil, Radiology 1982;143:29-36, equation 2.

    Examples
    --------
    >>> round(hanley_mcneil_se(0.893, 58, 51), 4)
    0.0312
    """
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    above = auc * (1 - auc) + (positive - 1) * (first - auc**2) + (negative - 1) * (second - auc**2)
    return math.sqrt(max(above, 0.0) / (positive * negative))


def check_auc_interval(
    auc: Range,
    lower: Range,
    upper: Range,
    positive: int,
    negative: int,
    *,
    level: float = 0.95,
    ties: bool = False,
) -> IntervalCheck:
    """Judge whether an interval can belong to an AUC of so many positives and negatives.

    The width gives a standard error, read as that of a Wald interval and of a logit interval.
    It must overlap the bounds of :func:`delong_se_bounds`, widened by `TOLERANCE`. Where an end
    is at 0 or 1 it was cut off, and the other half of the interval is judged.

    Parameters
    ----------
    auc, lower, upper
        The ranges that the printed cells stand for.
    positive, negative
        Cases of each class, at least 2.
    level
        Of the interval.
    ties
        As in :func:`delong_se_bounds`.

    Raises
    ------
    InputError
        As in :func:`delong_se_bounds`.

    Examples
    --------
    >>> from lnm_kit.evaluation.audit.printed_range import printed_range
    >>> cells = [printed_range(cell) for cell in ("0.877", "0.760", "0.961")]
    >>> check_auc_interval(*cells, 18, 202).fits
    True
    >>> cells = [printed_range(cell) for cell in ("0.750", "0.619", "0.726")]
    >>> check_auc_interval(*cells, 18, 202).inside
    False
    """
    inside = auc.hi >= lower.lo and auc.lo <= upper.hi
    printed = _printed_se(auc, lower, upper, level)
    ends = [min(max(end, 0.0), 1.0) for end in (auc.lo, auc.middle, auc.hi)]
    bounds = [delong_se_bounds(end, positive, negative, ties=ties) for end in ends]
    possible = Range(min(b.lo for b in bounds), max(b.hi for b in bounds))
    wide = Range(possible.lo * (1 - TOLERANCE), possible.hi * (1 + TOLERANCE))
    return IntervalCheck(inside and printed.meets(wide), inside, printed, possible)


def smaller_class(auc: Range, lower: Range, upper: Range, n: int) -> Range | None:
    """Sizes of the smaller class among n cases for which Hanley and McNeil's formula fits.

    A hint for papers that do not print how many of their cases are positive: the true standard
    error may be smaller or larger than that formula's, which takes a model of the scores.

    Returns
    -------
    Range or None
        Smallest and largest number; None where no number fits.

    Notes
    -----
    *Source*: Hanley and McNeil, Radiology 1982;143:29-36.

    Examples
    --------
    >>> smaller_class(Range(0.7645, 0.7655), Range(0.7025, 0.7035), Range(0.8255, 0.8265), 265)
    Range(lo=94, hi=103)
    """
    printed = _printed_se(auc, lower, upper, 0.95)
    fits = [
        m for m in range(2, n // 2 + 1) if printed.holds(hanley_mcneil_se(auc.middle, m, n - m))
    ]
    return Range(min(fits), max(fits)) if fits else None


def _printed_se(auc: Range, lower: Range, upper: Range, level: float) -> Range:
    z = float(norm.ppf((1 + level) / 2))
    # A cut-off end says nothing; the half on the other side does.
    if upper.hi >= 1:
        wald = ((auc.lo - lower.hi) / z, (auc.hi - lower.lo) / z)
    elif lower.lo <= 0:
        wald = ((upper.lo - auc.hi) / z, (upper.hi - auc.lo) / z)
    else:
        wald = ((upper.lo - lower.hi) / (2 * z), (upper.hi - lower.lo) / (2 * z))
    found = [max(se, 0.0) for se in wald]
    if lower.lo > 0 and upper.hi < 1 and auc.lo > 0 and auc.hi < 1:
        slope = auc.middle * (1 - auc.middle) / (2 * z)
        found.append(max(_logit(upper.lo) - _logit(lower.hi), 0.0) * slope)
        found.append((_logit(upper.hi) - _logit(lower.lo)) * slope)
    return Range(min(found), max(found))


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def _least_variance(auc: float, m: int, n: int) -> float:
    """Smallest zeta10 / m + zeta01 / n over all ROC curves of that area, m and n less one."""
    slope = n / m
    start = float(brentq(lambda c: _line(c, slope)[0] - auc, -slope, 1.0, xtol=1e-14))
    area, of_positives, of_negatives = _line(start, slope)
    return max((of_positives - area**2) / m + (of_negatives - area**2) / n, 0.0)


def _line(start: float, slope: float) -> tuple[float, float, float]:
    """Integrals over 0 to 1 of y, 2 (1 - x) y and y^2, with y = start + slope x cut to 0 and 1."""
    left = min(max(-start / slope, 0.0), 1.0)  # y reaches 0
    right = min(max((1 - start) / slope, 0.0), 1.0)  # y reaches 1
    y_left, y_right = start + slope * left, start + slope * right
    width, flat = right - left, 1 - right
    area = width * (y_left + y_right) / 2 + flat
    # Simpson's rule is exact for parabolas.
    middle_x, middle_y = (left + right) / 2, (y_left + y_right) / 2
    weighted = (
        width
        / 6
        * 2
        * ((1 - left) * y_left + 4 * (1 - middle_x) * middle_y + (1 - right) * y_right)
    )
    squares = width / 6 * (y_left**2 + 4 * middle_y**2 + y_right**2)
    return area, weighted + flat**2, squares + flat
