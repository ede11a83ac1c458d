"""Filtered images: pyradiomics' values, wavelets to the last bit."""

import numpy as np
import pytest
import pywt
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st
from radiomics import imageoperations

from lnm_kit.errors import InputError
from lnm_kit.radiomics.engine import BinCount, feature_names, features
from lnm_kit.radiomics.engine.wavelet import BANDS_2D, BANDS_3D, wavelet_values

ROWS, COLUMNS = np.mgrid[:41, :46]
REGION = np.hypot((ROWS - 20) / 1.3, COLUMNS - 22) < 12
GRAY = np.random.default_rng(0).integers(0, 250, ROWS.shape)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(2, 23), st.integers(2, 23)),
    is_single=st.booleans(),
    seed=st.integers(0, 999),
    data=st.data(),
)
def test_wavelet_coefficients_are_those_of_pyradiomics_to_the_last_bit(
    shape, is_single, seed, data
):
    """Any box within any image, even or odd, smaller or larger than the filter."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal(0, 99, shape).astype(np.float32 if is_single else np.float64)
    top, left = (data.draw(st.integers(0, length - 1)) for length in shape)
    box = (
        slice(top, data.draw(st.integers(top + 1, shape[0]))),
        slice(left, data.draw(st.integers(left + 1, shape[1]))),
    )
    inside = np.flatnonzero(rng.random(pixels[box].size) < 0.7)
    for image, bands in ((pixels[None], BANDS_3D), (pixels, BANDS_2D)):
        found = wavelet_values(pixels, box, inside, bands)
        assert found.dtype == pixels.dtype
        volume = sitk.GetImageFromArray(image)
        names = []
        for filtered, name, _ in imageoperations.getWaveletImage(volume, volume):
            names.append(name.removeprefix("wavelet-"))
            expected = sitk.GetArrayFromImage(filtered).reshape(shape)[box].ravel()[inside]
            assert (found[bands.index(names[-1])] == expected).all()
        assert tuple(names) == bands


def test_float32_taps_of_pywavelets_are_not_its_float64_taps_rounded():
    """Why the taps are read off an impulse: else the last bit, and with it the bins, would move."""
    impulse = np.zeros(12, np.float32)
    impulse[0] = 1
    low, _ = pywt.swt(impulse, "coif1", level=1)[0]
    rounded = np.array(pywt.Wavelet("coif1").dec_lo, np.float32)
    assert sorted(low[low != 0]) != sorted(rounded)


POINTWISE = ("Square", "SquareRoot", "Logarithm", "Exponential", "Gradient", "LBP2D")


@pytest.mark.filterwarnings("ignore:Applying `local_binary_pattern`:UserWarning")  # pyradiomics'
@pytest.mark.parametrize("image_type", POINTWISE)
@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32])
def test_filters_agree(disagreement, image_type, kind):
    pixels = (GRAY - (0 if kind == np.uint8 else 60)).astype(kind)
    found = disagreement(pixels, REGION, image_types=(image_type,), spacing_mm=(0.2, 0.3))
    assert found == {}


FLAT_CLASSES = ("shape2D", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")


@pytest.mark.parametrize("image_type", ["Original", "Wavelet2D", "LoG"])
def test_true_2d_images_agree(pyradiomics, image_type):
    sigmas = (1.0, 2.5) if image_type == "LoG" else ()
    arguments = {"sigma": list(sigmas)} if image_type == "LoG" else {}
    expected = pyradiomics(
        GRAY.astype(float),
        REGION,
        setting={"binCount": 25},
        image_types={image_type.removesuffix("2D"): arguments},
        spacing_mm=(0.5, 0.25),
        classes=FLAT_CLASSES,
        flat=True,
    )
    asked = {"image_types": (image_type,), "classes": FLAT_CLASSES, "sigmas_mm": sigmas}
    found = features(GRAY, REGION, spacing_mm=(0.5, 0.25), binning=BinCount(25), **asked)
    names = feature_names(**asked)
    assert set(names) == set(expected)
    for name, value in zip(names, found, strict=True):
        # A slice is as thick as a row is high; a 2-D image has no thickness.
        thickness = 0.5 if name.endswith("TotalEnergy") else 1.0
        assert value == pytest.approx(expected[name] * thickness, rel=1e-6, abs=1e-12), name


def test_a_laplacian_needs_an_image_wider_than_it():
    with pytest.raises(InputError, match="too small for a Laplacian of Gaussian of 30"):
        features(
            GRAY,
            REGION,
            spacing_mm=(0.5, 0.5),
            binning=BinCount(25),
            image_types=("LoG",),
            sigmas_mm=(30.0,),
        )


@pytest.mark.parametrize("image_type", ["Logarithm", "Exponential"])
def test_a_filter_without_values_says_so(image_type):
    with pytest.raises(InputError, match="filter gives values that are not finite"):
        features(
            np.zeros(REGION.shape),
            REGION,
            spacing_mm=(1, 1),
            binning=BinCount(25),
            image_types=(image_type,),
        )
