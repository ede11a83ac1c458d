"""Whether a confusion matrix gives the printed rates.

All matrices of the stated positives and negatives are tried, which is exact, and fast for the
sizes of clinical studies. For scores that are aggregated in more involved ways (folds of known
sizes, several test sets, multi-class) the library *mlscorecheck* solves integer programs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from lnm_kit.errors import InputError, one_of
from lnm_kit.evaluation.audit.printed_range import SLACK, Range

RATES = (
    "sensitivity",
    "specificity",
    "accuracy",
    "ppv",
    "npv",
    "f1",
    "kappa",
    "balanced_accuracy",
    "youden",
    "mcc",
)
"""Names of the rates that a confusion matrix decides."""

_SPOKEN = {
    "ppv": "PPV",
    "npv": "NPV",
    "f1": "F1",
    "mcc": "MCC",
    "balanced_accuracy": "balanced accuracy",
    "youden": "Youden's index",
}

_MATRICES_AT_ONCE = 2_000_000
MATRICES_AT_MOST = 200_000_000


@dataclass(frozen=True)
class Matches:
    """The result of trying all confusion matrices.

    Parameters
    ----------
    count
        How many matrices give all of the printed rates.
    example
        One of them as (true positives, true negatives); None where there is none.
    clashes
        The smallest sets of printed rates that no matrix gives together, small ones first.
    """

    count: int
    example: tuple[int, int] | None
    clashes: tuple[tuple[str, ...], ...]


def rate(
    name: str,
    positive: np.ndarray | float,
    negative: np.ndarray | float,
    tp: np.ndarray | float,
    tn: np.ndarray | float,
) -> np.ndarray:
    """One rate of a confusion matrix; 0 where it is 0/0, as most software prints it.

    Parameters
    ----------
    name
        One of `RATES`.
    positive, negative
        Cases of each class; arrays broadcast.
    tp, tn
        Of them called rightly.

    Raises
    ------
    InputError
        When the name is none of `RATES`.

    Notes
    -----
    *Source*: Fawcett, Pattern Recognit Lett 2006;27:861-874; Cohen, Educ Psychol Meas
    1960;20:37-46; Matthews, Biochim Biophys Acta 1975;405:442-451.

    Examples
    --------
    >>> float(rate("ppv", 42, 220, tp=30, tn=159).round(3))
    0.33
    """
    one_of("rate", name, RATES)
    p, n, a, d = np.broadcast_arrays(
        *(np.asarray(x, dtype=float) for x in (positive, negative, tp, tn))
    )
    fp, fn, total = n - d, p - a, p + n
    if name == "sensitivity":
        return _share(a, p)
    if name == "specificity":
        return _share(d, n)
    if name == "accuracy":
        return _share(a + d, total)
    if name == "ppv":
        return _share(a, a + fp)
    if name == "npv":
        return _share(d, d + fn)
    if name == "f1":
        return _share(2 * a, 2 * a + fp + fn)
    if name == "balanced_accuracy":
        return (_share(a, p) + _share(d, n)) / 2
    if name == "youden":
        return _share(a, p) + _share(d, n) - 1
    if name == "mcc":
        return _share(a * d - fp * fn, np.sqrt((a + fp) * p * n * (d + fn)))
    chance = _share((a + fp) * p + (fn + d) * n, total**2)
    return _share(_share(a + d, total) - chance, 1 - chance)


def spoken(name: str) -> str:
    """Give the name of a rate as a sentence has it.

    Examples
    --------
    >>> spoken("ppv"), spoken("accuracy")
    ('PPV', 'accuracy')
    """
    return _SPOKEN.get(name, name)


def matching_matrices(positive: int, negative: int, printed: Mapping[str, Range]) -> Matches:
    """Try every confusion matrix of the stated counts against the printed rates.

    A matrix matches when each of its rates lies in the range of the printed one, ends included.

    Parameters
    ----------
    positive, negative
        Cases of each class, at least 1.
    printed
        Name of a rate (see `RATES`) to the range that its printed cell stands for.

    Raises
    ------
    InputError
        When a count is below 1, a name is unknown, or there are more than 200 million matrices.

    Notes
    -----
    *Source*: Fazekas and Kovács, arXiv:2310.12527 (2023), on the test; the clashing sets are the
    minimal unsatisfiable sets of the printed rates.

    Examples
    --------
    >>> from lnm_kit.evaluation.audit.printed_range import printed_range
    >>> cells = {"sensitivity": "0.714", "specificity": "0.723", "npv": "0.714"}
    >>> printed = {name: printed_range(cell) for name, cell in cells.items()}
    >>> matching_matrices(42, 220, printed)
    Matches(count=0, example=None, clashes=(('specificity', 'npv'),))
    """
    if positive < 1 or negative < 1:
        raise InputError(f"{positive} positives and {negative} negatives; at least 1 of each.")
    if (positive + 1) * (negative + 1) > MATRICES_AT_MOST:
        raise InputError(
            f"{positive} positives and {negative} negatives have more than "
            f"{MATRICES_AT_MOST:,} confusion matrices; too many to try."
        )
    names = [one_of("rate", name, RATES) for name in printed]
    everything = (1 << len(names)) - 1
    tn = np.arange(negative + 1)
    reached: set[int] = set()
    count, example = 0, None
    step = max(_MATRICES_AT_ONCE // (negative + 1), 1)
    for start in range(0, positive + 1, step):
        tp = np.arange(start, min(start + step, positive + 1))[:, None]
        bits = np.zeros((len(tp), len(tn)), dtype=np.uint16)
        for place, name in enumerate(names):
            values = rate(name, positive, negative, tp, tn)
            bits |= (within(values, printed[name]) << place).astype(np.uint16)
        reached.update(np.unique(bits).tolist())
        hits = np.argwhere(bits == everything)
        count += len(hits)
        if example is None and len(hits):
            example = (int(hits[0, 0]) + start, int(hits[0, 1]))
    return Matches(count, example, _clashes(names, reached) if not count else ())


def within(values: np.ndarray, allowed: Range) -> np.ndarray:
    """Which values lie in the range, ends included."""
    return np.asarray((values >= allowed.lo - SLACK) & (values <= allowed.hi + SLACK))


def implied(
    name: str, positive: int, negative: int, sensitivity: Range, specificity: Range
) -> Range:
    """Give the range of a rate that a printed sensitivity and specificity lead to.

    Sensitivity and specificity are taken as real numbers, counts or not. Within the range of a
    rounding the rates rise or fall steadily with both of them, so the ends give the ends.

    Examples
    --------
    >>> found = implied("ppv", 81, 797, Range(0.4225, 0.4235), Range(0.7855, 0.7865))
    >>> round(found.lo, 3), round(found.hi, 3)
    (0.167, 0.168)
    """
    ends = [
        float(rate(name, positive, negative, positive * sens, negative * spec))
        for sens in (sensitivity.lo, sensitivity.hi)
        for spec in (specificity.lo, specificity.hi)
    ]
    return Range(min(ends), max(ends))


def _clashes(names: Sequence[str], reached: set[int]) -> tuple[tuple[str, ...], ...]:
    """Minimal sets of rates that no matrix gives together, from the sets that some matrix gives."""
    found: list[int] = []
    for size in range(1, len(names) + 1):
        for chosen in combinations(range(len(names)), size):
            mask = sum(1 << place for place in chosen)
            if any(mask & smaller == smaller for smaller in found):
                continue
            if not any(have & mask == mask for have in reached):
                found.append(mask)
    return tuple(
        tuple(name for place, name in enumerate(names) if mask >> place & 1) for mask in found
    )


def _share(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.zeros_like(above, dtype=float), where=below > SLACK)
