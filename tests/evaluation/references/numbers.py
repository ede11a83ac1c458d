"""References of the intraclass correlation and of the tests that Table 1 is made with."""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations, product

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import betainc, gammaincc
from scipy.stats import f as f_distribution

from lnm_kit.evaluation import icc, icc_features
from lnm_kit.evaluation.agreement import ICC_FORMS
from lnm_kit.evaluation.table_one import compare_counts, compare_numbers
from lnm_kit.published import published_counts
from tests.evaluation.references.published import JOB_SATISFACTION, JUDGES, SLEEP
from tests.evaluation.references.row import Pair, Row


def ratings() -> Iterator[np.ndarray]:
    """Ratings that agree well, badly and not at all, with and without a bias of the raters."""
    rng = np.random.default_rng(0)
    for n, k in ((3, 2), (12, 2), (8, 5), (40, 3)):
        for subject, rater in ((3.0, 0.0), (1.0, 1.0), (0.0, 0.3)):
            bias = rng.normal(0, rater, (1, k))
            yield 5 + rng.normal(0, subject, (n, 1)) + bias + rng.normal(0, 0.6, (n, k))


def mean_squares(table: np.ndarray) -> tuple[float, float, float, float]:
    """Subjects, raters, error, within: from the residuals of least-squares fits, no formulas."""
    n, k = table.shape
    subject, rater = np.repeat(np.arange(n), k), np.tile(np.arange(k), n)
    subjects = (subject[:, None] == np.arange(n)).astype(float)
    raters = (rater[:, None] == np.arange(k)).astype(float)

    def residual(*blocks: np.ndarray) -> float:
        design = np.hstack([np.ones((n * k, 1)), *blocks])
        fitted = design @ np.linalg.lstsq(design, table.ravel(), rcond=None)[0]
        return float(np.sum((table.ravel() - fitted) ** 2))

    error = residual(subjects, raters)
    rows, columns = residual(raters) - error, residual(subjects) - error
    freedom = (n - 1) * (k - 1)
    within = residual(subjects) / (n * (k - 1))
    return rows / (n - 1), columns / (k - 1), error / freedom, within


def variance_shares(table: np.ndarray) -> dict[str, float]:
    """Share of the subjects' variance component in that of one rating, or of the mean of k."""
    n, k = table.shape
    rows, columns, error, within = mean_squares(table)
    subject, rater, alone = (rows - error) / k, (columns - error) / n, (rows - within) / k
    return {
        "ICC(1,1)": alone / (alone + within),
        "ICC(2,1)": subject / (subject + rater + error),
        "ICC(3,1)": subject / (subject + error),
        "ICC(1,k)": alone / (alone + within / k),
        "ICC(2,k)": subject / (subject + rater / k + error / k),
        "ICC(3,k)": subject / (subject + error / k),
    }


def icc_by_variance_components() -> Iterator[Pair]:
    for table in ratings():
        found = icc(table)
        for form, value in variance_shares(table).items():
            if found[form].defined:
                yield found[form].value, value


def icc_intervals_by_inversion() -> Iterator[Pair]:
    """Coefficients at which the F statistic is at a 2.5 % tail, found by root search.

    Under ICC(1,1) or ICC(3,1) = r the mean squares' ratio over (1 + (k - 1) r) / (1 - r), or
    1 + k r / (1 - r), is F distributed.
    """
    for table in ratings():
        n, k = table.shape
        rows, _, error, within = mean_squares(table)
        for form, noise, freedom in (
            ("ICC(1,1)", within, n * (k - 1)),
            ("ICC(3,1)", error, (n - 1) * (k - 1)),
        ):
            found = icc(table)[form]

            def tail(tried: float, ratio=rows / noise, f=(n - 1, freedom), k=k) -> float:
                return f_distribution.sf(ratio / (1 + k * tried / (1 - tried)), *f)

            for end, level in ((found.lo, 0.025), (found.hi, 0.975)):
                root = brentq(
                    lambda r, level=level, tail=tail: tail(r) - level,
                    -1 / (k - 1) + 1e-9,
                    1 - 1e-9,
                    xtol=1e-13,
                )
                yield end, root


def icc_mean_intervals_by_inversion() -> Iterator[Pair]:
    """ICC(1,k) and ICC(3,k): under a coefficient r the mean squares' ratio times 1 - r is F."""
    for table in ratings():
        n, k = table.shape
        rows, _, error, within = mean_squares(table)
        for form, noise, freedom in (
            ("ICC(1,k)", within, n * (k - 1)),
            ("ICC(3,k)", error, (n - 1) * (k - 1)),
        ):
            found = icc(table)[form]
            if not found.defined:
                continue

            def tail(tried: float, ratio=rows / noise, f=(n - 1, freedom)) -> float:
                return f_distribution.sf(ratio * (1 - tried), *f)

            for end, level in ((found.lo, 0.025), (found.hi, 0.975)):
                root = brentq(
                    lambda r, level=level, tail=tail: tail(r) - level, -1e6, 1, xtol=1e-13
                )
                yield end / max(1, abs(root)), root / max(1, abs(root))


def icc_two_way_interval() -> Iterator[Pair]:
    """ICC(2,1) and ICC(2,k), intervals of McGraw and Wong 1996, table 7 (positive estimates)."""
    for table in [JUDGES.astype(float), *ratings()]:
        n, k = table.shape
        rows, columns, error, _ = mean_squares(table)
        found = icc(table)["ICC(2,1)"]
        if not found.value > 0:
            continue
        r = variance_shares(table)["ICC(2,1)"]
        a, b = k * r / (n * (1 - r)), 1 + k * r * (n - 1) / (n * (1 - r))
        v = (a * columns + b * error) ** 2 / (
            (a * columns) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
        )
        low, high = f_distribution.isf(0.025, n - 1, v), f_distribution.isf(0.025, v, n - 1)
        rest = k * columns + (k * n - k - n) * error
        yield found.lo, n * (rows - low * error) / (low * rest + n * rows)
        yield found.hi, n * (high * rows - error) / (rest + n * high * rows)
        # of the mean of k ratings: the same degrees of freedom
        found = icc(table)["ICC(2,k)"]
        spread = columns - error
        yield found.lo, n * (rows - low * error) / (low * spread + n * rows)
        yield found.hi, n * (high * rows - error) / (spread + n * high * rows)


def icc_printed() -> Iterator[Pair]:
    printed = (0.17, 0.29, 0.71, 0.44, 0.62, 0.91)
    yield [icc(JUDGES)[form].value for form in ICC_FORMS], printed


def icc_of_features() -> Iterator[Pair]:
    """Two features at once, the tables' columns and rows in different orders."""
    first, second = (table for table in ratings() if table.shape == (12, 2) and table.std() > 0.9)
    whole = [
        pd.DataFrame({"a": first[:, rater], "b": second[:, rater]}, index=list("hijklmnopqrs"))
        for rater in (0, 1)
    ]
    whole[1] = whole[1].iloc[::-1, ::-1]
    expected = [variance_shares(table) for table in (first, second)]
    for form in ICC_FORMS:
        found = icc_features(whole, form=form)
        yield found.loc[["a", "b"], "icc"], [shares[form] for shares in expected]


def chi_squared_by_hand() -> Iterator[Pair]:
    rng = np.random.default_rng(0)
    for shape in ((2, 2), (2, 3), (2, 5), (3, 4)):
        for _ in range(6):
            counts = rng.integers(15, 90, shape)
            expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
            gap = np.abs(counts - expected)
            freedom = (shape[0] - 1) * (shape[1] - 1)
            for yates in (True, False):
                # the correction never passes the difference itself
                less = np.minimum(0.5, gap) if yates and shape == (2, 2) else 0.0
                statistic = np.sum((gap - less) ** 2 / expected)
                found = compare_counts(counts, yates=yates).p_value
                yield found, gammaincc(freedom / 2, statistic / 2)


def p_values_of_table_1() -> Iterator[Pair]:
    printed = {
        "sex": 0.402,
        "age_years": 0.468,
        "bmi_kg_m2": 0.764,
        "braf_v600e": 0.531,
        "clt": 0.669,
        "location": 0.927,
        "margin": 0.462,
        "taller_than_wide": 0.224,
    }
    for variable, p_value in printed.items():
        counts = [
            list(published_counts("llnm", variable, split).values())
            for split in ("training", "validation")
        ]
        yield compare_counts(np.array(counts)).p_value, p_value


def tables_of(rows: Sequence[int], columns: Sequence[int]) -> Iterator[list[list[int]]]:
    """All tables of counts with these margins."""
    if len(rows) == 1:
        yield [list(columns)]
        return
    for first in product(*(range(min(rows[0], column) + 1) for column in columns)):
        if sum(first) == rows[0]:
            rest = [column - taken for column, taken in zip(columns, first, strict=True)]
            for below in tables_of(rows[1:], rest):
                yield [list(first), *below]


def fisher_p(counts: np.ndarray) -> float:
    """Weight of the tables with the same margins that are no more likely than the observed one."""

    def weight(table: Sequence[Sequence[int]]) -> float:
        return 1 / math.prod(math.factorial(int(count)) for row in table for count in row)

    margins = counts.sum(axis=1).tolist(), counts.sum(axis=0).tolist()
    weights = np.array([weight(table) for table in tables_of(*margins)])
    return float(weights[weights <= weight(counts) * (1 + 1e-7)].sum() / weights.sum())


def fisher_by_enumeration() -> Iterator[Pair]:
    for counts in ([[3, 1], [1, 3]], [[8, 2], [1, 5]], [[0, 9], [4, 3]], [[12, 2], [30, 3]]):
        yield compare_counts(np.array(counts)).p_value, fisher_p(np.array(counts))


def freeman_halton_by_enumeration() -> Iterator[Pair]:
    for counts in ([[8, 9, 3], [2, 7, 9]], [[3, 0, 2, 1], [6, 4, 0, 5]], [[1, 4], [3, 2], [6, 1]]):
        yield compare_counts(np.array(counts)).p_value, fisher_p(np.array(counts))
    # printed: R documentation of fisher.test
    yield compare_counts(JOB_SATISFACTION).p_value, 0.7827


def student_tail(t: float, freedom: float) -> float:
    return float(betainc(freedom / 2, 0.5, freedom / (freedom + t**2)))


def even(sizes: Sequence[int], seed: int) -> list[np.ndarray]:
    """Groups that are compared by their means: without skewness, of unequal spread."""
    rng = np.random.default_rng(seed)
    return [rng.uniform(0, place, n) + rng.random() for place, n in enumerate(sizes, start=1)]


def welch_by_formula() -> Iterator[Pair]:
    for seed in range(8):
        first, second = even((9, 30), seed)
        one, two = first.var(ddof=1) / 9, second.var(ddof=1) / 30
        t = (first.mean() - second.mean()) / math.sqrt(one + two)
        freedom = (one + two) ** 2 / (one**2 / 8 + two**2 / 29)
        yield compare_numbers([first, second]).p_value, student_tail(t, freedom)


def welch_anova_by_formula() -> Iterator[Pair]:
    """Welch 1951; its F tail by the incomplete beta function."""
    for seed in range(8):
        groups = even((12, 30, 20), seed)
        k = len(groups)
        weight = np.array([len(group) / group.var(ddof=1) for group in groups])
        mean = np.array([group.mean() for group in groups])
        share = weight / weight.sum()
        between = np.sum(weight * (mean - share @ mean) ** 2) / (k - 1)
        loss = np.sum((1 - share) ** 2 / (np.array([len(group) for group in groups]) - 1))
        statistic = between / (1 + 2 * (k - 2) / (k**2 - 1) * loss)
        d1, d2 = k - 1, (k**2 - 1) / (3 * loss)
        tail = betainc(d2 / 2, d1 / 2, d2 / (d2 + d1 * statistic))
        yield compare_numbers(groups).p_value, tail


def sleep_printed() -> Iterator[Pair]:
    yield compare_numbers(SLEEP).p_value, 0.07939


def ranks_of(values: np.ndarray) -> np.ndarray:
    return np.array([np.sum(values < own) + (np.sum(values == own) + 1) / 2 for own in values])


def mann_whitney_by_permutation() -> Iterator[Pair]:
    """Skewed groups without ties, small: every way to choose the first group counted."""
    rng = np.random.default_rng(0)
    for m, n in ((3, 5), (4, 4), (2, 6), (6, 6)):
        first, second = rng.lognormal(0.8, 2, m), rng.lognormal(0, 2, n)
        first[0] += 1e3  # skewed beyond doubt
        ranks = ranks_of(np.r_[first, second])
        middle = m * (m + n + 1) / 2
        sums = np.array([ranks[list(chosen)].sum() for chosen in combinations(range(m + n), m)])
        expected = np.mean(np.abs(sums - middle) >= abs(ranks[:m].sum() - middle) - 1e-9)
        yield compare_numbers([first, second]).p_value, min(1.0, expected)


def mann_whitney_by_formula() -> Iterator[Pair]:
    """Skewed groups with ties, large: normal approximation, corrected for ties and continuity."""
    rng = np.random.default_rng(1)
    for m, n in ((30, 50), (12, 200)):
        groups = [rng.lognormal(0, 1.2, size).round(1) for size in (m, n)]
        values = np.concatenate(groups)
        total, ties = m + n, np.unique(values, return_counts=True)[1]
        u = ranks_of(values)[:m].sum() - m * (m + 1) / 2
        spread = m * n / 12 * (total + 1 - np.sum(ties**3 - ties) / total / (total - 1))
        z = max(abs(u - m * n / 2) - 0.5, 0) / math.sqrt(spread)
        yield compare_numbers(groups).p_value, math.erfc(z / math.sqrt(2))


def kruskal_by_formula() -> Iterator[Pair]:
    rng = np.random.default_rng(2)
    for sizes in ((20, 20, 20), (5, 40, 12, 9)):
        groups = [rng.lognormal(0, 1.5, size).round(1) for size in sizes]
        values = np.concatenate(groups)
        ranks, total = ranks_of(values), len(values)
        ties = np.unique(values, return_counts=True)[1]
        parts = np.split(ranks, np.cumsum(sizes)[:-1])
        between = sum(len(part) * (part.mean() - (total + 1) / 2) ** 2 for part in parts)
        tied = 1 - np.sum(ties**3 - ties) / (total**3 - total)
        statistic = 12 / total / (total + 1) * between / tied
        yield compare_numbers(groups).p_value, gammaincc((len(sizes) - 1) / 2, statistic / 2)


ROWS = (
    Row(
        "ICC, six forms",
        "variance components of least-squares fits",
        1e-9,
        icc_by_variance_components,
    ),
    Row("ICC, six forms", "printed: Shrout and Fleiss 1979", 5e-3, icc_printed),
    Row(
        "ICC(1,1) and ICC(3,1), intervals",
        "F tests inverted by root search",
        1e-9,
        icc_intervals_by_inversion,
    ),
    Row(
        "ICC(1,k) and ICC(3,k), intervals",
        "F tests inverted by root search",
        1e-9,
        icc_mean_intervals_by_inversion,
    ),
    Row(
        "ICC(2,1) and ICC(2,k), intervals",
        "formula of McGraw and Wong 1996",
        1e-9,
        icc_two_way_interval,
    ),
    Row(
        "ICC of features", "variance components; rows and columns disordered", 1e-9, icc_of_features
    ),
    Row("Table 1: chi-squared, Yates", "by hand, incomplete gamma", 1e-12, chi_squared_by_hand),
    Row("Table 1: chi-squared, Yates", "printed: Feng 2025, Table 1", 5.01e-4, p_values_of_table_1),
    Row("Table 1: Fisher's exact", "all tables enumerated", 1e-9, fisher_by_enumeration),
    Row(
        "Table 1: Fisher-Freeman-Halton, 9,999 random tables",
        "all tables enumerated; printed: job satisfaction, R documentation",
        0.0165,
        freeman_halton_by_enumeration,
    ),
    Row("Table 1: Welch's t", "formula, incomplete beta function", 1e-9, welch_by_formula),
    Row("Table 1: Welch's t", "printed: sleep data, R documentation", 5e-6, sleep_printed),
    Row("Table 1: Welch's ANOVA", "formula, incomplete beta", 1e-9, welch_anova_by_formula),
    Row("Table 1: Mann-Whitney, small", "all permutations", 1e-9, mann_whitney_by_permutation),
    Row("Table 1: Mann-Whitney, ties", "formula with ties", 1e-9, mann_whitney_by_formula),
    Row("Table 1: Kruskal-Wallis", "formula with ties", 1e-9, kruskal_by_formula),
)
