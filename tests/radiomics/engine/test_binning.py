"""Gray levels are cut into bins exactly as pyradiomics cuts them, ties at the edges included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from radiomics import imageoperations

from lnm_kit.errors import InputError
from lnm_kit.radiomics.engine.binning import MAXIMUM_LEVELS, BinCount, BinWidth, bin_values

SHAPE = (10, 12)
INSIDE = np.zeros(SHAPE, bool)
INSIDE[1:-1, 1:-1] = True
POSITION = np.flatnonzero(INSIDE)
N = len(POSITION)


def engine_levels(values, binning):
    """Gray level of every pixel, (N,)."""
    single = np.array([values.dtype == np.float32])
    binned = bin_values(values.astype(float)[None], single, POSITION, SHAPE, binning)
    assert (binned.labels[0][~INSIDE] == 0).all()
    ranks = binned.labels[0].ravel()[POSITION]
    n = binned.n_levels[0]
    assert (np.bincount(ranks)[1:] == binned.counts[0, :n]).all()
    return binned.levels[0, ranks - 1]


def pyradiomics_levels(values, **setting):
    image = np.zeros(SHAPE, values.dtype)
    image[INSIDE] = values
    return imageoperations.binImage(image, INSIDE, **setting)[0][INSIDE]


@st.composite
def region_values(draw):
    """Values that like to lie on edges: few levels, multiples of a step, any offset and type."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    step = draw(st.sampled_from([1, 0.1, 0.25, 1 / 3, 7, 1e-17, 1e3]))
    offset = draw(st.sampled_from([0, -40, 0.3, 1e3]) if step > 1e-9 else st.just(0))
    levels = draw(st.integers(2, 300))
    values = rng.integers(0, levels, N) * step + offset
    values[:2] = 0 + offset, step * levels + offset
    return values.astype(draw(st.sampled_from([np.float64, np.float32])))


@settings(max_examples=150, deadline=None)
@given(values=region_values(), count=st.integers(1, 64))
def test_a_number_of_bins_cuts_as_pyradiomics(values, count):
    found = engine_levels(values, BinCount(count))
    assert (found == pyradiomics_levels(values, binCount=count)).all()


@settings(max_examples=150, deadline=None)
@given(values=region_values(), share=st.sampled_from([0.5, 1, 2, 3, 0.1, 1 / 7]))
def test_a_width_of_bins_cuts_as_pyradiomics(values, share):
    width = float(np.ptp(values)) / 40 * share
    found = engine_levels(values, BinWidth(width))
    assert (found == pyradiomics_levels(values, binWidth=width)).all()


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16])
def test_integers_are_cut_as_pyradiomics_by_a_number_of_bins(kind):
    values = np.random.default_rng(0).integers(3, 120, N).astype(kind)
    assert (engine_levels(values, BinCount(25)) == pyradiomics_levels(values, binCount=25)).all()


def test_a_flat_region_falls_into_the_middle_bin():
    values = np.full(N, 77.0)
    assert set(engine_levels(values, BinCount(25))) == {13}
    assert set(engine_levels(values, BinWidth(25))) == {1}


def test_values_that_differ_less_than_a_number_can_tell_are_refused_as_pyradiomics_does():
    values = np.full(N, 1.0)
    values[0] = np.nextafter(1.0, 2)
    with pytest.raises(ValueError, match="Too many bins"):
        pyradiomics_levels(values, binCount=25)
    with pytest.raises(InputError, match="differ too little for 25 bins"):
        engine_levels(values, BinCount(25))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    values = np.arange(float(N))
    values[3] = bad
    with pytest.raises(InputError, match="not finite"):
        engine_levels(values, BinCount(25))


def test_too_many_gray_levels_are_refused():
    values = np.arange(MAXIMUM_LEVELS + 1.0)
    position = np.arange(len(values))
    with pytest.raises(InputError, match=f"at most {MAXIMUM_LEVELS}"):
        bin_values(values[None], np.array([False]), position, (1, len(values)), BinWidth(1))


def test_bins_far_too_narrow_are_refused_before_they_are_made():
    with pytest.raises(InputError, match="range 0 to 99 into more than 1,000,000 bins"):
        engine_levels(np.arange(float(N)) * 99 / (N - 1), BinWidth(1e-9))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BinCount(0), "BinCount is 0"),
        (lambda: BinWidth(0.0), "BinWidth is 0"),
        (lambda: BinWidth(float("nan")), "BinWidth is nan"),
    ],
)
def test_bins_out_of_range_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
