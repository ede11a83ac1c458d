from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit

from lnm_kit.simulate.sampling import draw_labels, inclusion_probability, intercept_for

log_odds = arrays(np.float64, st.integers(3, 9), elements=st.floats(-8, 8))


def enumerated(odds: np.ndarray, k: int) -> np.ndarray:
    """Inclusion probabilities by listing every subset of k cases."""
    subsets = list(combinations(range(len(odds)), k))
    weights = np.array([np.prod(odds[list(subset)]) for subset in subsets])
    included = np.zeros(len(odds))
    for subset, weight in zip(subsets, weights, strict=True):
        included[list(subset)] += weight
    return included / weights.sum()


@given(log_odds, st.data())
def test_inclusion_probabilities_agree_with_enumeration(eta, data):
    k = data.draw(st.integers(1, len(eta) - 1))
    np.testing.assert_allclose(
        inclusion_probability(eta, k), enumerated(np.exp(eta), k), rtol=1e-9, atol=1e-12
    )


@given(log_odds, st.floats(-20, 20))
def test_an_intercept_cancels(eta, shift):
    np.testing.assert_allclose(
        inclusion_probability(eta, 2), inclusion_probability(eta + shift, 2), atol=1e-9
    )


@given(log_odds, st.data())
def test_the_intercept_gives_the_expected_number(eta, data):
    k = data.draw(st.integers(1, len(eta) - 1))
    assert expit(intercept_for(eta, k) + eta).sum() == pytest.approx(k)


@given(log_odds, st.integers(0, 2**32 - 1), st.data())
def test_exactly_k_cases_are_drawn(eta, seed, data):
    k = data.draw(st.integers(1, len(eta) - 1))
    probability = expit(eta + intercept_for(eta, k))
    labels = draw_labels(probability, k, np.random.default_rng(seed))
    assert labels.sum() == k
    assert set(labels) <= {0, 1}


def test_cases_are_drawn_as_often_as_their_inclusion_probability_says():
    eta = np.array([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0])
    probability = expit(eta + intercept_for(eta, 2))
    rng = np.random.default_rng(4)
    drawn = np.mean([draw_labels(probability, 2, rng) for _ in range(8000)], axis=0)
    expected = inclusion_probability(eta, 2)
    standard_error = np.sqrt(expected * (1 - expected) / 8000)
    assert (np.abs(drawn - expected) < 4 * standard_error).all()
    # the unconditional probabilities are another thing, and this many draws tell them apart
    assert (np.abs(drawn - probability) > 6 * standard_error).any()


def test_equal_odds_give_exactly_equal_probabilities():
    assert len(np.unique(inclusion_probability(np.full(878, -2.3), 81))) == 1


def test_a_study_sized_split_adds_up():
    eta = np.random.default_rng(0).normal(0, 4, 878)
    assert inclusion_probability(eta, 81).sum() == pytest.approx(81, abs=1e-9)


@pytest.mark.parametrize("k", [0, 3])
def test_all_or_none_cannot_be_positive(k):
    with pytest.raises(ValueError, match="need 0 < k < n"):
        intercept_for(np.zeros(3), k)
    with pytest.raises(ValueError, match="need 0 < k < n"):
        inclusion_probability(np.zeros(3), k)


def test_probabilities_that_do_not_add_up_are_refused():
    with pytest.raises(ValueError, match="add up to"):
        draw_labels(np.full(4, 0.1), 2, np.random.default_rng(0))
