import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnm_kit.errors import InputError
from lnm_kit.regions.resample import resample, resample_mask


def ramp(height: int, width: int, spacing: tuple[float, float]) -> np.ndarray:
    """A plane in mm about the image's center, which every interpolation must reproduce."""
    rows = (np.arange(height) - (height - 1) / 2) * spacing[0]
    columns = (np.arange(width) - (width - 1) / 2) * spacing[1]
    return 3.0 * rows[:, None] - 2.0 * columns[None, :]


@pytest.mark.parametrize("interpolation", ["linear", "bspline"])
@pytest.mark.parametrize("target", [0.3, 0.5, 0.8])
def test_a_plane_stays_the_same_plane_in_mm(interpolation, target):
    spacing = (0.4, 0.25)
    result = resample(ramp(50, 80, spacing), spacing, target, interpolation=interpolation)
    expected = ramp(*result.shape, (target, target))
    edge = 8  # where a spline has no neighbors to lean on
    assert result[edge:-edge, edge:-edge] == pytest.approx(
        expected[edge:-edge, edge:-edge], abs=1e-3
    )


@pytest.mark.parametrize("interpolation", ["linear", "bspline", "nearest"])
def test_the_same_spacing_is_the_same_image(interpolation):
    pixels = np.random.default_rng(0).normal(size=(12, 17))
    result = resample(pixels, (0.3, 0.3), 0.3, interpolation=interpolation)
    assert result == pytest.approx(pixels, abs=1e-6)


@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.floats(0.05, 1),
    st.floats(0.05, 1),
    st.floats(0.1, 2),
)
def test_size_covers_the_extent_and_not_a_pixel_more(height, width, row_mm, column_mm, target):
    result = resample_mask(np.ones((height, width), bool), (row_mm, column_mm), target)
    for new, old_mm in zip(result.shape, (height * row_mm, width * column_mm), strict=True):
        assert old_mm - 1e-3 <= new * target
        assert new == 1 or (new - 1) * target <= old_mm + 1e-3
    assert result.all()


def test_a_hundred_pixels_of_a_tenth_are_ten_of_one():
    assert resample(np.zeros((100, 30)), (0.1, 0.1), 1.0).shape == (10, 3)


@pytest.mark.parametrize("target", [0.1, 0.35, 0.5])
def test_area_in_mm2_is_kept(target):
    rows, columns = np.mgrid[:200, :200]
    mask = np.hypot((rows - 100) * 0.15, (columns - 90) * 0.2) < 8
    result = resample_mask(mask, (0.15, 0.2), target)
    assert result.dtype == bool
    assert result.sum() * target**2 == pytest.approx(np.pi * 64, rel=0.02)


def test_image_and_mask_land_on_one_grid():
    rows, columns = np.mgrid[:90, :120]
    mask = np.hypot(rows - 40, columns - 70) < 25
    picture = resample(mask.astype(float), (0.2, 0.2), 0.33, interpolation="linear")
    region = resample_mask(mask, (0.2, 0.2), 0.33)
    assert picture.shape == region.shape
    assert (picture[region] > 0.2).all()
    assert (picture[~region] < 0.8).all()


def test_speckle_is_sampled_and_not_averaged():
    # as in 3D Slicer and pyradiomics: the gray levels keep their spread
    noise = np.random.default_rng(0).normal(size=(300, 300))
    assert resample(noise, (0.1, 0.1), 1.0, interpolation="linear").std() > 0.4


@pytest.mark.parametrize(
    ("spacing", "target", "interpolation", "message"),
    [
        (None, 1.0, "linear", "no known pixel spacing"),
        ((0.1, 0.0), 1.0, "linear", "above 0"),
        ((0.1, 0.1), -1.0, "linear", "above 0"),
        ((0.1, float("nan")), 1.0, "linear", "above 0"),
        ((0.1, 0.1), 1.0, "cubic", "interpolation is 'cubic'; allowed: linear"),
    ],
)
def test_bad_input_is_named(spacing, target, interpolation, message):
    with pytest.raises(InputError, match=message):
        resample(np.zeros((4, 4)), spacing, target, interpolation=interpolation)


def test_a_volume_is_refused():
    with pytest.raises(InputError, match="rows, columns"):
        resample(np.zeros((2, 4, 4)), (1, 1), 1.0)
