"""The p values that a comparison of counts between columns can have."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import chi2_contingency, fisher_exact, kruskal

from lnm_kit.evaluation.audit.count_tables import read_count
from lnm_kit.evaluation.audit.finding import CAN, CANNOT, UNCHECKED, Finding
from lnm_kit.evaluation.audit.paper import Table
from lnm_kit.evaluation.audit.printed_range import is_missing, printed_range

COUNT_P_CHECK = "counts and p"

_EXPECTED_AT_LEAST = 5


def count_p_values(columns: Sequence[Sequence[int]]) -> dict[str, float]:
    """Give p of the usual tests on a table of counts.

    Pearson's chi-squared test and the likelihood-ratio test, for two by two counts also Yates'
    correction and Fisher's exact test, and the Kruskal-Wallis test of the levels as ranks (for
    two columns that is the Mann-Whitney test without continuity correction).

    Parameters
    ----------
    columns
        For each column its counts per level, in the order of the levels. Levels without a case
        are left out.

    Returns
    -------
    dict
        Name of the test to p; empty where fewer than two levels or columns have cases.

    Notes
    -----
    *Source*: Agresti, Categorical Data Analysis, 3rd ed., sections 3.2, 3.4 and 3.5.

    Examples
    --------
    >>> found = count_p_values([[213, 665], [60, 160]])
    >>> {name: round(p, 3) for name, p in found.items()}
    {'chi-squared': 0.355, 'likelihood ratio': 0.359, 'Yates': 0.402, 'Fisher': 0.383,
     'Kruskal-Wallis': 0.355}
    """
    table = np.array(columns)
    if table.ndim != 2:
        return {}
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape, default=0) < 2:
        return {}
    found = {
        "chi-squared": chi2_contingency(table, correction=False).pvalue,
        "likelihood ratio": chi2_contingency(table, correction=False, lambda_=0).pvalue,
    }
    if table.shape == (2, 2):
        found["Yates"] = chi2_contingency(table, correction=True).pvalue
        found["Fisher"] = fisher_exact(table).pvalue
    levels = np.arange(table.shape[1])
    found["Kruskal-Wallis"] = kruskal(*(np.repeat(levels, counts) for counts in table)).pvalue
    return {name: float(p) for name, p in found.items()}


def check_count_p(table: Table) -> Iterator[Finding]:
    """Check the p values of a table of counts against the tests of :func:`count_p_values`.

    The setting `compared` names the columns. Where expected counts are below 5 in a table larger
    than two by two, an exact test may have been used, which is not computed here.
    """
    compared = table.settings.get("compared", ())
    if not compared or not {"variable", "p_value"} <= set(table.columns):
        return
    for variable in dict.fromkeys(row["variable"] for row in table.rows):
        rows = [row for row in table.rows if row["variable"] == variable]
        counts = [[read_count(row[column]) for column in compared] for row in rows]
        counted = [
            (row, [count.n for count in cells if count])
            for row, cells in zip(rows, counts, strict=True)
            if None not in cells
        ]
        printed = [row["p_value"] for row, _ in counted if not is_missing(row["p_value"])]
        columns = list(zip(*(cells for _, cells in counted), strict=True))
        found = count_p_values(columns) if len(counted) > 1 else {}
        if not printed or not found:
            continue
        fits = any(
            printed_range(cell).holds(round(p, 12)) for cell in printed for p in found.values()
        )
        tests = ", ".join(f"{name} {p:.3g}" for name, p in found.items())
        verdict = CAN if fits else (UNCHECKED if _is_sparse(columns) else CANNOT)
        details = f"printed {' and '.join(printed)}; {tests}"
        if verdict == UNCHECKED:
            details += "; expected counts below 5, and an exact test is not computed here"
        yield Finding(table.title, variable, COUNT_P_CHECK, verdict, details)


def _is_sparse(columns: Sequence[Sequence[int]]) -> bool:
    table = np.array(columns, dtype=float)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return table.shape != (2, 2) and bool(expected.min() < _EXPECTED_AT_LEAST)
