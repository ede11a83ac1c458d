"""Time-intensity curves of contrast-enhanced clips, and the numbers that describe them."""

from collections.abc import Mapping

import numpy as np

from lnm_kit.errors import InputError

FEATURES = {
    "baseline": "mean before the contrast agent, in intensity",
    "peak": "highest value above the baseline, in intensity",
    "arrival_time_s": "when the rise has reached 10 % of the peak",
    "time_to_peak_s": "from arrival to the highest value",
    "wash_in_slope_per_s": "from 10 % to 90 % of the rise, in intensity a second",
    "area_under_curve_s": "above the baseline, over the whole clip, in intensity times seconds",
    "wash_out_slope_per_s": "of the least-squares line from the highest value on, negative if it "
    "falls",
}
"""Features of one curve; the area and the slopes are over the time that the clip covers."""


def time_intensity_curve(frames: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mean intensity inside a mask in each frame.

    Parameters
    ----------
    frames
        (T, H, W), gray. Frames in the scanner's colors become gray by `Image.gray` first.
    mask
        (H, W), bool or 0/1, for all frames; or (T, H, W), one for each.

    Returns
    -------
    float64 (T,).

    Raises
    ------
    InputError
        Shapes that do not fit, or a frame without a pixel in the mask.

    Notes
    -----
    Scanners compress the signal by a logarithm before they show it. Areas and slopes of shown gray
    values are then not proportional to the amount of contrast agent; comparisons of nodule and
    parenchyma in the same clip still hold in their direction.

    Examples
    --------
    >>> frames = np.arange(8.0).reshape(2, 2, 2)
    >>> time_intensity_curve(frames, np.array([[1, 1], [0, 0]]))
    array([0.5, 4.5])
    """
    if frames.ndim != 3:
        raise InputError(f"frames have shape {frames.shape}; allowed: (T, H, W), gray.")
    if mask.shape not in (frames.shape, frames.shape[1:]):
        raise InputError(
            f"the mask has shape {mask.shape}; allowed: {frames.shape[1:]} or {frames.shape}."
        )
    inside = np.broadcast_to(mask.astype(bool), frames.shape)
    counts = inside.sum(axis=(1, 2))
    if not counts.all():
        empty = np.flatnonzero(counts == 0)[:5].tolist()
        raise InputError(f"the mask is empty in frames {empty}; needed: at least one pixel.")
    return np.where(inside, frames, 0).sum(axis=(1, 2), dtype=np.float64) / counts


def perfusion_features(
    curve: np.ndarray, time_s: np.ndarray, *, baseline_until_s: float
) -> dict[str, float]:
    """Seven numbers of one time-intensity curve.

    With I(t) the curve, linear between frames, B its mean until `baseline_until_s`, and
    P = max I - B at t_P:

    - ``baseline`` B, ``peak`` P
    - ``arrival_time_s`` t_10, ``time_to_peak_s`` t_P - t_10, where t_q is the last time before t_P
      at which I(t) - B rises through q % of P
    - ``wash_in_slope_per_s`` 0.8 P / (t_90 - t_10)
    - ``area_under_curve_s`` the trapezoidal integral of I(t) - B over the clip
    - ``wash_out_slope_per_s`` the least-squares slope of I over the frames from t_P on; 0 when the
      clip ends at its highest value, as no wash-out was seen

    Parameters
    ----------
    curve
        Float (T,), in any unit of intensity.
    time_s
        Float (T,), increasing, in seconds; 0 is what the reader calls 0, best the injection.
    baseline_until_s
        Frames up to this time show no contrast agent yet. There is no default: it depends on when
        the recording began.

    Returns
    -------
    The features by their names in `FEATURES`.

    Raises
    ------
    InputError
        Fewer than three frames, times that do not increase, values that are not finite, no frame
        or all frames in the baseline, or a curve that never rises above it.

    Notes
    -----
    *Source*: the quantities are those of Dietrich et al., "An EFSUMB introduction into dynamic
    contrast-enhanced ultrasound", Ultraschall Med 2012; 33: 344. Which percentages define arrival
    and wash-in differs between vendors; 10 % and 90 % are used here.

    Examples
    --------
    >>> curve = np.array([0.0, 0.0, 5.0, 10.0, 8.0, 6.0])
    >>> features = perfusion_features(curve, np.arange(6.0), baseline_until_s=1.0)
    >>> for name, value in features.items():
    ...     print(f"{name} {value:.2f}")
    baseline 0.00
    peak 10.00
    arrival_time_s 1.20
    time_to_peak_s 1.80
    wash_in_slope_per_s 5.00
    area_under_curve_s 26.00
    wash_out_slope_per_s -2.00
    """
    curve, time_s = np.asarray(curve, np.float64), np.asarray(time_s, np.float64)
    before = _check(curve, time_s, baseline_until_s)
    baseline = float(curve[before].mean())
    rise = curve - baseline
    top = int(np.argmax(rise))
    peak = float(rise[top])
    if peak <= 0 or time_s[top] <= baseline_until_s:
        raise InputError(
            f"the curve is highest at {time_s[top]:g} s, in the baseline (until "
            f"{baseline_until_s:g} s): there is no enhancement to describe. Check the times, the "
            "mask, and when contrast agent arrived."
        )
    arrival = _rise_time(rise, time_s, top, 0.1 * peak)
    almost = _rise_time(rise, time_s, top, 0.9 * peak)
    falling = slice(top, None)
    has_fall = len(curve) - top > 1
    slope = float(np.polyfit(time_s[falling], curve[falling], 1)[0]) if has_fall else 0.0
    return {
        "baseline": baseline,
        "peak": peak,
        "arrival_time_s": arrival,
        "time_to_peak_s": float(time_s[top]) - arrival,
        "wash_in_slope_per_s": 0.8 * peak / (almost - arrival),
        "area_under_curve_s": float(np.trapezoid(rise, time_s)),
        "wash_out_slope_per_s": slope,
    }


def relative_perfusion(
    frames: np.ndarray,
    time_s: np.ndarray,
    *,
    nodule: np.ndarray,
    parenchyma: np.ndarray,
    baseline_until_s: float,
) -> dict[str, float]:
    """Perfusion of the nodule, of the parenchyma, and of the one relative to the other.

    Parameters
    ----------
    frames
        (T, H, W), gray.
    time_s, baseline_until_s
        As in `perfusion_features`.
    nodule, parenchyma
        Masks as in `time_intensity_curve`, without a common pixel.

    Returns
    -------
    ``nodule_*`` and ``parenchyma_*`` features; ``arrival_delay_s`` and ``peak_delay_s``, the times
    of the nodule minus those of the parenchyma; ``peak_ratio``, ``area_ratio`` and
    ``wash_in_ratio``, nodule over parenchyma: below 1 in a hypo-enhancing nodule, near 1 in an
    iso-enhancing and above 1 in a hyper-enhancing one.

    Raises
    ------
    InputError
        Masks that overlap, and whatever `perfusion_features` refuses, with the region's name.
    """
    regions: dict[str, Mapping[str, float]] = {}
    for name, mask in (("nodule", nodule), ("parenchyma", parenchyma)):
        try:
            curve = time_intensity_curve(frames, mask)
            regions[name] = perfusion_features(curve, time_s, baseline_until_s=baseline_until_s)
        except InputError as error:
            raise InputError(f"{name}: {error}") from error
    if np.logical_and(nodule, parenchyma).any():
        raise InputError("the masks of nodule and parenchyma overlap; needed: separate ones.")
    inside, outside = regions["nodule"], regions["parenchyma"]
    result = {
        f"{name}_{feature}": value
        for name, features in regions.items()
        for feature, value in features.items()
    }
    delay = inside["arrival_time_s"] - outside["arrival_time_s"]
    return result | {
        "arrival_delay_s": delay,
        "peak_delay_s": delay + inside["time_to_peak_s"] - outside["time_to_peak_s"],
        "peak_ratio": inside["peak"] / outside["peak"],
        "area_ratio": inside["area_under_curve_s"] / outside["area_under_curve_s"],
        "wash_in_ratio": inside["wash_in_slope_per_s"] / outside["wash_in_slope_per_s"],
    }


def _rise_time(rise: np.ndarray, time_s: np.ndarray, top: int, level: float) -> float:
    """Last time up to the highest value at which the curve rises through a level."""
    below = int(np.flatnonzero(rise[:top] < level)[-1])
    share = (level - rise[below]) / (rise[below + 1] - rise[below])
    return float(time_s[below] + share * (time_s[below + 1] - time_s[below]))


def _check(curve: np.ndarray, time_s: np.ndarray, baseline_until_s: float) -> np.ndarray:
    """Check a curve; which frames are in the baseline."""
    if curve.ndim != 1 or curve.shape != time_s.shape or len(curve) < 3:
        raise InputError(
            f"the curve has shape {curve.shape} and the times {time_s.shape}; needed: three frames "
            "or more, with one time each."
        )
    if not (np.isfinite(curve).all() and np.isfinite(time_s).all()):
        raise InputError("the curve or its times hold values that are not finite.")
    if not (np.diff(time_s) > 0).all():
        raise InputError("the times do not increase from frame to frame.")
    before = time_s <= baseline_until_s
    if not before.any() or before.all():
        raise InputError(
            f"baseline_until_s is {baseline_until_s:g}, the clip runs from {time_s[0]:g} to "
            f"{time_s[-1]:g} s; allowed: times with a frame before and after."
        )
    return before
