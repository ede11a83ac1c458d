import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnm_kit.errors import InputError
from lnm_kit.evaluation.audit.printed_range import (
    Range,
    in_percent,
    is_missing,
    printed_interval,
    printed_range,
    split_estimate,
)


@given(st.floats(-50, 50), st.integers(0, 6))
def test_a_number_lies_in_the_range_of_its_own_print(value, decimals):
    assert printed_range(f"{value:.{decimals}f}").holds(value)


@given(st.floats(0, 50), st.integers(0, 6))
def test_digits_cut_off_lie_in_the_range_of_cut_digits(value, decimals):
    unit = 10.0**-decimals
    cut = math.floor(value / unit) * unit
    assert printed_range(f"{cut:.{decimals}f}", rounded=False).holds(value)


def test_halves_may_be_rounded_either_way():
    assert printed_range("0.813").holds(0.8125)
    assert printed_range("0.812").holds(0.8125)
    assert not printed_range("0.812").holds(0.81251)


def test_percentages_and_limits():
    assert printed_range("88.5", percent=True) == printed_range("88.5%")
    assert printed_range("> 0.05") == Range(0.05, math.inf)
    assert printed_range("< 0.001").holds(0)
    assert in_percent(["0.9", "1.0"]) is False
    assert in_percent(["90.1", "1.0"]) is True


@pytest.mark.parametrize(
    "text", ["0.950–0.987", "(0.950-0.987)", "[0.950, 0.987]", "0.950 to 0.987", "0.950;0.987"]
)
def test_intervals_are_read_in_all_usual_forms(text):
    lower, upper = printed_interval(text)
    assert (lower.middle, upper.middle) == pytest.approx((0.95, 0.987))


@pytest.mark.parametrize("text", ["0.950", "a–b", ""])
def test_what_is_no_interval_is_refused(text):
    with pytest.raises(InputError, match="no printed interval"):
        printed_interval(text)


def test_estimates_with_intervals_are_parted():
    assert split_estimate("0.85 (0.78–0.91)") == ("0.85", "0.78–0.91")
    assert split_estimate("0.85 [0.78, 0.91]") == ("0.85", "0.78, 0.91")
    assert split_estimate("0.85") == ("0.85", "")
    assert all(is_missing(cell) for cell in ("", "N/A", "Ref", "–"))
