"""Numbers printed twice: columns, rows, the same row in two tables, text against table, sums."""

from collections.abc import Collection, Iterator, Mapping
from itertools import combinations

from lnm_kit.evaluation.audit.counts import total_meets
from lnm_kit.evaluation.audit.finding import CAN, CANNOT, UNCHECKED, Finding
from lnm_kit.evaluation.audit.matrices import RATES, spoken
from lnm_kit.evaluation.audit.paper import NAMING, Paper, Table
from lnm_kit.evaluation.audit.printed_range import SLACK, Range, is_missing, printed_range

COLUMN_CHECK = "columns repeated"
ROW_CHECK = "rows repeated"
TABLES_CHECK = "one row in two tables"
TEXT_CHECK = "one number in several places"
SUM_CHECK = "parts and total"

_ROWS_AT_LEAST = 3
_CELLS_AT_LEAST = 4


def check_columns(table: Table, failing: Collection[str]) -> Iterator[Finding]:
    """Check for two rates that repeat each other in every row.

    A set with as many positives as negatives can make rates equal, so the finding stands only
    where some row's rates cannot be obtained from the counts.

    Parameters
    ----------
    table
        A table of metrics.
    failing
        Names of the rows whose rates cannot be obtained.
    """
    for first, second in repeated_columns(table):
        verdict = CANNOT if failing else UNCHECKED
        pair = f"{spoken(first)} and {spoken(second)}"
        details = f"{pair} hold the same values in all {len(table.rows)} rows"
        yield Finding(table.title, "all rows", COLUMN_CHECK, verdict, details)


def repeated_columns(table: Table) -> list[tuple[str, str]]:
    """Pairs of rates with the same values in all rows, three rows and three values at least."""
    rates = [name for name in table.columns if name in RATES]
    found = []
    for first, second in combinations(rates, 2):
        cells = [
            (row[first], row[second])
            for row in table.rows
            if not (is_missing(row[first]) or is_missing(row[second]))
        ]
        values = {_value(cell) for cell, _ in cells}
        if len(values) >= _ROWS_AT_LEAST and all(_value(a) == _value(b) for a, b in cells):
            found.append((first, second))
    return found


def check_rows(table: Table) -> Iterator[Finding]:
    """Name two rows with the same numbers: possible, but worth a look."""
    for one, other in combinations(table.rows, 2):
        cells = [
            (one[name], other[name])
            for name in table.columns
            if name not in NAMING and not (is_missing(one[name]) and is_missing(other[name]))
        ]
        if len(cells) >= _CELLS_AT_LEAST and all(a == b for a, b in cells):
            row = f"{table.name_of(one)}; {table.name_of(other)}"
            details = f"all {len(cells)} numbers are the same"
            yield Finding(table.title, row, ROW_CHECK, UNCHECKED, details)


def check_tables(first: Table, second: Table) -> Iterator[Finding]:
    """Check that a row printed in two tables has the same numbers in both."""
    shared = [
        name
        for name in first.columns
        if name in second.columns and (name in RATES or name in ("auc", "auc_ci"))
    ]
    if not shared:
        return
    known = {_key(first, row): row for row in first.rows}
    for row in second.rows:
        twin = known.get(_key(second, row))
        if twin is None:
            continue
        differing = [
            f"{spoken(name)} {twin[name]} and {row[name]}"
            for name in shared
            if not is_missing(twin[name])
            and not is_missing(row[name])
            and _value(twin[name]) != _value(row[name])
        ]
        verdict = CANNOT if differing else CAN
        details = "; ".join(differing) or f"the same {', '.join(shared)}"
        title = f"{first.title}, {second.title}"
        yield Finding(title, second.name_of(row), TABLES_CHECK, verdict, details)


def check_repeated(paper: Paper) -> Iterator[Finding]:
    """Check the numbers that the file says are printed in several places."""
    for item in paper.repeated:
        printed = [found for place in item["places"] for found in paper.place(str(place))]
        ranges = [printed_range(cell) for _, cell in printed]
        agree = all(_one_number(a, b) for a, b in combinations(ranges, 2))
        details = "; ".join(f"{where}: {cell}" for where, cell in printed)
        yield Finding(
            "Text", str(item.get("name", "")), TEXT_CHECK, CAN if agree else CANNOT, details
        )


def check_sums(paper: Paper) -> Iterator[Finding]:
    """Check the totals that the file names."""
    for item in paper.sums:
        parts = [cell for place in item["parts"] for _, cell in paper.place(str(place))]
        (total,) = [cell for _, cell in paper.place(str(item["total"]))]
        ranges = [_count(cell) for cell in parts]
        fits = total_meets(ranges, _count(total))
        added = sum(each.middle for each in ranges)
        details = f"{' + '.join(parts)} = {added:g}, printed {total}"
        details = details.replace("+ -", "- ")
        yield Finding(
            "Text", str(item.get("name", "")), SUM_CHECK, CAN if fits else CANNOT, details
        )


def _one_number(a: Range, b: Range) -> bool:
    """Whether two prints can be of one number; with equal decimals they must be equal."""
    if abs((a.hi - a.lo) - (b.hi - b.lo)) < SLACK:
        return abs(a.middle - b.middle) < SLACK
    return a.meets(b)


def _count(cell: str) -> Range:
    """Give a whole number as itself: a count is not rounded."""
    plain = cell.replace(",", "")
    if plain.lstrip("-").isdigit():
        return Range(float(plain), float(plain))
    return printed_range(plain)


def _key(table: Table, row: Mapping[str, str]) -> tuple[str, ...]:
    """Split and names of a row, alike in every table."""
    names = [row[name] for name in ("model", "reader", "row") if name in table.columns]
    return (table.split_of(row) or "", row.get("split", ""), *names)


def _value(cell: str) -> str:
    """Give a cell without trailing zeros, so that 0.8 and 0.80 are the same."""
    text = cell.strip()
    return text.rstrip("0").rstrip(".") if "." in text and "–" not in text else text
