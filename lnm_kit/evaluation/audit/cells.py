"""Whether the cells of a table can be read, and what its columns are."""

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches

from lnm_kit.errors import InputError
from lnm_kit.evaluation.audit.matrices import RATES
from lnm_kit.evaluation.audit.paper import NAMES, NAMING, Split, Table
from lnm_kit.evaluation.audit.printed_range import (
    is_missing,
    printed_interval,
    printed_range,
    split_estimate,
)
from lnm_kit.evaluation.audit.problems import Problems
from lnm_kit.published import parse_count, parse_mean_sd, parse_quartiles

UNCHECKED_COLUMNS = {"loss", "vif", "statistic", "p_value", "threshold", "cutoff", "brier"}
"""Columns of numbers that no check reads where they stand in a table of metrics or regression."""


_WITH_P = ("regression", "comparison")

_Reader = Callable[[str], object]


def _read_estimate(cell: str) -> None:
    estimate, interval = split_estimate(cell)
    printed_range(estimate)
    if interval:
        printed_interval(interval)


_READERS: Mapping[str, _Reader] = {
    "auc": _read_estimate,
    "auc_ci": printed_interval,
    "beta": printed_range,
    "odds_ratio": _read_estimate,
    "odds_ratio_ci": printed_interval,
}


def split_column(name: str, splits: Iterable[str]) -> tuple[str, str] | None:
    """Split of a column of counts, and which of its cases: "n", "negative" or "positive".

    Examples
    --------
    >>> split_column("test_1", ["test"])
    ('test', 'positive')
    """
    known = set(splits)
    if name in known:
        return name, "n"
    if name[-2:] in ("_0", "_1") and name[:-2] in known:
        return name[:-2], "positive" if name.endswith("1") else "negative"
    return None


def check_cells(table: Table, splits: Mapping[str, Split], problems: Problems) -> None:
    """Keep every cell that cannot be read, every unknown column of numbers and unknown split."""
    other = set(table.settings.get("other", ()))
    for column in table.columns:
        cells = [row[column] for row in table.rows if not is_missing(row[column])]
        if column in other or column in NAMING:
            continue
        if table.kind == "counts":
            if split_column(column, splits):
                _try(table, column, cells, _read_count, problems)
        elif column in RATES or (column == "p_value" and table.kind in _WITH_P):
            _try(table, column, cells, printed_range, problems)
        elif column in _READERS:
            _try(table, column, cells, _READERS[column], problems)
        elif table.kind != "shares" and _is_unknown(column, cells):
            close = get_close_matches(column, [*RATES, *NAMES, *_READERS], n=1)
            hint = f"did you mean {close[0]}?" if close else "name it in `other` to leave it alone"
            problems.add(
                table.key, column, f"{table.key} has a column of numbers {column!r}; {hint}"
            )
    if table.kind in ("metrics", "comparison", "shares"):
        named = {name for row in table.rows if (name := table.split_of(row))}
        named |= {table.settings["shares_of"]} if "shares_of" in table.settings else set()
        for name in sorted(named - set(splits)):
            allowed = ", ".join(splits) or "none; write [splits.NAME]"
            problems.add(table.key, name, f"{table.key}: split {name!r}; the splits are {allowed}")


def _try(
    table: Table,
    column: str,
    cells: Iterable[str],
    read: _Reader,
    problems: Problems,
) -> None:
    for cell in cells:
        try:
            read(cell)
        except InputError as error:
            problems.add(table.key, cell, f"{table.key}, {column}: {error}")


def _read_count(cell: str) -> None:
    for read in (parse_mean_sd, parse_quartiles, parse_count):
        try:
            read(cell)
            return
        except InputError as error:
            last = error
    raise last


def unknown_columns(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Give the columns of numbers that no check knows.

    Examples
    --------
    >>> unknown_columns(["model", "auc", "entropy"], [["A", "0.9", "0.1"], ["B", "0.8", "0.2"]])
    ['entropy']
    """
    cells = zip(*rows, strict=True)
    return [
        name
        for name, column in zip(columns, cells, strict=True)
        if _is_unknown(name, [cell for cell in column if not is_missing(cell)])
    ]


def _is_unknown(column: str, cells: list[str]) -> bool:
    known = {*RATES, *NAMES, *_READERS, *NAMING, *UNCHECKED_COLUMNS}
    return column not in known and _are_numbers(cells)


def _are_numbers(cells: list[str]) -> bool:
    return bool(cells) and all(re.fullmatch(r"[<>]?\s*-?\d+(\.\d+)?\s*%?", cell) for cell in cells)
