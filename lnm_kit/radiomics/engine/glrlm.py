"""Gray-level run-length matrix: how long equal gray levels go on along a line."""

import numpy as np
from numba import njit

NAMES = (
    "GrayLevelNonUniformity",
    "GrayLevelNonUniformityNormalized",
    "GrayLevelVariance",
    "HighGrayLevelRunEmphasis",
    "LongRunEmphasis",
    "LongRunHighGrayLevelEmphasis",
    "LongRunLowGrayLevelEmphasis",
    "LowGrayLevelRunEmphasis",
    "RunEntropy",
    "RunLengthNonUniformity",
    "RunLengthNonUniformityNormalized",
    "RunPercentage",
    "RunVariance",
    "ShortRunEmphasis",
    "ShortRunHighGrayLevelEmphasis",
    "ShortRunLowGrayLevelEmphasis",
)
"""Features of pyradiomics' class `glrlm`, in its order."""


def glrlm_features(labels: np.ndarray, levels: np.ndarray, n_levels: np.ndarray) -> np.ndarray:
    """Compute the run-length features of B images of one region.

    Every feature is the mean over the four directions of a slice; a direction along which no line
    meets two pixels of the region does not count.

    Parameters
    ----------
    labels, levels, n_levels
        See :class:`lnm_kit.radiomics.engine.binning.Binned`.

    Returns
    -------
    numpy.ndarray
        (B, 16) float64 in the order of `NAMES`; NaN where no direction counts.

    Notes
    -----
    A pixel that continues a run at place `k` is tallied under `k`; runs of length `k` are then the
    tally of `k` less that of `k + 1`, so one sweep without branches gives all four directions.

    *Source*: pyradiomics 3.0.1, class `RadiomicsGLRLM`; Galloway 1975; Image Biomarker
    Standardisation Initiative, reference manual, section 3.7.

    Examples
    --------
    >>> labels = np.zeros((1, 4, 4), np.int32)
    >>> labels[0, 1:3, 1:3] = [[1, 1], [2, 2]]
    >>> found = glrlm_features(labels, np.array([[1, 2]]), np.array([2]))
    >>> round(float(dict(zip(NAMES, found[0]))["RunPercentage"]), 3)
    0.875
    """
    return _compute(labels, levels, n_levels, _directions(labels[0]))


@njit(cache=True, nogil=True, error_model="numpy")
def _directions(label: np.ndarray) -> np.ndarray:
    """Whether any line along each direction meets two pixels of the region, (4,)."""
    height, width = label.shape
    met = np.zeros((4, height + width), np.bool_)
    twice = np.zeros(4, np.bool_)
    for y in range(height):
        for x in range(width):
            if label[y, x] > 0:
                lines = (y, y + x, x, x - y + height)
                for angle in range(4):
                    twice[angle] |= met[angle, lines[angle]]
                    met[angle, lines[angle]] = True
        if twice.all():
            break
    return twice


@njit(cache=True, nogil=True, error_model="numpy")
def _compute(
    labels: np.ndarray, levels: np.ndarray, n_levels: np.ndarray, directions: np.ndarray
) -> np.ndarray:
    n_images, height, width = labels.shape
    out = np.empty((n_images, 16))
    longest = max(height, width) + 1
    for image in range(n_images):
        n = n_levels[image]
        tally = np.zeros((4, (n + 1) * longest), np.int32)
        along, right_up, up, left_up = tally[0], tally[1], tally[2], tally[3]
        places = np.zeros((2, 3, width), np.int32)
        for y in range(1, height - 1):
            row, above = labels[image, y], labels[image, y - 1]
            here, before = places[y % 2], places[1 - y % 2]
            place = 0
            for x in range(1, width - 1):
                label = row[x]
                start = label * longest
                place = place + 1 if label == row[x - 1] else 1
                along[start + place] += 1
                one = before[0, x + 1] + 1 if label == above[x + 1] else 1
                right_up[start + one] += 1
                here[0, x] = one
                two = before[1, x] + 1 if label == above[x] else 1
                up[start + two] += 1
                here[1, x] = two
                three = before[2, x - 1] + 1 if label == above[x - 1] else 1
                left_up[start + three] += 1
                here[2, x] = three
        row_out = out[image]
        row_out[:] = 0
        n_angles = 0
        for angle in range(4):
            if directions[angle]:
                _add_angle(tally[angle].reshape(n + 1, longest), levels[image, :n], row_out)
                n_angles += 1
        row_out /= n_angles if n_angles > 0 else np.nan
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _add_angle(tally: np.ndarray, gray: np.ndarray, out: np.ndarray) -> None:
    n = len(gray)
    longest = tally.shape[1]
    by_length = np.zeros(longest)
    by_level = np.zeros(n)
    logs, low_short, low_long, high_short, high_long = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        g2 = float(gray[i]) * gray[i]
        for k in range(1, longest):
            if tally[i + 1, k] == 0:
                break
            runs = tally[i + 1, k] - (tally[i + 1, k + 1] if k + 1 < longest else 0)
            if runs == 0:
                continue
            k2 = float(k) * k
            by_length[k] += runs
            by_level[i] += runs
            if runs > 1:
                logs += runs * np.log2(runs)
            low_short += runs / (g2 * k2)
            low_long += runs * k2 / g2
            high_short += runs * g2 / k2
            high_long += runs * g2 * k2
    total, mean_level, level_squares, low, high = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        g = float(gray[i])
        total += by_level[i]
        mean_level += by_level[i] * g
        level_squares += by_level[i] ** 2
        low += by_level[i] / (g * g)
        high += by_level[i] * g * g
    mean_level /= total
    level_variance = 0.0
    for i in range(n):
        level_variance += by_level[i] * (gray[i] - mean_level) ** 2
    pixels, length_squares, short, long = 0.0, 0.0, 0.0, 0.0
    for k in range(1, longest):
        pixels += by_length[k] * k
        length_squares += by_length[k] ** 2
        short += by_length[k] / (k * k)
        long += by_length[k] * k * k
    mean_length = pixels / total
    length_variance = 0.0
    for k in range(1, longest):
        length_variance += by_length[k] * (k - mean_length) ** 2

    out[0] += level_squares / total
    out[1] += level_squares / total**2
    out[2] += level_variance / total
    out[3] += high / total
    out[4] += long / total
    out[5] += high_long / total
    out[6] += low_long / total
    out[7] += low / total
    out[8] += np.log2(total) - logs / total
    out[9] += length_squares / total
    out[10] += length_squares / total**2
    out[11] += total / pixels
    out[12] += length_variance / total
    out[13] += short / total
    out[14] += high_short / total
    out[15] += low_short / total
