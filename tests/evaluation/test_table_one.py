import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lnm_kit.errors import InputError
from lnm_kit.evaluation.table_one import (
    LEAST_EXPECTED,
    category_levels,
    compare_counts,
    compare_numbers,
    is_category,
    table_one,
)
from lnm_kit.published import published_counts, published_mean_sd, published_splits
from lnm_kit.simulate import simulate_population

PRINTED_PAIR = ("training", "validation")


def counts_of(variable: str, splits: tuple[str, ...] = PRINTED_PAIR) -> np.ndarray:
    return np.array([list(published_counts("llnm", variable, split).values()) for split in splits])


# Table 1 of the LLNM paper, training against validation. The 2 x 2 tables are printed with Yates'
# correction (as R's chisq.test gives), except that of the label.
@pytest.mark.parametrize(
    ("variable", "printed"),
    [
        ("sex", 0.402),
        ("age_years", 0.468),
        ("bmi_kg_m2", 0.764),
        ("braf_v600e", 0.531),
        ("clt", 0.669),
        ("location", 0.927),
        ("margin", 0.462),
        ("taller_than_wide", 0.224),
    ],
)
def test_p_values_that_the_paper_prints(variable, printed):
    found = compare_counts(counts_of(variable))
    assert found.p_value == pytest.approx(printed, abs=5.001e-4)
    assert found.name.startswith("chi-squared")


def test_p_value_of_the_label_is_printed_without_correction():
    assert compare_counts(counts_of("label"), yates=False).p_value == pytest.approx(0.629, abs=5e-4)
    assert compare_counts(counts_of("label")).p_value == pytest.approx(0.725, abs=5e-4)


def test_echogenic_foci_are_printed_by_chi_squared_in_spite_of_small_expected_counts():
    counts = counts_of("echogenic_foci")
    assert stats.contingency.expected_freq(counts).min() < LEAST_EXPECTED
    assert stats.chi2_contingency(counts).pvalue == pytest.approx(0.483, abs=5e-4)
    found = compare_counts(counts)
    assert found.name == "Fisher-Freeman-Halton, Monte Carlo 9999"
    assert found.p_value == pytest.approx(0.51, abs=0.02)


@pytest.mark.parametrize(
    ("variable", "printed", "found"),
    [("n_foci", 0.142, 0.274), ("tumor_size_cm", 0.326, 0.043), ("tumor_size_cm", 0.057, 0.043)],
)
def test_p_values_that_the_printed_counts_do_not_give(variable, printed, found):
    p_value = compare_counts(counts_of(variable)).p_value
    assert p_value == pytest.approx(found, abs=0.008)
    assert abs(p_value - printed) > 0.01


@pytest.mark.parametrize(
    ("variable", "printed", "student", "welch"),
    [
        ("age_years", 0.639, 0.086, 0.085),
        ("tpo_ab_iu_ml", 0.429, 0.012, 0.0003),
        ("tg_ng_ml", 0.153, 0.989, 0.989),
        ("tg_ab_iu_ml", 0.137, 0.1175, 0.015),
    ],
)
def test_no_t_test_gives_the_printed_p_values_of_the_numbers(variable, printed, student, welch):
    n = published_splits("llnm")["n"]
    summary = []
    for split in PRINTED_PAIR:
        found = published_mean_sd("llnm", variable, split)
        assert found is not None
        summary += [found.mean.value, found.sd.value, int(n[split])]
    for equal, expected in ((True, student), (False, welch)):
        p_value = stats.ttest_ind_from_stats(*summary, equal_var=equal).pvalue
        assert p_value == pytest.approx(expected, abs=5e-4)
        assert abs(p_value - printed) > 0.01


def test_printed_p_of_echogenicity_is_that_of_other_validation_counts():
    # printed 1 / 219 / 0 / 0 in 220 patients; with the 219 moved down one row, chi-squared agrees
    moved = np.array([list(counts_of("echogenicity")[0]), [1, 0, 219, 0]])
    assert stats.chi2_contingency(moved).pvalue == pytest.approx(0.115, abs=5e-4)


def test_two_by_two_chi_squared_by_hand():
    # n (ad - bc)^2 / (product of margins); with Yates (|ad - bc| - n / 2)^2
    a, b, c, d = 20, 30, 35, 15
    below = (a + b) * (c + d) * (a + c) * (b + d)
    plain = 100 * (a * d - b * c) ** 2 / below
    yates = 100 * (abs(a * d - b * c) - 50) ** 2 / below
    table = np.array([[a, b], [c, d]])
    for corrected, statistic in ((False, plain), (True, yates)):
        expected = math.erfc(math.sqrt(statistic / 2))
        found = compare_counts(table, yates=corrected)
        assert found.p_value == pytest.approx(expected, rel=1e-9)


def test_fishers_exact_by_hand():
    # Fisher's tea: 3 of 4 right; 2 (16 + 1) / 70 in both tails
    found = compare_counts(np.array([[3, 1], [1, 3]]))
    assert found.name == "Fisher's exact"
    assert found.p_value == pytest.approx(34 / 70)


def freeman_halton(table: np.ndarray) -> float:
    """Sum over all 2 x 3 tables with the same margins that are no likelier than the given one."""
    first, totals = table[0].sum(), table.sum(axis=0)
    law = stats.multivariate_hypergeom(totals, first)
    limit = law.pmf(table[0]) * (1 + 1e-9)
    tables = [
        [a, b, first - a - b]
        for a in range(totals[0] + 1)
        for b in range(totals[1] + 1)
        if 0 <= first - a - b <= totals[2]
    ]
    return float(sum(p for p in law.pmf(tables) if p <= limit))


def test_monte_carlo_agrees_with_the_enumeration_of_all_tables():
    table = np.array([[8, 9, 3], [2, 7, 9]])
    exact = freeman_halton(table)
    error = math.sqrt(exact * (1 - exact) / 9999)
    assert compare_counts(table).p_value == pytest.approx(exact, abs=4 * error)


def test_random_tables_follow_the_seed():
    table = np.array([[8, 9, 3], [2, 7, 9]])
    assert compare_counts(table, seed=3) == compare_counts(table, seed=3)
    assert len({compare_counts(table, seed=seed).p_value for seed in range(4)}) > 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(8, 60), min_size=3, max_size=3), min_size=2, max_size=4))
def test_larger_tables_are_scipys_chi_squared_and_take_no_correction(rows):
    table = np.array(rows)
    if stats.contingency.expected_freq(table).min() < LEAST_EXPECTED:
        return
    found = compare_counts(table)
    assert found.name == "chi-squared"
    assert found.p_value == pytest.approx(stats.chi2_contingency(table).pvalue, abs=1e-12)
    with_empty = np.insert(table, 1, 0, axis=1)
    assert compare_counts(with_empty) == found


@pytest.mark.parametrize(
    ("counts", "reason"),
    [([[5, 0], [7, 0]], "one level only"), ([[0, 0], [7, 3]], "a group has no known value")],
)
def test_counts_without_a_test_say_why(counts, reason):
    found = compare_counts(np.array(counts))
    assert math.isnan(found.p_value)
    assert reason in found.name


def drawn(seed: int, *, skewed: bool, groups: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    # a fixed shape: quantiles of the law, so that the skewness is that of the law
    grid = (np.arange(60) + 0.5) / 60
    shape = stats.norm.ppf(grid)
    return [
        rng.permutation(np.exp(shape) if skewed else shape) * (1 + 0.3 * g) + rng.normal(0, 0.3)
        for g in range(groups)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_numbers_are_compared_as_scipy_does(seed):
    even, skewed = (drawn(seed, skewed=skewed, groups=2) for skewed in (False, True))
    assert compare_numbers(even).name == "Welch's t"
    assert compare_numbers(even).p_value == stats.ttest_ind(*even, equal_var=False).pvalue
    assert compare_numbers(skewed).name == "Mann-Whitney"
    assert compare_numbers(skewed).p_value == stats.mannwhitneyu(*skewed).pvalue
    three = drawn(seed, skewed=True, groups=3)
    assert compare_numbers(three).name == "Kruskal-Wallis"
    assert compare_numbers(three).p_value == stats.kruskal(*three).pvalue


def welch_anova(groups: list[np.ndarray]) -> float:
    """Welch 1951, equations as printed."""
    n = np.array([len(group) for group in groups])
    mean = np.array([group.mean() for group in groups])
    weight = n / np.array([group.var(ddof=1) for group in groups])
    k, total = len(groups), weight.sum()
    center = (weight * mean).sum() / total
    spread = ((1 - weight / total) ** 2 / (n - 1)).sum()
    above = (weight * (mean - center) ** 2).sum() / (k - 1)
    statistic = above / (1 + 2 * (k - 2) / (k**2 - 1) * spread)
    return float(stats.f.sf(statistic, k - 1, (k**2 - 1) / (3 * spread)))


def test_three_symmetric_groups_are_compared_by_welchs_anova():
    groups = drawn(5, skewed=False, groups=3)
    found = compare_numbers(groups)
    assert found.name == "Welch's ANOVA"
    assert found.p_value == pytest.approx(welch_anova(groups), rel=1e-9)


def test_one_skewed_group_is_enough_for_ranks():
    even, skewed = drawn(0, skewed=False, groups=2)[0], drawn(0, skewed=True, groups=2)[1]
    assert compare_numbers([even, skewed]).name == "Mann-Whitney"
    assert compare_numbers([even, -skewed]).name == "Mann-Whitney"


@pytest.mark.parametrize("small", [[1.0], [1.0, 2.0], [4.0, 4.0, 4.0]])
def test_groups_without_a_skewness_are_compared_by_ranks(small):
    even = drawn(0, skewed=False, groups=2)[0]
    assert compare_numbers([even, np.array(small)]).name == "Mann-Whitney"


@pytest.mark.parametrize(
    ("groups", "reason"),
    [([[1.0, 1.0], [1.0, 1.0]], "one value only"), ([[], [1.0, 2.0]], "no known value")],
)
def test_numbers_without_a_test_say_why(groups, reason):
    found = compare_numbers([np.array(group) for group in groups])
    assert math.isnan(found.p_value)
    assert reason in found.name


CASES = pd.DataFrame(
    {
        "split": ["b", "b", "b", "b", "a", "a", "a", "a"],
        "margin": ["ete", "smooth", "smooth", None, "smooth", "smooth", "ete", "smooth"],
        "clt": [0, 1, 1, 0, 0, 0, 0, 1],
        "n_foci": [1, 2, 3, 1, 1, 1, 2, 1],
        "age_years": [40.0, 50.0, 60.0, None, 40.0, 41.0, 43.0, 44.0],
        "tg_ng_ml": [1.0, 2.0, 3.0, 100.0, 4.0, 5.0, 6.0, 7.0],
    }
)


def test_table_by_hand():
    columns = ["margin", "clt", "n_foci", "age_years", "tg_ng_ml"]
    found = table_one(CASES, columns, "split", categories=["n_foci"])
    assert found.columns.tolist() == ["variable", "level", "b", "a", "test", "p_value"]
    assert found[["variable", "level", "b", "a"]].to_numpy().tolist() == [
        ["n", "", "4", "4"],
        ["margin", "ete", "1 (33.3%)", "1 (25.0%)"],
        ["margin", "smooth", "2 (66.7%)", "3 (75.0%)"],
        ["margin", "missing", "1 (25.0%)", "0 (0.0%)"],
        ["clt", "0", "2 (50.0%)", "3 (75.0%)"],
        ["clt", "1", "2 (50.0%)", "1 (25.0%)"],
        ["n_foci", "1", "2 (50.0%)", "3 (75.0%)"],
        ["n_foci", "2", "1 (25.0%)", "1 (25.0%)"],
        ["n_foci", "3", "1 (25.0%)", "0 (0.0%)"],
        ["age_years", "mean ± SD", "50.00 ± 10.00", "42.00 ± 1.83"],
        ["age_years", "missing", "1 (25.0%)", "0 (0.0%)"],
        ["tg_ng_ml", "median [IQR]", "2.50 [1.75 to 27.25]", "5.50 [4.75 to 6.25]"],
    ]
    first = found.drop_duplicates("variable").set_index("variable")
    known = CASES.dropna()
    ages = [known.loc[known["split"] == group, "age_years"] for group in ("b", "a")]
    assert first.loc["age_years", "p_value"] == stats.ttest_ind(*ages, equal_var=False).pvalue
    assert first.loc["clt", "test"] == "Fisher's exact"
    assert found[found.duplicated("variable")]["p_value"].isna().all()
    assert (found[found.duplicated("variable")]["test"] == "").all()


def test_counts_add_up_to_the_group_missing_ones_included():
    found = table_one(CASES, ["margin"], "split")
    for group in ("a", "b"):
        numbers = [int(cell.split()[0]) for cell in found[group]]
        assert numbers[0] == sum(numbers[1:])


def test_table_of_the_simulated_study_has_the_published_counts_and_p_values():
    cases, _ = simulate_population("llnm", seed=0, signal=1.0)
    found = table_one(cases, ["sex", "braf_v600e", "clt"], "split", compare=PRINTED_PAIR)
    male = found.query("variable == 'sex' and level == 'male'").iloc[0]
    cells = [male[split] for split in ("training", "validation", "test_a", "test_b")]
    assert cells == ["213 (24.3%)", "60 (27.3%)", "176 (50.6%)", "37 (30.8%)"]
    assert found["p_value"].dropna().round(3).tolist() == [0.402, 0.531, 0.669]
    everyone = table_one(cases, ["sex"], "split")
    assert everyone["p_value"].dropna().item() < 1e-3


def test_order_of_levels_and_groups_is_that_of_a_categorical():
    cases = CASES.assign(
        split=pd.Categorical(CASES["split"], ["a", "b", "c"]),
        margin=pd.Categorical(CASES["margin"], ["smooth", "irregular", "ete"]),
    )
    found = table_one(cases, ["margin"], "split")
    assert found.columns.tolist()[2:4] == ["a", "b"]
    assert found["level"].tolist() == ["", "smooth", "irregular", "ete", "missing"]
    assert found.loc[2, "a"] == "0 (0.0%)"


def test_a_column_without_any_value_is_all_missing_and_has_no_test():
    found = table_one(CASES.assign(tg_ab_iu_ml=np.nan), ["tg_ab_iu_ml"], "split")
    assert found["level"].tolist() == ["", "missing"]
    assert found.loc[1, "test"] == "none: a group has no known value"


def test_what_is_a_category_and_the_order_of_its_levels():
    assert is_category(pd.Series([True, False]))
    assert not is_category(pd.Series([0.0, 0.5]))
    assert category_levels(pd.Series([3, 1, 2])) == [1, 2, 3]
    assert category_levels(pd.Series(["a", 1])) == [1, "a"]


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({}, {"columns": ["sex"]}, "no column"),
        ({}, {"by": "center"}, "no column"),
        ({"split": [None, *"bbbaaaa"]}, {}, "split is missing in 1 cases"),
        ({"split": "a"}, {}, "at least two"),
        ({}, {"compare": ["a", "test_c"]}, "test_c"),
        ({}, {"compare": ["a", "a"]}, "at least two"),
        ({"split": ["test", *"bbbaaaa"]}, {}, "are taken"),
        ({}, {"categories": ["sex"]}, "not among the columns"),
        ({"age_years": np.inf}, {}, "age_years is infinite in 8 cases"),
    ],
)
def test_bad_input_is_refused(change, arguments, message):
    given_arguments = {"columns": ["age_years", "clt"], "by": "split"} | arguments
    with pytest.raises(InputError, match=message):
        table_one(CASES.assign(**change), **given_arguments)
