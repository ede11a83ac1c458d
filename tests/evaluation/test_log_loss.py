import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.metrics import log_loss as reference

from lnm_kit.errors import InputError
from lnm_kit.evaluation.log_loss import LEAST_PROBABILITY, log_loss


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_reference_and_lies_inside_its_interval(seed):
    rng = np.random.default_rng(seed)
    label = np.r_[0, 1, rng.integers(2, size=60)]
    probability = rng.uniform(0.01, 0.99, size=62)
    found = log_loss(label, probability)
    assert found.value == pytest.approx(reference(label, probability), abs=1e-12)
    assert found.lo < found.value < found.hi


def test_the_share_of_positives_costs_its_entropy():
    label = np.r_[np.ones(81), np.zeros(797)]
    share = 81 / 878
    found = log_loss(label, np.full(878, share))
    assert found.value == pytest.approx(entropy([share, 1 - share]), abs=1e-12)


def test_the_interval_is_that_of_the_mean():
    rng = np.random.default_rng(0)
    label = rng.integers(2, size=400)
    probability = np.clip(label * 0.3 + rng.uniform(0.1, 0.6, size=400), 0, 1)
    found = log_loss(label, probability)
    losses = -np.log(np.where(label == 1, probability, 1 - probability))
    half = 1.96 * losses.std(ddof=1) / 20
    assert found.lo == pytest.approx(found.value - half, abs=0.15 * half)
    assert found.hi == pytest.approx(found.value + half, abs=0.15 * half)


def test_a_certain_mistake_is_large_but_finite():
    found = log_loss([0, 1], [1.0, 1.0])
    assert found.value == pytest.approx(-np.log(LEAST_PROBABILITY) / 2, rel=1e-6)


@pytest.mark.parametrize(
    ("label", "probability", "message"),
    [
        ([0, 1], [-0.2, 0.5], "probability is -0.2 to 0.5; allowed: 0 to 1"),
        ([0, 1], [0.2, 1.5], "probability is 0.2 to 1.5"),
        ([1, 1], [0.2, 0.5], "class"),
        ([0, 1], [0.2], "length|shape"),
    ],
)
def test_wrong_input_is_named(label, probability, message):
    with pytest.raises(InputError, match=message):
        log_loss(label, probability)
