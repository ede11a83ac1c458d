import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from lnm_kit.evaluation.audit import CAN, CANNOT, audit, make_paper
from lnm_kit.evaluation.audit.count_p import count_p_values


def report(columns, p_value):
    rows = [
        ["x", f"level {place}", *map(str, cells), p_value if place == 0 else ""]
        for place, cells in enumerate(zip(*columns, strict=True))
    ]
    return audit(
        make_paper(
            {
                "paper": "Doe 2026",
                "splits": {name: {"n": sum(c)} for name, c in zip("ab", columns, strict=True)},
                "table_1": {
                    "columns": ["variable", "level", "a", "b", "p_value"],
                    "rows": rows,
                    "compared": ["a", "b"],
                },
            }
        )
    ).query("check == 'counts and p'")


def test_the_p_of_every_test_is_accepted():
    rng = np.random.default_rng(4)
    for levels in (2, 3, 4):
        columns = [rng.integers(1, 60, levels).tolist() for _ in "ab"]
        for p in count_p_values(columns).values():
            assert report(columns, f"{p:.3f}").verdict.tolist() == [CAN]


def test_another_p_is_not():
    assert report([[30, 40, 30], [35, 35, 30]], "0.010").verdict.tolist() == [CANNOT]
    assert report([[30, 40, 30], [35, 35, 30]], "> 0.05").verdict.tolist() == [CAN]
    assert report([[30, 40, 30], [35, 35, 30]], "< 0.05").verdict.tolist() == [CANNOT]


def test_tests_agree_with_others():
    first, second = [20, 30, 10], [35, 20, 5]
    found = count_p_values([first, second])
    ranks = [np.repeat(np.arange(3), counts) for counts in (first, second)]
    expected = mannwhitneyu(*ranks, use_continuity=False, method="asymptotic").pvalue
    assert found["Kruskal-Wallis"] == pytest.approx(expected)
    assert set(found) == {"chi-squared", "likelihood ratio", "Kruskal-Wallis"}


def test_levels_without_cases_are_left_out():
    with_empty, without = [[20, 0, 10], [35, 0, 5]], [[20, 10], [35, 5]]
    assert count_p_values(with_empty)["Fisher"] == count_p_values(without)["Fisher"]
    assert count_p_values([[5, 0], [7, 0]]) == {}
    assert count_p_values([]) == {}
