"""In words: why rates cannot be obtained from the counts, and from what they could be."""

from collections.abc import Mapping, Sequence

from lnm_kit.evaluation.audit.averages import average_bounds
from lnm_kit.evaluation.audit.candidates import all_candidates
from lnm_kit.evaluation.audit.counts import nearest_counts
from lnm_kit.evaluation.audit.denominators import fitting_candidates, fitting_pairs
from lnm_kit.evaluation.audit.matrices import implied, matching_matrices, spoken
from lnm_kit.evaluation.audit.paper import Paper
from lnm_kit.evaluation.audit.printed_range import Range

_SHOWN = 3
_OF_ONE_CLASS = {"sensitivity": 0, "specificity": 1}

Pair = tuple[int, int]


def describe_clash(
    paper: Paper,
    split_name: str | None,
    own: Pair,
    row: Mapping[str, str],
    rates: Mapping[str, Range],
    clashes: Sequence[Sequence[str]],
) -> str:
    """Say which values clash, and which other readings of the numbers would not."""
    said = [f"from {own[0]} positives and {own[1]} negatives"]
    said += [_alone(names[0], own, row, rates) for names in clashes if len(names) == 1]
    together = [names for names in clashes if len(names) > 1]
    if together:
        shown = ["; ".join(_joined(names) for names in together[:_SHOWN])]
        more = f" and {len(together) - _SHOWN} more sets" if len(together) > _SHOWN else ""
        said.append(f"no counts give together: {shown[0]}{more}")
    said += _led_to(own, row, rates)
    loose = {name: one_unit(allowed) for name, allowed in rates.items()}
    if matching_matrices(*own, loose).count:
        said.append("within one unit of the last decimal they can")
    said += _other_counts(paper, own, rates)
    if not any(
        (bounds := average_bounds(name, rates)) and not allowed.meets(bounds)
        for name, allowed in rates.items()
    ):
        said.append("averages over folds cannot be ruled out")
    return "; ".join(said)


def one_unit(printed: Range) -> Range:
    """Widen a rounding of half a unit of the last decimal to one unit.

    Digits cut off, or rounded twice, lie within it.

    Examples
    --------
    >>> wide = one_unit(Range(0.5455, 0.5465))  # 6/11 is 0.54545..., by way of 0.5455 0.546
    >>> wide.holds(6 / 11)
    True
    """
    half = (printed.hi - printed.lo) / 2
    return Range(printed.lo - half, printed.hi + half)


def _alone(name: str, own: Pair, row: Mapping[str, str], rates: Mapping[str, Range]) -> str:
    if name not in _OF_ONE_CLASS:
        return f"no counts give {spoken(name)} {row[name]}"
    which = _OF_ONE_CLASS[name]
    total = own[which]
    near = " and ".join(
        f"{count / total:.{_decimals(row[name])}f}" for count in nearest_counts(total, rates[name])
    )
    what = ("positives", "negatives")[which]
    return f"no count of {total} {what} gives {name} {row[name]} (nearest {near})"


def _led_to(own: Pair, row: Mapping[str, str], rates: Mapping[str, Range]) -> list[str]:
    """Rates that differ from what the printed sensitivity and specificity lead to."""
    if not {"sensitivity", "specificity"} <= set(rates):
        return []
    led = []
    for name, allowed in rates.items():
        if name in _OF_ONE_CLASS:
            continue
        found = implied(name, *own, rates["sensitivity"], rates["specificity"])
        if not one_unit(allowed).meets(found):
            led.append(
                f"{spoken(name)} {found.middle:.{_decimals(row[name])}f} (printed {row[name]})"
            )
    return [f"the printed sensitivity and specificity lead to {', '.join(led)}"] if led else []


def _other_counts(paper: Paper, own: Pair, rates: Mapping[str, Range]) -> list[str]:
    said = []
    if len(rates) > 1:
        found = fitting_candidates(all_candidates(paper, own), rates)
        said += [f"{what} ({p} and {n})" for what, (p, n) in list(found.items())[:_SHOWN]]
    if len(rates) > 2:
        same = [pair for pair in fitting_pairs(rates, total=sum(own)) if pair not in (own,)]
        said += [f"{p} and {n}, of the same number of cases" for p, n in same[:_SHOWN]]
        if not same:
            said += [f"{p} and {n}, the smallest" for p, n in fitting_pairs(rates)[:1]]
    if not said:
        return ["no other counts were found that fit all of them"] if len(rates) > 2 else []
    return [f"other positives and negatives that fit all of them: {', '.join(said)}"]


def _joined(names: Sequence[str]) -> str:
    return f"{', '.join(map(spoken, names[:-1]))} and {spoken(names[-1])}"


def _decimals(cell: str) -> int:
    return max(len(cell.strip().rstrip("%").partition(".")[2]), 3)
