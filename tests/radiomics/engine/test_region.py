"""Properties of the features of one region, and bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnm_kit.errors import InputError
from lnm_kit.radiomics.engine import CLASSES, BinCount, BinWidth, feature_names, features

TEXTURE = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")
ASKED = {"spacing_mm": (1.0, 1.0), "binning": BinCount(8), "image_types": ("Original",)}


def textures(pixels, mask, **changed):
    return features(pixels, mask, **{**ASKED, "classes": TEXTURE, **changed})


@st.composite
def regions(draw):
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    shape = draw(st.tuples(st.integers(4, 16), st.integers(4, 16)))
    mask = rng.random(shape) < draw(st.floats(0.3, 1))
    mask[1:3, 1:3] = True
    return rng.integers(0, draw(st.integers(2, 40)), shape), mask


@settings(max_examples=40, deadline=None)
@given(region=regions(), quarter_turns=st.integers(0, 3), mirrored=st.booleans())
def test_textures_do_not_depend_on_how_the_image_is_turned(region, quarter_turns, mirrored):
    turned = [np.rot90(array, quarter_turns) for array in region]
    turned = [array[::-1] for array in turned] if mirrored else turned
    np.testing.assert_allclose(textures(*turned), textures(*region), rtol=1e-8, atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(region=regions(), factor=st.sampled_from([0.5, 4.0, 1024.0]), shift=st.integers(-9, 9))
def test_textures_of_a_number_of_bins_do_not_depend_on_the_scale_of_gray(region, factor, shift):
    pixels, mask = region
    np.testing.assert_array_equal(
        textures(pixels * factor + shift * factor, mask), textures(pixels, mask)
    )


@settings(max_examples=30, deadline=None)
@given(region=regions(), before=st.integers(0, 5), after=st.integers(0, 5), outside=st.integers())
def test_pixels_outside_the_region_do_not_count(region, before, after, outside):
    pixels, mask = region
    value = outside % 1000 - 500
    wider = np.pad(np.where(mask, pixels, value), (before, after), constant_values=value)
    np.testing.assert_array_equal(
        textures(wider, np.pad(mask, (before, after))), textures(pixels, mask)
    )


def test_a_read_only_image_in_another_memory_order_gives_the_same():
    pixels = np.asfortranarray(np.random.default_rng(0).random((20, 30)))
    pixels.flags.writeable = False
    mask = np.ones(pixels.shape, bool)
    np.testing.assert_array_equal(
        textures(pixels, mask.T.copy().T), textures(pixels.copy("C"), mask)
    )


def test_where_no_two_pixels_touch_only_co_occurrence_has_no_value():
    pixels = np.random.default_rng(0).random((12, 12))
    mask = np.zeros(pixels.shape, bool)
    mask[::3, ::3] = True
    names = feature_names(image_types=("Original",), classes=TEXTURE)
    missing = {
        name.split("_")[1]
        for name, value in zip(names, textures(pixels, mask), strict=True)
        if np.isnan(value)
    }
    assert missing == {"glcm"}


GRAY = np.random.default_rng(3).integers(0, 256, (20, 24)).astype(np.uint8)
MASK = np.hypot(*(np.mgrid[:20, :24] - 10)) < 8


def with_nan():
    pixels = GRAY.astype(float)
    pixels[0, 0] = np.nan
    return pixels


def one_pixel():
    mask = np.zeros(GRAY.shape, bool)
    mask[4, 4] = True
    return mask


@pytest.mark.parametrize(
    ("pixels", "mask", "changed", "message"),
    [
        (np.stack([GRAY] * 3, axis=-1), MASK, {}, r"shape \(20, 24, 3\).*without colors"),
        (GRAY, MASK[:-1], {}, r"mask is bool \(19, 24\); it must be bool \(20, 24\)"),
        (GRAY, MASK.astype(np.uint8), {}, "mask is uint8"),
        (GRAY, np.zeros_like(MASK), {}, "marks no pixel"),
        (GRAY, one_pixel(), {}, "spans 1 x 1 pixels"),
        (GRAY, np.arange(20)[:, None] * np.ones(24) == 3, {}, "spans 1 x 24 pixels"),
        (with_nan(), MASK, {}, "not finite"),
        (GRAY, MASK, {"spacing_mm": (0.0, 1.0)}, "spacing_mm is"),
        (GRAY, MASK, {"spacing_mm": (1.0, 1.0, 1.0)}, "spacing_mm is"),
        (GRAY, MASK, {"image_types": ("original",)}, "original"),
        (GRAY, MASK, {"image_types": ()}, "image_types is empty"),
        (GRAY, MASK, {"classes": ("GLCM",)}, "GLCM"),
        (GRAY, MASK, {"image_types": ("LoG",)}, "sigmas_mm must name its widths"),
        (GRAY, MASK, {"image_types": ("LoG",), "sigmas_mm": (-1.0,)}, "must be above 0"),
    ],
)
def test_bad_input_gives_one_clear_message(pixels, mask, changed, message):
    with pytest.raises(InputError, match=message):
        textures(pixels, mask, **changed)


def test_a_mask_without_background_is_taken():
    assert np.isfinite(textures(GRAY, np.ones(GRAY.shape, bool))).all()


def test_every_class_and_image_type_has_its_names():
    asked = {"classes": CLASSES, "image_types": ("Original", "Wavelet2D"), "binning": BinWidth(9)}
    names = feature_names(image_types=asked["image_types"])
    assert len(set(names)) == len(names) == len(textures(GRAY, MASK, **asked)) == 9 + 14 + 5 * 93
