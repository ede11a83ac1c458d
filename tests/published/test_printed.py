import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnm_kit.errors import InputError
from lnm_kit.published import parse_count, parse_mean_sd, parse_number, parse_quartiles


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


@pytest.mark.parametrize(
    ("text", "n", "percent"),
    [("213 (24.3%)", 213, 24.3), ("69 (26.0)", 69, 26.0), ("21", 21, None)],
)
def test_counts_are_read_with_and_without_percentages(text, n, percent):
    count = parse_count(text)
    assert count.n == n
    assert (count.percent and count.percent.value) == percent


def test_a_number_in_a_larger_unit_keeps_its_digits():
    size = parse_number("12.63").shifted(1)
    assert (size.value, size.decimals) == (1.263, 3)
    assert parse_number("12.63").shifted(0) == parse_number("12.63")


def test_quartiles_stand_in_their_order():
    quartiles = parse_quartiles("45.5 (35.3–54.0)")
    found = (quartiles.first.value, quartiles.median.value, quartiles.third.value)
    assert found == (35.3, 45.5, 54.0)


@pytest.mark.parametrize("text", ["45.5", "45.5 (35.3)", "45.5±3", "(35.3–54.0)"])
def test_what_is_no_median_with_quartiles_is_refused(text):
    with pytest.raises(InputError, match="no printed median"):
        parse_quartiles(text)


@pytest.mark.parametrize("text", ["", "213 24.3", "213 (24.3", "2.5 (3%)", "-3", "N/A"])
def test_what_is_no_count_is_refused(text):
    with pytest.raises(InputError, match="no printed count"):
        parse_count(text)


@pytest.mark.parametrize("text", ["43.3", "43.3+11.6", "±3"])
def test_what_is_no_mean_and_sd_is_refused(text):
    with pytest.raises(InputError, match="no printed mean"):
        parse_mean_sd(text)
