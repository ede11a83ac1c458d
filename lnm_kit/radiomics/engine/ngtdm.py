"""Neighboring gray-tone difference matrix: how far pixels stand out from their neighbors."""

import numpy as np
from numba import njit

NAMES = ("Busyness", "Coarseness", "Complexity", "Contrast", "Strength")
"""Features of pyradiomics' class `ngtdm`, in its order."""


def ngtdm_features(labels: np.ndarray, levels: np.ndarray, n_levels: np.ndarray) -> np.ndarray:
    """Compute the gray-tone difference features of B images of one region.

    Parameters
    ----------
    labels, levels, n_levels
        See :class:`lnm_kit.radiomics.engine.binning.Binned`.

    Returns
    -------
    numpy.ndarray
        (B, 5) float64 in the order of `NAMES`.

    Notes
    -----
    The neighborhood is the up to eight neighbors within the region. Where nothing differs,
    coarseness is 1e6 and the others are 0, as in pyradiomics.

    *Source*: pyradiomics 3.0.1, class `RadiomicsNGTDM`; Amadasun and King 1989; Image Biomarker
    Standardisation Initiative, reference manual, section 3.10.

    Examples
    --------
    >>> labels = np.zeros((1, 4, 4), np.int32)
    >>> labels[0, 1:3, 1:3] = [[1, 1], [2, 2]]
    >>> found = ngtdm_features(labels, np.array([[1, 2]]), np.array([2]))
    >>> round(float(dict(zip(NAMES, found[0]))["Coarseness"]), 3)
    0.75
    """
    return _compute(labels, levels, n_levels)


@njit(cache=True, nogil=True, error_model="numpy")
def _compute(labels: np.ndarray, levels: np.ndarray, n_levels: np.ndarray) -> np.ndarray:
    n_images, height, width = labels.shape
    out = np.empty((n_images, 5))
    neighbors = np.ones((height, width))
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            count = 0
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    count += labels[0, y + dy, x + dx] > 0
            neighbors[y, x] = count - (labels[0, y, x] > 0)
    gray = np.zeros((height, width), np.int32)
    gap = np.empty(width)
    for image in range(n_images):
        n_gray = n_levels[image]
        level_of = np.zeros(n_gray + 1, np.int32)
        for i in range(n_gray):
            level_of[i + 1] = levels[image, i]
        for y in range(1, height - 1):
            for x in range(1, width - 1):
                gray[y, x] = level_of[labels[image, y, x]]
        gaps = np.zeros(n_gray + 1)
        pixels = np.zeros(n_gray + 1)
        for y in range(1, height - 1):
            above, row, below = gray[y - 1], gray[y], gray[y + 1]
            near = neighbors[y]
            for x in range(1, width - 1):
                total = (
                    above[x - 1] + above[x] + above[x + 1] + row[x - 1] + row[x + 1]
                    + below[x - 1] + below[x] + below[x + 1]
                )  # fmt: skip
                gap[x] = abs(row[x] - total / max(near[x], 1.0)) if near[x] > 0 else 0.0
            for x in range(1, width - 1):
                label = labels[image, y, x]
                gaps[label] += gap[x]
                pixels[label] += 1
        _fill(levels[image, :n_gray], pixels[1:], gaps[1:], out[image])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(gray: np.ndarray, pixels: np.ndarray, gaps: np.ndarray, out: np.ndarray) -> None:
    n = len(gray)
    total = pixels.sum()
    p = pixels / total
    all_gaps, weighted = 0.0, 0.0
    for i in range(n):
        all_gaps += gaps[i]
        weighted += p[i] * gaps[i]
    contrast, apart, complexity, strength = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        for j in range(n):
            step = float(gray[i] - gray[j])
            contrast += p[i] * p[j] * step * step
            apart += abs(gray[i] * p[i] - gray[j] * p[j])
            both = p[i] + p[j]
            complexity += abs(step) * (p[i] * gaps[i] + p[j] * gaps[j]) / both
            strength += both * step * step
    out[0] = weighted / apart if apart > 0 else 0.0
    out[1] = 1 / weighted if weighted > 0 else 1e6
    out[2] = complexity / total
    out[3] = contrast * all_gaps / total / (n * (n - 1)) if n > 1 else 0.0
    out[4] = strength / all_gaps if all_gaps > 0 else 0.0
