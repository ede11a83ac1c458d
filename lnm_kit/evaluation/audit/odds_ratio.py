"""Whether coefficient, odds ratio, interval and p of a regression row belong together."""

import math

from scipy.stats import norm

from lnm_kit.evaluation.audit.printed_range import Range


def odds_ratio_of(beta: Range) -> Range:
    """Give the odds ratios that a printed coefficient stands for, exp(beta).

    Examples
    --------
    >>> found = odds_ratio_of(Range(0.0045, 0.0055))
    >>> round(found.lo, 4), round(found.hi, 4)
    (1.0045, 1.0055)
    """
    return Range(_exp(beta.lo), _exp(beta.hi))


def wald_center(lower: Range, upper: Range) -> Range | None:
    r"""Give the odds ratios in the middle of a Wald interval, :math:`\sqrt{lower \cdot upper}`.

    A Wald interval is symmetric about the logarithm of its odds ratio.

    Returns
    -------
    Range or None
        None where the lower end may be 0 by rounding.

    Notes
    -----
    *Source*: Hosmer, Lemeshow and Sturdivant, Applied Logistic Regression, 3rd ed., section 2.5.

    Examples
    --------
    >>> found = wald_center(Range(0.3125, 0.3135), Range(0.9435, 0.9445))
    >>> round(found.lo, 4), round(found.hi, 4)
    (0.543, 0.5442)
    """
    if lower.lo <= 0:
        return None
    return Range(math.sqrt(lower.lo * upper.lo), math.sqrt(lower.hi * upper.hi))


def wald_p(estimate: Range, lower: Range, upper: Range, *, level: float = 0.95) -> Range | None:
    r"""Give the two-sided p values that belong to an odds ratio with its Wald interval.

    .. math:: SE = \frac{\ln upper - \ln lower}{2 z_{(1 + level) / 2}},\quad
       p = 2\,\Phi(-|\ln OR| / SE)

    with the ranges of all three carried through.

    Parameters
    ----------
    estimate, lower, upper
        Ranges of the odds ratio and of the ends of its interval.
    level
        Of the interval.

    Returns
    -------
    Range or None
        None where the lower end may be 0 by rounding.

    Notes
    -----
    *Source*: Altman and Bland, BMJ 2011;343:d2304, "How to obtain the P value from a confidence
    interval".

    Examples
    --------
    >>> found = wald_p(Range(0.5425, 0.5435), Range(0.3125, 0.3135), Range(0.9435, 0.9445))
    >>> round(found.lo, 3), round(found.hi, 3)
    (0.03, 0.031)
    """
    if lower.lo <= 0 or estimate.lo <= 0:
        return None
    z = float(norm.ppf((1 + level) / 2))
    smallest = max(math.log(upper.lo / lower.hi), 0.0) / (2 * z)
    largest = math.log(upper.hi / lower.lo) / (2 * z)
    logs = sorted(abs(math.log(end)) for end in (estimate.lo, estimate.hi))
    nearest = 0.0 if estimate.holds(1.0) else logs[0]
    return Range(_p(logs[1], smallest), _p(nearest, largest))


def _p(distance: float, se: float) -> float:
    if se == 0:
        return 1.0 if distance == 0 else 0.0
    return float(2 * norm.sf(distance / se))


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))
