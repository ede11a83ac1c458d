import pytest

from lnm_kit.cohort.problem import SHOWN_AT_MOST, Problem, raise_problems
from lnm_kit.errors import InputError


def test_many_problems_point_to_the_command_that_lists_all():
    many = [Problem("cases.csv", row, "label is '2'", "0 or 1") for row in range(100)]
    with pytest.raises(InputError) as error:
        raise_problems(many, "mine")
    assert str(error.value).count("label is '2'") == SHOWN_AT_MOST
    assert f"{100 - SHOWN_AT_MOST} more; 'lnm cohort check mine'" in str(error.value)
