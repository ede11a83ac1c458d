"""Radiomic features of one region of a 2-D image, compiled."""

from collections.abc import Callable

import numpy as np

from lnm_kit.errors import InputError, one_of
from lnm_kit.radiomics.engine.binning import Binned, Binning, bin_values
from lnm_kit.radiomics.engine.filters import IMAGE_TYPES, Slice, filtered_values, image_names
from lnm_kit.radiomics.engine.firstorder import firstorder_features
from lnm_kit.radiomics.engine.glcm import glcm_features
from lnm_kit.radiomics.engine.gldm import gldm_features
from lnm_kit.radiomics.engine.glrlm import glrlm_features
from lnm_kit.radiomics.engine.glszm import glszm_features
from lnm_kit.radiomics.engine.names import CLASSES, NAMES_OF_CLASS, SHAPE_CLASSES
from lnm_kit.radiomics.engine.ngtdm import ngtdm_features
from lnm_kit.radiomics.engine.shape import shape_features

_TEXTURE: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "glcm": glcm_features,
    "glrlm": glrlm_features,
    "glszm": glszm_features,
    "gldm": gldm_features,
    "ngtdm": ngtdm_features,
}


def feature_names(
    *,
    image_types: tuple[str, ...],
    classes: tuple[str, ...] = CLASSES,
    sigmas_mm: tuple[float, ...] = (),
    keep_residue: bool = False,
) -> tuple[str, ...]:
    """Name the features of :func:`features` in the order of its values: shape first.

    Parameters
    ----------
    image_types, classes, sigmas_mm, keep_residue
        See :func:`features`.

    Returns
    -------
    tuple of str
        pyradiomics' own names.

    Examples
    --------
    >>> names = feature_names(image_types=("Original",), classes=("ngtdm", "shape"))
    >>> names[0], names[-1], len(names)
    ('original_shape_Elongation', 'original_ngtdm_Strength', 19)
    """
    check_settings(image_types, classes, sigmas_mm)
    shapes = [name for name in SHAPE_CLASSES if name in classes]
    others = [name for name in CLASSES if name in classes and name not in SHAPE_CLASSES]
    names = [f"original_{group}_{name}" for group in shapes for name in NAMES_OF_CLASS[group]]
    for image in image_names(image_types, sigmas_mm, keep_residue):
        names += [f"{image}_{group}_{name}" for group in others for name in NAMES_OF_CLASS[group]]
    return tuple(names)


def features(
    pixels: np.ndarray,
    mask: np.ndarray,
    *,
    spacing_mm: tuple[float, float],
    binning: Binning,
    image_types: tuple[str, ...],
    classes: tuple[str, ...] = CLASSES,
    sigmas_mm: tuple[float, ...] = (),
    keep_residue: bool = False,
) -> np.ndarray:
    """Compute the features of one region, as pyradiomics does for a volume of one slice.

    Parameters
    ----------
    pixels
        (H, W), any real type. float32 is binned in float32 as pyradiomics does, all else in
        float64.
    mask
        (H, W) bool; the region must span two pixels both ways.
    spacing_mm
        Between rows and between columns; slices are as far apart as rows. (1, 1) gives pixels.
    binning
        `BinCount` or `BinWidth`.
    image_types
        Any of `IMAGE_TYPES`. Sub-bands of `Wavelet2D` have two letters, those of `Wavelet` three.
    classes
        Any of `CLASSES`.
    sigmas_mm
        Widths of the Laplacian of Gaussian; needed for, and only for, `LoG`.
    keep_residue
        Also the wavelet sub-bands that are rounding residue in one slice.

    Returns
    -------
    numpy.ndarray
        float64, in the order of :func:`feature_names`. NaN where pyradiomics gives NaN: where no
        two pixels of the region touch (`glcm`) or lie on a line (`glrlm`).

    Raises
    ------
    InputError
        When pixels, mask or settings are out of range.

    Notes
    -----
    *Source*: pyradiomics 3.0.1. Where it differs on purpose: an integer image with `BinWidth` is
    binned without overflow, and `LoG`, which pyradiomics refuses for one slice, is that of the 2-D
    image.

    Examples
    --------
    >>> from lnm_kit.radiomics.engine.binning import BinCount
    >>> rows, columns = np.mgrid[:40, :40]
    >>> gray = (rows * 37 + columns * columns * 11) % 256
    >>> found = features(gray, np.hypot(rows - 20, columns - 20) < 12, spacing_mm=(1, 1),
    ...                  binning=BinCount(25), image_types=("Original", "Wavelet"))
    >>> len(found), round(float(found[1]), 3)
    (488, 0.0)
    """
    check_settings(image_types, classes, sigmas_mm)
    image, inside = _slice(pixels, mask, spacing_mm)
    parts: list[np.ndarray] = []
    if set(SHAPE_CLASSES) & set(classes):
        found = dict(zip(SHAPE_CLASSES, shape_features(inside, image.spacing_mm), strict=True))
        parts += [found[name] for name in SHAPE_CLASSES if name in classes]
    if set(classes) - set(SHAPE_CLASSES):
        parts.append(_gray_features(image, binning, image_types, classes, sigmas_mm, keep_residue))
    return np.concatenate(parts)


def check_settings(
    image_types: tuple[str, ...], classes: tuple[str, ...], sigmas_mm: tuple[float, ...]
) -> None:
    """Refuse settings of :func:`features` that are out of range.

    Raises
    ------
    InputError
        Naming the first one.

    Examples
    --------
    >>> check_settings(("LoG",), CLASSES, ())
    Traceback (most recent call last):
    lnm_kit.errors.InputError: image_types holds LoG; sigmas_mm must name its widths.
    """
    for what, given, allowed in (
        ("image_types", image_types, IMAGE_TYPES),
        ("classes", classes, CLASSES),
    ):
        if not given:
            raise InputError(f"{what} is empty; allowed: {', '.join(allowed)}.")
        for name in given:
            one_of(what, name, allowed)
    if "LoG" in image_types and not sigmas_mm:
        raise InputError("image_types holds LoG; sigmas_mm must name its widths.")
    if not all(np.isfinite(sigma) and sigma > 0 for sigma in sigmas_mm):
        raise InputError(f"sigmas_mm is {sigmas_mm}; every width must be above 0.")


def _slice(
    pixels: np.ndarray, mask: np.ndarray, spacing_mm: tuple[float, float]
) -> tuple[Slice, np.ndarray]:
    """The image as the filters want it, and the mask's bounding box."""
    if pixels.ndim != 2:
        raise InputError(f"the image has shape {pixels.shape}; it must be (H, W), without colors")
    if mask.shape != pixels.shape or mask.dtype != bool:
        raise InputError(
            f"the mask is {mask.dtype} {mask.shape}; it must be bool {pixels.shape}, as the image"
        )
    if not (len(spacing_mm) == 2 and all(np.isfinite(s) and s > 0 for s in spacing_mm)):
        raise InputError(f"spacing_mm is {spacing_mm}; it must be two numbers above 0")
    kind = np.float32 if pixels.dtype == np.float32 else np.float64
    pixels = np.array(pixels, dtype=kind, order="C")  # writable, so that it compiles once
    if not np.isfinite(pixels).all():
        raise InputError("the image holds values that are not finite (NaN or infinite)")
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        raise InputError("the mask marks no pixel")
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    inside = mask[box].copy()
    if min(inside.shape) < 2:
        raise InputError(
            f"the region spans {inside.shape[0]} x {inside.shape[1]} pixels; texture needs 2 both "
            "ways: use a smaller pixel spacing, or leave the image out"
        )
    spacing = (float(spacing_mm[0]), float(spacing_mm[0]), float(spacing_mm[1]))
    return Slice(pixels, box, np.flatnonzero(inside), spacing), inside


def _gray_features(
    image: Slice,
    binning: Binning,
    image_types: tuple[str, ...],
    classes: tuple[str, ...],
    sigmas_mm: tuple[float, ...],
    keep_residue: bool,
) -> np.ndarray:
    values, single = filtered_values(image, image_types, sigmas_mm, keep_residue)
    if not np.isfinite(values).all():
        raise InputError("a filter gives values that are not finite on this image")
    height, width = (side.stop - side.start for side in image.box)
    rows, columns = np.divmod(image.inside, width)
    position = (rows + 1) * (width + 2) + columns + 1
    binned = bin_values(values, single, position, (height + 2, width + 2), binning)
    return np.concatenate(
        [
            _of_class(name, values, binned, image.spacing_mm)
            for name in CLASSES
            if name in classes and name not in SHAPE_CLASSES
        ],
        axis=1,
    ).ravel()


def _of_class(
    name: str, values: np.ndarray, binned: Binned, spacing_mm: tuple[float, float, float]
) -> np.ndarray:
    if name == "firstorder":
        return firstorder_features(values, binned.counts, float(np.prod(spacing_mm)))
    return _TEXTURE[name](binned.labels, binned.levels, binned.n_levels)
