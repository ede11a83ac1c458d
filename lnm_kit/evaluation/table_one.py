"""Baseline table: every characteristic in every group, with the test that compares the groups."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from scipy import stats
from statsmodels.stats.oneway import anova_oneway

from lnm_kit.errors import InputError

LEAST_EXPECTED = 5.0
"""Fisher's exact test replaces chi-squared where an expected count is below this."""

MOST_SKEWED = 1.0
"""A rank test replaces the comparison of means where a group's absolute skewness is above this."""

_RESAMPLES = 9999
_RESERVED = ("variable", "level", "test", "p_value")


@dataclass(frozen=True)
class GroupTest:
    """Name of a test and its two-sided p value; NaN only where `name` says why there is none."""

    name: str
    p_value: float


def is_category(values: pd.Series) -> bool:
    """Whether a column holds categories: no numbers, booleans, or nothing but 0 and 1.

    Examples
    --------
    >>> is_category(pd.Series(["a", "b"])), is_category(pd.Series([0, 1, None]))
    (True, True)
    >>> is_category(pd.Series([1, 2, 3]))
    False
    """
    if is_bool_dtype(values) or not is_numeric_dtype(values):
        return True
    return bool(values.dropna().isin([0, 1]).all())


def category_levels(values: pd.Series) -> list[object]:
    """Levels of a column: in the order of a pandas categorical, otherwise sorted.

    Examples
    --------
    >>> category_levels(pd.Series(["solid", "cystic", None]))
    ['cystic', 'solid']
    >>> category_levels(pd.Series(pd.Categorical(["b"], categories=["b", "a"])))
    ['b', 'a']
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        return list(values.cat.categories)
    known = values.dropna().unique().tolist()
    try:
        return sorted(known)
    except TypeError:
        return sorted(known, key=str)


def compare_counts(counts: np.ndarray, *, yates: bool = True, seed: int = 0) -> GroupTest:
    """Compare groups by a table of counts: chi-squared, or Fisher's exact test.

    Fisher's test is taken where an expected count is below `LEAST_EXPECTED`; beyond 2 x 2 it is the
    Fisher-Freeman-Halton test, its p value estimated from 9,999 random tables of the same margins
    (standard error at p = 0.05: 0.002). Levels that nobody has are left out.

    Parameters
    ----------
    counts
        (groups, levels), patients.
    yates
        Continuity correction of chi-squared, in 2 x 2 tables only. On, as in R's `chisq.test`.
    seed
        Of the random tables.

    Notes
    -----
    *Source*: Feng 2025 (LLNM), section 2.9, which does not say when Fisher's test was taken; the
    limit of 5 is Cochran's, Biometrics 1954;10:417-451, in its strict form. Freeman and Halton,
    Biometrika 1951;38:141-149.

    Examples
    --------
    >>> found = compare_counts(np.array([[213, 665], [60, 160]]))  # sex, Table 1: printed 0.402
    >>> found.name, round(found.p_value, 3)
    ('chi-squared with Yates correction', 0.402)
    """
    counts = counts[:, counts.sum(axis=0) > 0]
    if np.any(counts.sum(axis=1) == 0):
        return GroupTest("none: a group has no known value", np.nan)
    if counts.shape[1] < 2:
        return GroupTest("none: one level only", np.nan)
    square = counts.shape == (2, 2)
    if stats.contingency.expected_freq(counts).min() >= LEAST_EXPECTED:
        name = "chi-squared with Yates correction" if square and yates else "chi-squared"
        return GroupTest(name, float(stats.chi2_contingency(counts, correction=yates).pvalue))
    if square:
        return GroupTest("Fisher's exact", float(stats.fisher_exact(counts).pvalue))
    method = stats.MonteCarloMethod(n_resamples=_RESAMPLES, rng=np.random.default_rng(seed))
    found = stats.fisher_exact(counts, method=method)
    return GroupTest(f"Fisher-Freeman-Halton, Monte Carlo {_RESAMPLES}", float(found.pvalue))


def compare_numbers(groups: Sequence[np.ndarray]) -> GroupTest:
    """Compare groups by their means, or by ranks where a group is skewed.

    Means: Welch's t test, Welch's ANOVA beyond two groups (no equal variances assumed). Ranks:
    Mann-Whitney or Kruskal-Wallis. The rule looks at the size of the departure and not at a
    normality test's p value, which in hundreds of cases is small for every clinical column: ranks
    where the adjusted Fisher-Pearson skewness of any group is above `MOST_SKEWED` in absolute
    value, or a group is smaller than 3 (no skewness) or constant (no Welch test).

    Parameters
    ----------
    groups
        One (n,) array a group, finite.

    Notes
    -----
    *Source*: Feng 2025 (LLNM), section 2.9, which does not print its rule. The limit of 1, "highly
    skewed", is Bulmer's, Principles of Statistics 1979, chapter 4. Welch, Biometrika
    1951;38:330-336.

    Examples
    --------
    >>> compare_numbers([np.array([1.0, 2, 3, 4]), np.array([2.0, 3, 4, 6])]).name
    "Welch's t"
    >>> compare_numbers([np.array([1.0, 2, 3, 90]), np.array([2.0, 3, 4, 5])]).name
    'Mann-Whitney'
    """
    if any(len(group) == 0 for group in groups):
        return GroupTest("none: a group has no known value", np.nan)
    if np.ptp(np.concatenate(groups)) == 0:
        return GroupTest("none: one value only", np.nan)
    two = len(groups) == 2
    if any(_needs_ranks(group) for group in groups):
        if two:
            return GroupTest("Mann-Whitney", float(stats.mannwhitneyu(*groups).pvalue))
        return GroupTest("Kruskal-Wallis", float(stats.kruskal(*groups).pvalue))
    if two:
        return GroupTest("Welch's t", float(stats.ttest_ind(*groups, equal_var=False).pvalue))
    found = anova_oneway(list(groups), use_var="unequal", welch_correction=True)
    return GroupTest("Welch's ANOVA", float(found.pvalue))


def table_one(
    cases: pd.DataFrame,
    columns: Sequence[str],
    by: str,
    *,
    categories: Collection[str] = (),
    compare: Sequence[object] | None = None,
    yates: bool = True,
    seed: int = 0,
) -> pd.DataFrame:
    """Clinical characteristics of every group, with p values and the tests they come from.

    Categories are counted, `n (percent)`, the percentage among the cases with a known value.
    Numbers are `mean ± SD` where means are compared and `median [first to third quartile]` where
    ranks are. A row `missing`, percentage among all cases of the group, follows wherever a value
    is missing; tests use the known values.

    Parameters
    ----------
    cases
        One row a patient.
    columns
        What to tabulate. Text, booleans, pandas categoricals and 0/1 are categories.
    by
        Column of the groups, shown in order of appearance (or of a pandas categorical).
    categories
        Columns of other numbers to count as categories, e.g. `n_foci`.
    compare
        Groups that the tests compare, at least two; None for all. Table 1 of the LLNM study
        compares training with validation only.
    yates, seed
        As in :func:`compare_counts`.

    Returns
    -------
    DataFrame
        `variable, level`, one text column a group, `test, p_value`. The first row has the group
        sizes. `test` and `p_value` stand in the first row of a variable; below it they are empty
        and NaN. NaN in a first row has its reason in `test`.

    Raises
    ------
    InputError
        When a column is absent, a group is missing or unknown, fewer than two groups are
        compared, or a number is infinite.

    Notes
    -----
    *Source*: Feng 2025 (LLNM), section 2.9 and Table 1.

    Examples
    --------
    >>> cases = pd.DataFrame({"split": ["a", "a", "a", "b", "b", "b"],
    ...                       "sex": ["f", "m", "f", "f", "f", None],
    ...                       "age_years": [41, 44, 48, 39, 45, 50]})
    >>> table = table_one(cases, ["sex", "age_years"], "split")
    >>> print(table[["variable", "level", "a", "b"]].to_string())
        variable      level             a             b
    0          n                        3             3
    1        sex          f     2 (66.7%)    2 (100.0%)
    2        sex          m     1 (33.3%)      0 (0.0%)
    3        sex    missing      0 (0.0%)     1 (33.3%)
    4  age_years  mean ± SD  44.33 ± 3.51  44.67 ± 5.51
    >>> table["test"].tolist()
    ['', "Fisher's exact", '', '', "Welch's t"]
    """
    groups, compared = _check(cases, columns, by, categories, compare)
    parts = {group: cases[cases[by] == group] for group in groups}
    rows: list[dict[object, object]] = [
        {"variable": "n", "level": "", **{group: str(len(part)) for group, part in parts.items()}}
    ]
    for column in columns:
        values = {group: part[column] for group, part in parts.items()}
        known = {group: series.dropna() for group, series in values.items()}
        if column in categories or is_category(cases[column]):
            levels = category_levels(cases[column])
            counts = {group: _count(series, levels) for group, series in known.items()}
            test = compare_counts(np.array([counts[g] for g in compared]), yates=yates, seed=seed)
            body = [
                (str(level), {g: _share(counts[g][i], len(known[g])) for g in groups})
                for i, level in enumerate(levels)
            ]
        else:
            numbers = {group: series.to_numpy(np.float64) for group, series in known.items()}
            test = compare_numbers([numbers[g] for g in compared])
            ranks = test.name in ("Mann-Whitney", "Kruskal-Wallis")
            summary, level = (_median, "median [IQR]") if ranks else (_mean, "mean ± SD")
            body = [(level, {g: summary(numbers[g]) for g in groups})]
        absent = {g: len(values[g]) - len(known[g]) for g in groups}
        if any(absent.values()):
            body.append(("missing", {g: _share(absent[g], len(values[g])) for g in groups}))
        first: dict[object, object] = {"test": test.name, "p_value": test.p_value}
        for place, (level, cells) in enumerate(body):
            row: dict[object, object] = {"variable": column, "level": level, **cells}
            rows.append(row if place else row | first)
    table = pd.DataFrame(rows, columns=["variable", "level", *groups, "test", "p_value"])
    return table.fillna({"test": ""}).astype({"p_value": np.float64})


def _check(
    cases: pd.DataFrame,
    columns: Sequence[str],
    by: str,
    categories: Collection[str],
    compare: Sequence[object] | None,
) -> tuple[list[object], list[object]]:
    """Groups shown and groups compared, or everything that is wrong."""
    absent = [name for name in (by, *columns) if name not in cases.columns]
    if absent:
        raise InputError(f"cases has no column {absent}; it has {list(cases.columns)}.")
    problems = []
    if cases[by].isna().any():
        problems.append(
            f"{by} is missing in {int(cases[by].isna().sum())} cases; give them a group or leave "
            "them out, and say so"
        )
    stray = sorted(set(categories) - set(columns))
    if stray:
        problems.append(f"categories names {stray}, which are not among the columns")
    present = cases[by].dropna().unique().tolist()
    if isinstance(cases[by].dtype, pd.CategoricalDtype):
        present = [group for group in cases[by].cat.categories if group in present]
    compared = present if compare is None else list(compare)
    unknown = [group for group in compared if group not in present]
    if unknown:
        problems.append(f"compare names {unknown}; {by} has {present}")
    if len(set(compared)) < 2 or len(set(compared)) < len(compared):
        problems.append(f"groups to compare are {compared}; at least two different ones are needed")
    if set(present) & set(_RESERVED):
        problems.append(f"groups of {by} are {present}; the names {_RESERVED} are taken")
    for name in columns:
        if name in categories or is_category(cases[name]):
            continue
        infinite = int(np.isinf(cases[name].to_numpy(np.float64, na_value=np.nan)).sum())
        if infinite:
            problems.append(f"{name} is infinite in {infinite} cases; leave such values empty")
    if problems:
        raise InputError("; ".join(problems) + ".")
    return present, compared


def _needs_ranks(group: np.ndarray) -> bool:
    if len(group) < 3 or np.ptp(group) == 0:
        return True
    return bool(abs(stats.skew(group, bias=False)) > MOST_SKEWED)


def _count(values: pd.Series, levels: Sequence[object]) -> list[int]:
    return [int((values == level).sum()) for level in levels]


def _share(count: int, total: int) -> str:
    return f"{count} ({100 * count / total:.1f}%)" if total else f"{count} (of 0)"


def _mean(values: np.ndarray) -> str:
    if len(values) < 2:
        return f"{values[0]:.2f} (1 case)" if len(values) else "none known"
    return f"{values.mean():.2f} ± {values.std(ddof=1):.2f}"


def _median(values: np.ndarray) -> str:
    if len(values) == 0:
        return "none known"
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.2f} [{low:.2f} to {high:.2f}]"
