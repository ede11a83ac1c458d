import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lnm_kit.evaluation.audit.averages import average_bounds
from lnm_kit.evaluation.audit.matrices import RATES, rate
from lnm_kit.evaluation.audit.printed_range import Range, printed_range

FOLD = st.tuples(st.integers(1, 30), st.integers(1, 30)).flatmap(
    lambda pair: st.tuples(
        st.just(pair[0]), st.just(pair[1]), st.integers(0, pair[0]), st.integers(0, pair[1])
    )
)


@given(st.lists(FOLD, min_size=1, max_size=10), st.integers(2, 4))
@settings(max_examples=60, deadline=None)
def test_averages_of_true_folds_lie_inside_the_bounds(folds, decimals):
    means = {name: np.mean([float(rate(name, *fold)) for fold in folds]) for name in RATES}
    printed = {name: printed_range(f"{mean:.{decimals}f}") for name, mean in means.items()}
    for name, allowed in printed.items():
        bounds = average_bounds(name, printed)
        assert bounds is None or bounds.meets(allowed), name


def test_bounds_are_reached():
    exact = {"sensitivity": Range(0.5, 0.5), "ppv": Range(0.5, 0.5), "specificity": Range(0.5, 0.5)}
    assert average_bounds("f1", exact) == Range(0, 0.5)
    assert average_bounds("accuracy", exact) == Range(0, 1)
    assert average_bounds("balanced_accuracy", exact) == Range(0.5, 0.5)
    assert average_bounds("kappa", exact) is None
    assert average_bounds("f1", {"ppv": Range(0.5, 0.5)}) is None
