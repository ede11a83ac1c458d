"""First-order features: the distribution of the region's gray levels, without their places."""

import numpy as np
from numba import njit

NAMES = (
    "10Percentile",
    "90Percentile",
    "Energy",
    "Entropy",
    "InterquartileRange",
    "Kurtosis",
    "Maximum",
    "MeanAbsoluteDeviation",
    "Mean",
    "Median",
    "Minimum",
    "Range",
    "RobustMeanAbsoluteDeviation",
    "RootMeanSquared",
    "Skewness",
    "TotalEnergy",
    "Uniformity",
    "Variance",
)
"""Features of pyradiomics' class `firstorder`, in its order."""

_BUCKETS = 1024


def firstorder_features(
    values: np.ndarray, counts: np.ndarray, voxel_volume_mm3: float
) -> np.ndarray:
    """Compute the first-order features of B images of one region.

    Parameters
    ----------
    values
        (B, N) float64, the region's pixels.
    counts
        (B, L) int64, pixels of every gray level after binning.
    voxel_volume_mm3
        Product of the three spacings, for `TotalEnergy`.

    Returns
    -------
    numpy.ndarray
        (B, 18) float64 in the order of `NAMES`.

    Notes
    -----
    Kurtosis is not reduced by 3; entropy is in bits, of the binned gray levels; percentiles
    interpolate linearly.

    *Source*: pyradiomics 3.0.1, class `RadiomicsFirstOrder`; Image Biomarker Standardisation
    Initiative, reference manual, sections 3.3 (statistics) and 3.4 (entropy, uniformity).

    Examples
    --------
    >>> found = firstorder_features(np.array([[1.0, 2.0, 3.0, 6.0]]), np.array([[2, 1, 1]]), 1.0)
    >>> named = dict(zip(NAMES, found[0].tolist()))
    >>> named["Mean"], round(named["Entropy"], 6)
    (3.0, 1.5)
    """
    return _compute(values, counts, float(voxel_volume_mm3))


@njit(cache=True, nogil=True, error_model="numpy")
def _sort(values: np.ndarray, start: int, end: int) -> None:
    """Shell's sort of a part; numba's own sort takes seconds to compile."""
    gap = (end - start) // 2
    while gap > 0:
        for i in range(start + gap, end):
            value, place = values[i], i
            while place - gap >= start and values[place - gap] > value:
                values[place] = values[place - gap]
                place -= gap
            values[place] = value
        gap = 1 if gap == 2 else int(gap / 2.2)


@njit(cache=True, nogil=True, error_model="numpy")
def _order_statistics(values: np.ndarray, low: float, high: float, ranks: np.ndarray) -> np.ndarray:
    """Values at some ranks, by one pass into buckets and a sort within the few that matter."""
    n = len(values)
    out = np.empty(len(ranks))
    if low == high:
        out[:] = low
        return out
    scale = _BUCKETS / (high - low)
    if not np.isfinite(scale):
        scale = 0.0
    bucket = np.empty(n, np.int32)
    ends = np.zeros(_BUCKETS + 2, np.int64)
    for i in range(n):
        k = min(int((values[i] - low) * scale), _BUCKETS)
        bucket[i] = k
        ends[k + 1] += 1
    for k in range(_BUCKETS + 1):
        ends[k + 1] += ends[k]
    ordered = np.empty(n)
    place = ends[: _BUCKETS + 1].copy()
    for i in range(n):
        k = bucket[i]
        ordered[place[k]] = values[i]
        place[k] += 1
    is_sorted = np.zeros(_BUCKETS + 1, np.bool_)
    k = 0
    for number in range(len(ranks)):  # the ranks ascend
        rank = ranks[number]
        while ends[k + 1] <= rank:
            k += 1
        if not is_sorted[k]:
            _sort(ordered, ends[k], ends[k + 1])
            is_sorted[k] = True
        out[number] = ordered[rank]
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _sum(x: np.ndarray) -> float:
    """Sum in numpy's pairwise order: on a flat region the mean's rounding decides the skewness."""
    n = len(x)
    if n < 8:
        total = 0.0
        for i in range(n):
            total += x[i]
        return total
    if n > 128:
        half = n // 2
        half -= half % 8
        return _sum(x[:half]) + _sum(x[half:])
    r0, r1, r2, r3, r4, r5, r6, r7 = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
    i = 8
    while i < n - n % 8:
        r0 += x[i]
        r1 += x[i + 1]
        r2 += x[i + 2]
        r3 += x[i + 3]
        r4 += x[i + 4]
        r5 += x[i + 5]
        r6 += x[i + 6]
        r7 += x[i + 7]
        i += 8
    total = ((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7))
    while i < n:
        total += x[i]
        i += 1
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _compute(values: np.ndarray, counts: np.ndarray, volume: float) -> np.ndarray:
    n_images, n = values.shape
    out = np.empty((n_images, 18))
    shares = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    ranks = np.empty(10, np.int64)
    rests = np.empty(5)
    for p in range(5):
        virtual = (n - 1) * shares[p]
        ranks[2 * p] = int(np.floor(virtual))
        ranks[2 * p + 1] = min(ranks[2 * p] + 1, n - 1)
        rests[p] = virtual - np.floor(virtual)
    percentiles = np.empty(5)
    for image in range(n_images):
        x = values[image]
        low, high = x[0], x[0]
        energy = 0.0
        for i in range(n):
            low = min(low, x[i])
            high = max(high, x[i])
            energy += x[i] * x[i]
        mean = _sum(x) / n
        second, third, fourth, absolute = 0.0, 0.0, 0.0, 0.0
        for i in range(n):
            d = x[i] - mean
            square = d * d
            absolute += abs(d)
            second += square
            third += square * d
            fourth += square * square
        second, third, fourth = second / n, third / n, fourth / n

        # numpy's linear interpolation, in its own two forms: a pixel may lie on a percentile.
        around = _order_statistics(x, low, high, ranks)
        for p in range(5):
            a, b, t = around[2 * p], around[2 * p + 1], rests[p]
            percentiles[p] = b - (b - a) * (1 - t) if t >= 0.5 else a + (b - a) * t
        p10, p90 = percentiles[0], percentiles[4]
        inner, n_inner = 0.0, 0
        for i in range(n):
            if p10 <= x[i] <= p90:
                inner += x[i]
                n_inner += 1
        inner /= n_inner
        robust = 0.0
        for i in range(n):
            if p10 <= x[i] <= p90:
                robust += abs(x[i] - inner)

        entropy, uniformity = 0.0, 0.0
        for level in range(counts.shape[1]):
            if counts[image, level] > 0:
                p_level = counts[image, level] / n
                entropy -= p_level * np.log2(p_level + 2.220446049250313e-16)
                uniformity += p_level * p_level

        row = out[image]
        row[0], row[1] = p10, p90
        row[2], row[3] = energy, entropy
        row[4] = percentiles[3] - percentiles[1]
        row[5] = fourth / (second * second) if second > 0 else 0.0
        row[6], row[7], row[8] = high, absolute / n, mean
        row[9] = percentiles[2]
        row[10], row[11] = low, high - low
        row[12] = robust / n_inner if n_inner > 0 else np.nan
        row[13] = np.sqrt(energy / n)
        row[14] = third / second**1.5 if second > 0 else 0.0
        row[15] = energy * volume
        row[16], row[17] = uniformity, second
    return out
