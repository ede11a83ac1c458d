from dataclasses import replace

import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.simulate.body import build_body
from lnm_kit.simulate.nodule import Nodule
from lnm_kit.simulate.scanner import SCANNERS
from lnm_kit.simulate.texture_features import homogeneous_patches
from lnm_kit.simulate.ultrasound import render

PLAIN = Nodule(12.0, 0.8, 0.8, 0.0, -3.0, 1.5, "solid", "none", 0, "middle", 11)
CENTER = SCANNERS["center_1"]


def frames(nodule, plane="transverse", n=10, scanner=CENTER):
    return [
        render(replace(nodule, seed=seed), scanner, plane=plane, seed=seed) for seed in range(n)
    ]


def behind_and_beside(frame):
    """Mean gray of the band just below the nodule, and of the bands beside that, alike deep."""
    rows, columns = np.nonzero(frame.mask)
    band = slice(rows.max() + 3, min(rows.max() + 28, frame.pixels.shape[0]))
    half = max(2, (columns.max() - columns.min()) // 6)
    middle = int(columns.mean())
    width = frame.pixels.shape[1]
    left = max(0, columns.min() - 30), max(1, columns.min() - 8)
    right = min(width - 1, columns.max() + 8), min(width, columns.max() + 30)
    beside = [frame.pixels[band, a:b].mean() for a, b in (left, right)]
    return frame.pixels[band, middle - half : middle + half + 1].mean(), np.mean(beside)


def test_same_arguments_give_the_same_pixels():
    one = render(PLAIN, CENTER, plane="transverse", seed=3)
    again = render(PLAIN, CENTER, plane="transverse", seed=3)
    assert np.array_equal(one.pixels, again.pixels)
    assert np.array_equal(one.mask, again.mask)


def test_no_two_seeds_give_the_same_image():
    images = [render(PLAIN, CENTER, plane="transverse", seed=seed).pixels for seed in range(6)]
    images += [frame.pixels for frame in frames(PLAIN, n=6)]
    assert len({image.tobytes() for image in images}) >= 11


def test_frame_form():
    frame = render(PLAIN, CENTER, plane="longitudinal", seed=0)
    assert frame.pixels.dtype == np.uint8
    assert frame.mask.dtype == bool
    assert frame.pixels.shape == frame.mask.shape
    assert frame.pixels.shape[0] == 300
    assert frame.spacing_mm[0] == frame.spacing_mm[1]
    assert frame.spacing_mm[0] == pytest.approx(0.15, abs=0.02)


@pytest.mark.parametrize("plane", ["transverse", "longitudinal"])
@pytest.mark.parametrize("diameter_mm", [5.0, 12.0, 25.0])
def test_mask_has_the_size_of_the_body(plane, diameter_mm):
    nodule = replace(PLAIN, diameter_mm=diameter_mm)
    frame = render(nodule, CENTER, plane=plane, seed=1)
    outline = build_body(nodule).outline(plane)
    area_mm2 = 0.5 * np.mean(outline**2) * 2 * np.pi
    assert frame.mask.sum() * frame.spacing_mm[0] ** 2 == pytest.approx(area_mm2, rel=0.03)


def test_half_a_centimeter_is_about_thirty_pixels():
    for frame in frames(replace(PLAIN, diameter_mm=5.0, irregularity=0.3), n=8):
        columns = np.flatnonzero(frame.mask.any(axis=0))
        rows = np.flatnonzero(frame.mask.any(axis=1))
        longest = max(np.ptp(columns), np.ptp(rows)) + 1
        assert 20 < longest < 44


def test_taller_than_wide_shows_in_the_mask():
    def ratio(aspect):
        values = []
        for frame in frames(replace(PLAIN, aspect=aspect, irregularity=0.5), n=8):
            rows, columns = np.nonzero(frame.mask)
            values.append((np.ptp(rows) + 1) / (np.ptp(columns) + 1))
        return np.mean(values)

    assert ratio(1.3) == pytest.approx(1.3, rel=0.1)
    assert ratio(0.6) == pytest.approx(0.6, rel=0.1)


@pytest.mark.parametrize("seed", range(6))
def test_two_planes_share_height_and_depth(seed):
    nodule = replace(PLAIN, seed=seed, diameter_mm=14.0)
    views = [render(nodule, CENTER, plane=p, seed=seed) for p in ("transverse", "longitudinal")]
    assert views[0].spacing_mm == views[1].spacing_mm
    extent = [np.nonzero(view.mask)[0] for view in views]
    height = [np.ptp(rows) + 1 for rows in extent]
    assert height[0] == pytest.approx(height[1], rel=0.12)
    depth = [(rows.min() + rows.max()) / 2 for rows in extent]
    assert depth[0] == pytest.approx(depth[1], abs=0.08 * height[0] + 1)


def test_a_larger_nodule_opens_the_depth_until_it_fits():
    for frame in frames(replace(PLAIN, diameter_mm=48.0, aspect=0.9), n=4):
        rows, columns = np.nonzero(frame.mask)
        assert rows.max() < 299
        assert columns.min() > 0
        assert columns.max() < frame.mask.shape[1] - 1


def test_echogenicity_orders_the_gray_inside():
    def contrast(echo_db):
        values = []
        for frame in frames(replace(PLAIN, echo_db=echo_db), n=8):
            values.append(frame.pixels[frame.mask].mean())
        return np.mean(values)

    marked, hypo, iso = contrast(-9.0), contrast(-4.0), contrast(0.0)
    assert marked + 8 < hypo < iso - 8


def test_macrocalcification_is_bright_and_shadows():
    plain = frames(replace(PLAIN, location="lower"), n=14)
    macro = replace(PLAIN, calcification="macro", calcification_count=2, location="lower")
    ratio_macro = [np.divide(*behind_and_beside(frame)) for frame in frames(macro, n=14)]
    ratio_plain = [np.divide(*behind_and_beside(frame)) for frame in plain]
    assert np.mean(ratio_macro) < np.mean(ratio_plain) - 0.2


def test_a_cyst_is_black_and_enhances_what_lies_behind():
    cyst = replace(PLAIN, composition="cystic", diameter_mm=18.0, aspect=0.95)
    ratio_cyst = [np.divide(*behind_and_beside(frame)) for frame in frames(cyst, n=14)]
    solid = replace(PLAIN, diameter_mm=18.0, aspect=0.95)
    ratio_solid = [np.divide(*behind_and_beside(frame)) for frame in frames(solid, n=14)]
    assert np.mean(ratio_cyst) > np.mean(ratio_solid) + 0.1
    assert np.mean([f.pixels[f.mask].mean() for f in frames(cyst, n=4)]) < 35


def test_microcalcifications_are_bright_points():
    micro = replace(PLAIN, calcification="micro", calcification_count=25, echo_db=-6.0)
    added = []
    for spotted, plain in zip(
        frames(micro, n=8), frames(replace(PLAIN, echo_db=-6.0), n=8), strict=True
    ):
        # Same seeds, same speckle: the difference of the two is the calcifications.
        difference = spotted.pixels.astype(int) - plain.pixels
        added.append(difference[plain.mask].max())
        assert (np.abs(difference[plain.mask]) < 12).mean() > 0.5
    assert np.median(added) > 50


def test_eggshell_brightens_the_rim():
    from scipy.ndimage import binary_erosion

    def rim(nodule):
        values = []
        for frame in frames(nodule, n=8):
            inner = binary_erosion(frame.mask, iterations=4)
            values.append(frame.pixels[frame.mask & ~inner].mean() / frame.pixels[inner].mean())
        return np.mean(values)

    shell = replace(PLAIN, calcification="peripheral", calcification_count=2)
    assert rim(shell) > rim(PLAIN) + 0.1


def test_centers_differ_in_sharpness_and_speckle():
    def lag(center):
        values = []
        for frame in frames(PLAIN, n=8, scanner=SCANNERS[center]):
            for patch in homogeneous_patches(frame.pixels, [frame.mask], np.array([], int)):
                part = patch - patch.mean()
                values.append((part[2:] * part[:-2]).mean() / part.var())
        return np.mean(values)

    one, two, three = lag("center_1"), lag("center_2"), lag("center_3")
    assert two > one + 0.1  # center_2 smooths after detection
    assert three < one  # center_3 has the shorter pulse


def test_other_planes_are_refused():
    with pytest.raises(InputError, match="plane"):
        render(PLAIN, CENTER, plane="coronal", seed=0)
