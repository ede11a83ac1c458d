"""Radiomic features of one region, as pyradiomics gives them for a volume of one slice."""

import numpy as np
from numpy.typing import DTypeLike

from lnm_kit.errors import InputError, one_of
from lnm_kit.radiomics import engine
from lnm_kit.regions.images import MaskedImage
from lnm_kit.regions.resample import resample, resample_mask

CLASSES = ("firstorder", "shape", "glcm", "glrlm", "glszm", "gldm")
"""Feature classes of pyradiomics that the studies use, in the order that tables print them."""

IMAGE_TYPES = tuple(name for name in engine.IMAGE_TYPES if name != "Wavelet2D")
"""Image types of pyradiomics that can be asked for."""

RESIDUE_BANDS = engine.RESIDUE_BANDS
"""Wavelet sub-bands whose third letter, the z axis, is H: in one slice, rounding residue."""


def region_features(
    image: MaskedImage,
    *,
    spacing_mm: float | None,
    bin_count: int = 25,
    image_types: tuple[str, ...] = ("Original", "Wavelet"),
    sigmas_mm: tuple[float, ...] = (),
    keep_residue: bool = False,
) -> dict[str, float]:
    """Extract the features of one region, which is a *volume of one slice*.

    Computed by :mod:`lnm_kit.radiomics.engine`, whose values are pyradiomics' own.

    A true 2-D image with `force2D` makes pyradiomics give other wavelet sub-bands, without a word.
    In one slice the sub-bands that are high-pass along z are rounding residue (about 1e-16 of the
    image); spread over `bin_count` bins they still give "texture". They are not computed unless
    `keep_residue` is true.

    Shape is measured on the resampled mask; without resampling, with the image's own spacing;
    without any known spacing, in pixels.

    Parameters
    ----------
    image
        Gray levels, mask and spacing.
    spacing_mm
        Resample image (B-spline) and mask (nearest) to square pixels of this size; None keeps the
        pixels. An image of unknown spacing keeps its pixels in any case.
    bin_count
        Number of gray bins between the region's own minimum and maximum.
    image_types
        Any of `IMAGE_TYPES`.
    sigmas_mm
        Widths of the Laplacian of Gaussian; needed for, and only for, the image type `LoG`.
    keep_residue
        Also compute the sub-bands of `RESIDUE_BANDS`, to see what they are worth.

    Returns
    -------
    dict
        pyradiomics' feature name to value, all finite.

    Raises
    ------
    InputError
        When the region has no 3 pixels that span 2 both ways, or a feature has no value.

    Notes
    -----
    *Source*: Feng et al. 2025, sections 2.3, 2.4 and 3.3; pyradiomics 3.0.1.

    Examples
    --------
    >>> rows, columns = np.mgrid[:40, :40]
    >>> gray = ((rows * 37 + columns * columns * 11) % 256).astype(np.uint8)
    >>> image = MaskedImage(gray, np.hypot(rows - 20, columns - 20) < 12, None)
    >>> features = region_features(image, spacing_mm=None)
    >>> len(features), round(features["original_shape_MajorAxisLength"], 1)
    (454, 23.6)
    """
    check_settings(spacing_mm, bin_count, image_types, sigmas_mm)
    gray, mask, spacing = _on_grid(image, spacing_mm)
    _check_extent(mask)
    names = engine.feature_names(
        image_types=image_types,
        classes=CLASSES,
        sigmas_mm=sigmas_mm,
        keep_residue=keep_residue,
    )
    values = engine.features(
        scale_intensity(gray, image.gray.dtype),
        mask,
        spacing_mm=spacing,
        binning=engine.BinCount(bin_count),
        image_types=image_types,
        classes=CLASSES,
        sigmas_mm=sigmas_mm,
        keep_residue=keep_residue,
    )
    features = dict(zip(names, values.tolist(), strict=True))
    missing = [name for name, value in features.items() if not np.isfinite(value)]
    if missing:
        raise InputError(
            f"{len(missing)} features have no value, first {', '.join(missing[:3])}; the region "
            "is too small for them: use a smaller spacing_mm, or leave the image out"
        )
    return features


def check_settings(
    spacing_mm: float | None,
    bin_count: int,
    image_types: tuple[str, ...],
    sigmas_mm: tuple[float, ...] = (),
) -> None:
    """Refuse settings of :func:`region_features` that are out of range.

    Raises
    ------
    InputError
        Naming the first one.

    Examples
    --------
    >>> check_settings(1.0, 1, ("Original",))
    Traceback (most recent call last):
    lnm_kit.errors.InputError: bin_count is 1; it must be 2 or more.
    """
    if not image_types:
        raise InputError(f"image_types is empty; allowed: {', '.join(IMAGE_TYPES)}.")
    for name in image_types:
        one_of("image_types", name, IMAGE_TYPES)
    if ("LoG" in image_types) != bool(sigmas_mm) or not all(s > 0 for s in sigmas_mm):
        raise InputError(
            f"sigmas_mm is {sigmas_mm}; it must hold widths above 0 (mm) where image_types holds "
            "LoG, and be empty otherwise."
        )
    if bin_count < 2:
        raise InputError(f"bin_count is {bin_count}; it must be 2 or more.")
    if spacing_mm is not None and not (np.isfinite(spacing_mm) and spacing_mm > 0):
        raise InputError(f"spacing_mm is {spacing_mm}; it must be above 0, or None for pixels.")


def scale_intensity(pixels: np.ndarray, stored: DTypeLike) -> np.ndarray:
    """Map gray levels linearly to [-1, 1].

    Images stored as uint8 are mapped from 0-255, so that a gray level means the same in every
    image; all other types, whose range says nothing, from the image's own range. With a fixed
    *number* of bins this changes no texture and no shape feature; it moves the first-order features
    that carry a gray level, and makes their sign, hence any fold change, arbitrary.

    Parameters
    ----------
    pixels
        (H, W), any numbers; a resampled 8-bit image may overshoot [-1, 1] a little.
    stored
        Type in which the image was stored.

    Returns
    -------
    numpy.ndarray
        float64 (H, W).

    Raises
    ------
    InputError
        When the image is not finite, or is constant and not 8-bit.

    Notes
    -----
    *Source*: Feng et al. 2025, section 2.3 ("grayscale values normalized to [-1, 1]").

    Examples
    --------
    >>> scale_intensity(np.array([[0, 255]]), np.uint8).tolist()
    [[-1.0, 1.0]]
    """
    values = pixels.astype(np.float64)
    if not np.isfinite(values).all():
        raise InputError("the image holds values that are not finite (NaN or infinite)")
    is_8_bit = np.dtype(stored) == np.uint8
    lowest, highest = (0.0, 255.0) if is_8_bit else (values.min(), values.max())
    if highest == lowest:
        raise InputError("the image is constant")
    return (values - lowest) / (highest - lowest) * 2 - 1


def _on_grid(
    image: MaskedImage, spacing_mm: float | None
) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    if image.spacing_mm is None:
        return image.gray, image.mask, (1.0, 1.0)
    if spacing_mm is None:
        return image.gray, image.mask, image.spacing_mm
    return (
        resample(image.gray, image.spacing_mm, spacing_mm),
        resample_mask(image.mask, image.spacing_mm, spacing_mm),
        (spacing_mm, spacing_mm),
    )


def _check_extent(mask: np.ndarray) -> None:
    marked = np.argwhere(mask)
    height, width = (np.ptp(marked, axis=0) + 1).tolist() if len(marked) else (0, 0)
    if min(height, width) < 2 or len(marked) < 3:
        raise InputError(
            f"the region spans {height} x {width} pixels and holds {len(marked)}; texture needs 3 "
            "pixels that span 2 both ways: use a smaller spacing_mm, or leave the image out"
        )
