"""Undecimated wavelet of a slice (coif1, one level), bit for bit as PyWavelets computes it."""

from functools import lru_cache

import numpy as np
import pywt
from numba import njit

_WAVELET = "coif1"
_TAPS = 6

BANDS_3D = ("LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL")
"""Sub-bands of a one-slice volume in pyradiomics' order; letters stand for x, y and z."""

BANDS_2D = ("LH", "HL", "HH", "LL")
"""Sub-bands of a 2-D image in pyradiomics' order; letters stand for x and y."""


def wavelet_values(
    pixels: np.ndarray, box: tuple[slice, slice], inside: np.ndarray, bands: tuple[str, ...]
) -> np.ndarray:
    """Compute the wavelet coefficients of the region's pixels only.

    pyradiomics transforms the whole image, made even by repeating its first row or column at the
    end, with periodic borders. A coefficient depends on 6 x 6 pixels, so the bounding box is enough
    as long as its surroundings are taken from the whole image.

    Parameters
    ----------
    pixels
        (H, W) float64 or float32, the whole image.
    box
        Bounding box of the region, rows and columns.
    inside
        (N,) int64, the region's pixels in the flattened box.
    bands
        Any of `BANDS_3D`, or any of `BANDS_2D`.

    Returns
    -------
    numpy.ndarray
        (number of bands, N), in the type of `pixels`.

    Notes
    -----
    One slice is padded to two equal ones for the 3-D transform: low-pass along z multiplies by the
    sum of the taps, high-pass gives what rounding leaves of zero. "Bit for bit" was checked on
    x86-64; another processor's build of PyWavelets may fuse multiplications with additions.

    *Source*: pyradiomics 3.0.1, `imageoperations._swt3`; PyWavelets, `swtn`, with periodization.

    Examples
    --------
    >>> pixels = np.arange(64.0).reshape(8, 8)
    >>> box, inside = (slice(2, 6), slice(2, 6)), np.arange(16)
    >>> low, = wavelet_values(pixels, box, inside, ("LL",))
    >>> reference = pywt.swtn(pixels, "coif1", 1, axes=(1, 0))[0]["aa"][box].ravel()
    >>> bool((low == reference).all())
    True
    """
    kind = pixels.dtype.type
    low, high = _taps(pixels.dtype)
    rows, columns = (_sources(length) for length in pixels.shape)
    edges = np.array([box[0].start, box[0].stop, box[1].start, box[1].stop])
    planes = _planes(pixels, edges, *rows, *columns, low, high, inside)
    order = {name: number for number, name in enumerate(("LL", "LH", "HL", "HH"))}
    along_z = {letter: taps[_order(2)[0][0]] for letter, taps in (("L", low), ("H", high))}
    out = np.empty((len(bands), len(inside)), kind)
    for number, band in enumerate(bands):
        plane = planes[order[band[:2]]]
        out[number] = plane if len(band) == 2 else _weighted(plane, along_z[band[2]])
    return out


@lru_cache(maxsize=2)
def _taps(kind: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Low-pass and high-pass taps, from PyWavelets' response to an impulse.

    In float32 they are not its float64 taps rounded: some are the next number.
    """
    impulse = np.zeros(2 * _TAPS, kind)
    impulse[_TAPS // 2] = 1
    low, high = pywt.swt(impulse, _WAVELET, level=1)[0]
    return low[:_TAPS].copy(), high[:_TAPS].copy()


@lru_cache(maxsize=512)
def _order(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Tap and input of every term of every output, in PyWavelets' order; (length, 6) each.

    The sums are the same in any order but for rounding, and rounding decides on which side of a bin
    edge a coefficient falls. `length` is even.
    """
    taps = np.empty((length, _TAPS), np.int64)
    inputs = np.empty((length, _TAPS), np.int64)
    for output in range(length):
        last = output + _TAPS // 2
        terms: list[tuple[int, int]] = []
        while last - len(terms) >= length:
            first = len(terms)
            for k in range(length):
                if last - first - k < length:
                    break
                terms.append((last - length - first - k, k))
        while len(terms) < _TAPS and len(terms) <= last:
            terms.append((len(terms), last - len(terms)))
        while len(terms) < _TAPS:
            first = len(terms)
            for k in range(min(length, _TAPS - first)):
                terms.append((first + k, length - 1 - k))
        taps[output], inputs[output] = zip(*terms, strict=True)
    return taps, inputs


@lru_cache(maxsize=512)
def _sources(length: int) -> tuple[np.ndarray, np.ndarray]:
    """As `_order`, for an axis of any length: an odd one repeats its first entry at the end."""
    taps, inputs = _order(length + length % 2)
    return taps, inputs % length


@njit(cache=True, nogil=True, error_model="numpy")
def _weighted(values: np.ndarray, taps: np.ndarray) -> np.ndarray:
    out = np.empty_like(values)
    for pixel in range(len(values)):
        value = values[pixel]
        total = taps[0] * value
        for tap in range(1, 6):
            total += taps[tap] * value
        out[pixel] = total
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _planes(
    pixels: np.ndarray,
    edges: np.ndarray,
    row_taps: np.ndarray,
    row_sources: np.ndarray,
    column_taps: np.ndarray,
    column_sources: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    inside: np.ndarray,
) -> np.ndarray:
    top, bottom, left, right = edges
    height, width = pixels.shape
    columns = right - left
    along = np.empty((height, 2, columns), pixels.dtype)
    done = np.zeros(height, np.bool_)
    # Where the filter lies inside the image its terms come in order.
    first, last = max(left, 2), max(min(right, width - 3), max(left, 2))
    for row in range(top, bottom):
        for term in range(6):
            source = row_sources[row, term]
            if done[source]:
                continue
            done[source] = True
            line = pixels[source]
            for band in range(2):
                f = low if band == 0 else high
                out = along[source, band]
                f0, f1, f2, f3, f4, f5 = f[0], f[1], f[2], f[3], f[4], f[5]
                for x in range(first, last):
                    out[x - left] = (
                        f0 * line[x + 3]
                        + f1 * line[x + 2]
                        + f2 * line[x + 1]
                        + f3 * line[x]
                        + f4 * line[x - 1]
                        + f5 * line[x - 2]
                    )
                for x in range(left, right):
                    if first <= x < last:
                        continue
                    total = f[column_taps[x, 0]] * line[column_sources[x, 0]]
                    for t in range(1, 6):
                        total += f[column_taps[x, t]] * line[column_sources[x, t]]
                    out[x - left] = total
    out = np.empty((4, len(inside)), pixels.dtype)
    plane = np.empty((4, columns), pixels.dtype)
    pixel = 0
    for row in range(top, bottom):
        start = pixel
        end = (row - top + 1) * columns
        while pixel < len(inside) and inside[pixel] < end:
            pixel += 1
        if pixel == start:
            continue
        t, s = row_taps[row], row_sources[row]
        for band in range(2):
            a0, a1, a2 = along[s[0], band], along[s[1], band], along[s[2], band]
            a3, a4, a5 = along[s[3], band], along[s[4], band], along[s[5], band]
            for second in range(2):
                f = low if second == 0 else high
                f0, f1, f2 = f[t[0]], f[t[1]], f[t[2]]
                f3, f4, f5 = f[t[3]], f[t[4]], f[t[5]]
                line = plane[2 * band + second]
                for x in range(columns):
                    line[x] = (
                        f0 * a0[x] + f1 * a1[x] + f2 * a2[x] + f3 * a3[x] + f4 * a4[x] + f5 * a5[x]
                    )
        for k in range(start, pixel):
            x = inside[k] - (row - top) * columns
            for band in range(4):
                out[band, k] = plane[band, x]
    return out
