import numpy as np
import pytest

from lnm_kit.evaluation import auc, delong_test
from lnm_kit.evaluation.audit.comparison import paired_p_bounds
from lnm_kit.evaluation.audit.printed_range import Range, printed_range

Z = 1.959964


def test_true_paired_tests_lie_inside_the_bounds():
    rng = np.random.default_rng(3)
    for _ in range(30):
        label = np.repeat([1, 0], rng.integers(20, 80, 2))
        shared = rng.normal(size=len(label))
        scores = [0.8 * shared + rng.normal(size=len(label)) + d * label for d in (0.9, 1.4)]
        found = [auc(label, score) for score in scores]
        p = delong_test(label, *scores).p_value
        errors = [Range(e.hi - e.lo, e.hi - e.lo) for e in found]
        errors = [Range(each.lo / (2 * Z), each.hi / (2 * Z)) for each in errors]
        values = [printed_range(f"{each.value:.3f}") for each in found]
        if max(each.hi for each in found) < 1:
            assert paired_p_bounds(*values, *errors).meets(Range(p - 1e-6, p + 1e-6))


def test_equal_aucs_have_no_small_p():
    same = paired_p_bounds(Range(0.8, 0.8), Range(0.8, 0.8), Range(0.02, 0.02), Range(0.05, 0.05))
    assert same.lo == pytest.approx(1)
    assert same.hi == 1
