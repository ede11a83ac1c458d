"""From an echo map to a gray image: speckle, detection, log compression, gray map, file."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import gaussian_filter1d
from scipy.special import expit

from lnm_kit.simulate.fields import random_curve
from lnm_kit.simulate.scanner import Scanner

Array = npt.NDArray[Any]
Generator = np.random.Generator

#: Echo level, relative to the thyroid's, that the display shows as black at a gain of 0.
BLACK_DB = -42.6
#: Width of the pulse across the beam, in focus and away from it, against the scanner's.
NARROW, WIDE = 0.80, 1.6


def envelope(echo_db: Array, scanner: Scanner, rng: Generator) -> Array:
    r"""Detect the echo of random scatterers, (2H, W) dB -> (2H, W) float32, before any smoothing.

    Complex white noise times :math:`10^{dB/20}` passes the pulse (Gaussian along the beam; across
    it two widths, blended with depth, the focus in the near half). Where the map is level the
    envelope is Rayleigh distributed with unit mean square, mean over standard deviation 1.91.

    *Source*: Wagner et al. 1983, IEEE Trans. Sonics Ultrason. 30:156, eq. 9 (Rayleigh statistics
    and the ratio 1.91 of fully developed speckle).

    Examples
    --------
    >>> from lnm_kit.simulate.scanner import SCANNERS
    >>> from dataclasses import replace
    >>> quiet = replace(SCANNERS["center_1"], noise_db=-100.0)
    >>> level = envelope(np.zeros((600, 400)), quiet, np.random.default_rng(0))
    >>> bool(abs(level.mean() / level.std() - 1.91) < 0.05)
    True
    """
    rows, columns = echo_db.shape
    field = rng.standard_normal((2, rows, columns), dtype=np.float32)
    field *= np.power(10, echo_db / 20, dtype=np.float32) / np.float32(np.sqrt(2))
    field = gaussian_filter1d(field, scanner.axial_px, axis=1, mode="constant", truncate=3.0)
    narrow = _across(field, NARROW * scanner.lateral_px) / _gain(NARROW * scanner.lateral_px)
    wide = _across(field, WIDE * scanner.lateral_px) / _gain(WIDE * scanner.lateral_px)
    depth = np.linspace(0, 1, rows, dtype=np.float32)[None, :, None]
    blend = np.clip((depth - 0.25) / 0.75, 0, 1) * np.float32(0.8)
    # The two widths see the same scatterers, so their correlation keeps the power of the blend up.
    correlation = np.sqrt(2 * NARROW * WIDE / (NARROW**2 + WIDE**2))
    power = (1 - blend) ** 2 + blend**2 + 2 * blend * (1 - blend) * correlation
    field = ((1 - blend) * narrow + blend * wide) / (
        np.sqrt(power) * np.float32(_gain(scanner.axial_px))
    )
    noise_db = scanner.noise_db + 10 * np.log10(np.exp(3 * (depth - 0.5)) * 2) - 3
    noise = np.power(10, noise_db / 20).astype(np.float32) / np.float32(np.sqrt(2))
    field += noise * rng.standard_normal((2, rows, columns), dtype=np.float32)
    level: Array = np.sqrt(field[0] ** 2 + field[1] ** 2)
    return level


def display(level: Array, scanner: Scanner, rng: Generator) -> Array:
    r"""Turn an envelope (2H, W) into the 8-bit image of a file, (H, W) uint8.

    Smoothing after detection, log compression to the dynamic range D, the convex gray map
    :math:`255\,\mathrm{clip}((20\log_{10}E + g - b)/D, 0, 1)^\gamma`, averaging of row pairs (scan
    conversion), a mild edge boost, and the losses of a JPEG file.

    *Source*: log compression as in Szabo, Diagnostic Ultrasound Imaging, 2nd ed. 2014, section
    10.5; JPEG: ITU-T T.81.
    """
    smooth = gaussian_filter1d(level, scanner.blur_axial_px, axis=0, mode="nearest", truncate=3.0)
    smooth = _across(smooth[None], scanner.blur_lateral_px)[0]
    shown = 20 * np.log10(np.maximum(smooth, 1e-6)) + scanner.gain_db - BLACK_DB
    gray = 255 * np.clip(shown / scanner.dynamic_range_db, 0, 1) ** np.float32(scanner.gamma)
    gray = 0.5 * (gray[0::2] + gray[1::2])
    soft = gaussian_filter1d(gaussian_filter1d(gray, 1.0, axis=0), 1.0, axis=1)
    gray = gray + scanner.edge_boost * (gray - soft)
    gray += 0.9 * rng.standard_normal(gray.shape, dtype=np.float32)
    return _jpeg(np.clip(np.rint(gray), 0, 255).astype(np.uint8), scanner.jpeg_quality)


def shadow(attenuation_db: Array) -> Array:
    """Gain in dB (H, W) that the tissue above leaves: shadows below zero, enhancement above.

    The running sum of the attenuation along the beam; it blurs across the beam with depth, as the
    aperture looks around small obstacles.
    """
    rows = attenuation_db.shape[0]
    loss = np.cumsum(attenuation_db, axis=0, dtype=np.float32)
    loss = np.roll(loss, 1, axis=0)
    loss[0] = 0
    near, far = _across(loss[None], 0.8)[0], _across(loss[None], 4.0)[0]
    depth = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    gain: Array = -((1 - depth) * near + depth * far)
    return gain


def console_gain(shape: tuple[int, int], rng: Generator) -> Array:
    """Gain in dB (H, W) of one frame: fall at depth, unevenness across, loss of contact."""
    rows, columns = shape
    depth = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    gain = np.zeros(shape, dtype=np.float32)
    beyond = np.clip(depth - rng.uniform(0.45, 0.7), 0, None) / 0.4
    gain -= rng.uniform(1, 14) * beyond
    gain += 2.0 * float(rng.standard_normal()) * (depth - 0.4)
    gain += 0.5 * random_curve(rng, columns, 7) + 0.9 * random_curve(rng, columns, 25)
    if rng.random() < 0.4:
        gain -= _contact_loss(columns, rng)
    return gain


def _contact_loss(columns: int, rng: Generator) -> Array:
    """Loss in dB per column where the edge of the probe leaves the skin."""
    x = np.arange(columns, dtype=np.float32)
    if rng.random() < 0.5:
        x = x[::-1]
    width = rng.uniform(0.02, 0.16) * columns
    lost: Array = rng.uniform(5, 20) * expit((width - x) / (0.12 * width + 2))
    return lost


def _across(field: Array, sigma: float) -> Array:
    """Gaussian filter along the last axis."""
    smooth: Array = gaussian_filter1d(field, sigma, axis=-1, mode="nearest", truncate=3.0)
    return smooth


def _gain(sigma: float) -> float:
    """Root of the power that a unit-sum Gaussian kernel leaves of white noise."""
    radius = int(3.0 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    return float(np.sqrt((kernel**2).sum()))


def _jpeg(gray: Array, quality: int) -> Array:
    buffer = io.BytesIO()
    Image.fromarray(gray).save(buffer, "JPEG", quality=quality)
    with Image.open(io.BytesIO(buffer.getvalue())) as image:
        return np.asarray(image)
