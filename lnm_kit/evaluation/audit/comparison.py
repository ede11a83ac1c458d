"""Whether a p value of DeLong's paired test can belong to two AUCs with their intervals."""

from scipy.stats import norm

from lnm_kit.evaluation.audit.printed_range import Range


def paired_p_bounds(first: Range, second: Range, first_se: Range, second_se: Range) -> Range:
    r"""Smallest and largest p of a paired comparison of two AUCs on the same cases.

    The standard error of the difference is :math:`\sqrt{s_1^2 + s_2^2 - 2 \rho s_1 s_2}`. The
    correlation :math:`\rho` of the AUCs is not printed; from -1 to 1 it gives
    :math:`|s_1 - s_2|` to :math:`s_1 + s_2`.

    Parameters
    ----------
    first, second
        Ranges of the two AUCs.
    first_se, second_se
        Ranges of their standard errors.

    Notes
    -----
    *Source*: DeLong et al., Biometrics 1988;44:837-845; Hanley and McNeil, Radiology
    1983;148:839-843.

    Examples
    --------
    >>> aucs, errors = (0.9, 0.8), (0.02, 0.03)
    >>> bounds = paired_p_bounds(*(Range(x, x) for x in aucs + errors))
    >>> round(bounds.lo, 3), round(bounds.hi, 3)
    (0.0, 0.046)
    """
    smallest = 0.0 if first.meets(second) else max(first.lo - second.hi, second.lo - first.hi)
    largest = max(first.hi - second.lo, second.hi - first.lo)
    overlap = first_se.meets(second_se)
    narrow = 0.0 if overlap else max(first_se.lo - second_se.hi, second_se.lo - first_se.hi)
    wide = first_se.hi + second_se.hi
    low = float(2 * norm.sf(largest / narrow)) if narrow > 0 else 0.0
    high = float(2 * norm.sf(smallest / wide)) if wide > 0 else 1.0
    return Range(low, high)
