"""Bring images of different scanners to one pixel size."""

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name that its documentation uses

from lnm_kit.errors import InputError, one_of

_INTERPOLATORS = {
    "linear": sitk.sitkLinear,
    "bspline": sitk.sitkBSpline,
    "nearest": sitk.sitkNearestNeighbor,
}


def resample(
    pixels: np.ndarray,
    spacing_mm: tuple[float, float] | None,
    target_mm: float,
    *,
    interpolation: str = "bspline",
) -> np.ndarray:
    """Resample an image to square pixels of `target_mm`.

    The new grid shares its center with the old one and has ceil(n * spacing / target) pixels along
    each side. No low-pass filter is applied, as 3D Slicer and pyradiomics apply none: going from
    0.15 mm to 1 mm, speckle is *sampled*, not averaged.

    Parameters
    ----------
    pixels
        (H, W), any numbers.
    spacing_mm
        Distance of pixel centers along (rows, columns); None, where unknown, raises: the caller
        decides to stay in pixels, it is never guessed.
    target_mm
        The new distance, both ways.
    interpolation
        `linear` or `bspline` (cubic, the default of pyradiomics) for images, `nearest` for masks.

    Returns
    -------
    numpy.ndarray
        float64 (H', W'); values of `bspline` can overshoot the range of the input.

    Raises
    ------
    InputError
        When the spacing is unknown, a spacing is not positive, or the image is not (H, W).

    Notes
    -----
    *Source*: Feng et al. 2025, section 2.3 (1 mm x 1 mm x 1 mm); grid aligned by center and its
    size, Image Biomarker Standardisation Initiative, reference manual, section 2.4.

    Examples
    --------
    >>> resample(np.eye(4), (0.5, 0.5), 1.0, interpolation="linear").shape
    (2, 2)
    """
    one_of("interpolation", interpolation, _INTERPOLATORS)
    if spacing_mm is None:
        raise InputError(
            "the image has no known pixel spacing, so it cannot be resampled to mm; "
            "fill spacing_x_mm and spacing_y_mm in images.csv, or work in pixels."
        )
    if pixels.ndim != 2:
        raise InputError(f"the image has shape {pixels.shape}; it must be (rows, columns).")
    if not all(np.isfinite(value) and value > 0 for value in (*spacing_mm, target_mm)):
        raise InputError(
            f"spacing is {spacing_mm} mm and the target {target_mm} mm; all must be above 0."
        )
    image = sitk.GetImageFromArray(pixels.astype(np.float64))
    row_mm, column_mm = spacing_mm
    image.SetSpacing((column_mm, row_mm))  # SimpleITK counts x first
    old = np.array(image.GetSize())
    old_mm = np.array(image.GetSpacing())
    # The rounding keeps 100 px of 0.1 mm at 10 px of 1 mm.
    new = np.maximum(1, np.ceil(np.round(old * old_mm / target_mm, 6))).astype(int)
    filter_ = sitk.ResampleImageFilter()
    filter_.SetNumberOfThreads(1)  # images are the unit of parallel work
    filter_.SetInterpolator(_INTERPOLATORS[interpolation])
    filter_.SetOutputSpacing((target_mm, target_mm))
    filter_.SetSize([int(n) for n in new])
    filter_.SetOutputOrigin((((old - 1) * old_mm - (new - 1) * target_mm) / 2).tolist())
    filter_.SetUseNearestNeighborExtrapolator(True)  # else the last half pixel would be black
    return sitk.GetArrayFromImage(filter_.Execute(image))


def resample_mask(
    mask: np.ndarray, spacing_mm: tuple[float, float] | None, target_mm: float
) -> np.ndarray:
    """Resample a mask to the grid of :func:`resample` by nearest neighbor.

    Parameters
    ----------
    mask
        (H, W), bool or 0/1.
    spacing_mm, target_mm
        As in :func:`resample`.

    Returns
    -------
    numpy.ndarray
        bool (H', W'); a region smaller than a new pixel may vanish.

    Raises
    ------
    InputError
        As in :func:`resample`.

    Examples
    --------
    >>> resample_mask(np.ones((4, 6), bool), (0.5, 0.5), 1.0).sum()
    np.int64(6)
    """
    return resample(mask.astype(np.uint8), spacing_mm, target_mm, interpolation="nearest") > 0.5
