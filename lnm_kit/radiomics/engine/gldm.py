"""Gray-level dependence matrix: how many neighbors share a pixel's gray level."""

import numpy as np
from numba import njit

NAMES = (
    "DependenceEntropy",
    "DependenceNonUniformity",
    "DependenceNonUniformityNormalized",
    "DependenceVariance",
    "GrayLevelNonUniformity",
    "GrayLevelVariance",
    "HighGrayLevelEmphasis",
    "LargeDependenceEmphasis",
    "LargeDependenceHighGrayLevelEmphasis",
    "LargeDependenceLowGrayLevelEmphasis",
    "LowGrayLevelEmphasis",
    "SmallDependenceEmphasis",
    "SmallDependenceHighGrayLevelEmphasis",
    "SmallDependenceLowGrayLevelEmphasis",
)
"""Features of pyradiomics' class `gldm`, in its order."""


def gldm_features(labels: np.ndarray, levels: np.ndarray, n_levels: np.ndarray) -> np.ndarray:
    """Compute the dependence features of B images of one region.

    A neighbor, of eight, depends on the pixel when both have the same gray level; the pixel counts
    itself.

    Parameters
    ----------
    labels, levels, n_levels
        See :class:`lnm_kit.radiomics.engine.binning.Binned`.

    Returns
    -------
    numpy.ndarray
        (B, 14) float64 in the order of `NAMES`.

    Notes
    -----
    *Source*: pyradiomics 3.0.1, class `RadiomicsGLDM`; Sun and Wee 1983 (neighboring gray-level
    dependence); Image Biomarker Standardisation Initiative, reference manual, section 3.11.

    Examples
    --------
    >>> labels = np.zeros((1, 4, 4), np.int32)
    >>> labels[0, 1:3, 1:3] = [[1, 1], [2, 2]]
    >>> found = gldm_features(labels, np.array([[1, 2]]), np.array([2]))
    >>> float(dict(zip(NAMES, found[0]))["LargeDependenceEmphasis"])
    4.0
    """
    return _compute(labels, levels, n_levels)


@njit(cache=True, nogil=True, error_model="numpy")
def _compute(labels: np.ndarray, levels: np.ndarray, n_levels: np.ndarray) -> np.ndarray:
    n_images, height, width = labels.shape
    out = np.empty((n_images, 14))
    alike = np.empty(width, np.int32)
    for image in range(n_images):
        n_gray = n_levels[image]
        tally = np.zeros((n_gray + 1) * 9, np.int32)
        for y in range(1, height - 1):
            above, row, below = labels[image, y - 1], labels[image, y], labels[image, y + 1]
            for x in range(1, width - 1):
                a = row[x]
                alike[x] = (
                    np.int32(above[x - 1] == a)
                    + np.int32(above[x] == a)
                    + np.int32(above[x + 1] == a)
                    + np.int32(row[x - 1] == a)
                    + np.int32(row[x + 1] == a)
                    + np.int32(below[x - 1] == a)
                    + np.int32(below[x] == a)
                    + np.int32(below[x + 1] == a)
                )
            for x in range(1, width - 1):
                tally[row[x] * 9 + alike[x]] += 1
        by_size = np.zeros(10)
        total, mean_level, level_squares, low, high, logs = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        low_small, low_large, high_small, high_large = 0.0, 0.0, 0.0, 0.0
        by_level = np.zeros(n_gray)
        for i in range(n_gray):
            g = float(levels[image, i])
            g2 = g * g
            for s in range(1, 10):
                count = tally[(i + 1) * 9 + s - 1]
                if count == 0:
                    continue
                by_size[s] += count
                by_level[i] += count
                if count > 1:
                    logs += count * np.log2(count)
                s2 = float(s * s)
                low_small += count / (g2 * s2)
                low_large += count * s2 / g2
                high_small += count * g2 / s2
                high_large += count * g2 * s2
            total += by_level[i]
            mean_level += by_level[i] * g
            level_squares += by_level[i] ** 2
            low += by_level[i] / g2
            high += by_level[i] * g2
        mean_level /= total
        level_variance = 0.0
        for i in range(n_gray):
            level_variance += by_level[i] * (levels[image, i] - mean_level) ** 2
        mean_size, size_squares, small, large = 0.0, 0.0, 0.0, 0.0
        for s in range(1, 10):
            mean_size += by_size[s] * s
            size_squares += by_size[s] ** 2
            small += by_size[s] / (s * s)
            large += by_size[s] * s * s
        mean_size /= total
        size_variance = 0.0
        for s in range(1, 10):
            size_variance += by_size[s] * (s - mean_size) ** 2

        found = out[image]
        found[0] = np.log2(total) - logs / total
        found[1] = size_squares / total
        found[2] = size_squares / total**2
        found[3] = size_variance / total
        found[4] = level_squares / total
        found[5] = level_variance / total
        found[6] = high / total
        found[7] = large / total
        found[8] = high_large / total
        found[9] = low_large / total
        found[10] = low / total
        found[11] = small / total
        found[12] = high_small / total
        found[13] = low_small / total
    return out
