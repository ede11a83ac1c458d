"""Tables of counts: percentages, totals and shares."""

from collections.abc import Iterator, Mapping

from lnm_kit.errors import InputError
from lnm_kit.evaluation.audit.cells import split_column
from lnm_kit.evaluation.audit.counts import has_count, nearest_counts, share_of, total_meets
from lnm_kit.evaluation.audit.finding import CAN, CANNOT, UNCHECKED, Finding
from lnm_kit.evaluation.audit.paper import Paper, Table
from lnm_kit.evaluation.audit.printed_range import Range, is_missing, printed_range
from lnm_kit.published import Count, parse_count

PERCENT_CHECK = "counts and percentages"
TOTAL_CHECK = "levels and split size"
SHARE_CHECK = "shares and counts"
SPLITS_CHECK = "splits and total"


def check_splits(paper: Paper) -> Iterator[Finding]:
    """Check that the splits add up to the total."""
    if paper.total is None or len(paper.splits) < 2:
        return
    for what in ("n", "positive", "negative"):
        total = getattr(paper.total, what)
        parts = [getattr(split, what) for split in paper.splits.values()]
        if total is None or None in parts:
            continue
        added = " + ".join(map(str, parts))
        fits = total_meets([Range(n, n) for n in parts], Range(total, total))
        name = "cases" if what == "n" else f"{what} cases"
        details = f"{added} = {sum(parts)}, total {total}"
        yield Finding("Splits", name, SPLITS_CHECK, CAN if fits else CANNOT, details)


def check_count_rows(paper: Paper, table: Table) -> Iterator[Finding]:
    """Check every count against its percentage, and the levels of a variable against the split."""
    sizes = _column_sizes(paper, table)
    for row in table.rows:
        told, wrong = 0, []
        for column, size in sizes.items():
            count = read_count(row[column])
            if count is None or count.percent is None or size is None:
                continue
            told += 1
            percent = count.percent
            half = percent.half_unit
            if not share_of(count.n, size, _shares(percent.value, half)):
                right = 100 * count.n / size if size else 0
                wrong.append(
                    f"{column}: {count.n} of {size} is {right:.{max(percent.decimals, 1)}f} %, "
                    f"printed {row[column]}"
                )
        if told:
            verdict = CANNOT if wrong else CAN
            details = "; ".join(wrong) or _number(told, "percentage")
            yield Finding(table.title, table.name_of(row), PERCENT_CHECK, verdict, details)
    if "variable" in table.columns:
        yield from _totals(table, sizes)


def check_shares(paper: Paper, table: Table) -> Iterator[Finding]:
    """Check that every percentage of a table is a share of one split's cases."""
    total = paper.splits[table.settings["shares_of"]].n
    for row in table.rows:
        cells = {name: cell for name, cell in row.items() if cell.strip().endswith("%")}
        if not cells:
            continue
        name = next((cell for cell in row.values() if cell not in cells.values()), "")
        if total is None:
            yield Finding(
                table.title, name, SHARE_CHECK, UNCHECKED, "no number of cases is printed"
            )
            continue
        wrong = [
            f"{column}: no count of {total} gives {cell} (nearest {_near(total, cell)})"
            for column, cell in cells.items()
            if not has_count(total, printed_range(cell))
        ]
        verdict = CANNOT if wrong else CAN
        details = "; ".join(wrong) or f"counts of {total}"
        yield Finding(table.title, name, SHARE_CHECK, verdict, details)


def _totals(table: Table, sizes: Mapping[str, int | None]) -> Iterator[Finding]:
    for variable in dict.fromkeys(row["variable"] for row in table.rows):
        rows = [row for row in table.rows if row["variable"] == variable]
        told, wrong = 0, []
        for column, size in sizes.items():
            counts = [count for row in rows if (count := read_count(row[column]))]
            if len(counts) < 2 or size is None:
                continue
            told += 1
            total = sum(count.n for count in counts)
            if total != size:
                added = " + ".join(str(count.n) for count in counts)
                wrong.append(f"{column}: {added} = {total}, not {size}")
        if told:
            verdict = CANNOT if wrong else CAN
            details = "; ".join(wrong) or f"adds up in {_number(told, 'column')}"
            yield Finding(table.title, variable, TOTAL_CHECK, verdict, details)


def _column_sizes(paper: Paper, table: Table) -> dict[str, int | None]:
    sizes: dict[str, int | None] = {}
    for column in table.columns:
        if found := split_column(column, paper.splits):
            name, what = found
            sizes[column] = getattr(paper.splits[name], what)
    return sizes


def read_count(cell: str) -> Count | None:
    """Read a cell as a count; None where it holds none, or something else such as a mean."""
    if is_missing(cell):
        return None
    try:
        return parse_count(cell)
    except InputError:
        return None


def _shares(percent: float, half: float) -> Range:
    return Range((percent - half) / 100, (percent + half) / 100)


def _number(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _near(total: int, cell: str) -> str:
    counts = nearest_counts(total, printed_range(cell))
    return " and ".join(f"{100 * count / total:.2f} %" for count in counts)
