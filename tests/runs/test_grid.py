import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnm_kit.errors import InputError
from lnm_kit.runs.grid import combinations, parse_grid


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 7))
def test_range_is_that_of_python_or_refused(first, end, step):
    word = f"seed={first}:{end}:{step}"
    numbers = list(range(first, end, step))
    if numbers:
        assert parse_grid([word]) == {"seed": numbers}
    else:
        with pytest.raises(InputError, match="is empty"):
            parse_grid([word])


@given(st.lists(st.integers(-1000, 1000), min_size=1, unique=True))
def test_list_comes_back_in_its_order(values):
    assert parse_grid(["x=" + ",".join(map(str, values))]) == {"x": values}


def test_values_have_their_types_and_quotes_keep_commas():
    words = ["wavelets=true,false", "cohort='a, b',c", "device=cuda:0,cuda:1", "seed=0:3,10"]
    assert parse_grid(words) == {
        "wavelets": [True, False],
        "cohort": ["a, b", "c"],
        "device": ["cuda:0", "cuda:1"],
        "seed": [0, 1, 2, 10],
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["seed=5:1"], "seed=5:1 is empty; a range is FIRST:END"),
        (["seed=0:5:0"], "is empty"),
        (["seed="], "empty value"),
        (["seed=1,,2"], "empty value"),
        (["seed=1,2,1"], "holds 1 more than once"),
        (["seed=0:3,2"], "holds 2 more than once"),
        (["seed"], "'seed' is not of the form name=values"),
        (["se ed=1"], "not of the form"),
        (["seed=1", "seed=2"], "seed is given twice"),
        (["seed=0:1000000000000"], "more than 10000 values"),
        (["seed=5:1", "signal="], "seed=5:1 is empty.*empty value"),
    ],
)
def test_wrong_grid_is_refused_with_all_that_is_wrong(words, message):
    with pytest.raises(InputError, match=message):
        parse_grid(words)


def test_every_combination_comes_once():
    grid = {"a": [1, 2, 3], "b": ["x", "y"]}
    found = combinations(grid)
    assert len(found) == 6
    assert {(each["a"], each["b"]) for each in found} == {(a, b) for a in (1, 2, 3) for b in "xy"}
    assert combinations({}) == [{}]
    with pytest.raises(InputError, match="1000000 runs"):
        combinations({name: range(100) for name in "abc"})
