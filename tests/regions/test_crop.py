import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lnm_kit.errors import InputError
from lnm_kit.regions.crop import Box, crop_region, crop_regions, crop_scales_mm, region_box

masks = arrays(bool, st.tuples(st.integers(1, 25), st.integers(1, 25))).filter(np.any)


@given(masks, st.floats(0, 1))
def test_the_box_holds_every_marked_pixel_and_is_no_larger_than_asked(mask, margin):
    box = region_box(mask, margin=margin)
    rows, columns = np.nonzero(mask)
    assert box.top <= rows.min()
    assert box.left <= columns.min()
    assert rows.max() < box.top + box.side
    assert columns.max() < box.left + box.side
    longest = max(np.ptp(rows), np.ptp(columns)) + 1
    assert abs(box.side - longest * (1 + 2 * margin)) <= 0.5 + 1e-9


@given(masks)
def test_the_mask_stays_in_the_middle(mask):
    box = region_box(mask, margin=0.3)
    rows = np.nonzero(mask)[0]
    before, after = rows.min() - box.top, box.top + box.side - 1 - rows.max()
    assert 0 <= after - before <= 1


def test_all_components_are_inside():
    mask = np.zeros((20, 30), bool)
    mask[2, 3] = mask[15, 25] = True
    assert region_box(mask, margin=0) == Box(top=-2, left=3, side=23)


@given(masks, st.integers(1, 40), st.floats(0, 0.6))
def test_the_mask_follows_the_image_pixel_for_pixel(mask, size, margin):
    # Where the image is a picture of its mask, the crop must be a picture of the cropped mask.
    crop, region = crop_region(mask.astype(np.uint8) * 255, mask, size_px=size, margin=margin)
    assert crop.shape == region.shape == (size, size)
    assert (crop.dtype, region.dtype) == (np.uint8, bool)
    assert ((crop == 255) == region).all()


def test_at_its_own_size_a_crop_is_a_copy():
    rng = np.random.default_rng(0)
    pixels = rng.integers(1, 255, (40, 50)).astype(np.uint8)
    mask = np.zeros(pixels.shape, bool)
    mask[10:20, 15:25] = True
    crop, _ = crop_region(pixels, mask, size_px=10, margin=0)
    assert (crop == pixels[10:20, 15:25]).all()


@pytest.mark.parametrize("factor", [2, 3])
def test_enlarging_repeats_and_shrinking_picks_whole_pixels(factor):
    rng = np.random.default_rng(0)
    pixels = rng.integers(1, 255, (12, 12)).astype(np.uint8)
    mask = np.ones(pixels.shape, bool)
    large, _ = crop_region(pixels, mask, size_px=12 * factor, margin=0)
    assert (large == pixels.repeat(factor, 0).repeat(factor, 1)).all()
    small, _ = crop_region(pixels, mask, size_px=12 // factor, margin=0)
    start = factor // 2
    assert (small == pixels[start::factor, start::factor]).all()


def test_outside_of_the_image_it_is_black_and_unmarked():
    pixels = np.full((6, 6), 200, np.uint8)
    mask = np.zeros((6, 6), bool)
    mask[:2, :2] = True
    crop, region = crop_region(pixels, mask, size_px=4, margin=0.5)
    assert (crop[0] == 0).all()
    assert (crop[:, 0] == 0).all()
    assert (crop[1:, 1:] == 200).all()
    assert region.sum() == 4


def test_deeper_images_are_mapped_from_their_own_range_to_8_bits():
    pixels = np.array([[-1000, 0], [1000, 3000]], np.int16)
    crop, _ = crop_region(pixels, np.ones((2, 2), bool), size_px=2, margin=0)
    assert crop.tolist() == [[0, 64], [128, 255]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mask": np.zeros((4, 4), bool)}, "mask is empty"),
        ({"mask": np.ones((4, 5), bool)}, r"\(4, 4\) and the mask \(4, 5\)"),
        ({"pixels": np.ones((4, 4, 3), np.uint8)}, "one frame"),
        ({"size_px": 0}, "size_px is 0"),
        ({"margin": -0.1}, "margin is -0.1"),
        ({"pixels": np.full((4, 4), np.nan)}, "not finite"),
        ({"pixels": np.full((4, 4), 7.0)}, "constant"),
    ],
)
def test_bad_input_is_named(change, message):
    given = {"pixels": np.ones((4, 4), np.uint8), "mask": np.eye(4, dtype=bool), "size_px": 8}
    given |= change
    pixels, mask = given.pop("pixels"), given.pop("mask")
    with pytest.raises(InputError, match=message):
        crop_region(pixels, mask, **given)


def test_regions_of_a_cohort_come_in_the_order_of_its_images(small_cohort):
    crops, region_masks = crop_regions(small_cohort, size_px=32)
    assert crops.shape == region_masks.shape == (6, 32, 32)
    for place in range(6):
        level = 40 * place + 20  # each image's gray level inside of its mask
        assert set(np.unique(crops[place][region_masks[place]])) == {level}


def test_scales_are_known_where_the_spacing_is(small_cohort):
    scales = crop_scales_mm(small_cohort, size_px=32, margin=0)
    assert scales[:5] == pytest.approx(0.2 * np.array([10, 12, 14, 16, 18]) / 32)
    assert np.isnan(scales[5])


def test_every_image_without_a_region_is_listed(small_cohort, tmp_path):
    for number in (1, 3):
        (small_cohort.root / f"mask{number}.png").unlink()
    with pytest.raises(InputError) as raised:
        crop_regions(small_cohort, size_px=32)
    assert "i1: " in str(raised.value)
    assert "i3: " in str(raised.value)
    assert "i0: " not in str(raised.value)
