from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_dilation
from scipy.optimize import curve_fit

from lnm_kit.cohort import Image
from lnm_kit.errors import InputError
from lnm_kit.simulate.ceus import (
    DYNAMIC_RANGE_DB,
    PALETTE,
    linear_intensity,
    render_ceus,
)
from lnm_kit.simulate.nodule import Nodule
from lnm_kit.simulate.perfusion import Bolus, Perfusion
from lnm_kit.simulate.scanner import SCANNERS
from lnm_kit.simulate.ultrasound import build_scene, render

NODULE = Nodule(16.0, 1.1, 1.0, 0.0, -3.0, 1.6, "solid", "none", 0, "middle", 5, side=1)
GLAND = Bolus(9.0, 8.0)
PERFUSION = Perfusion(GLAND, Bolus(11.0, 7.0, -2.0, 1.1), 1.5, 0.0, 0.0)


def frames(perfusion=PERFUSION, nodule=NODULE, seed=1, **more):
    return render_ceus(nodule, perfusion, plane="transverse", seed=seed, **more)


def intensity(clip, part):
    """Mean linear intensity of a part, per frame."""
    return np.array([linear_intensity(PALETTE[levels])[part].mean() for levels in clip.levels])


def around(mask):
    return binary_dilation(mask, iterations=8) & ~binary_dilation(mask, iterations=2)


def test_a_still_is_the_cut_of_the_b_mode_frame():
    still = frames(time_s=[18.0])
    b_mode = render(NODULE, SCANNERS["center_1"], plane="transverse", seed=1)
    np.testing.assert_array_equal(still.mask, b_mode.mask)
    assert still.levels.shape[1:] == b_mode.pixels.shape
    assert still.spacing_mm == b_mode.spacing_mm


def test_the_clip_has_the_same_nodule_at_half_the_size():
    still, clip = frames(time_s=[18.0]), frames(time_s=[0.0, 18.0], reduction=2)
    areas = [f.mask.sum() * f.spacing_mm[0] * f.spacing_mm[1] for f in (still, clip)]
    assert areas[0] == pytest.approx(areas[1], rel=0.02)
    assert clip.levels.shape == (2, *(side // 2 for side in still.mask.shape))


def test_the_palette_rises_in_luminance_and_comes_back_as_intensity():
    luminance = PALETTE @ np.array([0.299, 0.587, 0.114])
    assert (np.diff(luminance) > 0).all()
    levels = np.arange(256)
    expected = 10 ** (DYNAMIC_RANGE_DB * levels / 255 / 10)
    np.testing.assert_allclose(linear_intensity(PALETTE[levels]), expected, rtol=1e-9)
    assert (PALETTE[1:, 0] >= PALETTE[1:, 1]).all()
    assert (PALETTE[1:, 1] >= PALETTE[1:, 2]).all()
    assert Image(PALETTE[None], None).gray().shape == (1, 256)


def test_before_the_arrival_there_are_only_remains_of_tissue():
    clip = frames(time_s=[0.0, 20.0], reduction=2)
    before, after = intensity(clip, clip.mask)
    assert after > 20 * before


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_known_curve_is_found_in_the_rendered_clip(seed):
    time = np.array([0, 6, 8, 10, 12, 14, 16, 18, 21, 24, 28, 34, 42, 50, 60.0])
    clip = frames(seed=seed, time_s=time, reduction=2)
    truth = PERFUSION.nodule
    curve = intensity(clip, clip.mask)

    def model(t, height, arrival, rise, alpha, floor):
        run = np.maximum((t - arrival) / rise, 0)
        return height * (run * np.exp(1 - run)) ** alpha + floor

    start = [curve.max(), 10, 8, 1, curve[0]]
    found, _ = curve_fit(
        model, time, curve, p0=start,
        bounds=([0, 5, 3, 0.4, 0], [np.inf, 16, 16, 2.5, curve.max()]),
    )  # fmt: skip
    assert found[1] == pytest.approx(truth.arrival_s, abs=0.7)
    assert found[1] + found[2] == pytest.approx(truth.peak_time_s, abs=1.0)
    fitted = Bolus(found[1], found[2], 0.0, found[3])
    assert fitted.half_s == pytest.approx(truth.half_s, rel=0.2)


@pytest.mark.parametrize("peak_db", [-8.0, -3.0, 0.0, 3.0])
def test_the_peak_against_the_gland_is_the_known_one(peak_db):
    perfusion = replace(PERFUSION, nodule=replace(GLAND, peak_db=peak_db))
    found = []
    for seed in (1, 2, 3, 4):
        still = frames(perfusion, time_s=[GLAND.peak_time_s], seed=seed)
        scene = build_scene(NODULE, plane="transverse", seed=seed)
        gland = around(still.mask) & (scene.tissue == 4)
        found.append(10 * np.log10(intensity(still, still.mask) / intensity(still, gland)))
    assert np.mean(found) == pytest.approx(peak_db, abs=1.2)


def test_a_ring_is_brighter_than_what_it_encloses():
    ringed = frames(replace(PERFUSION, rim_db=5.0), time_s=[18.0])
    inner = ringed.mask & ~binary_dilation(~ringed.mask, iterations=14)
    rim = ringed.mask & binary_dilation(~ringed.mask, iterations=7)
    assert intensity(ringed, rim) > 1.6 * intensity(ringed, inner)


def test_bubbles_decorrelate_from_frame_to_frame():
    clip = frames(time_s=[18.0, 18.1, 24.0], reduction=2)
    levels = clip.levels[:, clip.mask].astype(float)
    levels -= levels.mean(axis=1, keepdims=True)
    # take out what is the same in all frames: the perfusion of the place
    near, far = np.corrcoef(levels)[0, 1:]
    assert near > 0.85
    assert far < near - 0.35


def test_the_gland_fills_more_than_muscle_and_the_trachea_never():
    still = frames(time_s=[GLAND.peak_time_s], seed=3)
    tissue = build_scene(NODULE, plane="transverse", seed=3).tissue
    bright = {label: intensity(still, tissue == label)[0] for label in (2, 3, 4, 5)}
    assert bright[4] > 6 * max(bright[2], bright[3], bright[5])


def test_the_same_arguments_give_the_same_pixels():
    one, two = (frames(time_s=[18.0, 20.0], reduction=2) for _ in range(2))
    np.testing.assert_array_equal(one.levels, two.levels)
    other = frames(time_s=[18.0, 20.0], reduction=2, seed=9)
    assert other.levels.shape != one.levels.shape or (other.levels != one.levels).any()


@pytest.mark.parametrize("times", [[], [3.0, 2.0], [1.0, 1.0]])
def test_times_must_ascend(times):
    with pytest.raises(InputError, match="must ascend"):
        frames(time_s=times)
