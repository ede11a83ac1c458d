import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnm_kit.errors import InputError
from lnm_kit.published import parse_count, parse_mean_sd, parse_number


@given(st.decimals(min_value=-1000, max_value=1000, places=3))
def test_a_number_keeps_value_and_decimals(number):
    parsed = parse_number(str(number))
    assert parsed.value == float(number)
    assert parsed.decimals == 3
    assert parsed.half_unit == pytest.approx(0.0005)


def test_minus_signs_of_print_are_read():
    assert parse_number("−0.609").value == -0.609


@pytest.mark.parametrize("text", ["", "N/A", "Ref", "1.2.3", "0.5 (0.4)"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(InputError, match="no printed number"):
        parse_number(text)


@pytest.mark.parametrize("text", ["213", "213 (24.3)", "2.5 (3%)", "N/A"])
def test_what_is_no_count_is_refused(text):
    with pytest.raises(InputError, match="no printed count"):
        parse_count(text)


@pytest.mark.parametrize("text", ["43.3", "43.3+11.6", "±3"])
def test_what_is_no_mean_and_sd_is_refused(text):
    with pytest.raises(InputError, match="no printed mean"):
        parse_mean_sd(text)
