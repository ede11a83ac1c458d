import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from lnm_kit.errors import InputError
from lnm_kit.evaluation.auc import auc, delong_test, delong_test_unpaired, roc_points
from tests.evaluation.references.published import OVARIAN_OUTCOME, OVARIAN_TESTS

labels_and_scores = st.integers(4, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.booleans(), min_size=n, max_size=n).filter(lambda y: 2 <= sum(y) <= n - 2),
        st.lists(st.integers(-8, 8), min_size=n, max_size=n),
    )
)


def placement_components(label: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """DeLong's structural components straight from their definition, one pair at a time."""
    positive, negative = score[label == 1], score[label == 0]
    kernel = np.array([[float(x > y) + 0.5 * float(x == y) for y in negative] for x in positive])
    return kernel.mean(axis=1), kernel.mean(axis=0)


def brute_variance(label: np.ndarray, score: np.ndarray) -> float:
    v10, v01 = placement_components(label, score)
    return v10.var(ddof=1) / len(v10) + v01.var(ddof=1) / len(v01)


def drawn(seed: int, n: int = 80, shift: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 4 == 0
    return label.astype(int), np.round(rng.normal(shift * label), 1)


@given(labels_and_scores)
def test_value_is_that_of_scikit_learn_ties_included(data):
    label, score = data
    assert auc(label, score).value == pytest.approx(roc_auc_score(label, score), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_interval_comes_from_the_variance_of_the_definition(seed):
    label, score = drawn(seed)
    found = auc(label, score)
    error = math.sqrt(brute_variance(label, score)) / (found.value * (1 - found.value))
    center = math.log(found.value / (1 - found.value))
    expected = [1 / (1 + math.exp(-(center + side * 1.959964 * error))) for side in (-1, 1)]
    assert [found.lo, found.hi] == pytest.approx(expected, abs=1e-6)
    assert found.method == "DeLong, logit"


@pytest.mark.parametrize(
    ("name", "area", "error"),
    [("albumin", 0.7366, 0.0927), ("protein", 0.6478, 0.1000), ("k_g", 0.7258, 0.1028)],
)
def test_areas_and_errors_printed_by_sas(name, area, error):
    assert auc(OVARIAN_OUTCOME, OVARIAN_TESTS[name]).value == pytest.approx(area, abs=5e-5)
    # against a constant, all of the variance of the difference is that of the score
    against_chance = delong_test(
        OVARIAN_OUTCOME, OVARIAN_TESTS[name], np.zeros(len(OVARIAN_OUTCOME))
    )
    half = (against_chance.difference.hi - against_chance.difference.lo) / 2
    assert half / 1.959964 == pytest.approx(error, abs=5e-5)


@pytest.mark.parametrize(
    ("name", "difference", "error", "p_value"),
    [("albumin", 0.0108, 0.0953, 0.9102), ("protein", -0.0780, 0.1046, 0.4561)],
)
def test_contrasts_with_the_k_g_score_printed_by_sas(name, difference, error, p_value):
    found = delong_test(OVARIAN_OUTCOME, OVARIAN_TESTS[name], OVARIAN_TESTS["k_g"])
    assert found.difference.value == pytest.approx(difference, abs=5e-5)
    assert abs(found.difference.value / found.z) == pytest.approx(error, abs=5e-5)
    assert found.p_value == pytest.approx(p_value, abs=5e-5)


def test_variance_agrees_with_a_bootstrap_of_the_cases():
    label, score = drawn(3, n=200)
    rng = np.random.default_rng(0)
    positive, negative = score[label == 1], score[label == 0]
    areas = []
    for _ in range(1500):
        x, y = rng.choice(positive, positive.size), rng.choice(negative, negative.size)
        areas.append(np.mean(x[:, None] > y) + 0.5 * np.mean(x[:, None] == y))
    assert np.std(areas) == pytest.approx(math.sqrt(brute_variance(label, score)), rel=0.08)


def test_interval_covers_the_true_area_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    label = np.repeat([1, 0], [18, 60])
    covered = 0
    for _ in range(1000):
        found = auc(label, rng.normal(2.0 * label))  # true AUC = Phi(2 / sqrt 2) = 0.9214
        covered += found.lo <= 0.92135 <= found.hi
    assert 0.93 <= covered / 1000 <= 0.98


def test_delong_rejects_equal_models_as_often_as_it_should():
    rng = np.random.default_rng(1)
    label = np.repeat([1, 0], [30, 70])
    rejected = 0
    for _ in range(1000):
        shared = rng.normal(label)
        rejected += (
            delong_test(label, shared + rng.normal(size=100), shared + rng.normal(size=100)).p_value
            < 0.05
        )
    assert 0.03 <= rejected / 1000 <= 0.075


@given(labels_and_scores)
def test_a_monotone_map_of_the_score_changes_nothing(data):
    label, score = data
    mapped = np.exp(np.asarray(score) / 3.0)
    assert auc(label, mapped) == auc(label, score)


@given(labels_and_scores)
def test_turning_score_or_labels_round_mirrors_value_and_interval(data):
    label, score = data
    found = auc(label, score)
    for other in (auc(label, -np.asarray(score)), auc(~np.asarray(label), score)):
        assert other.value == pytest.approx(1 - found.value)
        assert (other.lo, other.hi) == pytest.approx((1 - found.hi, 1 - found.lo), abs=1e-6)


@given(labels_and_scores)
def test_interval_lies_in_0_to_1_and_holds_the_value(data):
    found = auc(*data)
    assert 0 <= found.lo <= found.value <= found.hi <= 1
    assert found.hi - found.lo > 0.01


@given(labels_and_scores, st.randoms())
def test_order_of_the_cases_does_not_matter(data, random):
    label, score = data
    order = list(range(len(label)))
    random.shuffle(order)
    shuffled = auc([label[i] for i in order], [score[i] for i in order])
    found = auc(label, score)
    assert (shuffled.value, shuffled.lo) == pytest.approx((found.value, found.lo), abs=1e-9)


def test_perfect_separation_has_an_interval_that_shrinks_with_the_cases():
    few = auc([0] * 5 + [1] * 5, np.arange(10))
    many = auc([0] * 200 + [1] * 200, np.arange(400))
    assert few.value == few.hi == many.value == many.hi == 1
    assert 0.4 < few.lo < 0.8 < 0.97 < many.lo < 1
    assert few.method.startswith("Newcombe")


def test_constant_scores_say_nothing_and_the_interval_says_so():
    found = auc([0, 1] * 10, np.ones(20))
    assert found.value == 0.5
    assert found.lo < 0.35
    assert found.hi > 0.65


def test_one_positive_case_still_gets_an_interval():
    found = auc([1] + [0] * 9, [5, *range(9)])
    assert "one case" in found.method
    assert found.lo < found.value < found.hi


@given(labels_and_scores)
@settings(max_examples=50)
def test_delong_is_antisymmetric_and_p_is_a_probability(data):
    label, score = data
    other = np.arange(len(score)) % 5
    there, back = delong_test(label, score, other), delong_test(label, other, score)
    assert there.difference.value == pytest.approx(-back.difference.value)
    if not math.isnan(there.p_value):
        assert 0 <= there.p_value <= 1
        assert there.p_value == pytest.approx(back.p_value)


def test_a_score_compared_with_itself_has_p_1():
    label, score = drawn(0)
    found = delong_test(label, score, score * 2 + 1)
    assert (found.difference.value, found.p_value) == (0, 1)


def test_no_spread_in_either_ranking_is_said_and_not_a_p_value():
    label = [0, 0, 1, 1]
    found = delong_test(label, [0, 0, 1, 1], [1, 1, 1, 1])
    assert math.isnan(found.p_value)
    assert "undefined" in found.difference.method


def test_unpaired_variances_add():
    label_a, score_a = drawn(1)
    label_b, score_b = drawn(2, n=120, shift=0.4)
    found = delong_test_unpaired(label_a, score_a, label_b, score_b)
    variance = brute_variance(label_a, score_a) + brute_variance(label_b, score_b)
    gap = roc_auc_score(label_a, score_a) - roc_auc_score(label_b, score_b)
    assert found.z == pytest.approx(gap / math.sqrt(variance))


def test_pairing_matters():
    rng = np.random.default_rng(0)
    label, score = drawn(5, n=200)
    better = score + 0.3 * label + rng.normal(0, 0.05, 200)
    assert (
        delong_test(label, better, score).p_value
        < delong_test_unpaired(label, better, label, score).p_value / 5
    )


def test_roc_runs_from_corner_to_corner_and_its_area_is_the_auc():
    label, score = drawn(7)
    points = roc_points(label, score)
    assert points.iloc[0, :2].tolist() == [0, 0]
    assert points.iloc[-1, :2].tolist() == [1, 1]
    area = np.trapezoid(points["true_positive_rate"], points["false_positive_rate"])
    assert area == pytest.approx(auc(label, score).value)


@pytest.mark.parametrize(
    ("label", "score", "message"),
    [
        ([0, 1, 2], [1, 2, 3], r"label holds \[2\]"),
        ([0, 0, 0], [1, 2, 3], "both classes"),
        ([0, 1, 1], [1, float("nan"), 3], "not finite at 1 positions, first \\[1\\]"),
        ([0, 1], [1, 2, 3], "same length"),
        ([[0, 1]], [[1, 2]], "one-dimensional"),
        ([0, 2, 1], [1, float("inf"), 3], "label holds.*; score is not finite"),
    ],
)
def test_bad_input_is_named(label, score, message):
    with pytest.raises(InputError, match=message):
        auc(label, score)


def test_a_test_on_one_case_of_a_class_is_refused():
    with pytest.raises(InputError, match="two cases"):
        delong_test([1, 0, 0], [1, 2, 3], [3, 2, 1])
