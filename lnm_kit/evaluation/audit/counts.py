"""Whether counts, percentages and totals belong together."""

from collections.abc import Sequence

from lnm_kit.evaluation.audit.printed_range import Range


def share_of(count: int, total: int, printed: Range) -> bool:
    """Whether `count` of `total` prints as that share.

    Examples
    --------
    >>> share_of(213, 878, Range(0.2425, 0.2435))
    True
    >>> share_of(3, 878, Range(0.0785, 0.0795))
    False
    """
    return total > 0 and printed.holds(count / total)


def nearest_counts(total: int, printed: Range) -> list[int]:
    """Give the counts whose share of `total` lies in the range; the two nearest where none does.

    Examples
    --------
    >>> nearest_counts(120, Range(0.5495, 0.5505))
    [66]
    >>> nearest_counts(120, Range(0.40265, 0.40275))
    [48, 49]
    """
    near = int(printed.middle * total)
    around = range(max(near - 1, 0), min(near + 2, total) + 1)
    fitting = [count for count in around if printed.holds(count / total)]
    return fitting or [count for count in (near, near + 1) if count <= total]


def has_count(total: int, printed: Range) -> bool:
    """Whether any count of `total` prints as that share.

    Examples
    --------
    >>> has_count(17, Range(0.5455, 0.5465))
    False
    """
    return any(printed.holds(count / total) for count in nearest_counts(total, printed))


def total_meets(parts: Sequence[Range], total: Range) -> bool:
    """Whether the parts can add up to the total, each within its own range.

    Examples
    --------
    >>> exact = [Range(n, n) for n in (350, 150, 374)]
    >>> total_meets(exact, Range(854, 854))
    False
    """
    return Range(sum(part.lo for part in parts), sum(part.hi for part in parts)).meets(total)
