"""Shape of a region: as a volume of one slice, and in the plane."""

import math

import numpy as np
from numba import njit

NAMES = (
    "Elongation",
    "Flatness",
    "LeastAxisLength",
    "MajorAxisLength",
    "Maximum2DDiameterColumn",
    "Maximum2DDiameterRow",
    "Maximum2DDiameterSlice",
    "Maximum3DDiameter",
    "MeshVolume",
    "MinorAxisLength",
    "Sphericity",
    "SurfaceArea",
    "SurfaceVolumeRatio",
    "VoxelVolume",
)
"""Features of pyradiomics' class `shape`, in its order."""

NAMES_2D = (
    "Elongation",
    "MajorAxisLength",
    "MaximumDiameter",
    "MeshSurface",
    "MinorAxisLength",
    "Perimeter",
    "PerimeterSurfaceRatio",
    "PixelSurface",
    "Sphericity",
)
"""Features of pyradiomics' class `shape2D`, in its order."""

_VOLUME = np.array([0, 2, 2, 12, 2, 12, 4, 34, 2, 4, 12, 34, 12, 34, 34, 48]) / 48
_AREA = np.array([0, 1, 1, 4, 1, 4, 2, 7, 1, 2, 4, 7, 4, 7, 7, 8]) / 8

Spacing = tuple[float, float, float]


def shape_features(inside: np.ndarray, spacing_mm: Spacing) -> tuple[np.ndarray, np.ndarray]:
    r"""Compute the shape features of a region in one slice.

    Parameters
    ----------
    inside
        (H, W) bool, at least one pixel.
    spacing_mm
        Spacing of slices, rows and columns.

    Returns
    -------
    numpy.ndarray
        (14,) float64 in the order of `NAMES`: the region as a volume of one slice.
    numpy.ndarray
        (9,) float64 in the order of `NAMES_2D`: the region in the plane.

    Notes
    -----
    Surface, volume, perimeter and area are sums over the 2 x 2 neighborhoods of the mask, of which
    there are 16 kinds (marching cubes and squares). Diameters are searched on the convex hull of
    the mesh's vertices, not among all pairs of vertices. With eigenvalues
    :math:`\lambda_1 \ge \lambda_2` of the covariance of the pixel centers, the axes are
    :math:`4 \sqrt{\lambda}` long; the least axis of a slice is 0.

    *Source*: pyradiomics 3.0.1, classes `RadiomicsShape` and `RadiomicsShape2D`; Image Biomarker
    Standardisation Initiative, reference manual, section 3.1.

    Examples
    --------
    >>> volume, plane = shape_features(np.ones((3, 4), bool), (1.0, 1.0, 1.0))
    >>> named = dict(zip(NAMES, volume.tolist()))
    >>> round(named["Maximum2DDiameterSlice"], 3), named["VoxelVolume"]
    (4.472, 12.0)
    """
    kinds, sums, diameters = _measure(inside, *spacing_mm)
    sz, sy, sx = spacing_mm
    area_mm2, perimeter_mm = float(kinds @ _AREA) * sy * sx, float(kinds @ _lines(sy, sx))
    volume_mm3 = float(kinds @ _VOLUME) * sz * sy * sx
    surface_mm2 = float(kinds @ _surfaces(sz, sy, sx))
    slice_mm, column_mm, row_mm, all_mm = diameters.tolist()
    n = int(sums[0])
    major, minor = _axes([int(value) for value in sums], sy, sx)
    elongation = minor / major if major > 0 else math.nan
    flatness = 0.0 if major > 0 else math.nan
    sphericity = (36 * math.pi * volume_mm3**2) ** (1 / 3) / surface_mm2
    volume = (
        *(elongation, flatness, 0.0, major, column_mm, row_mm, slice_mm, all_mm, volume_mm3),
        *(minor, sphericity, surface_mm2, surface_mm2 / volume_mm3, n * (sz * sy * sx)),
    )
    plane = (
        *(elongation, major, slice_mm, area_mm2, minor, perimeter_mm, perimeter_mm / area_mm2),
        *(n * (sy * sx), 2 * math.sqrt(math.pi * area_mm2) / perimeter_mm),
    )
    return np.array(volume), np.array(plane)


def _axes(sums: list[int], sy: float, sx: float) -> tuple[float, float]:
    """Lengths of both axes; integer sums keep a line of pixels without width."""
    n, y, x, yy, xx, yx = sums
    a, c, b = n * yy - y * y, n * xx - x * x, n * yx - y * x
    determinant = (a * c - b * b) * (sy * sx / n**2) ** 2
    first, second = a * (sy / n) ** 2, c * (sx / n) ** 2
    both = first + second
    root = math.hypot(first - second, 2 * b * sy * sx / n**2)
    largest = (both + root) / 2
    return 4 * math.sqrt(largest), 4 * math.sqrt(determinant / largest if largest > 0 else 0.0)


def _lines(sy: float, sx: float) -> np.ndarray:
    """Length of the outline in each of the 16 neighborhoods."""
    corner = math.hypot(sy, sx) / 2
    half = {0: 0, 1: corner, 2: corner, 3: sx, 4: corner, 5: sy, 6: 2 * corner, 7: corner}
    return np.array([half[min(kind, 15 - kind)] for kind in range(16)])


def _surfaces(sz: float, sy: float, sx: float) -> np.ndarray:
    """Surface above and below each of the 16 neighborhoods."""

    def triangle(*corners: tuple[float, float, float]) -> float:
        (a, b, c), (d, e, f), (g, h, i) = corners
        z, y, x = (d - a) * sz, (e - b) * sy, (f - c) * sx
        w, v, u = (g - a) * sz, (h - b) * sy, (i - c) * sx
        return math.hypot(z * v - y * w, y * u - x * v, x * w - z * u) / 2

    corner = triangle((0.5, 0, 0), (0, 0.5, 0), (0, 0, 0.5))
    beside_row, beside_column = sx * math.hypot(sy, sz) / 2, sy * math.hypot(sx, sz) / 2
    three = sy * sx / 2 + (
        triangle((0, 1, 0.5), (0.5, 0, 0), (0, 0.5, 0))
        + triangle((0, 1, 0.5), (0.5, 1, 1), (0.5, 0, 0))
    )
    both = 2 * np.array(
        [
            *(0, corner, corner, beside_row, corner, beside_column, 2 * corner, three),
            *(corner, 2 * corner, beside_column, three, beside_row, three, three, sy * sx),
        ]
    )
    # One diagonal pair is joined above the slice, and not below it: an ambiguous case of marching
    # cubes, which pyradiomics' table resolves in two ways.
    both[6] = 2 * corner + 2 * (
        triangle((1, 1, 0.5), (1, 0.5, 1), (0.5, 0, 1))
        + triangle((1, 1, 0.5), (0.5, 0, 1), (0.5, 1, 0))
    )
    return both


@njit(cache=True, nogil=True, error_model="numpy")
def _measure(
    inside: np.ndarray, sz: float, sy: float, sx: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    height, width = inside.shape
    kinds = np.zeros(16)
    sums = np.zeros(6, np.int64)
    # Extreme points of every half row and half column, in half pixels; -1 where there is none.
    in_row = np.full((2 * height + 3, 2), -1, np.int64)
    in_column = np.full((2 * width + 3, 2), -1, np.int64)
    center = np.full((2 * height + 3, 2), -1, np.int64)
    center_column = np.full((2 * width + 3, 2), -1, np.int64)
    for y in range(-1, height):
        for x in range(-1, width):
            a = inside[y, x] if y >= 0 and x >= 0 else False
            b = inside[y, x + 1] if y >= 0 and x + 1 < width else False
            c = inside[y + 1, x] if y + 1 < height and x >= 0 else False
            d = inside[y + 1, x + 1] if y + 1 < height and x + 1 < width else False
            kinds[a + 2 * b + 4 * c + 8 * d] += 1
            if a:
                sums[0] += 1
                sums[1] += y
                sums[2] += x
                sums[3] += y * y
                sums[4] += x * x
                sums[5] += y * x
                _extend(center, 2 * y + 2, 2 * x + 2)
                _extend(center_column, 2 * x + 2, 2 * y + 2)
            if a != b:
                _extend(in_row, 2 * y + 2, 2 * x + 3)
                _extend(in_column, 2 * x + 3, 2 * y + 2)
            if a != c:
                _extend(in_row, 2 * y + 3, 2 * x + 2)
                _extend(in_column, 2 * x + 2, 2 * y + 3)
    outline, centers = _hull(in_row), _hull(center)
    in_plane = _farthest(outline, outline, sy, sx)
    diameters = np.empty(4)
    diameters[0] = in_plane
    diameters[1] = _longest(in_row, center, sx, sz)
    diameters[2] = _longest(in_column, center_column, sy, sz)
    diameters[3] = max(
        in_plane,
        _farthest(outline, centers, sy, sx) + sz * sz / 4,
        _farthest(centers, centers, sy, sx) + sz * sz,
    )
    return kinds, sums, np.sqrt(diameters)


@njit(cache=True, nogil=True, error_model="numpy")
def _extend(extent: np.ndarray, line: int, place: int) -> None:
    if extent[line, 0] < 0 or place < extent[line, 0]:
        extent[line, 0] = place
    extent[line, 1] = max(extent[line, 1], place)


@njit(cache=True, nogil=True, error_model="numpy")
def _longest(outline: np.ndarray, center: np.ndarray, across: float, sz: float) -> float:
    """Largest squared distance of two vertices on one line of the slice, at any height."""
    longest = 0.0
    for line in range(len(outline)):
        if outline[line, 0] >= 0:
            step = (outline[line, 1] - outline[line, 0]) * across / 2
            longest = max(longest, step * step)
        if center[line, 0] >= 0:
            step = (center[line, 1] - center[line, 0]) * across / 2
            longest = max(longest, step * step + sz * sz)
            if outline[line, 0] >= 0:
                one = center[line, 1] - outline[line, 0]
                two = outline[line, 1] - center[line, 0]
                step = max(one, two) * across / 2
                longest = max(longest, step * step + sz * sz / 4)
    return longest


@njit(cache=True, nogil=True, error_model="numpy")
def _hull(extent: np.ndarray) -> np.ndarray:
    """Corners of the convex hull, from the extreme points of every line, ascending."""
    hull = np.empty((2 * len(extent), 2), np.int64)
    n = 0
    for side in range(2):
        start = n
        for line in range(len(extent)):
            if extent[line, 0] < 0:
                continue
            y, x = line, extent[line, side]
            while n - start >= 2:
                turn = (hull[n - 1, 0] - hull[n - 2, 0]) * (x - hull[n - 2, 1]) - (
                    hull[n - 1, 1] - hull[n - 2, 1]
                ) * (y - hull[n - 2, 0])
                if (turn <= 0) if side == 0 else (turn >= 0):
                    n -= 1
                else:
                    break
            hull[n, 0], hull[n, 1] = y, x
            n += 1
    return hull[:n]


@njit(cache=True, nogil=True, error_model="numpy")
def _farthest(one: np.ndarray, two: np.ndarray, sy: float, sx: float) -> float:
    longest = 0.0
    for i in range(len(one)):
        for j in range(len(two)):
            dy = (one[i, 0] - two[j, 0]) * sy / 2
            dx = (one[i, 1] - two[j, 1]) * sx / 2
            longest = max(longest, dy * dy + dx * dx)
    return longest
