import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import truncnorm

from lnm_kit.simulate.marginals import (
    _truncated_normal,
    assign_between_quartiles,
    assign_levels,
    assign_values,
    scale_counts,
)
from lnm_kit.simulate.model import Variable

AGE = Variable(
    column="age_years",
    family="normal",
    range=(18, 86),
    edges=(55,),
    levels=("lt_55", "ge_55"),
    closed="left",
    step=1,
)
SIZE = Variable(
    column="tumor_size_cm",
    family="lognormal",
    range=(0.2, 8),
    edges=(1, 2, 4),
    levels=("a", "b", "c", "d"),
    closed="right",
    step=0.01,
)

counts_by_level = st.lists(st.integers(0, 900), min_size=1, max_size=5).filter(any)


@given(counts_by_level, st.integers(1, 5000))
def test_scaled_counts_add_up_and_are_off_by_less_than_one(counts, n):
    scaled = scale_counts(dict(enumerate(counts)), n)
    assert sum(scaled.values()) == n
    for level, count in enumerate(counts):
        assert abs(scaled[level] - count * n / sum(counts)) < 1


@given(counts_by_level)
def test_counts_that_add_up_stay(counts):
    by_level = dict(enumerate(counts))
    assert scale_counts(by_level, sum(counts)) == by_level


@given(st.lists(st.integers(0, 40), min_size=1, max_size=5).filter(any), st.integers(0, 99))
def test_levels_have_exact_counts_and_follow_the_score(counts, seed):
    score = np.random.default_rng(seed).standard_normal(sum(counts))
    codes = assign_levels(score, counts)
    assert np.bincount(codes, minlength=len(counts)).tolist() == counts
    assert (np.diff(codes[np.argsort(score)]) >= 0).all()


@pytest.mark.parametrize(
    ("variable", "counts", "mean", "sd"),
    [(AGE, [731, 147], 43.3, 11.6), (SIZE, [582, 224, 69, 3], 1.05, 0.69)],
)
def test_classes_mean_and_sd_hold_at_once(variable, counts, mean, sd):
    rng = np.random.default_rng(3)
    score = rng.standard_normal(sum(counts))
    values = assign_values(variable, score, counts, rng, mean=mean, sd=sd, fit=True)
    edges = np.array(variable.edges)
    side = "right" if variable.closed == "left" else "left"
    classes = np.searchsorted(edges, values, side=side)
    assert np.bincount(classes, minlength=len(counts)).tolist() == counts
    assert values.mean() == pytest.approx(mean, abs=0.01)
    assert values.std(ddof=1) == pytest.approx(sd, abs=0.02)
    assert (np.diff(values[np.argsort(score)]) >= 0).all()
    assert values.min() >= variable.range[0]
    assert values.max() <= variable.range[1]


def test_without_a_fit_the_curve_is_the_given_one():
    free = Variable(column="bmi", family="normal", range=(0, 100))
    rng = np.random.default_rng(0)
    values = assign_values(free, rng.standard_normal(5000), [5000], rng, mean=24, sd=4, fit=False)
    assert values.mean() == pytest.approx(24, abs=0.05)
    assert values.std() == pytest.approx(4, abs=0.05)


def test_an_empty_class_stays_empty():
    rng = np.random.default_rng(0)
    values = assign_values(
        SIZE, rng.standard_normal(100), [70, 25, 5, 0], rng, mean=1.0, sd=0.6, fit=True
    )
    assert values.max() <= 4


@given(st.floats(-6, 6), st.floats(0.01, 4), st.floats(0.001, 0.999))
def test_truncated_quantiles_agree_with_scipy(lo, width, place):
    found = _truncated_normal(*(np.array([value]) for value in (place, lo, lo + width)))
    assert found[0] == pytest.approx(truncnorm.ppf(place, lo, lo + width), abs=1e-6)


@pytest.mark.parametrize("family", ["normal", "lognormal"])
@pytest.mark.parametrize("n", [82, 265, 5000])
def test_quartiles_hold_and_values_follow_the_score(family, n):
    variable = Variable(column="size_mm", family=family, range=(2, 10), step=0.1)
    rng = np.random.default_rng(n)
    score = rng.standard_normal(n)
    values = assign_between_quartiles(variable, score, rng, first=4.7, median=6.1, third=7.8)
    found = np.quantile(values, (0.25, 0.5, 0.75))
    assert found == pytest.approx([4.7, 6.1, 7.8], abs=0.15)
    assert (np.diff(values[np.argsort(score)]) >= 0).all()
    assert values.min() >= 2
    assert values.max() <= 10
    assert np.allclose(values * 10, np.round(values * 10))
