"""Square regions by dilation, and what a network of several tasks shall draw in them."""

import math

import numpy as np
from scipy import ndimage
from skimage.feature import canny
from skimage.restoration import denoise_bilateral

from lnm_kit.errors import InputError
from lnm_kit.regions.crop import Box

DILATIONS = {"us": 40, "ct": 25}
"""Iterations of the 3 x 3 dilation that grows the mask before the region is cut out."""

SIZE_PX = {"us": 288, "ct": 96}
"""Sides of the resized regions."""


def dilate(mask: np.ndarray, iterations: int) -> np.ndarray:
    """Dilate a mask by a 3 x 3 square, a number of times, within the image.

    Parameters
    ----------
    mask
        (H, W), bool or 0/1.
    iterations
        0 or more. n times 3 x 3 is once (2 n + 1) x (2 n + 1), which is what is computed.

    Returns
    -------
    bool (H, W).
    """
    return ndimage.maximum_filter(
        mask.astype(bool), size=2 * iterations + 1, mode="constant", cval=False
    )


def erode(mask: np.ndarray, iterations: int) -> np.ndarray:
    """Erode a mask by a 3 x 3 square, a number of times; the image's edge does not eat into it.

    Parameters and result are those of `dilate`.
    """
    return ~dilate(~mask.astype(bool), iterations)


def external_square(mask: np.ndarray, *, dilations: int) -> Box:
    """Square on the center of the dilated mask's bounding rectangle, as wide as its longer side.

    Parameters
    ----------
    mask
        (H, W), bool or 0/1.
    dilations
        See `DILATIONS`. They are counted in pixels of the image, so that the square around a
        nodule shows more millimeters of tissue where pixels are larger.

    Returns
    -------
    The square; it may reach beyond the image. Where its center is half a pixel off, it lies half a
    pixel to the top or left.

    Raises
    ------
    InputError
        A mask of other axes, or an empty one, or a negative number of dilations.

    Notes
    -----
    *Source*: G. Li (DGFNet), section "Region of Interest Extraction". The dilation stops at the
    image's edge, so that a nodule there is not in the middle of its square.

    Examples
    --------
    >>> mask = np.zeros((100, 100), bool)
    >>> mask[40:50, 30:60] = True
    >>> external_square(mask, dilations=5)
    Box(top=25, left=25, side=40)
    """
    if dilations < 0:
        raise InputError(f"dilations is {dilations}; allowed: 0 or more.")
    if mask.ndim != 2:
        raise InputError(f"the mask has shape {mask.shape}; it must be (rows, columns).")
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        raise InputError("the mask is empty; a region needs at least one marked pixel.")
    # the bounding rectangle of a mask grows by one pixel with each dilation
    top, bottom = max(rows[0] - dilations, 0), min(rows[-1] + dilations + 1, mask.shape[0])
    left, right = max(columns[0] - dilations, 0), min(columns[-1] + dilations + 1, mask.shape[1])
    side = int(max(bottom - top, right - left))
    return Box(math.floor((top + bottom - side) / 2), math.floor((left + right - side) / 2), side)


def square_region(
    pixels: np.ndarray, mask: np.ndarray, *, dilations: int, size_px: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cut out the square around a nodule, zero outside of the image, and resize it.

    Parameters
    ----------
    pixels
        uint8 (H, W). Map CT from Hounsfield units to a window first, so that 0 is black.
    mask
        (H, W), bool or 0/1.
    dilations, size_px
        See `DILATIONS` and `SIZE_PX`.

    Returns
    -------
    Region uint8 (size_px, size_px), and its mask bool (size_px, size_px), which is never empty.

    Raises
    ------
    InputError
        Another type, two shapes, an empty mask, a size below 1, or a nodule so small in its square
        that it vanishes.

    Notes
    -----
    *Source*: as `external_square`. The interpolation is not printed. Here the region is linear
    between pixel centers, after a mean over the pixels that one pixel of the result covers when it
    shrinks; the mask is taken from the nearest pixel.

    Examples
    --------
    >>> pixels = np.full((20, 20), 9, np.uint8)
    >>> region, mask = square_region(pixels, np.eye(20) > 0, dilations=2, size_px=10)
    >>> region.shape, region.min()
    ((10, 10), np.uint8(9))
    """
    if pixels.dtype != np.uint8 or pixels.shape != mask.shape:
        raise InputError(
            f"the image is {pixels.dtype} {pixels.shape} and the mask {mask.shape}; needed: uint8 "
            "(rows, columns) and a mask of that shape. Window CT to 0-255 first."
        )
    if size_px < 1:
        raise InputError(f"size_px is {size_px}; it must be 1 or more.")
    box = external_square(mask, dilations=dilations)
    square = _cut(pixels.astype(np.float64), box)
    scale = box.side / size_px
    if scale > 1:
        width = round(scale)
        square = ndimage.uniform_filter(square, size=width, mode="nearest")
        # an even window lies half a pixel to the top left of its pixel
        offset = 0.5 if width % 2 == 0 else 0.0
    else:
        offset = 0.0
    places = (np.arange(size_px) + 0.5) * scale - 0.5
    grid = np.meshgrid(places + offset, places + offset, indexing="ij")
    region = ndimage.map_coordinates(square, grid, order=1, mode="nearest")
    chosen = np.floor((np.arange(size_px) + 0.5) * scale).astype(np.intp)
    region_mask = _cut(mask.astype(bool), box)[np.ix_(chosen, chosen)]
    if not region_mask.any():
        raise InputError(
            f"the nodule vanishes when its square of {box.side} px is resized to {size_px} px. "
            "Choose fewer dilations or a larger size."
        )
    return np.round(region).astype(np.uint8), region_mask


def boundary_target(mask: np.ndarray, *, width_factor: float = 0.08) -> np.ndarray:
    """Ring along the boundary of a nodule: dilated minus eroded mask, bool (S, S).

    With d = `width_factor` times S, both are iterated round(d / 2) times, at least once; the ring
    is twice as wide in pixels: 24 px of 288.

    Parameters
    ----------
    mask
        (S, S), the nodule in its square region.
    width_factor
        Width of the ring as a share of the side.

    Raises
    ------
    InputError
        A mask that is not square, or a factor out of (0, 1).

    Notes
    -----
    *Source*: G. Li (DGFNet), section "Nodule boundary extraction in US images". 0.5 d is 11.52 at
    288 px; it is rounded to 12.

    Examples
    --------
    >>> mask = np.zeros((25, 25), bool)
    >>> mask[10:15, 10:15] = True
    >>> int(boundary_target(mask).sum())  # one iteration: 7 x 7 minus 3 x 3
    40
    """
    if mask.ndim != 2 or mask.shape[0] != mask.shape[1]:
        raise InputError(f"the mask has shape {mask.shape}; needed: a square region.")
    if not 0 < width_factor < 1:
        raise InputError(f"width_factor is {width_factor}; allowed: above 0, below 1.")
    iterations = max(1, round(0.5 * width_factor * mask.shape[0]))
    return dilate(mask, iterations) & ~erode(mask, iterations)


def tissue_edges(
    region: np.ndarray,
    *,
    diameter_px: int = 7,
    sigma_color: float = 100.0,
    sigma_space: float = 100.0,
    low: float = -100.0,
    high: float = 200.0,
) -> np.ndarray:
    """Edges of the tissue in a CT region: bilateral filter, then Canny; bool (H, W).

    Parameters
    ----------
    region
        uint8 (H, W), windowed.
    diameter_px
        Side of the filter's window.
    sigma_color, sigma_space
        SDs of the two Gaussians, in gray values of 0-255 and in pixels. With 100 px in a window of
        7 px, all places of the window weigh alike.
    low, high
        Thresholds of the Sobel gradient. Every gradient is above -100, so that an edge is any chain
        of local maxima in which one reaches `high`.

    Raises
    ------
    InputError
        Another type or shape, a window that is even, or thresholds in the wrong order.

    Notes
    -----
    *Source*: G. Li (DGFNet), section "Boundaries of surrounding tissue extraction in CT images".
    The printed numbers are those of OpenCV's functions. They are passed to scikit-image's so:

    - ``d=7, sigmaColor=100, sigmaSpace=100``: ``win_size``, ``sigma_color`` and ``sigma_spatial``
      of `denoise_bilateral` on gray values of 0-255. Its window is a square, OpenCV's a disc; both
      mirror the image at its edge, scikit-image with the outermost pixel twice.
    - ``threshold1=-100, threshold2=200``: `canny` without its own smoothing (``sigma=0``), with the
      same Sobel weights (8 times the change of gray value per pixel). It measures the gradient by
      its length, OpenCV by default by |x| + |y|: slanting edges, whose sum is up to 1.4 times
      the length, meet a threshold that is as much higher here. Pixels at the image's edge are no
      edges here.

    With these numbers a sharp step is an edge from about 105 gray values on, and one blurred by an
    SD of 2 px from about 170 on: in a window 300 HU wide that is little but air and bone. The
    paper prints no window, and -100 and 200 may have been meant as one, in HU. Look at the edges
    before you train on them, and choose the window, or `high`, so that they show the tissue.

    Examples
    --------
    >>> region = np.zeros((12, 12), np.uint8)
    >>> region[:, 6:] = 200
    >>> np.flatnonzero(tissue_edges(region).any(axis=0))
    array([5, 6])
    """
    if region.dtype != np.uint8 or region.ndim != 2:
        raise InputError(f"the region is {region.dtype} {region.shape}; needed: uint8 (H, W).")
    if diameter_px < 1 or diameter_px % 2 == 0:
        raise InputError(f"diameter_px is {diameter_px}; allowed: odd numbers from 1.")
    if high <= max(low, 0.0):
        raise InputError(f"low is {low} and high {high}; needed: high above low and above 0.")
    smooth = denoise_bilateral(
        region.astype(np.float64),
        win_size=diameter_px,
        sigma_color=sigma_color,
        sigma_spatial=sigma_space,
        mode="symmetric",
    )
    # OpenCV filters 8-bit images to 8 bits
    return canny(np.round(smooth), sigma=0, low_threshold=max(low, 0.0), high_threshold=high)


def _cut(array: np.ndarray, box: Box) -> np.ndarray:
    """The square of an array, zero where it lies outside."""
    result = np.zeros((box.side, box.side), array.dtype)
    top, left = max(box.top, 0), max(box.left, 0)
    part = array[top : box.top + box.side, left : box.left + box.side]
    row, column = top - box.top, left - box.left
    result[row : row + part.shape[0], column : column + part.shape[1]] = part
    return result
