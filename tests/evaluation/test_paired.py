import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar

from lnm_kit.errors import InputError
from lnm_kit.evaluation.confusion import confusion_metrics
from lnm_kit.evaluation.paired import compare_decisions, mcnemar_test

cells = st.tuples(*[st.integers(0, 25)] * 4).filter(lambda four: sum(four) > 0)


def answers(both: int, only_a: int, only_b: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    counts = (both, only_a, only_b, neither)
    return np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts)


def score_statistic(only_a: int, only_b: int, n: int, difference: float) -> float:
    """Tango's statistic, its nuisance share found by searching the likelihood on a grid."""
    low = max(0.0, -difference)
    share = np.linspace(low, (1 - difference) / 2, 200_002)[1:-1]
    with np.errstate(divide="ignore"):
        likelihood = (
            only_a * np.log(share + difference)
            + only_b * np.log(share)
            + (n - only_a - only_b) * np.log(1 - 2 * share - difference)
        )
    best = share[np.argmax(likelihood)]
    variance = n * (2 * best + difference * (1 - difference))
    return (only_a - only_b - n * difference) / math.sqrt(variance)


def test_published_values_of_the_airway_example():
    # Fagerland, Lydersen and Laake: 21 children before and after transplantation, cells 1, 1, 7,
    # 12; exact p 0.070 and mid-p 0.039, Tango's interval -0.517 to -0.026.
    found = mcnemar_test(*answers(1, 1, 7, 12))
    assert (found.n, found.only_a, found.only_b) == (21, 1, 7)
    assert found.p_exact == pytest.approx(0.070, abs=5e-4)
    assert found.p_mid == pytest.approx(0.039, abs=5e-4)
    assert found.difference.value == pytest.approx(-6 / 21)
    assert (found.difference.lo, found.difference.hi) == pytest.approx((-0.517, -0.026), abs=5e-4)


@given(cells)
@settings(deadline=None)
def test_exact_p_is_that_of_statsmodels_and_of_the_binomial_test(four):
    both, only_a, only_b, neither = four
    found = mcnemar_test(*answers(*four))
    reference = mcnemar([[both, only_a], [only_b, neither]], exact=True)
    assert found.p_exact == pytest.approx(reference.pvalue)
    if only_a + only_b:
        assert found.p_exact == pytest.approx(binomtest(only_a, only_a + only_b).pvalue)


@given(cells)
@settings(deadline=None)
def test_mid_p_is_the_sum_of_its_definition(four):
    _, only_a, only_b, _ = four
    total, least = only_a + only_b, min(only_a, only_b)
    chances = [math.comb(total, x) / 2**total for x in range(total + 1)]
    expected = 2 * (sum(chances[:least]) + chances[least] / 2)
    found = mcnemar_test(*answers(*four))
    assert found.p_mid == pytest.approx(min(expected, 1))
    assert found.p_mid <= found.p_exact + 1e-12


@given(cells)
@settings(deadline=None)
def test_interval_holds_the_difference_and_turns_round_with_the_readers(four):
    a, b = answers(*four)
    found, back = mcnemar_test(a, b).difference, mcnemar_test(b, a).difference
    assert found.value == pytest.approx(a.mean() - b.mean())
    assert -1 <= found.lo <= found.value <= found.hi <= 1
    assert found.hi - found.lo > 0.01
    assert (back.lo, back.hi) == pytest.approx((-found.hi, -found.lo), abs=1e-9)


@pytest.mark.parametrize("four", [(10, 3, 8, 9), (1, 1, 7, 12), (30, 5, 2, 40), (0, 4, 6, 2)])
def test_at_the_ends_of_the_interval_the_score_statistic_is_z(four):
    _, only_a, only_b, _ = four
    found = mcnemar_test(*answers(*four))
    for end, sign in ((found.difference.lo, 1), (found.difference.hi, -1)):
        statistic = score_statistic(only_a, only_b, found.n, end)
        assert statistic == pytest.approx(sign * 1.959964, abs=2e-3)


@given(cells)
@settings(deadline=None)
def test_interval_leaves_out_0_when_the_uncorrected_chi_squared_test_rejects(four):
    _, only_a, only_b, _ = four
    if only_a == only_b:
        return
    found = mcnemar_test(*answers(*four)).difference
    table = [[0, only_a], [only_b, 0]]
    rejected = mcnemar(table, exact=False, correction=False).pvalue < 0.05
    assert rejected == (found.lo > 0 or found.hi < 0)


def test_no_disagreement_is_no_evidence_and_still_has_an_interval():
    found = mcnemar_test(*answers(10, 0, 0, 20))
    assert (found.p_exact, found.p_mid, found.difference.value) == (1, 1, 0)
    # The score equation solved by hand: z^2 / (n + z^2).
    reach = 1.959964**2 / (30 + 1.959964**2)
    assert (found.difference.lo, found.difference.hi) == pytest.approx((-reach, reach), abs=1e-6)


def test_full_disagreement_reaches_1():
    found = mcnemar_test(*answers(0, 12, 0, 0)).difference
    assert found.value == found.hi == 1
    assert 0.5 < found.lo < 1


def test_interval_covers_and_mid_p_rejects_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    covered = rejected = 0
    for _ in range(1000):
        four = rng.multinomial(60, [0.55, 0.15, 0.15, 0.15])
        found = mcnemar_test(*answers(*four))
        covered += found.difference.lo <= 0 <= found.difference.hi
        rejected += found.p_mid < 0.05
    assert 0.93 <= covered / 1000 <= 0.975
    assert 0.02 <= rejected / 1000 <= 0.06


def test_differences_of_decisions_are_those_of_the_metrics():
    rng = np.random.default_rng(1)
    label = (np.arange(120) % 3 == 0).astype(int)
    a, b = (((rng.normal(label) > cut).astype(int)) for cut in (0.3, 0.8))
    tests = compare_decisions(label, a, b)
    first, second = confusion_metrics(label, a, 0.5), confusion_metrics(label, b, 0.5)
    assert list(tests) == ["sensitivity", "specificity", "accuracy"]
    for name, test in tests.items():
        assert test.difference.value == pytest.approx(first[name].value - second[name].value)
    assert tests["sensitivity"].n == label.sum()
    assert tests["specificity"].n == (1 - label).sum()
    assert tests["accuracy"].n == 120
    right = mcnemar_test(a == label, b == label)
    assert tests["accuracy"] == right


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([0, 1, 2], [0, 1, 1], r"a holds \[2\]"),
        ([0, 1], [0.5, 1], r"b holds \[0.5\]"),
        ([0, 1], [0, 1, 1], "same length"),
        ([], [], "at least one case"),
        ([[0, 1]], [[0, 1]], "one-dimensional"),
    ],
)
def test_bad_answers_are_named(a, b, message):
    with pytest.raises(InputError, match=message):
        mcnemar_test(a, b)


@pytest.mark.parametrize(
    ("label", "a", "b", "message"),
    [
        ([0, 1, 3], [0, 1, 1], [0, 1, 1], r"label holds \[3\]"),
        ([0, 1, 1], [0, 1], [0, 1, 1], "same length"),
        ([1, 1, 1], [0, 1, 1], [0, 1, 1], "one class only"),
        ([0, 1, 1], [0, 1, 1], [0, 1, 7], r"called_b holds \[7\]"),
    ],
)
def test_bad_decisions_are_named(label, a, b, message):
    with pytest.raises(InputError, match=message):
        compare_decisions(label, a, b)
