"""Regions and targets against loops over pixels and repeated 3 x 3 steps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.restoration import denoise_bilateral

from lnm_kit.errors import InputError
from lnm_kit.regions.crop import Box
from lnm_kit.regions.targets import (
    DILATIONS,
    SIZE_PX,
    boundary_target,
    dilate,
    erode,
    external_square,
    square_region,
    tissue_edges,
)


def blob(seed, shape=(30, 36), near_edge=False):
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=shape), 3)
    row, column = np.mgrid[: shape[0], : shape[1]]
    center = (2, shape[1] - 4) if near_edge else (shape[0] // 2, shape[1] // 2)
    distance = np.hypot(row - center[0], column - center[1])
    mask = distance + 20 * field < 6
    mask[center] = True
    return mask


def grown_by_loops(mask, times):
    for _ in range(times):
        padded = np.pad(mask, 1)
        mask = np.zeros_like(mask)
        for row in range(mask.shape[0]):
            for column in range(mask.shape[1]):
                mask[row, column] = padded[row : row + 3, column : column + 3].any()
    return mask


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), times=st.integers(0, 4), near_edge=st.booleans())
def test_dilation_and_erosion_are_repeated_steps_of_3_x_3(seed, times, near_edge):
    mask = blob(seed, near_edge=near_edge)
    assert np.array_equal(dilate(mask, times), grown_by_loops(mask, times))
    # outside of the image counts as inside, so that the edge does not eat into the mask
    assert np.array_equal(erode(mask, times), ~grown_by_loops(~mask, times))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), times=st.integers(0, 12), near_edge=st.booleans())
def test_the_square_is_the_external_square_of_the_dilated_mask(seed, times, near_edge):
    mask = blob(seed, near_edge=near_edge)
    grown = ndimage.binary_dilation(mask, np.ones((3, 3)), iterations=times) if times else mask
    rows, columns = np.nonzero(grown)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    box = external_square(mask, dilations=times)
    assert box.side == max(height, width)
    for start, places in ((box.top, rows), (box.left, columns)):
        middle = (places.min() + places.max() + 1) / 2
        assert 0 <= middle - (start + box.side / 2) <= 0.5


def test_the_printed_settings():
    assert DILATIONS == {"us": 40, "ct": 25}
    assert SIZE_PX == {"us": 288, "ct": 96}
    mask = np.zeros((400, 500), bool)
    mask[180:220, 200:300] = True
    assert external_square(mask, dilations=40) == Box(top=110, left=160, side=180)


def test_outside_of_the_image_is_zero_and_the_rest_in_its_place():
    pixels = np.random.default_rng(0).integers(1, 256, (20, 30)).astype(np.uint8)
    mask = np.zeros((20, 30), bool)
    mask[0:4, 5:25] = True
    box = external_square(mask, dilations=2)
    assert (box.side, box.top) == (24, -9)
    region, region_mask = square_region(pixels, mask, dilations=2, size_px=24)
    assert (region[:9] == 0).all()
    assert np.array_equal(region[9:], pixels[:15, box.left : box.left + 24])
    assert np.array_equal(region_mask[9:], mask[:15, box.left : box.left + 24])
    assert not region_mask[:9].any()


@pytest.mark.parametrize("factor", [2, 3])
def test_shrinking_by_a_whole_number_takes_means_of_blocks(factor):
    pixels = np.random.default_rng(0).integers(0, 256, (36, 36)).astype(np.uint8)
    mask = np.ones((36, 36), bool)
    region, _ = square_region(pixels, mask, dilations=0, size_px=36 // factor)
    blocks = pixels.reshape(36 // factor, factor, -1, factor).mean(axis=(1, 3))
    assert np.abs(region - blocks).max() <= 0.5 + 1e-9


def test_enlarging_is_linear_and_keeps_places():
    row, column = np.mgrid[:12, :12]
    pixels = (10 * row + 5 * column).astype(np.uint8)
    region, _ = square_region(pixels, np.ones((12, 12)), dilations=0, size_px=48)
    place = np.clip((np.arange(48) + 0.5) / 4 - 0.5, 0, 11)
    expected = 10 * place[:, None] + 5 * place[None]
    assert np.abs(region - expected).max() <= 0.5 + 1e-9


def test_image_and_mask_stay_aligned_at_the_printed_sizes():
    mask = np.zeros((300, 380), bool)
    row, column = np.mgrid[:300, :380]
    mask[np.hypot((row - 140) / 30, (column - 200) / 50) < 1] = True
    pixels = np.where(mask, 200, 50).astype(np.uint8)
    for name in ("us", "ct"):
        region, region_mask = square_region(
            pixels, mask, dilations=DILATIONS[name], size_px=SIZE_PX[name]
        )
        assert ((region > 125) == region_mask).mean() > 0.995
        center = ndimage.center_of_mass(region_mask)
        assert np.abs(np.array(center) - (SIZE_PX[name] - 1) / 2).max() < 0.6


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999))
def test_the_boundary_is_dilated_minus_eroded(seed):
    mask = blob(seed, (50, 50))
    times = round(0.5 * 0.08 * 50)
    expected = grown_by_loops(mask, times) & grown_by_loops(~mask, times)
    assert np.array_equal(boundary_target(mask), expected)


def test_a_straight_boundary_is_as_wide_as_printed():
    mask = np.zeros((288, 288), bool)
    mask[:, 100:200] = True
    ring = boundary_target(mask)
    # 2 x 12 px at either side, and none where the mask leaves the square
    assert np.array_equal(ring.sum(axis=1), np.full(288, 48))
    assert abs(ring[0, :150].sum() / 288 - 0.08) < 0.005


def bilateral_by_loops(image, d, sigma_color, sigma_space):
    half = d // 2
    padded = np.pad(image.astype(float), half, mode="symmetric")
    answer = np.zeros(image.shape)
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            total = weights = 0.0
            for i in range(d):
                for j in range(d):
                    value = padded[row + i, column + j]
                    weight = np.exp(
                        -((value - float(image[row, column])) ** 2) / (2 * sigma_color**2)
                        - ((i - half) ** 2 + (j - half) ** 2) / (2 * sigma_space**2)
                    )
                    total += weight * value
                    weights += weight
            answer[row, column] = total / weights
    return answer


def test_the_bilateral_filter_means_its_parameters_as_they_are_mapped():
    image = np.random.default_rng(0).integers(0, 256, (12, 10)).astype(np.uint8)
    found = denoise_bilateral(
        image.astype(float), win_size=7, sigma_color=100, sigma_spatial=100, mode="symmetric"
    )
    np.testing.assert_allclose(found, bilateral_by_loops(image, 7, 100, 100), atol=0.05)


def disc(contrast, side=60, noise=0.0):
    row, column = np.mgrid[:side, :side]
    distance = np.hypot(row - side / 2, column - side / 2)
    gray = 60 + contrast * (distance < side / 4)
    gray = gray + np.random.default_rng(0).normal(0, noise, gray.shape)
    return gray.clip(0, 255).astype(np.uint8), distance


def test_the_edge_of_a_disc_is_a_thin_closed_line_at_its_radius():
    region, distance = disc(120, noise=6)
    edges = tissue_edges(region)
    assert np.abs(distance[edges] - 15).max() < 2.5
    assert 0.8 * 2 * np.pi * 15 < edges.sum() < 2.2 * 2 * np.pi * 15
    # closed: the inside cannot be left without crossing it
    areas, _ = ndimage.label(~edges)
    assert areas[30, 30] != areas[5, 5]


def test_only_steps_as_high_as_the_threshold_are_edges():
    # a step of c has a Sobel gradient of at most 4 c, before the filter makes it softer
    for contrast, found in ((30, False), (49, False), (120, True)):
        assert tissue_edges(disc(contrast)[0]).any() == found
    assert not tissue_edges(np.full((20, 20), 90, np.uint8)).any()


@pytest.mark.parametrize(("blur_px", "missed", "found"), [(0, 95, 110), (2, 160, 180)])
def test_how_high_a_step_must_be(blur_px, missed, found):
    sharp = np.repeat((np.arange(40) >= 20)[None], 40, axis=0).astype(float)
    step = ndimage.gaussian_filter(sharp, blur_px) if blur_px else sharp
    for height, is_edge in ((missed, False), (found, True)):
        assert tissue_edges(np.round(height * step).astype(np.uint8))[5:-5].any() == is_edge


def test_the_lower_threshold_lets_weak_parts_of_a_strong_edge_in():
    column = np.arange(40)
    # a step from top to bottom that fades from 200 to 10 gray values
    region = ((column >= 20) * np.linspace(200, 10, 40)[:, None]).astype(np.uint8)
    assert tissue_edges(region)[30].any()
    assert not tissue_edges(region, low=150)[30].any()
    assert tissue_edges(region, low=150)[3].any()


def test_bad_input_is_named():
    pixels, mask = np.zeros((20, 20), np.uint8), np.eye(20) > 0
    with pytest.raises(InputError, match="the mask is empty"):
        external_square(np.zeros((5, 5)), dilations=1)
    with pytest.raises(InputError, match="dilations is -1"):
        external_square(mask, dilations=-1)
    with pytest.raises(InputError, match=r"it must be \(rows, columns\)"):
        external_square(np.zeros((2, 5, 5)), dilations=1)
    with pytest.raises(InputError, match="the image is int16"):
        square_region(pixels.astype(np.int16), mask, dilations=1, size_px=8)
    with pytest.raises(InputError, match=r"the mask \(10, 20\)"):
        square_region(pixels, mask[:10], dilations=1, size_px=8)
    with pytest.raises(InputError, match="size_px is 0"):
        square_region(pixels, mask, dilations=1, size_px=0)
    dot = np.zeros((20, 20))
    dot[10, 10] = 1
    with pytest.raises(InputError, match="the nodule vanishes"):
        square_region(pixels, dot, dilations=8, size_px=4)
    with pytest.raises(InputError, match="a square region"):
        boundary_target(mask[:10])
    with pytest.raises(InputError, match="width_factor is 0"):
        boundary_target(mask, width_factor=0)
    with pytest.raises(InputError, match="the region is float64"):
        tissue_edges(pixels / 2)
    with pytest.raises(InputError, match="diameter_px is 6"):
        tissue_edges(pixels, diameter_px=6)
    with pytest.raises(InputError, match="high above low"):
        tissue_edges(pixels, low=10, high=5)
