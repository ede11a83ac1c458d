import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnm_kit.errors import InputError
from lnm_kit.evaluation.confusion import confusion
from lnm_kit.evaluation.threshold import youden_threshold

data = st.integers(4, 30).flatmap(
    lambda n: st.tuples(
        st.lists(st.booleans(), min_size=n, max_size=n).filter(lambda y: 0 < sum(y) < n),
        st.lists(st.integers(0, 9), min_size=n, max_size=n),
    )
)


def youden(label, score, threshold) -> float:
    found = confusion(label, score, threshold)
    return found.tp / (found.tp + found.fn) + found.tn / (found.tn + found.fp) - 1


@given(data)
def test_no_other_score_is_a_better_threshold(case):
    label, score = case
    chosen = youden_threshold(label, score)
    assert chosen in score
    best = max(youden(label, score, other) for other in set(score))
    assert youden(label, score, chosen) == pytest.approx(best)


def test_of_equals_the_highest_is_taken():
    # 0.4 and 0.8 both give sensitivity + specificity - 1 = 0.5
    assert youden_threshold([0, 0, 1, 1], [0.1, 0.5, 0.4, 0.8]) == 0.8


def test_it_follows_a_monotone_map():
    rng = np.random.default_rng(0)
    label = np.arange(60) % 2
    score = rng.normal(label)
    assert youden_threshold(label, np.exp(score)) == pytest.approx(
        np.exp(youden_threshold(label, score))
    )


def test_a_threshold_learned_on_noise_flatters_the_cases_it_was_learned_on():
    rng = np.random.default_rng(0)
    gains = []
    for _ in range(100):
        label, score = np.arange(60) % 2, rng.normal(size=60)
        gains.append(youden(label, score, youden_threshold(label, score)))
    assert np.mean(gains) > 0.15


def test_one_class_is_refused():
    with pytest.raises(InputError, match="both classes"):
        youden_threshold([0, 0], [1, 2])
