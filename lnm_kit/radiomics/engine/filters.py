"""Filtered images of a slice, each with pyradiomics' name and values."""

import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lnm_kit.errors import InputError
from lnm_kit.radiomics.engine.wavelet import BANDS_2D, BANDS_3D, wavelet_values

IMAGE_TYPES = (
    "Original",
    "Wavelet",
    "Wavelet2D",
    "LoG",
    "Square",
    "SquareRoot",
    "Logarithm",
    "Exponential",
    "Gradient",
    "LBP2D",
)
"""Image types, in the order of the columns; `Wavelet2D` is pyradiomics' `Wavelet` in 2-D."""

RESIDUE_BANDS = ("LLH", "LHH", "HLH", "HHH")
"""Wavelet sub-bands whose third letter, the z axis, is H: in one slice, rounding residue."""

_WARNINGS_LOCK = threading.Lock()


@dataclass(frozen=True)
class Slice:
    """An image with a region: pixels (H, W) float64 or float32, and where the region lies.

    `box` is its bounding box, `inside` (N,) int64 its pixels in the flattened box, `spacing_mm`
    that of slices, rows and columns.
    """

    pixels: np.ndarray
    box: tuple[slice, slice]
    inside: np.ndarray
    spacing_mm: tuple[float, float, float]

    def region(self, image: np.ndarray) -> np.ndarray:
        """Pixels of the region in an image of the same size, (N,)."""
        return image[self.box].ravel()[self.inside]


def image_names(
    image_types: tuple[str, ...], sigmas_mm: tuple[float, ...], keep_residue: bool
) -> tuple[str, ...]:
    """Name the filtered images of some types, in the order of the columns.

    Examples
    --------
    >>> image_names(("LoG", "Original"), (1.0, 2.5), keep_residue=False)
    ('original', 'log-sigma-1-0-mm-3D', 'log-sigma-2-5-mm-3D')
    """
    names: list[str] = []
    for image_type in IMAGE_TYPES:
        if image_type not in image_types:
            continue
        if image_type == "Wavelet":
            names += [f"wavelet-{band}" for band in _bands(keep_residue)]
        elif image_type == "Wavelet2D":
            names += [f"wavelet-{band}" for band in BANDS_2D]
        elif image_type == "LoG":
            names += [f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D" for sigma in sigmas_mm]
        else:
            names.append({"LBP2D": "lbp-2D"}.get(image_type, image_type.lower()))
    return tuple(names)


def filtered_values(
    image: Slice, image_types: tuple[str, ...], sigmas_mm: tuple[float, ...], keep_residue: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the region's pixels in every filtered image.

    Parameters
    ----------
    image
        Pixels and region.
    image_types
        Any of `IMAGE_TYPES`.
    sigmas_mm
        Widths of the Laplacian of Gaussian.
    keep_residue
        Also the wavelet sub-bands of `RESIDUE_BANDS`.

    Returns
    -------
    numpy.ndarray
        (B, N) float64, in the order of `image_names`.
    numpy.ndarray
        (B,) bool: whether pyradiomics holds the image in float32, which decides how it is binned.

    Notes
    -----
    *Source*: pyradiomics 3.0.1, module `imageoperations`; Laplacian and gradient by SimpleITK,
    local binary patterns by scikit-image, as there. pyradiomics refuses the Laplacian on one slice;
    its values here are those of the 2-D image.
    """
    parts: list[np.ndarray] = []
    for image_type in IMAGE_TYPES:
        if image_type in image_types:
            parts += _of_type(image, image_type, sigmas_mm, keep_residue)
    values = np.empty((sum(len(part) for part in parts), len(image.inside)))
    single = np.empty(len(values), bool)
    start = 0
    for part in parts:
        values[start : start + len(part)] = part
        single[start : start + len(part)] = part.dtype == np.float32
        start += len(part)
    return values, single


def _bands(keep_residue: bool) -> tuple[str, ...]:
    return tuple(band for band in BANDS_3D if keep_residue or band not in RESIDUE_BANDS)


def _of_type(
    image: Slice, image_type: str, sigmas_mm: tuple[float, ...], keep_residue: bool
) -> Iterator[np.ndarray]:
    """Blocks of (images, N) values in the type that pyradiomics holds them in."""
    if image_type == "Original":
        yield image.region(image.pixels)[None]
    elif image_type in ("Wavelet", "Wavelet2D"):
        bands = BANDS_2D if image_type == "Wavelet2D" else _bands(keep_residue)
        yield wavelet_values(image.pixels, image.box, image.inside, bands)
    elif image_type == "LoG":
        for sigma in sigmas_mm:
            yield image.region(_laplacian(image, sigma))[None]
    elif image_type == "Gradient":
        yield image.region(_gradient(image))[None]
    elif image_type == "LBP2D":
        yield image.region(_binary_pattern(image.pixels))[None]
    else:
        pixels = image.pixels.astype(np.float64)
        with np.errstate(all="ignore"):  # what is not finite is refused by name, for all filters
            found = _POINTWISE[image_type](image.region(pixels), pixels)
        yield found[None]


# SimpleITK and scikit-image take 90 MB; only three of the filters need them.


def _gradient(image: Slice) -> np.ndarray:
    import SimpleITK as sitk  # noqa: N813 - the name that its documentation uses

    volume = sitk.GetImageFromArray(image.pixels[None])
    volume.SetSpacing(image.spacing_mm[::-1])
    return sitk.GetArrayFromImage(sitk.GradientMagnitude(volume, True))[0]


def _laplacian(image: Slice, sigma_mm: float) -> np.ndarray:
    import SimpleITK as sitk  # noqa: N813 - the name that its documentation uses

    spacing = np.array(image.spacing_mm[1:])
    shape = np.array(image.pixels.shape)
    if shape.min() < 4 or (shape < np.ceil(sigma_mm / spacing) + 1).any():
        raise InputError(
            f"the image of {shape[0]} x {shape[1]} pixels is too small for a Laplacian of Gaussian "
            f"of {sigma_mm} mm"
        )
    plane = sitk.GetImageFromArray(image.pixels)
    plane.SetSpacing(image.spacing_mm[:0:-1])
    return sitk.GetArrayFromImage(sitk.LaplacianRecursiveGaussian(plane, sigma_mm, True))


def _binary_pattern(pixels: np.ndarray) -> np.ndarray:
    from skimage.feature import local_binary_pattern

    # scikit-image warns of floating-point images; pyradiomics uses it all the same.
    with _WARNINGS_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return local_binary_pattern(pixels, P=8, R=1, method="uniform").astype(pixels.dtype)


def _square(values: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return (1 / np.sqrt(np.abs(whole).max()) * values) ** 2


def _square_root(values: np.ndarray, whole: np.ndarray) -> np.ndarray:
    largest = np.abs(whole).max()
    return np.sign(values) * np.sqrt(np.abs(values) * largest)


def _logarithm(values: np.ndarray, whole: np.ndarray) -> np.ndarray:
    scale = np.abs(whole).max() / np.log(np.abs(whole) + 1).max()
    return np.sign(values) * np.log(np.abs(values) + 1) * scale


def _exponential(values: np.ndarray, whole: np.ndarray) -> np.ndarray:
    largest = np.abs(whole).max()
    return np.exp(np.log(largest) / largest * values)


_POINTWISE = {
    "Square": _square,
    "SquareRoot": _square_root,
    "Logarithm": _logarithm,
    "Exponential": _exponential,
}
