"""Pixels and spacing of DICOM files: ultrasound frames and clips, CT slices, masks."""

import threading
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels import apply_color_lut, pixel_array

from lnm_kit.errors import InputError

Spacing = tuple[float, float]

# Only these elements are read. Names, ids and dates of patients are never in memory, so that
# no message, warning, log or result can hold them.
ELEMENTS = (
    *("SOPClassUID", "Modality", "SequenceOfUltrasoundRegions", "PixelSpacing"),
    *("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames"),
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("RescaleSlope", "RescaleIntercept"),
    *("PaletteColorLookupTableUID", "AlphaPaletteColorLookupTableDescriptor"),
    *(f"{color}PaletteColorLookupTableDescriptor" for color in ("Red", "Green", "Blue")),
    *(f"{color}PaletteColorLookupTableData" for color in ("Red", "Green", "Blue")),
    *(f"Segmented{color}PaletteColorLookupTableData" for color in ("Red", "Green", "Blue")),
    *("PixelData", "FloatPixelData", "DoubleFloatPixelData"),
    *("ExtendedOffsetTable", "ExtendedOffsetTableLengths"),
)
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_RGB = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
# pydicom warns about harmless oddities of headers, and Python's warning filters are one for all
# threads: only one thread at a time may change them.
_QUIETLY = threading.Lock()
_CENTIMETER = 3
_TISSUE_2D = 1


def read_dicom(path: Path) -> tuple[NDArray[np.generic], Spacing | None]:
    """Read the pixels of a DICOM file as one looks at them, with their spacing.

    MONOCHROME1 is inverted (0 becomes black), YBR_FULL and YBR_FULL_422 become RGB, PALETTE
    COLOR is looked up, and a rescale slope and intercept (CT: Hounsfield units) are applied.
    Compressed frames (JPEG, JPEG-LS, JPEG 2000, RLE) are decoded. Text that the scanner burned
    into the pixels stays there. Nothing that identifies a patient is read.

    Parameters
    ----------
    path
        A DICOM file with its preamble.

    Returns
    -------
    pixels
        (H, W), (H, W, 3), (T, H, W) or (T, H, W, 3); the stored dtype, int16 or float32 after a
        rescale.
    spacing_mm
        (row, column) from the ultrasound regions or, without them, from PixelSpacing; None when
        the file does not say it beyond doubt (see `spacing_of`).

    Raises
    ------
    InputError
        When the file is no DICOM file, holds no image, or cannot be decoded.

    Notes
    -----
    Source: DICOM PS3.3, C.7.6.3.1.2 (photometric interpretation), C.7.6.3.1.5-6 (palettes),
    C.11.1 (modality LUT).

    Examples
    --------
    >>> from pydicom import examples
    >>> pixels, spacing_mm = read_dicom(examples.get_path("ybr_color"))
    >>> pixels.shape, pixels.dtype
    ((30, 240, 320, 3), dtype('uint8'))
    """
    with _QUIETLY, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _read(path)


def spacing_of(header: Dataset) -> Spacing | None:
    """Return the pixel spacing (row, column) in mm that a header states beyond doubt.

    From the 2-D regions of an ultrasound image whose physical units are centimeters:
    spacing = 10 |PhysicalDelta|. None when regions disagree, or when a region ends outside of
    the image: then the pixels were resized or cropped after the regions were written, and the
    deltas are those of another image. Without such a region, PixelSpacing.

    Parameters
    ----------
    header
        A DICOM data set.

    Notes
    -----
    Source: DICOM PS3.3, C.8.5.5 (ultrasound region calibration), 10.7.1.1 (pixel spacing).

    Examples
    --------
    >>> header = Dataset()
    >>> header.PixelSpacing = [0.2, 0.1]
    >>> spacing_of(header)
    (0.2, 0.1)
    """
    regions = [
        region
        for region in header.get("SequenceOfUltrasoundRegions") or []
        if region.get("RegionSpatialFormat") == _TISSUE_2D
        and region.get("PhysicalUnitsXDirection") == _CENTIMETER
        and region.get("PhysicalUnitsYDirection") == _CENTIMETER
    ]
    if regions:
        return _spacing_of_regions(regions, int(header.Rows), int(header.Columns))
    stated = header.get("PixelSpacing")
    if stated is None or len(stated) != 2:
        return None
    return _positive((float(stated[0]), float(stated[1])))


def _read(path: Path) -> tuple[NDArray[np.generic], Spacing | None]:
    try:
        header = dcmread(path, specific_tags=list(ELEMENTS))
    except InvalidDicomError:
        raise InputError(f"{path} is no DICOM file (no 'DICM' after the preamble)") from None
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except Exception as error:
        # pydicom's own text could quote the header
        raise InputError(f"{path} is a damaged DICOM file ({type(error).__name__})") from None
    if not any(name in header for name in _PIXELS):
        kind = header.get("SOPClassUID")
        named = f", it is a {kind.name}" if kind is not None else ""
        raise InputError(f"{path} is a DICOM file that holds no image (or breaks off){named}")
    try:
        pixels = pixel_array(header)
        return _as_seen(pixels, header, path), spacing_of(header)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"the pixels of the DICOM file {path} cannot be decoded ({type(error).__name__}): it "
            "is truncated, damaged, or compressed in a way that is not supported"
        ) from None


def _spacing_of_regions(regions: list[Dataset], rows: int, columns: int) -> Spacing | None:
    found = set()
    for region in regions:
        if region.RegionLocationMaxX1 > columns or region.RegionLocationMaxY1 > rows:
            return None
        found.add((10 * abs(region.PhysicalDeltaY), 10 * abs(region.PhysicalDeltaX)))
    return _positive(found.pop()) if len(found) == 1 else None


def _positive(spacing: Spacing) -> Spacing | None:
    return spacing if np.isfinite(spacing).all() and min(spacing) > 0 else None


def _as_seen(pixels: NDArray[np.generic], header: Dataset, path: Path) -> NDArray[np.generic]:
    photometric = header.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        return apply_color_lut(pixels, header)
    if photometric in _RGB:
        return pixels
    if photometric == "MONOCHROME1":
        return _rescale(_invert(pixels, header), header)
    if photometric == "MONOCHROME2":
        return _rescale(pixels, header)
    allowed = ", ".join(("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", *_RGB))
    raise InputError(f"{path} has the photometric interpretation {photometric}; allowed: {allowed}")


def _invert(pixels: NDArray[np.generic], header: Dataset) -> NDArray[np.generic]:
    """Mirror the stored values within their range: lowest + highest - value."""
    if pixels.dtype.kind == "f":
        return np.negative(pixels)
    mirror = -1 if header.PixelRepresentation == 1 else (1 << header.BitsStored) - 1
    return (mirror - pixels.astype(np.int64)).astype(pixels.dtype)


def _rescale(pixels: NDArray[np.generic], header: Dataset) -> NDArray[np.generic]:
    slope = float(header.get("RescaleSlope", 1) or 1)
    intercept = float(header.get("RescaleIntercept", 0) or 0)
    if (slope, intercept) == (1.0, 0.0):
        return pixels
    rescaled = pixels.astype(np.float64) * slope + intercept
    int16 = np.iinfo(np.int16)
    whole = slope.is_integer() and intercept.is_integer()
    if whole and rescaled.min() >= int16.min and rescaled.max() <= int16.max:
        return rescaled.astype(np.int16)
    return rescaled.astype(np.float32)


def states_rescale(path: Path) -> bool | None:
    """Whether a DICOM file states a rescale slope and intercept; None if it is no DICOM file.

    `read_dicom` takes 1 and 0 where they are missing, which is right for gray levels and wrong for
    Hounsfield units.

    Examples
    --------
    >>> states_rescale(Path("slice.nrrd")) is None
    True
    """
    if path.suffix.lower() in {".nrrd", ".gz", ".nii", ".png", ".jpg", ".jpeg"}:
        return None
    with _QUIETLY, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            header = dcmread(path, specific_tags=["RescaleSlope", "RescaleIntercept"])
        except (InvalidDicomError, OSError):
            return None
    return "RescaleSlope" in header and "RescaleIntercept" in header
