import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnm_kit.evaluation.audit.denominators import (
    common_denominators,
    denominators_of,
    fitting_candidates,
    fitting_pairs,
)
from lnm_kit.evaluation.audit.matrices import matching_matrices, rate
from lnm_kit.evaluation.audit.printed_range import Range, printed_range

CELLS = {"sensitivity": "0.714", "specificity": "0.723", "accuracy": "0.721", "ppv": "0.33"}


@given(st.integers(1, 120), st.data())
def test_the_true_denominator_is_among_them(total, data):
    count = data.draw(st.integers(0, total))
    assert total in denominators_of(printed_range(f"{count / total:.3f}"), 120)


def test_elevenths_are_recognized():
    cells = ["0.545", "0.636", "0.727", "0.818", "0.909"]
    assert common_denominators([printed_range(cell) for cell in cells], 40) == [11, 22, 33]
    assert common_denominators([], 40) == []


def test_pairs_are_those_of_trying_every_matrix():
    printed = {name: printed_range(cell) for name, cell in CELLS.items()}
    found = set(fitting_pairs(printed, up_to=45))
    expected = {
        (positive, negative)
        for positive in range(1, 46)
        for negative in range(1, 46)
        if matching_matrices(positive, negative, printed).count
    }
    assert found == expected


@given(st.integers(5, 60), st.integers(5, 60), st.data())
@settings(max_examples=40, deadline=None)
def test_the_true_pair_is_found(positive, negative, data):
    tp, tn = data.draw(st.integers(0, positive)), data.draw(st.integers(0, negative))
    printed = {
        name: printed_range(f"{float(rate(name, positive, negative, tp, tn)):.3f}")
        for name in ("sensitivity", "specificity", "accuracy")
    }
    assert (positive, negative) in fitting_pairs(printed, up_to=60)
    assert (positive, negative) in fitting_pairs(printed, total=positive + negative)


def test_candidates_and_missing_rates():
    printed = {name: printed_range(cell) for name, cell in CELLS.items()}
    candidates = {"patients": (22, 128), "images": (42, 220), "none": (0, 5)}
    assert fitting_candidates(candidates, printed) == {"images": (42, 220)}
    assert fitting_pairs({"ppv": Range(0.4, 0.5)}) == []
    assert fitting_pairs(printed, total=262) == [(42, 220)]
    assert fitting_pairs(printed)[0] == pytest.approx(min(fitting_pairs(printed), key=sum))
