"""Simulated contrast-enhanced frames of the very cut that a B-mode frame shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter1d

from lnm_kit.errors import InputError
from lnm_kit.simulate.anatomy import Scene, Tissue
from lnm_kit.simulate.body import Plane
from lnm_kit.simulate.fields import bright_skewed, gaussian_field
from lnm_kit.simulate.nodule import Nodule
from lnm_kit.simulate.perfusion import Bolus, Perfusion
from lnm_kit.simulate.speckle import shadow
from lnm_kit.simulate.ultrasound import build_scene

Array = npt.NDArray[Any]
Generator = np.random.Generator

#: Range of intensities that the display shows, and the level that it shows as black: dB against
#: the mean of the gland at its peak.
DYNAMIC_RANGE_DB = 38.0
BLACK_DB = -24.0

#: Time after which the bubbles of a place are others.
DECORRELATION_S = 1.2

# Peak against the gland, delay of arrival and factor of the rise time, by tissue. The gland is
# the best perfused tissue of the neck but for the large vessels, which fill first.
_TISSUES = {
    Tissue.SKIN: (-16.0, 2.0, 1.3),
    Tissue.FAT: (-20.0, 3.0, 1.4),
    Tissue.MUSCLE: (-14.5, 3.0, 1.4),
    Tissue.DEEP: (-16.0, 3.5, 1.4),
    Tissue.TRACHEA: (-40.0, 3.0, 1.0),
    Tissue.VESSEL: (4.0, -2.0, 0.75),
}

# The color map of a scanner's contrast mode: level, red, green, blue. In every step between two
# levels a channel rises by at least one, so that each color has one level.
_GOLD = np.array(
    [
        (0.00, 0.000, 0.000, 0.000),
        (0.12, 0.130, 0.065, 0.020),
        (0.30, 0.320, 0.170, 0.070),
        (0.50, 0.600, 0.385, 0.195),
        (0.70, 0.850, 0.640, 0.370),
        (0.86, 0.970, 0.830, 0.580),
        (1.00, 1.000, 0.960, 0.820),
    ]
)
#: Colors of the 256 display levels, (256, 3) uint8.
PALETTE = np.rint(
    255 * np.stack([np.interp(np.linspace(0, 1, 256), _GOLD[:, 0], c) for c in _GOLD.T[1:]], axis=1)
).astype(np.uint8)


@dataclass(frozen=True)
class ContrastFrames:
    """Frames of one contrast study.

    Attributes
    ----------
    levels
        Display levels, (T, H, W) uint8; `PALETTE[levels]` are the colors of the screen.
    mask
        The nodule as drawn, (H, W) bool.
    time_s
        Time of each frame after injection.
    spacing_mm
        Size of a pixel, (row, column).
    """

    levels: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.bool_]
    time_s: tuple[float, ...]
    spacing_mm: tuple[float, float]


def render_ceus(
    nodule: Nodule,
    perfusion: Perfusion,
    *,
    plane: Plane,
    seed: int,
    time_s: Sequence[float],
    reduction: int = 1,
) -> ContrastFrames:
    """Render contrast-enhanced frames of a nodule at times after injection.

    Geometry is that of `lnm_kit.simulate.ultrasound.render` with the same nodule, plane and seed:
    pixel by pixel the same cut. What flows is the same at every `reduction`. Bubbles of one frame
    are hardly those of the next; the remains of tissue echoes stay. The images are simulated and
    show no patient.

    Parameters
    ----------
    nodule, plane, seed
        As for the B-mode frame.
    perfusion
        From `describe_perfusion`.
    time_s
        Times after injection, ascending.
    reduction
        Pixels of the B-mode frame to one of these, in both directions.

    Raises
    ------
    InputError
        When the times do not ascend, or there are none.

    Examples
    --------
    >>> from lnm_kit.simulate.perfusion import describe_perfusion
    >>> nodule = Nodule(10.0, 1.2, 1.0, 0.0, -4.0, 1.6, "solid", "none", 0, "middle", 5)
    >>> clip = render_ceus(nodule, describe_perfusion(0.0, 5), plane="transverse", seed=1,
    ...                    time_s=(2.0, 18.0), reduction=2)
    >>> clip.levels.shape[1:] == clip.mask.shape
    True
    >>> bool(clip.levels[1].mean() > clip.levels[0].mean())
    True
    """
    if len(time_s) == 0 or (np.diff(time_s) <= 0).any():
        raise InputError(f"the times of a clip are {list(time_s)}; they must ascend.")
    scene = _scene(nodule, plane, seed)
    patient = np.random.default_rng([0xCE5, nodule.seed, seed, plane == "transverse"])
    peak, delay = _flow(scene, perfusion, patient)
    gain = 10 ** (_gain_db(scene, patient) / 10)
    remains = 10 ** ((_remains_db(scene)) / 10)
    tissue = scene.tissue
    if reduction > 1:
        peak, gain, remains = (_reduced(part, reduction) for part in (peak, gain, remains))
        first = reduction // 2
        height, width = peak.shape
        cut = (
            slice(first, reduction * height, reduction),
            slice(first, reduction * width, reduction),
        )
        delay, tissue, mask = delay[cut], tissue[cut], scene.mask[cut]
    else:
        mask = scene.mask
    boluses = _boluses(perfusion)
    bubbles = np.random.default_rng([0xB1B, nodule.seed, seed, reduction])
    sigma = (1.3 / reduction**0.5, 2.3 / reduction**0.5)
    still = _speckle(bubbles, peak.shape, sigma)
    field = _speckle(bubbles, peak.shape, sigma)
    levels = np.empty((len(time_s), *peak.shape), dtype=np.uint8)
    for number, at in enumerate(time_s):
        if number:
            kept = np.exp(-(at - time_s[number - 1]) / DECORRELATION_S)
            new = _speckle(bubbles, peak.shape, sigma)
            field = kept * field + np.sqrt(1 - kept**2) * new
        flow = peak * _filling(boluses, tissue, delay, at)
        noise = 10 ** (-28.5 / 10) * bubbles.exponential(size=peak.shape)
        intensity = gain * flow * _power(field) + remains * _power(still) + noise
        levels[number] = _display(intensity)
    spacing = scene.spacing_mm * reduction
    return ContrastFrames(levels, mask, tuple(float(t) for t in time_s), (spacing, spacing))


def linear_intensity(pixels: Array) -> Array:
    r"""Undo color map and log compression: intensities in units of the display's black level.

    :math:`I = 10^{D v / 10}` with the level v in [0, 1] and the dynamic range D. Averages over a
    region belong on this scale, not on that of the colors: a mean of logarithms of speckle is
    too small, and a color is no quantity.

    Parameters
    ----------
    pixels
        Colors (..., 3) uint8 as read from a frame.

    Examples
    --------
    >>> round(float(linear_intensity(PALETTE[255])), 1) == round(10 ** (DYNAMIC_RANGE_DB / 10), 1)
    True
    """
    weight = np.array([0.299, 0.587, 0.114])
    level = np.interp(pixels @ weight, PALETTE @ weight, np.linspace(0, 1, 256))
    linear: Array = 10 ** (DYNAMIC_RANGE_DB * level / 10)
    return linear


@lru_cache(maxsize=1)  # still and clip of a case, one after the other, show the same cut
def _scene(nodule: Nodule, plane: Plane, seed: int) -> Scene:
    return build_scene(nodule, plane=plane, seed=seed)


def _boluses(perfusion: Perfusion) -> dict[Tissue, Bolus]:
    """Timing of every tissue; the peaks are in the map of peaks."""
    gland = perfusion.gland
    curves = {
        tissue: Bolus(gland.arrival_s + later, gland.rise_s * slower, 0.0, gland.alpha)
        for tissue, (_, later, slower) in _TISSUES.items()
    }
    own = perfusion.nodule
    curves[Tissue.NODULE] = Bolus(own.arrival_s, own.rise_s, 0.0, own.alpha)
    curves[Tissue.THYROID] = Bolus(gland.arrival_s, gland.rise_s, 0.0, gland.alpha)
    return curves


def _filling(boluses: dict[Tissue, Bolus], tissue: Array, delay: Array, at: float) -> Array:
    """Intensity at a time against that at the peak of each pixel, (H, W)."""
    filled = np.zeros(tissue.shape)
    for label, bolus in boluses.items():
        here = tissue == label
        filled[here] = bolus.intensity(at, delay[here])
    return filled


def _flow(scene: Scene, perfusion: Perfusion, rng: Generator) -> tuple[Array, Array]:
    """Peak intensity (linear, the gland's mean is 1) and delay (s, mean 0) of every pixel."""
    shape = scene.echo_db.shape
    fine, middle = gaussian_field(rng, shape, 1.6, 2.0), gaussian_field(rng, shape, 5.0, 6.5)
    coarse = gaussian_field(rng, shape, 16, 20)
    level = np.zeros(shape)
    for tissue, (peak_db, _, _) in _TISSUES.items():
        level[scene.tissue == tissue] = peak_db + rng.normal(0, 1.0)
    # Streaky muscles, a gland of lobules with vessels between them.
    lean = np.isin(scene.tissue, (Tissue.MUSCLE, Tissue.DEEP, Tissue.FAT, Tissue.SKIN))
    streaks = gaussian_field(rng, shape, 1.5, 14)
    level += lean * (2.4 * bright_skewed(streaks) + 1.5 * middle)
    gland = scene.tissue == Tissue.THYROID
    texture = 1.8 * bright_skewed(fine) + 1.6 * middle + 1.4 * coarse
    vessels = 6.0 * np.clip(middle - 1.8, 0, 1.2)
    level += gland * (texture + vessels)
    factor = 10 ** (level / 10)
    _normalize(factor, gland, 1.0)

    inside = scene.mask
    own = perfusion.heterogeneity_db * (0.75 * middle + 0.45 * bright_skewed(fine) + 0.45 * coarse)
    if perfusion.defect > 0:
        empty = gaussian_field(rng, shape, 7, 8)
        limit = np.quantile(empty[inside], 1 - perfusion.defect)
        own = own - 9.0 * np.clip((empty - limit) / 0.25 + 0.5, 0, 1)
    depth = distance_transform_edt(inside) * scene.spacing_mm
    if perfusion.rim_db:
        own = own + perfusion.rim_db * np.exp(-0.5 * ((depth - 0.6) / 0.55) ** 2)
    factor[inside] = 10 ** (own[inside] / 10)
    _normalize(factor, inside, 10 ** (perfusion.nodule.peak_db / 10))
    factor = _softened(factor)
    _normalize(factor, inside, 10 ** (perfusion.nodule.peak_db / 10))

    delay = 0.5 * coarse + 0.35 * middle
    delay += 0.05 * np.clip(depth - depth[inside].mean(), -6, 6) * inside
    for part in (inside, gland):
        if part.any():
            delay[part] -= delay[part].mean()
    return factor, delay


def _normalize(factor: Array, part: Array, mean: float) -> None:
    if part.any():
        factor[part] *= mean / factor[part].mean()


def _softened(factor: Array) -> Array:
    """Bubbles blur over the borders of tissues."""
    return gaussian_filter1d(gaussian_filter1d(factor, 1.0, axis=0), 1.2, axis=1)


def _gain_db(scene: Scene, rng: Generator) -> Array:
    """Gain of a frame: shadows, the focus, and what bubbles in front take away."""
    rows = scene.echo_db.shape[0]
    depth = np.linspace(0, 1, rows)[:, None]
    focus = rng.uniform(0.3, 0.5)
    fall = -rng.uniform(5, 9) * np.clip(depth - focus, 0, None) - 5.0 * np.clip(0.12 - depth, 0, 1)
    uneven = 0.6 * gaussian_field(rng, scene.echo_db.shape, 60, 60)
    gain: Array = fall + uneven + np.clip(shadow(scene.attenuation_db), -25, 1)
    return gain


def _remains_db(scene: Scene) -> Array:
    """Tissue echoes that pulse inversion does not cancel: the brightest reflectors."""
    echo = np.maximum(scene.echo_db + shadow(scene.attenuation_db), scene.artifact_db)
    remains: Array = np.clip(0.9 * np.minimum(echo, 14.0) - 24.0, -60, 0)
    return remains


def _reduced(whole: Array, by: int) -> Array:
    """Means of blocks of `by` by `by` pixels."""
    height, width = (side // by for side in whole.shape)
    block = whole[: height * by, : width * by].reshape(height, by, width, by)
    mean: Array = block.mean(axis=(1, 3))
    return mean


def _speckle(rng: Generator, shape: tuple[int, int], sigma: tuple[float, float]) -> Array:
    """Complex field of unit mean power, (2, H, W), correlated over the width of the pulse."""
    parts = rng.standard_normal((2, *shape), dtype=np.float32)
    for axis, width in zip((1, 2), sigma, strict=True):
        parts = gaussian_filter1d(parts, width, axis=axis, mode="wrap", truncate=3)
    field: Array = parts / np.sqrt(2 * (parts**2).mean())
    return field


def _power(field: Array) -> Array:
    """Intensity of a field, (H, W), mean 1; the console averages some (persistence)."""
    power = field[0] ** 2 + field[1] ** 2
    smooth: Array = gaussian_filter1d(power, 0.7, axis=0)
    gaussian_filter1d(smooth, 0.9, axis=1, output=smooth)
    return smooth


def _display(intensity: Array) -> Array:
    shown = (10 * np.log10(intensity) - BLACK_DB) / DYNAMIC_RANGE_DB
    return np.rint(255 * np.clip(shown, 0, 1)).astype(np.uint8)
