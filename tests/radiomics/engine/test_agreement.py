"""The engine gives pyradiomics' names and values."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from lnm_kit.radiomics.engine import (
    CLASSES,
    RESIDUE_BANDS,
    BinCount,
    BinWidth,
    feature_names,
    features,
)
from lnm_kit.radiomics.region import CLASSES as STUDY_CLASSES
from lnm_kit.simulate.ddti_frames import read_frames
from lnm_kit.simulate.ddti_like import simulated_frame

HEIGHT, WIDTH = 50, 47
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]


def disc(row, column, radius):
    return np.hypot(ROWS - row, COLUMNS - column) < radius


def gray(seed=0, kind=np.uint8):
    rng = np.random.default_rng(seed)
    image = gaussian_filter(rng.standard_normal((HEIGHT, WIDTH)), 2)
    image = (image - image.min()) / np.ptp(image) * 255 + 8 * rng.standard_normal(image.shape)
    return np.clip(image, 0, 255).astype(kind)


def scattered(share):
    return disc(25, 24, 20) & (np.random.default_rng(1).random((HEIGHT, WIDTH)) < share)


REGIONS = {
    "disc": disc(25, 24, 18),
    "radius of 2 pixels": disc(20, 20, 2.1),
    "at the border": disc(3, 44, 12),
    "all but a corner": ROWS + COLUMNS > 0,
    "three components": disc(13, 14, 9) | disc(36, 36, 8) | ((ROWS == 25) & (COLUMNS == 3)),
    "porous": scattered(0.4),
    "scattered": scattered(0.03),
    "no two pixels touch": (ROWS % 3 == 0) & (COLUMNS % 3 == 0),
    "diagonal line": ROWS == COLUMNS,
}


@pytest.mark.parametrize("region", REGIONS)
def test_hard_regions_agree(disagreement, region):
    assert disagreement(gray(), REGIONS[region]) == {}


IMAGES = {
    "two levels": np.where(gray() > 128, 200, 10).astype(np.uint8),
    "flat where the region lies": np.where(disc(25, 24, 18), 77, gray()).astype(np.uint8),
    "flat, not a round number": np.where(disc(25, 24, 22), 0.1234567, gray() / 255.0),
    "not integer": gray() / 255.0 * 2 - 1,
    "noise": np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH)).astype(np.uint8),
    "16 bit": gray().astype(np.uint16) * 257,
    "16 bit with sign": (gray().astype(np.int16) - 128) * 90,
    "float32": gray().astype(np.float32) * np.float32(0.137),
    "odd both ways": gray()[:49],
    "even both ways": gray()[:, :46],
}


@pytest.mark.parametrize("image", IMAGES)
def test_hard_images_agree(disagreement, image):
    pixels = IMAGES[image]
    region = disc(25, 24, 12)[: pixels.shape[0], : pixels.shape[1]]
    assert disagreement(pixels, region) == {}


@pytest.mark.parametrize("size", [3, 5, 6])
def test_images_smaller_than_the_filter_agree(disagreement, size):
    region = np.ones((size, size), bool)
    region[0, 0] = False  # pyradiomics takes a mask without background for an empty one
    assert disagreement(gray()[:size, :size], region) == {}


@pytest.mark.parametrize(
    ("pixels", "width", "spacing_mm"),
    [
        (gray().astype(float), 25, (1.0, 1.0)),
        (gray() / 255.0 * 2 - 1, 0.1, (0.15, 0.2)),
        (gray().astype(np.float32) * np.float32(0.137), 0.3, (0.3, 0.1)),
        (np.round(gray() / 4.0) * 0.5, 0.5, (1.0, 1.0)),  # every value lies on an edge
    ],
)
def test_bins_of_a_width_and_other_spacings_agree(disagreement, pixels, width, spacing_mm):
    different = disagreement(
        pixels,
        REGIONS["disc"],
        setting={"binWidth": width},
        binning=BinWidth(width),
        spacing_mm=spacing_mm,
    )
    assert different == {}


def test_integer_images_with_a_bin_width_are_spared_an_overflow_of_pyradiomics(pyradiomics):
    """With numpy 2, pyradiomics adds 50 to a maximum of 255 in uint8 and loses most bins."""
    pixels, mask = gray(), REGIONS["disc"]
    asked = {"setting": {"binWidth": 25}, "image_types": {"Original": {}}, "classes": ("ngtdm",)}
    found = features(
        pixels,
        mask,
        spacing_mm=(1, 1),
        binning=BinWidth(25),
        image_types=("Original",),
        classes=("ngtdm",),
    )
    expected = list(pyradiomics(pixels.astype(float), mask, **asked).values())
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    wrapped = list(pyradiomics(pixels, mask, **asked).values())
    assert not np.isclose(found, wrapped, rtol=0.1).any()


def test_simulated_nodules_agree(disagreement):
    for seed in (1, 2):
        frame = simulated_frame(seed)
        rows, columns = np.nonzero(frame.masks[0])
        top, left = int(rows.mean()) - 40, int(columns.mean()) - 45
        window = (slice(max(top, 0), top + 81), slice(max(left, 0), left + 90))
        assert disagreement(frame.pixels[window], frame.masks[0][window]) == {}


def test_real_frames_agree(disagreement, ddti_source):
    compared = 0
    for frame in read_frames(ddti_source):
        if 500 < frame.masks[0].sum() < 3000:
            assert disagreement(frame.pixels, frame.masks[0], spacing_mm=(0.1, 0.1)) == {}
            compared += 1
        if compared == 3:
            return


def test_columns_are_the_features_of_pyradiomics_in_its_order(pyradiomics):
    found = pyradiomics(
        gray(),
        REGIONS["disc"],
        setting={"binCount": 25},
        image_types={"Original": {}, "Wavelet": {}},
        classes=STUDY_CLASSES,
    )
    asked = {"image_types": ("Wavelet", "Original"), "classes": STUDY_CLASSES}
    assert feature_names(**asked, keep_residue=True) == tuple(found)
    residue = {n for n in found if n.split("_")[0].removeprefix("wavelet-") in RESIDUE_BANDS}
    assert feature_names(**asked) == tuple(name for name in found if name not in residue)


def test_the_residue_bands_hold_372_of_851_features():
    asked = {"image_types": ("Original", "Wavelet"), "keep_residue": True}
    names = feature_names(**asked, classes=tuple(name for name in CLASSES if name != "shape2D"))
    residue = [n for n in names if n.split("_")[0].removeprefix("wavelet-") in RESIDUE_BANDS]
    assert (len(names), len(residue)) == (851, 372)


def test_residue_is_rounding_and_changes_with_the_type_that_an_image_is_stored_in():
    """The same gray levels as float32 and as float64: residue moves, true sub-bands do not."""
    asked = {"image_types": ("Wavelet",), "classes": ("glcm",), "keep_residue": True}
    names = feature_names(**asked)
    one, two = (
        features(gray(kind=kind), REGIONS["disc"], spacing_mm=(1, 1), binning=BinCount(25), **asked)
        for kind in (np.float32, np.float64)
    )
    change = np.abs(one - two) / np.abs(two)
    is_residue = np.array([name.split("_")[0][-3:] in RESIDUE_BANDS for name in names])
    assert np.median(change[is_residue]) > 0.01
    assert np.median(change[~is_residue]) < 1e-6


@pytest.mark.parametrize("seed", range(12))
def test_small_regions_of_few_gray_levels_agree(disagreement, seed):
    """Directions with one pair, one gray level or none: what a mean over directions trips on."""
    rng = np.random.default_rng(seed)
    shape = rng.integers(4, 10, 2)
    region = rng.random(shape) < rng.uniform(0.15, 0.6)
    region[0, 0] = region[-1, -1] = True
    region[0, -1] = False
    pixels = rng.integers(0, 1 + seed % 4, shape).astype(float)
    assert disagreement(pixels, region, image_types=("Original",)) == {}


def test_rare_gray_levels_of_a_large_region_agree(pyradiomics):
    """What pyradiomics adds to a denominator moves the correlation of two lone bright pixels."""
    rng = np.random.default_rng(0)
    pixels = np.clip(rng.normal(100, 12, (400, 420)), 60, 140).round()
    pixels[200, 200], pixels[200, 201] = 255, 247
    region = np.ones(pixels.shape, bool)
    region[0, 0] = False
    expected = pyradiomics(
        pixels,
        region,
        setting={"binCount": 25},
        image_types={"Original": {}},
        classes=("glcm",),
    )
    asked = {"image_types": ("Original",), "classes": ("glcm",)}
    found = features(pixels, region, spacing_mm=(1, 1), binning=BinCount(25), **asked)
    for name, value in zip(feature_names(**asked), found, strict=True):
        assert value == pytest.approx(expected[name], rel=1e-7), name
