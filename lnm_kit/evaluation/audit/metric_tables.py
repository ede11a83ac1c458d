"""The rows of a table of metrics against the counts of their split."""

from collections.abc import Iterator, Mapping

from lnm_kit.errors import InputError
from lnm_kit.evaluation.audit.auc_interval import (
    IntervalCheck,
    check_auc_interval,
    smaller_class,
)
from lnm_kit.evaluation.audit.averages import average_bounds
from lnm_kit.evaluation.audit.candidates import all_candidates
from lnm_kit.evaluation.audit.denominators import SEARCHED_TO, fitting_pairs
from lnm_kit.evaluation.audit.finding import CAN, CANNOT, UNCHECKED, Finding
from lnm_kit.evaluation.audit.matrices import RATES, matching_matrices, spoken
from lnm_kit.evaluation.audit.paper import Paper, Split, Table
from lnm_kit.evaluation.audit.printed_range import (
    Range,
    in_percent,
    is_missing,
    printed_interval,
    printed_range,
    split_estimate,
)
from lnm_kit.evaluation.audit.readings import describe_clash

RATES_CHECK = "rates and counts"
AVERAGES_CHECK = "averages over folds"
AUC_CHECK = "AUC and interval"

_TRIES = 100
_MOST_CASES = 10 * SEARCHED_TO  # as far as the search for pairs reaches


def check_metric_rows(paper: Paper, table: Table) -> Iterator[Finding]:
    """Check every row: its rates against its split's counts, its AUC against its interval."""
    for row in table.rows:
        name = table.name_of(row)
        split_name = table.split_of(row)
        split = paper.splits.get(split_name or "", Split(None))
        rates = rate_ranges(table, row)
        if rates and table.settings.get("averaged"):
            yield Finding(table.title, name, AVERAGES_CHECK, *_averaged(rates, table, row))
        elif rates:
            yield Finding(
                table.title, name, RATES_CHECK, *_counted(paper, table, row, split_name, split)
            )
        if not is_missing(row.get("auc", "")):
            yield Finding(table.title, name, AUC_CHECK, *_auc(paper, table, row, split))


def rate_ranges(table: Table, row: Mapping[str, str]) -> dict[str, Range]:
    """Give the ranges that the printed rates of a row stand for."""
    found = {}
    for column in table.columns:
        if column in RATES and not is_missing(row[column]):
            percent = in_percent([other[column] for other in table.rows])
            found[column] = printed_range(row[column], percent=percent)
    return found


def auc_ranges(table: Table, row: Mapping[str, str]) -> tuple[Range, Range | None, Range | None]:
    """Give the ranges of a row's AUC and of the ends of its interval, None where not printed."""
    cell, interval = split_estimate(row["auc"])
    if "auc_ci" in row and not is_missing(row["auc_ci"]):
        interval = row["auc_ci"]
    percent = in_percent([split_estimate(other["auc"])[0] for other in table.rows])
    value = printed_range(cell, percent=percent)
    if not interval:
        return value, None, None
    return value, *printed_interval(interval, percent=percent)


def _counted(
    paper: Paper, table: Table, row: Mapping[str, str], split_name: str | None, split: Split
) -> tuple[str, str]:
    rates = rate_ranges(table, row)
    if split.pair is None:
        return _total_alone(rates, split.n)
    if min(split.pair) == 0:
        return UNCHECKED, "one class has no case"
    positive, negative = split.pair
    try:
        found = matching_matrices(positive, negative, rates)
    except InputError as error:
        return UNCHECKED, str(error)
    if found.example is not None:
        tp, tn = found.example
        more = f"; so do {found.count - 1} more" if found.count > 1 else ""
        return CAN, (
            f"{tp} of {positive} positives and {tn} of {negative} negatives called rightly "
            f"give them{more}"
        )
    return CANNOT, describe_clash(paper, split_name, split.pair, row, rates, found.clashes)


def _total_alone(rates: Mapping[str, Range], n: int | None) -> tuple[str, str]:
    """Judge rates where at most the number of all cases is printed."""
    if n is None or not {"sensitivity", "specificity"} <= set(rates):
        return UNCHECKED, "the numbers of positives and negatives are not printed"
    if n > _MOST_CASES:
        return UNCHECKED, f"of {n} cases, how many are positive is not printed: too many to try"
    pairs = fitting_pairs(rates, total=n)
    if not pairs:
        return CANNOT, (
            f"no positives and negatives that add up to {n} give {_listed(rates)} together; "
            "averages over folds cannot be ruled out"
        )
    shown = "; ".join(f"{positive} and {negative}" for positive, negative in pairs[:3])
    more = f"; so do {len(pairs) - 3} more pairs" if len(pairs) > 3 else ""
    return CAN, f"positives and negatives are not printed; of {n} cases, {shown} give them{more}"


def _listed(rates: Mapping[str, Range]) -> str:
    return ", ".join(map(spoken, rates))


def _averaged(rates: Mapping[str, Range], table: Table, row: Mapping[str, str]) -> tuple[str, str]:
    wrong, checked = [], []
    for name, printed in rates.items():
        bounds = average_bounds(name, rates)
        if bounds is None:
            continue
        checked.append(name)
        if not printed.meets(bounds):
            wrong.append(
                f"the other averages allow {spoken(name)} from {bounds.lo:.3f} to {bounds.hi:.3f}, "
                f"printed {row[name]}"
            )
    if wrong:
        return CANNOT, "; ".join(wrong)
    if not checked:
        return UNCHECKED, "averages over folds are no fractions of the counts"
    return CAN, f"as averages over folds; checked: {', '.join(map(spoken, checked))}"


def _auc(paper: Paper, table: Table, row: Mapping[str, str], split: Split) -> tuple[str, str]:
    value, lower, upper = auc_ranges(table, row)
    if value.lo > 1:
        return CANNOT, f"an AUC is at most 1, printed {row['auc']}"
    if lower is None or upper is None:
        return UNCHECKED, "no interval is printed"
    if lower.lo > upper.hi:
        return CANNOT, "the lower end of the interval lies above the upper one"
    if not (value.hi >= lower.lo and value.lo <= upper.hi):
        return CANNOT, "the AUC lies outside its own interval"
    if table.settings.get("averaged"):
        return UNCHECKED, "the interval of an average over folds follows no one formula"
    if split.n is None:
        return UNCHECKED, "the number of cases is not printed"
    ties = table.name_of(row) in table.settings.get("ties", ()) or bool(
        set(row.values()) & set(table.settings.get("ties", ()))
    )
    level = float(table.settings.get("level", 0.95))
    if split.pair is None:
        return _without_classes(value, lower, upper, split.n, ties=ties)
    if min(split.pair) < 2:
        return UNCHECKED, "one class has fewer than two cases"
    found = check_auc_interval(value, lower, upper, *split.pair, level=level, ties=ties)
    if found.fits:
        return CAN, _standard_errors(found, split.pair)
    others = [
        f"{what} ({pair[0]} and {pair[1]})"
        for what, pair in all_candidates(paper, split.pair).items()
        if min(pair) > 1
        and check_auc_interval(value, lower, upper, *pair, level=level, ties=ties).fits
    ]
    hint = f"; it could be that of {', '.join(others[:3])}" if others else ""
    return CANNOT, _standard_errors(found, split.pair) + hint


def _without_classes(
    value: Range, lower: Range, upper: Range, n: int, *, ties: bool
) -> tuple[str, str]:
    """Judge an interval where only the number of all cases is printed."""
    tried = range(2, n - 1, max(n // _TRIES, 1))
    if not any(check_auc_interval(value, lower, upper, m, n - m, ties=ties).fits for m in tried):
        return CANNOT, f"no number of positives among {n} has an interval of that width"
    found = smaller_class(value, lower, upper, n)
    hint = (
        ""
        if found is None
        else (
            f"; Hanley and McNeil's formula suggests {found.lo:.0f} to {found.hi:.0f} cases in the "
            "smaller class"
        )
    )
    return CAN, f"the number of positives among {n} is not printed, and some allow it{hint}"


def _standard_errors(found: IntervalCheck, pair: tuple[int, int]) -> str:
    printed, possible = found.printed_se, found.possible_se
    return (
        f"the interval stands for a standard error of {printed.lo:.3f} to {printed.hi:.3f}; "
        f"{pair[0]} positives and {pair[1]} negatives allow {possible.lo:.3f} to {possible.hi:.3f}"
    )
