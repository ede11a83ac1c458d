import numpy as np
import pytest

from lnm_kit.evaluation.resampling import drawn_counts, resampled_means


def test_counts_are_those_of_cases_drawn_with_replacement():
    rng = np.random.default_rng(3)
    drawn = [rng.integers(0, 7, 7) for _ in range(4)]
    for rows, counts in zip(drawn, drawn_counts(7, 4, seed=3), strict=True):
        assert counts.tolist() == [(rows == case).sum() for case in range(7)]


@pytest.mark.parametrize("shape", [(9,), (9, 2)])
def test_means_are_those_of_the_copied_cases(shape):
    values = np.random.default_rng(0).normal(size=shape)
    rng = np.random.default_rng(5)
    expected = [values[rng.integers(0, 9, 9)].mean(axis=0) for _ in range(6)]
    assert resampled_means(values, 6, seed=5) == pytest.approx(np.array(expected), abs=1e-12)
