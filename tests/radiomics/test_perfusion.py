"""Features of curves whose parameters are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnm_kit.errors import InputError
from lnm_kit.radiomics.perfusion import (
    FEATURES,
    perfusion_features,
    relative_perfusion,
    time_intensity_curve,
)


def trapezium(time_s, *, base=10.0, start=8.0, top=18.0, end=58.0, height=50.0, floor=20.0):
    """Flat, straight up from `start` to `top`, straight down to `floor` above base at `end`."""
    return base + np.interp(time_s, [start, top, end], [0.0, height, floor])


def test_a_curve_of_straight_lines_has_its_own_numbers():
    time_s = np.arange(0, 58.01, 0.5)
    found = perfusion_features(trapezium(time_s), time_s, baseline_until_s=8.0)
    expected = {
        "baseline": 10.0,
        "peak": 50.0,
        "arrival_time_s": 9.0,  # 10 % of a rise of 10 s
        "time_to_peak_s": 9.0,
        "wash_in_slope_per_s": 5.0,
        "area_under_curve_s": 10 * 50 / 2 + 40 * (50 + 20) / 2,
        "wash_out_slope_per_s": -30 / 40,
    }
    assert found == pytest.approx(expected)
    assert list(found) == list(FEATURES)


def test_a_gamma_variate_has_its_analytic_peak_and_area():
    """A x^a exp(-x) with x = (t - t0) / b: its mode is t0 + a b, its area A b Gamma(a + 1)."""
    a, b, t0, scale = 2.0, 6.0, 10.0, 80.0
    time_s = np.arange(0, 200, 0.05)
    x = np.clip(time_s - t0, 0, None) / b
    curve = 5 + scale * x**a * np.exp(-x)
    found = perfusion_features(curve, time_s, baseline_until_s=t0)
    assert found["peak"] == pytest.approx(scale * a**a * np.exp(-a), rel=1e-4)
    peak_time = found["arrival_time_s"] + found["time_to_peak_s"]
    assert peak_time == pytest.approx(t0 + a * b, abs=0.05)
    assert found["area_under_curve_s"] == pytest.approx(scale * b * 2.0, rel=1e-3)


@settings(max_examples=40, deadline=None)
@given(
    gain=st.floats(0.1, 20),
    offset=st.floats(-50, 50),
    delay=st.floats(-30, 30),
    stretch=st.floats(0.2, 5),
)
def test_units_follow_those_of_intensity_and_time(gain, offset, delay, stretch):
    time_s = np.arange(0, 58.01, 0.5)
    before = perfusion_features(trapezium(time_s), time_s, baseline_until_s=8.0)
    after = perfusion_features(
        gain * trapezium(time_s) + offset,
        stretch * time_s + delay,
        # a hair later, so that rounding does not move the last frame of the baseline
        baseline_until_s=stretch * 8.1 + delay,
    )
    expected = {
        "baseline": gain * before["baseline"] + offset,
        "peak": gain * before["peak"],
        "arrival_time_s": stretch * before["arrival_time_s"] + delay,
        "time_to_peak_s": stretch * before["time_to_peak_s"],
        "wash_in_slope_per_s": gain / stretch * before["wash_in_slope_per_s"],
        "area_under_curve_s": gain * stretch * before["area_under_curve_s"],
        "wash_out_slope_per_s": gain / stretch * before["wash_out_slope_per_s"],
    }
    assert after == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_a_clip_that_ends_at_its_peak_shows_no_wash_out():
    time_s = np.arange(0, 18.01, 0.5)
    found = perfusion_features(trapezium(time_s), time_s, baseline_until_s=8.0)
    assert found["wash_out_slope_per_s"] == 0.0
    assert found["peak"] == 50.0


def test_a_bump_before_the_arrival_is_not_the_arrival():
    time_s = np.arange(0, 58.01, 0.5)
    curve = trapezium(time_s)
    curve[6] += 12  # an artifact at 3 s, above 10 % of the peak
    found = perfusion_features(curve, time_s, baseline_until_s=2.5)
    assert found["arrival_time_s"] == pytest.approx(9.0)


def test_the_curve_is_the_mean_in_the_mask_of_each_frame():
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (4, 6, 7), dtype=np.uint8)
    mask = rng.random((6, 7)) < 0.4
    expected = [frame[mask].mean() for frame in frames]
    np.testing.assert_allclose(time_intensity_curve(frames, mask), expected)
    moving = rng.random((4, 6, 7)) < 0.4
    expected = [frame[own].mean() for frame, own in zip(frames, moving, strict=True)]
    np.testing.assert_allclose(time_intensity_curve(frames, moving.astype(np.uint8)), expected)


def clip(nodule_curve, parenchyma_curve):
    nodule, parenchyma = np.zeros((2, 8, 8), bool)
    nodule[2:5, 2:5] = True
    parenchyma[6:, :] = True
    frames = np.zeros((len(nodule_curve), 8, 8))
    frames[:, nodule] = nodule_curve[:, None]
    frames[:, parenchyma] = parenchyma_curve[:, None]
    return frames, {"nodule": nodule, "parenchyma": parenchyma}


def test_nodule_against_parenchyma():
    time_s = np.arange(0, 70.01, 0.5)
    late = trapezium(time_s, start=12, top=26, end=66, height=25, floor=10)
    frames, masks = clip(late, trapezium(time_s))
    found = relative_perfusion(frames, time_s, baseline_until_s=7.0, **masks)
    assert found["peak_ratio"] == pytest.approx(0.5)
    assert found["arrival_delay_s"] == pytest.approx((12 + 1.4) - (8 + 1.0))
    assert found["peak_delay_s"] == pytest.approx(26 - 18)
    assert found["wash_in_ratio"] == pytest.approx((25 / 14) / (50 / 10))
    assert found["nodule_peak"] == pytest.approx(25)
    assert found["parenchyma_peak"] == pytest.approx(50)


def test_the_same_curve_twice_is_iso_enhancing():
    time_s = np.arange(0, 58.01, 0.5)
    frames, masks = clip(trapezium(time_s), trapezium(time_s))
    found = relative_perfusion(frames, time_s, baseline_until_s=8.0, **masks)
    ratios = [found[name] for name in ("peak_ratio", "area_ratio", "wash_in_ratio")]
    assert ratios == pytest.approx([1.0] * 3)
    assert found["arrival_delay_s"] == found["peak_delay_s"] == 0.0


def test_what_is_no_curve_is_refused():
    time_s = np.arange(0, 30.0)
    curve = trapezium(time_s)
    wrong = {
        "three frames or more": (curve[:2], time_s[:2], 0.5),
        "not finite": (np.where(time_s == 4, np.nan, curve), time_s, 5.0),
        "do not increase": (curve, time_s[::-1], 5.0),
        "a frame before and after": (curve, time_s, -1.0),
        "no enhancement": (np.full(30, 7.0), time_s, 5.0),
    }
    for message, (values, times, until) in wrong.items():
        with pytest.raises(InputError, match=message):
            perfusion_features(values, times, baseline_until_s=until)
    with pytest.raises(InputError, match="a frame before and after"):
        perfusion_features(curve, time_s, baseline_until_s=40.0)


def test_wrong_masks_and_frames_are_refused_by_name():
    frames, masks = clip(trapezium(np.arange(30.0)), np.full(30, 3.0))
    with pytest.raises(InputError, match="parenchyma: the curve is highest at 0 s"):
        relative_perfusion(frames, np.arange(30.0), baseline_until_s=8.0, **masks)
    with pytest.raises(InputError, match="overlap"):
        relative_perfusion(
            frames,
            np.arange(30.0),
            nodule=masks["nodule"],
            parenchyma=masks["nodule"],
            baseline_until_s=8.0,
        )
    with pytest.raises(InputError, match="the mask is empty in frames"):
        time_intensity_curve(frames, np.zeros((8, 8)))
    with pytest.raises(InputError, match="the mask has shape"):
        time_intensity_curve(frames, np.zeros((9, 8)))
    with pytest.raises(InputError, match="gray"):
        time_intensity_curve(np.zeros((3, 8, 8, 3)), masks["nodule"])
