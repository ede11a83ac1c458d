import logging

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from radiomics import imageoperations
from radiomics.featureextractor import RadiomicsFeatureExtractor
from scipy.ndimage import gaussian_filter

from lnm_kit.errors import InputError
from lnm_kit.radiomics.region import (
    CLASSES,
    RESIDUE_BANDS,
    region_features,
    scale_intensity,
)
from lnm_kit.regions.images import MaskedImage

BANDS = {"LLL", "LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH"}


def blob(seed: int = 0, size: int = 60, spacing: tuple[float, float] | None = None) -> MaskedImage:
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, : size + 10]
    gray = 110 + 35 * gaussian_filter(rng.normal(size=rows.shape), 1.2) * 3
    mask = ((rows - size / 2) / (size / 4)) ** 2 + ((columns - size / 2) / (size / 3)) ** 2 < 1
    return MaskedImage(np.clip(gray, 0, 255).astype(np.uint8), mask, spacing)


def as_volume(image: MaskedImage) -> tuple[sitk.Image, sitk.Image]:
    scaled = scale_intensity(image.gray, image.gray.dtype)
    return (
        sitk.GetImageFromArray(scaled[None]),
        sitk.GetImageFromArray(image.mask[None].astype(np.uint8)),
    )


def pyradiomics(volume: sitk.Image, mask: sitk.Image, **settings) -> dict[str, float]:
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    extractor = RadiomicsFeatureExtractor(binCount=25, additionalInfo=False, **settings)
    extractor.disableAllFeatures()
    for name in CLASSES:
        extractor.enableFeatureClassByName(name)
    extractor.enableImageTypes(Original={}, Wavelet={})
    return {name: float(value) for name, value in extractor.execute(volume, mask).items()}


def bands(features: dict[str, float]) -> set[str]:
    return {n.split("_")[0].split("-")[1] for n in features if n.startswith("wavelet")}


def test_names_and_values_are_those_of_pyradiomics_on_the_one_slice_volume():
    image = blob()
    expected = pyradiomics(*as_volume(image))
    found = region_features(image, spacing_mm=None, keep_residue=True)
    assert len(found) == 806  # 14 + 9 * 88: the paper's own counts per class add up to this
    assert set(found) == set(expected)
    for name, value in expected.items():
        if name.split("_")[0].removeprefix("wavelet-") not in RESIDUE_BANDS:
            assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name


def test_there_are_eight_sub_bands_and_four_of_them_are_residue():
    image = blob()
    assert bands(region_features(image, spacing_mm=None, keep_residue=True)) == BANDS
    assert bands(region_features(image, spacing_mm=None)) == BANDS - set(RESIDUE_BANDS)


def test_a_true_2d_image_with_force_2d_would_have_lost_sub_bands():
    # The trap that the one-slice volume avoids: no error, no warning, other features.
    volume, mask = as_volume(blob())
    flat = pyradiomics(volume[:, :, 0], mask[:, :, 0], force2D=True)
    assert len(bands(flat)) < 4


def test_sub_bands_high_pass_along_z_are_rounding_residue():
    volume, mask = as_volume(blob())
    largest = np.abs(sitk.GetArrayFromImage(volume)).max()
    for filtered, name, _ in imageoperations.getWaveletImage(volume, mask):
        size = np.abs(sitk.GetArrayFromImage(filtered)).max() / largest
        if name.removeprefix("wavelet-") in RESIDUE_BANDS:
            assert size < 1e-14, name
        else:
            assert size > 1e-2, name


def test_texture_of_the_residue_is_texture_of_rounding():
    # A change of 1e-12, far below any gray level, reaches it; the real sub-bands do not care.
    image = blob()
    nearly = MaskedImage(image.gray.astype(np.float64), image.mask, None)
    shifted = MaskedImage(nearly.gray * (1 + 1e-12), image.mask, None)
    one, two = (
        region_features(each, spacing_mm=None, keep_residue=True) for each in (nearly, shifted)
    )
    change = {
        name: abs(one[name] - two[name]) / (abs(one[name]) + 1e-300)
        for name in one
        if "_glszm_" in name
    }
    residue = [value for name, value in change.items() if name.split("_")[0][-1] == "H"]
    real = [value for name, value in change.items() if name.split("_")[0][-1] != "H"]
    assert np.median(residue) > 1e-3
    assert np.median(real) < 1e-9


def test_gray_scaling_changes_first_order_levels_and_no_texture():
    image = blob()
    brighter = MaskedImage(image.gray.astype(np.float64) * 3 + 20, image.mask, None)
    as_float = MaskedImage(image.gray.astype(np.float64), image.mask, None)
    one, two = (region_features(each, spacing_mm=None) for each in (as_float, brighter))
    assert one == pytest.approx(two, rel=1e-6, abs=1e-9)
    eight_bit = region_features(image, spacing_mm=None)  # from 0-255, not from its own range
    texture = [n for n in one if "_firstorder_" not in n]
    assert [one[n] for n in texture] == pytest.approx([eight_bit[n] for n in texture], rel=1e-6)
    assert one["original_firstorder_Mean"] != pytest.approx(
        eight_bit["original_firstorder_Mean"], rel=1e-3
    )


def test_first_order_values_are_those_of_the_scaled_pixels():
    image = blob()
    inside = image.gray[image.mask] / 127.5 - 1
    found = region_features(image, spacing_mm=None, image_types=("Original",))
    assert found["original_firstorder_Mean"] == pytest.approx(inside.mean())
    assert found["original_firstorder_Variance"] == pytest.approx(inside.var())
    assert found["original_firstorder_Maximum"] == inside.max()


def test_resampling_gives_shape_in_mm_whatever_the_pixels_were():
    fine, coarse = blob(size=120, spacing=(0.1, 0.1)), blob(size=60, spacing=(0.2, 0.2))
    one, two = (region_features(each, spacing_mm=0.25) for each in (fine, coarse))
    for name in ("MajorAxisLength", "MeshVolume"):
        found = [each[f"original_shape_{name}"] for each in (one, two)]
        assert found[0] == pytest.approx(found[1], rel=0.06)
    assert one["original_shape_MajorAxisLength"] == pytest.approx(2 * 120 / 3 * 0.1, rel=0.05)


def test_unknown_spacing_is_never_resampled():
    image = blob()
    assert region_features(image, spacing_mm=5.0) == region_features(image, spacing_mm=None)


def test_without_resampling_shape_uses_the_spacing_of_the_image():
    pixels = region_features(blob(), spacing_mm=None)["original_shape_MajorAxisLength"]
    in_mm = region_features(blob(spacing=(0.1, 0.1)), spacing_mm=None)
    assert in_mm["original_shape_MajorAxisLength"] == pytest.approx(0.1 * pixels)


@pytest.mark.parametrize(
    ("height", "width", "pixels"), [(1, 1, 1), (1, 5, 5), (5, 1, 5), (2, 2, 2)]
)
def test_a_region_too_small_for_texture_is_refused(height, width, pixels):
    mask = np.zeros((20, 20), bool)
    mask[5 : 5 + height, 6 : 6 + width] = True
    if (height, width) == (2, 2):
        mask[5, 6] = mask[6, 7] = False
    image = MaskedImage(np.arange(400).reshape(20, 20).astype(np.uint8), mask, None)
    with pytest.raises(InputError, match=f"{height} x {width} pixels and holds {pixels}"):
        region_features(image, spacing_mm=None)


def test_a_region_that_vanishes_in_large_pixels_is_refused():
    mask = np.zeros((40, 40), bool)
    mask[3:5, 3:5] = True
    image = MaskedImage(np.arange(1600).reshape(40, 40).astype(np.uint8), mask, (0.1, 0.1))
    with pytest.raises(InputError, match="smaller spacing_mm"):
        region_features(image, spacing_mm=2.0)


def test_four_pixels_and_a_flat_region_have_finite_features():
    mask = np.zeros((20, 20), bool)
    mask[5:7, 6:8] = True
    rng = np.random.default_rng(0)
    noisy = MaskedImage(rng.integers(0, 255, (20, 20)).astype(np.uint8), mask, None)
    flat = MaskedImage(np.full((20, 20), 90, np.uint8), mask, None)
    for image in (noisy, flat):
        assert np.isfinite(list(region_features(image, spacing_mm=None).values())).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bin_count": 1}, "bin_count is 1"),
        ({"spacing_mm": 0.0}, "spacing_mm is 0.0"),
        ({"image_types": ("Orignal",)}, "Did you mean 'Original'"),
        ({"image_types": ()}, "image_types is empty"),
        ({"image_types": ("LoG",)}, "sigmas_mm"),
        ({"sigmas_mm": (1.0,)}, "sigmas_mm"),
    ],
)
def test_bad_settings_are_named(change, message):
    with pytest.raises(InputError, match=message):
        region_features(blob(), **({"spacing_mm": None} | change))


def test_images_without_levels_are_refused():
    with pytest.raises(InputError, match="constant"):
        scale_intensity(np.ones((3, 3)), np.float32)
    with pytest.raises(InputError, match="not finite"):
        scale_intensity(np.full((3, 3), np.inf), np.float32)


def test_further_filters_are_the_engines_and_need_their_widths():
    image = blob(size=80)
    filtered = ("LoG", "Square", "SquareRoot", "Logarithm", "Exponential", "Gradient", "LBP2D")
    found = region_features(
        image, spacing_mm=None, image_types=("Original", *filtered), sigmas_mm=(1.0, 2.0)
    )
    images_of = {name.split("_")[0] for name in found}
    assert images_of == {
        "original",
        "log-sigma-1-0-mm-3D",
        "log-sigma-2-0-mm-3D",
        "square",
        "squareroot",
        "logarithm",
        "exponential",
        "gradient",
        "lbp-2D",
    }
    plain = region_features(image, spacing_mm=None, image_types=("Original",))
    assert {name: found[name] for name in plain} == plain
    assert found["square_firstorder_Minimum"] >= 0
