"""Gray levels of a region, cut into bins exactly as pyradiomics cuts them."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from lnm_kit.errors import InputError

MAXIMUM_LEVELS = 2048
"""Most gray levels that one region may hold; a co-occurrence matrix grows with their square."""

_MAXIMUM_BINS = 1_000_000


@dataclass(frozen=True)
class BinCount:
    """A fixed number of bins between the region's own minimum and maximum."""

    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InputError(f"BinCount is {self.count}; it must be 1 or more.")


@dataclass(frozen=True)
class BinWidth:
    """Bins of a fixed width, in gray levels, with an edge at zero."""

    width: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.width) and self.width > 0):
            raise InputError(f"BinWidth is {self.width}; it must be above 0.")


Binning = BinCount | BinWidth


@dataclass(frozen=True)
class Binned:
    """Gray levels of B images of one region.

    `labels` is (B, H + 2, W + 2) int32: 0 outside the region, else the rank of the pixel's gray
    level among those that occur, from 1; a frame of zeros surrounds the bounding box. `levels` is
    (B, L) int64: the gray levels that occur, ascending; `counts` (B, L) int64: their pixels;
    `n_levels` (B,) int64: how many of the L there are in each image.
    """

    labels: np.ndarray
    levels: np.ndarray
    counts: np.ndarray
    n_levels: np.ndarray


def bin_values(
    values: np.ndarray,
    single: np.ndarray,
    position: np.ndarray,
    shape: tuple[int, int],
    binning: Binning,
) -> Binned:
    """Bin the region's pixels in B images.

    Parameters
    ----------
    values
        (B, N) float64, the region's pixels in each image.
    single
        (B,) bool, whether the image was float32: numpy then computes the edges in float32.
    position
        (N,) int64, where the pixels lie in the flattened frame of `shape`.
    shape
        Height and width of the bounding box with its frame.
    binning
        Number of bins, or width of a bin.

    Raises
    ------
    InputError
        When a value is not finite, or there are too many bins for the range of the values.

    Notes
    -----
    *Source*: pyradiomics 3.0.1, `imageoperations.getBinEdges` and `binImage`, with numpy's
    `histogram`, `linspace`, `arange` and `digitize`, operation by operation. One deviation is
    meant: with a bin *width* and an integer image pyradiomics adds twice the width to the maximum
    in the image's own type, which overflows (numpy 2); here the maximum is a float64.

    Examples
    --------
    >>> values = np.array([[0.0, 1.0, 2.0, 10.0]])
    >>> binned = bin_values(values, np.array([False]), np.array([5, 6, 9, 10]), (4, 4), BinCount(5))
    >>> binned.levels.tolist(), binned.counts.tolist()
    ([[1, 2, 5]], [[2, 1, 1]])
    """
    edges_of = _edges_of_count if isinstance(binning, BinCount) else _edges_of_width
    size = binning.count if isinstance(binning, BinCount) else binning.width
    lowest, highest = values.min(axis=1), values.max(axis=1)
    if not np.isfinite(highest - lowest).all():
        raise InputError("the region holds values that are not finite (NaN or infinite)")
    edges = [
        edges_of(low, high, size)
        for low, high in (
            (np.float32(low), np.float32(high)) if is_single else (low, high)
            for low, high, is_single in zip(lowest, highest, single, strict=True)
        )
    ]
    longest = max(len(row) for row in edges)
    table = np.full((len(edges), longest), np.inf)
    for row, found in zip(table, edges, strict=True):
        row[: len(found)] = found
    lengths = np.array([len(row) for row in edges])
    labels, levels, counts, n_levels = _bin(values, table, lengths, position, *shape)
    most = int(n_levels.max())
    if most > MAXIMUM_LEVELS:
        raise InputError(
            f"the binning gives {most} gray levels, at most {MAXIMUM_LEVELS} are allowed: "
            "use wider or fewer bins"
        )
    return Binned(labels, levels[:, :most].copy(), counts[:, :most].copy(), n_levels)


def _edges_of_count(low: np.floating, high: np.floating, count: float) -> np.ndarray:
    kind = low.dtype.type
    if low == high:
        low, high = low - kind(0.5), high + kind(0.5)
    edges = np.arange(int(count) + 1, dtype=kind)
    edges *= (high - low) / kind(count)
    edges += low
    edges[-1] = high
    if (edges[:-1] >= edges[1:]).any():
        raise InputError(f"the region's values differ too little for {int(count)} bins")
    edges[-1] += 1
    return edges


def _edges_of_width(low: np.floating, high: np.floating, width: float) -> np.ndarray:
    if (high - low) / width > _MAXIMUM_BINS:
        raise InputError(
            f"a BinWidth of {width:g} cuts the range {low:g} to {high:g} into more than "
            f"{_MAXIMUM_BINS:,} bins: use wider ones"
        )
    kind = low.dtype.type
    edges = np.arange(low - low % kind(width), high + kind(2 * width), width)
    return np.array([edges[0] - 0.5, edges[0] + 0.5]) if len(edges) == 1 else edges


@njit(cache=True, nogil=True, error_model="numpy")
def _bin(
    values: np.ndarray,
    edges: np.ndarray,
    lengths: np.ndarray,
    position: np.ndarray,
    height: int,
    width: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    n_images, n_pixels = values.shape
    longest = edges.shape[1]
    labels = np.zeros((n_images, height, width), np.int32)
    levels = np.zeros((n_images, longest + 1), np.int64)
    counts = np.zeros((n_images, longest + 1), np.int64)
    n_levels = np.zeros(n_images, np.int64)
    rank = np.zeros(longest + 1, np.int32)
    tally = np.zeros(longest + 1, np.int64)
    binned = np.empty(n_pixels, np.int32)
    for image in range(n_images):
        n_edges = lengths[image]
        edge = edges[image]
        start = edge[0]
        scale = 1.0 / (edge[1] - edge[0])
        tally[:] = 0
        for pixel in range(n_pixels):
            value = values[image, pixel]
            guess = min(max(int((value - start) * scale) + 1, 1), n_edges)
            # The guess is right but for rounding; digitize counts the edges at or below.
            while guess < n_edges and edge[guess] <= value:
                guess += 1
            while guess > 0 and edge[guess - 1] > value:
                guess -= 1
            binned[pixel] = guess
            tally[guess] += 1
        found = 0
        for level in range(longest + 1):
            if tally[level] > 0:
                levels[image, found] = level
                counts[image, found] = tally[level]
                found += 1
                rank[level] = found
        n_levels[image] = found
        flat = labels[image].ravel()
        for pixel in range(n_pixels):
            flat[position[pixel]] = rank[binned[pixel]]
    return labels, levels, counts, n_levels
