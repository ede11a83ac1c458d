"""Random fields and curves of unit variance, the raw material of simulated tissue."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.ndimage import gaussian_filter1d

Array = npt.NDArray[np.float32]
Curve = npt.NDArray[Any]


def gaussian_field(
    rng: np.random.Generator, shape: tuple[int, int], sigma_rows: float, sigma_columns: float
) -> Array:
    r"""Draw a periodic Gaussian random field of unit variance, (H, W) float32.

    White noise smoothed by a Gaussian kernel of the given standard deviations in pixels, drawn
    directly in the frequency domain with the transfer function
    :math:`\exp(-2\pi^2(\sigma_r^2 f_r^2 + \sigma_c^2 f_c^2))`. Periodic borders keep the variance
    the same everywhere; a filter that repeats the border pixel inflates it there.

    *Source*: Lang & Potthoff 2011, Fast simulation of Gaussian random fields, Monte Carlo Methods
    Appl. 17:195, section 2.

    Examples
    --------
    >>> field = gaussian_field(np.random.default_rng(0), (128, 128), 2.0, 4.0)
    >>> field.shape, bool(abs(field.std() - 1) < 1e-5)
    ((128, 128), True)
    """
    rows, columns = shape
    fr = fft.fftfreq(rows)[:, None]
    fc = fft.rfftfreq(columns)[None, :]
    # Beyond six e-foldings a mode no longer shows; leaving it zero saves the drawing.
    keep_r = np.flatnonzero(2 * np.pi**2 * (sigma_rows * fr[:, 0]) ** 2 < 9)
    keep_c = np.flatnonzero(2 * np.pi**2 * (sigma_columns * fc[0]) ** 2 < 9)
    decay_r = np.exp(-2 * np.pi**2 * (sigma_rows * fr[keep_r]) ** 2)
    decay_c = np.exp(-2 * np.pi**2 * (sigma_columns * fc[:, keep_c]) ** 2)
    noise = rng.standard_normal((2, keep_r.size, keep_c.size), dtype=np.float32)
    spectrum = np.zeros((rows, columns // 2 + 1), dtype=np.complex64)
    spectrum[np.ix_(keep_r, keep_c)] = (noise[0] + 1j * noise[1]) * (decay_r * decay_c)
    spectrum[0, 0] = 0
    field: Array = fft.irfft2(spectrum, s=shape)
    return field / field.std()


def bright_skewed(field: Array) -> Array:
    r"""Skew a unit field toward rare bright spots: :math:`e^{0.55 F} - e^{0.55^2/2}`, mean zero.

    Examples
    --------
    >>> field = gaussian_field(np.random.default_rng(0), (256, 256), 2.0, 2.0)
    >>> bool(abs(bright_skewed(field).mean()) < 0.02)
    True
    """
    skewed: Array = np.exp(np.float32(0.55) * field) - np.float32(1.163)
    return skewed


def random_curve(rng: np.random.Generator, length: int, sigma: float) -> Array:
    """Draw a smooth random curve of unit variance and correlation scale `sigma` in samples.

    Not periodic: the two ends of an image have nothing to do with each other.

    Examples
    --------
    >>> random_curve(np.random.default_rng(0), 400, 30.0).shape
    (400,)
    """
    margin = int(4 * sigma) + 1
    noise = rng.standard_normal(length + 2 * margin)
    smooth = gaussian_filter1d(noise, sigma, mode="wrap")
    # A white sequence smoothed by a Gaussian keeps the variance 1 / (2 sqrt(pi) sigma).
    unit = smooth * np.sqrt(2 * np.sqrt(np.pi) * max(sigma, 0.3))
    curve: Array = unit[margin : margin + length].astype(np.float32)
    return curve


def shear_columns(field: Array, shift: Curve) -> Array:
    """Shift every column of a periodic (H, W) field down by `shift` (W,) pixels, linearly.

    Turns level streaks into streaks that follow a curve.

    Examples
    --------
    >>> field = np.eye(4, dtype=np.float32)
    >>> shear_columns(field, np.ones(4))[:, 0]
    array([0., 1., 0., 0.], dtype=float32)
    """
    rows = field.shape[0]
    whole = np.floor(shift).astype(np.int64)
    part = (shift - whole).astype(np.float32)
    source = (np.arange(rows)[:, None] - whole[None, :]) % rows
    upper = np.take_along_axis(field, source, axis=0)
    lower = np.take_along_axis(field, (source - 1) % rows, axis=0)
    sheared: Array = (1 - part) * upper + part * lower
    return sheared
