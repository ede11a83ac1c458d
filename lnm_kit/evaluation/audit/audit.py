"""The audit of one paper: every check on every row."""

from collections.abc import Iterator
from itertools import combinations

import pandas as pd

from lnm_kit.evaluation.audit.comparison import paired_p_bounds
from lnm_kit.evaluation.audit.count_p import check_count_p
from lnm_kit.evaluation.audit.count_tables import check_count_rows, check_shares, check_splits
from lnm_kit.evaluation.audit.finding import CAN, CANNOT, UNCHECKED, Finding
from lnm_kit.evaluation.audit.metric_tables import AUC_CHECK, auc_ranges, check_metric_rows
from lnm_kit.evaluation.audit.one_set import check_one_set
from lnm_kit.evaluation.audit.paper import Paper, Table
from lnm_kit.evaluation.audit.printed_range import Range, printed_range
from lnm_kit.evaluation.audit.regression_tables import check_regression_rows
from lnm_kit.evaluation.audit.repeats import (
    check_columns,
    check_repeated,
    check_rows,
    check_sums,
    check_tables,
)

COLUMNS = ("paper", "table", "row", "check", "verdict", "details")
"""Columns of a report."""

COMPARISON_CHECK = "AUCs and p"
_Z = 1.959964


def audit(paper: Paper) -> pd.DataFrame:
    """Check all printed numbers of a paper against each other and against its counts.

    Parameters
    ----------
    paper
        From :func:`read_paper` or :func:`published_paper`.

    Returns
    -------
    DataFrame
        One row a check, with `COLUMNS`; `verdict` is "can be obtained", "cannot be obtained" or
        "cannot be checked". That a number cannot be obtained does not tell why: a slip of the
        pen, another set of cases, averages, a rule of rounding.

    Examples
    --------
    >>> from lnm_kit.evaluation.audit.form import make_paper
    >>> paper = make_paper({
    ...     "paper": "Doe 2026",
    ...     "splits": {"test": {"positive": 17, "negative": 9}},
    ...     "table_2": {"split": "test", "columns": ["model", "sensitivity"],
    ...                 "rows": [["Ours", "0.706"], ["Theirs", "0.720"]]},
    ... })
    >>> audit(paper)[["row", "check", "verdict"]]
          row             check             verdict
    0    Ours  rates and counts     can be obtained
    1  Theirs  rates and counts  cannot be obtained
    """
    rows = [
        (paper.name, found.table, found.row, found.check, found.verdict, found.details)
        for found in _findings(paper)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")


def _findings(paper: Paper) -> Iterator[Finding]:
    yield from check_splits(paper)
    for table in paper.tables:
        if table.kind == "metrics":
            yield from _metrics(paper, table)
        elif table.kind == "regression":
            yield from check_regression_rows(table)
        elif table.kind == "counts":
            yield from check_count_rows(paper, table)
            yield from check_count_p(table)
        elif table.kind == "comparison":
            yield from _comparisons(paper, table)
        else:
            yield from check_shares(paper, table)
    metric_tables = [table for table in paper.tables if table.kind == "metrics"]
    for first, second in combinations(metric_tables, 2):
        yield from check_tables(first, second)
    yield from check_repeated(paper)
    yield from check_sums(paper)


def _metrics(paper: Paper, table: Table) -> Iterator[Finding]:
    found = list(check_metric_rows(paper, table))
    yield from found
    failing = {each.row for each in found if each.verdict == CANNOT and each.check != AUC_CHECK}
    yield from check_one_set(paper, table, failing)
    yield from check_columns(table, failing)
    yield from check_rows(table)


def _comparisons(paper: Paper, table: Table) -> Iterator[Finding]:
    """Check p values of comparisons against the AUCs and intervals of the other tables."""
    known: dict[tuple[str, str], tuple[Range, Range]] = {}
    for other in paper.tables:
        if other.kind == "metrics" and "auc" in other.columns:
            for row in other.rows:
                value, lower, upper = auc_ranges(other, row) if row["auc"] else (None, None, None)
                if value and lower and upper and lower.lo <= upper.hi:
                    key = (other.split_of(row) or "", row.get("model", ""))
                    width = Range(upper.lo - lower.hi, upper.hi - lower.lo)
                    known[key] = (value, Range(width.lo / (2 * _Z), width.hi / (2 * _Z)))
    for row in table.rows:
        split = table.split_of(row) or ""
        pair = [known.get((split, row[side])) for side in ("model_a", "model_b")]
        name = table.name_of(row)
        if pair[0] is None or pair[1] is None:
            details = "no AUC with an interval is printed for both"
            yield Finding(table.title, name, COMPARISON_CHECK, UNCHECKED, details)
            continue
        (first, first_se), (second, second_se) = pair[0], pair[1]
        bounds = paired_p_bounds(first, second, first_se, second_se)
        fits = bounds.meets(printed_range(row["p_value"]))
        details = (
            f"the AUCs and intervals allow p from {bounds.lo:.3g} to {bounds.hi:.3g}, "
            f"printed {row['p_value']}"
        )
        yield Finding(table.title, name, COMPARISON_CHECK, CAN if fits else CANNOT, details)
