"""Gray-level size-zone matrix: how large the patches of one gray level are."""

import numpy as np
from numba import njit

NAMES = (
    "GrayLevelNonUniformity",
    "GrayLevelNonUniformityNormalized",
    "GrayLevelVariance",
    "HighGrayLevelZoneEmphasis",
    "LargeAreaEmphasis",
    "LargeAreaHighGrayLevelEmphasis",
    "LargeAreaLowGrayLevelEmphasis",
    "LowGrayLevelZoneEmphasis",
    "SizeZoneNonUniformity",
    "SizeZoneNonUniformityNormalized",
    "SmallAreaEmphasis",
    "SmallAreaHighGrayLevelEmphasis",
    "SmallAreaLowGrayLevelEmphasis",
    "ZoneEntropy",
    "ZonePercentage",
    "ZoneVariance",
)
"""Features of pyradiomics' class `glszm`, in its order."""

_COMMON_SIZE = 256


def glszm_features(labels: np.ndarray, levels: np.ndarray, n_levels: np.ndarray) -> np.ndarray:
    """Compute the size-zone features of B images of one region.

    A zone is a set of pixels of one gray level that touch by an edge or a corner.

    Parameters
    ----------
    labels, levels, n_levels
        See :class:`lnm_kit.radiomics.engine.binning.Binned`.

    Returns
    -------
    numpy.ndarray
        (B, 16) float64 in the order of `NAMES`.

    Notes
    -----
    *Source*: pyradiomics 3.0.1, class `RadiomicsGLSZM`; Thibault et al. 2009; Image Biomarker
    Standardisation Initiative, reference manual, section 3.8. Zones by union-find over the rows.

    Examples
    --------
    >>> labels = np.zeros((1, 4, 4), np.int32)
    >>> labels[0, 1:3, 1:3] = [[1, 1], [2, 2]]
    >>> found = glszm_features(labels, np.array([[1, 2]]), np.array([2]))
    >>> float(dict(zip(NAMES, found[0]))["ZonePercentage"])
    0.5
    """
    return _compute(labels, levels, n_levels)


@njit(cache=True, nogil=True, error_model="numpy")
def _zones(
    label: np.ndarray, zone: np.ndarray, parent: np.ndarray, size: np.ndarray, level: np.ndarray
) -> int:
    """Fill sizes (0 of a zone merged into another) and levels of the zones; return how many."""
    height, width = label.shape
    n = 0
    for y in range(1, height - 1):
        row, above = label[y], label[y - 1]
        zone_row, zone_above = zone[y % 2], zone[1 - y % 2]
        for x in range(1, width - 1):
            a = row[x]
            if a == 0:
                continue
            is_left = row[x - 1] == a
            is_up = above[x] == a
            is_right_up = above[x + 1] == a
            is_left_up = above[x - 1] == a
            # The pixel above touches the other three, so it speaks for them.
            side = zone_row[x - 1] if is_left else zone_above[x - 1]
            is_side = is_left | is_left_up
            found = zone_above[x + 1] if is_right_up else side
            found = zone_above[x] if is_up else found
            is_new = not (is_up | is_right_up | is_side)
            found = n if is_new else found
            # Written whether or not the zone is new: cheaper than a branch that none can foresee.
            parent[n] = n
            size[n] = 0
            level[n] = a
            n += is_new
            zone_row[x] = found
            size[found] += 1
            if is_right_up & is_side & (not is_up):
                one, two = found, side
                while parent[one] != one:
                    one = parent[one]
                while parent[two] != two:
                    two = parent[two]
                parent[max(one, two)] = min(one, two)
    for k in range(n - 1, -1, -1):  # a parent comes before its children
        if parent[k] != k:
            size[parent[k]] += size[k]
            size[k] = 0
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def _compute(labels: np.ndarray, levels: np.ndarray, n_levels: np.ndarray) -> np.ndarray:
    n_images, height, width = labels.shape
    out = np.empty((n_images, 16))
    n_pixels = (height - 2) * (width - 2)
    zone = np.zeros((2, width), np.int32)
    parent = np.empty(n_pixels + 1, np.int32)
    size = np.empty(n_pixels + 1, np.int32)
    level = np.empty(n_pixels + 1, np.int32)
    by_size = np.zeros(n_pixels + 1)
    for image in range(n_images):
        gray = levels[image]
        n_gray = n_levels[image]
        n = _zones(labels[image], zone, parent, size, level)
        common = np.zeros((n_gray, _COMMON_SIZE), np.int32)
        rare = np.empty(n_pixels // _COMMON_SIZE + 1, np.int64)
        n_rare = 0
        by_level = np.zeros(n_gray)
        largest = 0
        total, pixels, long, short = 0.0, 0.0, 0.0, 0.0
        low_short, low_long, high_short, high_long = 0.0, 0.0, 0.0, 0.0
        for k in range(n):
            s = size[k]
            if s == 0:
                continue
            i = level[k] - 1
            if s < _COMMON_SIZE:
                common[i, s] += 1
            else:
                rare[n_rare] = np.int64(i) * (n_pixels + 1) + s
                n_rare += 1
                g2, s2 = float(gray[i]) * gray[i], float(s) * s
                low_short += 1 / (g2 * s2)
                low_long += s2 / g2
                high_short += g2 / s2
                high_long += g2 * s2
            by_level[i] += 1
            by_size[s] += 1
            largest = max(largest, s)
        logs = 0.0
        for i in range(n_gray):
            g2 = float(gray[i]) * gray[i]
            for s in range(1, min(largest + 1, _COMMON_SIZE)):
                count = common[i, s]
                if count == 0:
                    continue
                s2 = float(s) * s
                if count > 1:
                    logs += count * np.log2(count)
                low_short += count / (g2 * s2)
                low_long += count * s2 / g2
                high_short += count * g2 / s2
                high_long += count * g2 * s2
        for one in range(n_rare):
            same, is_first = 0, True
            for two in range(n_rare):
                if rare[one] == rare[two]:
                    same += 1
                    is_first &= two >= one
            if is_first:
                logs += same * np.log2(same)
        size_squares = 0.0
        for s in range(1, largest + 1):
            if by_size[s] > 0:
                s2 = float(s) * s
                total += by_size[s]
                pixels += by_size[s] * s
                size_squares += by_size[s] ** 2
                short += by_size[s] / s2
                long += by_size[s] * s2
        mean_size = pixels / total
        size_variance = 0.0
        for s in range(1, largest + 1):
            if by_size[s] > 0:
                size_variance += by_size[s] * (s - mean_size) ** 2
                by_size[s] = 0
        mean_level, level_squares, low, high = 0.0, 0.0, 0.0, 0.0
        for i in range(n_gray):
            g = float(gray[i])
            mean_level += by_level[i] * g
            level_squares += by_level[i] ** 2
            low += by_level[i] / (g * g)
            high += by_level[i] * g * g
        mean_level /= total
        level_variance = 0.0
        for i in range(n_gray):
            level_variance += by_level[i] * (gray[i] - mean_level) ** 2

        row = out[image]
        row[0] = level_squares / total
        row[1] = level_squares / total**2
        row[2] = level_variance / total
        row[3] = high / total
        row[4] = long / total
        row[5] = high_long / total
        row[6] = low_long / total
        row[7] = low / total
        row[8] = size_squares / total
        row[9] = size_squares / total**2
        row[10] = short / total
        row[11] = high_short / total
        row[12] = low_short / total
        row[13] = np.log2(total) - logs / total
        row[14] = total / pixels
        row[15] = size_variance / total
    return out
