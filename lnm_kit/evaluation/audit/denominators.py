"""Which other numbers of positives and negatives would give the printed rates."""

from collections.abc import Mapping, Sequence

import numpy as np

from lnm_kit.evaluation.audit.matrices import matching_matrices, rate, within
from lnm_kit.evaluation.audit.printed_range import SLACK, Range

SEARCHED_TO = 300
"""Largest number of positives and of negatives that a free search tries."""

_PAIRS_AT_ONCE = 4_000_000
_CANDIDATE_MATRICES_AT_MOST = 20_000_000

Pair = tuple[int, int]


def denominators_of(printed: Range, up_to: int) -> list[int]:
    """Denominators that give a fraction in the range, 1 to `up_to`.

    Examples
    --------
    >>> denominators_of(Range(0.5455, 0.5465), 30)  # 0.546
    []
    >>> denominators_of(Range(0.545, 0.547), 30)
    [11, 22]
    """
    below = np.arange(1, up_to + 1)
    fits = np.floor(printed.hi * below + SLACK) >= np.ceil(printed.lo * below - SLACK)
    return [int(n) for n in below[fits]]


def common_denominators(printed: Sequence[Range], up_to: int) -> list[int]:
    """Denominators that give a fraction in every one of the ranges, 1 to `up_to`.

    Examples
    --------
    >>> cells = [0.545, 0.636, 0.727, 0.818, 0.909]
    >>> common_denominators([Range(x - 0.0005, x + 0.0005) for x in cells], 40)
    [11, 22, 33]
    """
    found = [set(denominators_of(each, up_to)) for each in printed]
    return sorted(set.intersection(*found)) if found else []


def fitting_candidates(
    candidates: Mapping[str, Pair], printed: Mapping[str, Range]
) -> dict[str, Pair]:
    """Those of the candidate counts that have a confusion matrix with all printed rates.

    Parameters
    ----------
    candidates
        What the candidate is, to its numbers of positives and negatives.
    printed
        As in :func:`matching_matrices`.

    Examples
    --------
    >>> printed = {"sensitivity": Range(0.7135, 0.7145), "specificity": Range(0.7225, 0.7235)}
    >>> fitting_candidates({"patients": (22, 128), "images": (42, 220)}, printed)
    {'images': (42, 220)}
    """
    return {
        what: (positive, negative)
        for what, (positive, negative) in candidates.items()
        if min(positive, negative) > 0
        and (positive + 1) * (negative + 1) <= _CANDIDATE_MATRICES_AT_MOST
        and matching_matrices(positive, negative, printed).count
    }


def fitting_pairs(
    printed: Mapping[str, Range], *, up_to: int = SEARCHED_TO, total: int | None = None
) -> list[Pair]:
    """All numbers of positives and negatives with a confusion matrix that gives all printed rates.

    Small numbers come first. Coarse decimals fit many pairs, so a fit is a hint, not a finding.

    Parameters
    ----------
    printed
        Must hold sensitivity and specificity, which make the search fast; [] without them.
    up_to
        Largest number of each class.
    total
        Only pairs that add up to this.

    Examples
    --------
    >>> cells = {"sensitivity": 0.8, "specificity": 0.719, "ppv": 0.240, "npv": 0.970}
    >>> printed = {name: Range(x - 0.0005, x + 0.0005) for name, x in cells.items()}
    >>> fitting_pairs(printed, total=150)
    [(15, 135)]
    """
    if not {"sensitivity", "specificity"} <= set(printed):
        return []
    largest = up_to if total is None else min(total - 1, 10 * up_to)
    positive, tp = _fractions(printed["sensitivity"], largest)
    negative, tn = _fractions(printed["specificity"], largest)
    others = {name: allowed for name, allowed in printed.items() if name not in _TWO}
    found: set[Pair] = set()
    step = max(_PAIRS_AT_ONCE // max(len(negative), 1), 1)
    for start in range(0, len(positive), step):
        rows = slice(start, start + step)
        left, right = np.ones((len(positive[rows]), len(negative)), dtype=bool).nonzero()
        left += start
        if total is not None:
            kept = positive[left] + negative[right] == total
            left, right = left[kept], right[kept]
        for name, allowed in others.items():
            values = rate(name, positive[left], negative[right], tp[left], tn[right])
            kept = within(values, allowed)
            left, right = left[kept], right[kept]
        found.update(zip(positive[left].tolist(), negative[right].tolist(), strict=True))
    return sorted(found, key=lambda pair: (sum(pair), pair))


_TWO = ("sensitivity", "specificity")


def _fractions(printed: Range, up_to: int) -> tuple[np.ndarray, np.ndarray]:
    """All (denominator, numerator) of fractions in the range."""
    below = np.arange(1, up_to + 1)
    first = np.maximum(np.ceil(printed.lo * below - SLACK), 0).astype(int)
    last = np.minimum(np.floor(printed.hi * below + SLACK), below).astype(int)
    number = np.maximum(last - first + 1, 0)
    denominators = np.repeat(below, number)
    start = np.repeat(np.cumsum(number) - number, number)
    return denominators, np.repeat(first, number) + np.arange(len(denominators)) - start
