"""Square regions around a nodule, in the size that a network takes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lnm_kit.errors import InputError
from lnm_kit.progress import track
from lnm_kit.regions.images import read_masked_image

if TYPE_CHECKING:
    from lnm_kit.cohort.folder import Cohort


@dataclass(frozen=True)
class Box:
    """A square in an image, in pixels; it may reach beyond the image's edges."""

    top: int
    left: int
    side: int


def region_box(mask: np.ndarray, *, margin: float = 0.15) -> Box:
    """Smallest square that holds all components of the mask, grown by a margin on every side.

    Parameters
    ----------
    mask
        (H, W), bool or 0/1.
    margin
        What is added on each side, as a share of the longer side of the mask's bounding box; 0.15
        turns a nodule 100 px wide into a square of 130 px.

    Raises
    ------
    InputError
        When the mask is not two-dimensional or is empty, or the margin is negative.

    Examples
    --------
    >>> mask = np.zeros((10, 10), bool)
    >>> mask[2:6, 3:5] = True
    >>> region_box(mask, margin=0.0)
    Box(top=2, left=2, side=4)
    """
    if not (np.isfinite(margin) and margin >= 0):
        raise InputError(
            f"margin is {margin}; it must be 0 or more (a share of the nodule's size)."
        )
    if mask.ndim != 2:
        raise InputError(f"the mask has shape {mask.shape}; it must be (rows, columns).")
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        raise InputError("the mask is empty; a region needs at least one marked pixel.")
    height, width = int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)
    side = max(1, round(max(height, width) * (1 + 2 * margin)))
    # The mask stays in the middle; an odd remainder goes to the bottom and to the right.
    return Box(int(rows[0]) - (side - height) // 2, int(columns[0]) - (side - width) // 2, side)


def crop_region(
    pixels: np.ndarray, mask: np.ndarray, *, size_px: int, margin: float = 0.15
) -> tuple[np.ndarray, np.ndarray]:
    """Crop the square around the mask and resize it, image and mask by the same pixel choice.

    Outside of the image the crop is 0. Both are resized by nearest neighbor: output pixel *i* shows
    input pixel floor((i + 0.5) side / size_px), so the mask follows the image exactly and no gray
    level appears that was not there.

    Parameters
    ----------
    pixels
        (H, W), 8-bit gray, or any numbers: then the image's own range is mapped to 0-255.
    mask
        (H, W), bool or 0/1.
    size_px
        Side of the result.
    margin
        See :func:`region_box`.

    Returns
    -------
    tuple of numpy.ndarray
        The crop, uint8 (size_px, size_px), and its mask, bool (size_px, size_px).

    Raises
    ------
    InputError
        When image and mask differ in size, the mask is empty, or a number is out of range.

    Notes
    -----
    *Source*: Feng et al. 2025, section 2.3: "cropped and resized to 224 x 224 pixels using
    nearest-neighbor interpolation". The paper prints no margin; 0.15 is our choice, so that the
    capsule beside the nodule is seen.

    Examples
    --------
    >>> pixels = np.arange(100, dtype=np.uint8).reshape(10, 10)
    >>> crop, region = crop_region(pixels, pixels == 55, size_px=3, margin=1.0)
    >>> crop.tolist()
    [[44, 45, 46], [54, 55, 56], [64, 65, 66]]
    """
    if size_px < 1:
        raise InputError(f"size_px is {size_px}; it must be 1 or more.")
    if pixels.shape != mask.shape:
        raise InputError(
            f"the image has shape {pixels.shape} and the mask {mask.shape}; "
            "both must be (rows, columns) of one frame."
        )
    box = region_box(mask, margin=margin)
    chosen = np.floor((np.arange(size_px) + 0.5) * box.side / size_px).astype(np.intp)
    return (
        _take(_to_8_bit(pixels), box.top + chosen, box.left + chosen),
        _take(mask.astype(bool), box.top + chosen, box.left + chosen),
    )


def crop_regions(
    cohort: "Cohort", *, size_px: int, margin: float = 0.15
) -> tuple[np.ndarray, np.ndarray]:
    """Crop the region of every image of a cohort.

    Returns
    -------
    tuple of numpy.ndarray
        Crops uint8 (N, size_px, size_px) and masks bool (N, size_px, size_px), in the order of
        `cohort.images`.

    Raises
    ------
    InputError
        Lists every image that has no usable region.

    Examples
    --------
    >>> crops, masks = crop_regions(cohort, size_px=224)  # doctest: +SKIP
    """
    if size_px < 1:
        raise InputError(f"size_px is {size_px}; it must be 1 or more.")
    crops = np.zeros((len(cohort.images), size_px, size_px), np.uint8)
    masks = np.zeros(crops.shape, bool)
    problems = []
    rows = track(cohort.images.iterrows(), label="crop regions", total=len(crops))
    for place, (image_id, row) in enumerate(rows):
        try:
            image = read_masked_image(cohort.root, row)
            crops[place], masks[place] = crop_region(
                image.gray, image.mask, size_px=size_px, margin=margin
            )
        except InputError as error:
            problems.append(f"{image_id}: {error}")
    if problems:
        raise InputError("\n".join(["Images without a usable region:", *problems]))
    return crops, masks


def crop_scales_mm(cohort: "Cohort", *, size_px: int, margin: float = 0.15) -> np.ndarray:
    """Width in mm of one pixel of every crop of :func:`crop_regions`; NaN where it is unknown.

    Returns
    -------
    numpy.ndarray
        float64 (N,), in the order of `cohort.images`.

    Examples
    --------
    >>> scales = crop_scales_mm(cohort, size_px=224)  # doctest: +SKIP
    """
    scales = np.full(len(cohort.images), np.nan)
    for place, (_, row) in enumerate(cohort.images.iterrows()):
        image = read_masked_image(cohort.root, row)
        if image.spacing_mm is not None:
            side = region_box(image.mask, margin=margin).side
            scales[place] = image.spacing_mm[1] * side / size_px
    return scales


def _to_8_bit(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype == np.uint8:
        return pixels
    values = pixels.astype(np.float64)
    if not np.isfinite(values).all():
        raise InputError("the image holds values that are not finite (NaN or infinite).")
    lowest, span = values.min(), np.ptp(values)
    if span == 0:
        raise InputError("the image is constant; its gray levels cannot be mapped to 0-255.")
    return np.round((values - lowest) / span * 255).astype(np.uint8)


def _take(array: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The chosen rows and columns, zero where they lie outside of the array."""
    inside_rows = (rows >= 0) & (rows < array.shape[0])
    inside_columns = (columns >= 0) & (columns < array.shape[1])
    result = np.zeros((rows.size, columns.size), array.dtype)
    result[np.ix_(inside_rows, inside_columns)] = array[
        np.ix_(rows[inside_rows], columns[inside_columns])
    ]
    return result
