import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.evaluation.reclassification import net_reclassification

# Pencina 2008, Table II: classes below 6 %, 6 to 20 %, above 20 %; rows old model, columns new
EVENTS = np.array([[39, 15, 0], [4, 87, 14], [0, 3, 21]])
NON_EVENTS = np.array([[1959, 142, 0], [148, 703, 31], [1, 25, 74]])
RISK = np.array([0.03, 0.1, 0.3])
CUTS = [0.06, 0.2]


def framingham():
    label, first, second = [], [], []
    for y, counts in ((1, EVENTS), (0, NON_EVENTS)):
        for i in range(3):
            for j in range(3):
                label += [y] * counts[i, j]
                first += [RISK[i]] * counts[i, j]
                second += [RISK[j]] * counts[i, j]
    return label, first, second


def test_the_published_example_comes_out():
    label, first, second = framingham()
    found = net_reclassification(label, first, second, CUTS)
    assert found.positive.value == pytest.approx(22 / 183, abs=1e-12)
    assert found.negative.value == pytest.approx(1 / 3083, abs=1e-12)
    # printed: NRI 0.121, z 3.616
    assert found.total.value == pytest.approx(0.121, abs=5e-4)
    variance = ((found.total.hi - found.total.lo) / 2 / 1.959963985) ** 2
    # the printed z has the variance under no net change, which leaves out the squared differences
    under_null = variance + found.positive.value**2 / 183 + found.negative.value**2 / 3083
    assert found.total.value / np.sqrt(under_null) == pytest.approx(3.616, abs=5e-3)


def test_turning_the_models_round_turns_the_sign():
    label, first, second = framingham()
    for cuts in (CUTS, None):
        there = net_reclassification(label, first, second, cuts)
        back = net_reclassification(label, second, first, cuts)
        assert there.total.value == pytest.approx(-back.total.value)


def test_the_same_model_moves_nobody():
    label, first, _ = framingham()
    found = net_reclassification(label, first, first)
    assert found.total.value == found.total.lo == found.total.hi == 0


def test_a_shift_of_all_risks_has_a_large_index_of_parts_that_cancel():
    rng = np.random.default_rng(0)
    label = np.arange(100) % 2
    first = rng.uniform(0.2, 0.6, 100)
    found = net_reclassification(label, first, first + 0.1)
    assert found.positive.value == 1
    assert found.negative.value == -1
    assert found.total.value == 0


@pytest.mark.parametrize("cuts", [[], [0.5, 0.2], [0.0], [1.2]])
def test_wrong_cuts_are_named(cuts):
    with pytest.raises(InputError, match="rising, above 0 and below 1"):
        net_reclassification([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4], cuts)
