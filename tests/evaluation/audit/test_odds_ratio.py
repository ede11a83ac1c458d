import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from lnm_kit.evaluation.audit.odds_ratio import odds_ratio_of, wald_center, wald_p
from lnm_kit.evaluation.audit.printed_range import Range, printed_range

BETAS = st.floats(-2, 2)
ERRORS = st.floats(0.05, 0.8)


def printed(beta, se, decimals):
    values = np.exp(beta + np.array([-1, 0, 1]) * norm.ppf(0.975) * se)
    return [printed_range(f"{value:.{decimals}f}") for value in values]


@given(BETAS, ERRORS, st.integers(2, 4))
def test_true_rows_are_never_flagged(beta, se, decimals):
    lower, estimate, upper = printed(beta, se, decimals)
    assert odds_ratio_of(printed_range(f"{beta:.{decimals}f}")).meets(estimate)
    center = wald_center(lower, upper)
    assert center is None or center.meets(estimate)
    found = wald_p(estimate, lower, upper)
    p = 2 * norm.sf(abs(beta) / se)
    assert found is None or (found.holds(p) and found.meets(printed_range(f"{p:.3f}")))


def test_known_slips_are_seen():
    assert not odds_ratio_of(printed_range("0.005")).meets(printed_range("1.012"))
    assert not odds_ratio_of(printed_range("0.006")).meets(printed_range("1.000"))
    cells = [printed_range(cell) for cell in ("1.905", "0.525", "6.905")]
    found = wald_p(*cells)
    assert found.holds(0.3268)
    assert not found.meets(printed_range("0.137"))


def test_an_interval_from_nothing_says_nothing():
    assert wald_center(Range(-0.0005, 0.0005), Range(1, 1)) is None
    assert wald_p(Range(0.1, 0.1), Range(-0.0005, 0.0005), Range(1, 1)) is None


def test_an_interval_without_width_has_p_0_or_1():
    assert wald_p(Range(2, 2), Range(2, 2), Range(2, 2)).lo == 0
    assert wald_p(Range(1, 1), Range(1, 1), Range(1, 1)).hi == pytest.approx(1)
