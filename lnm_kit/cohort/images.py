"""Readers of images and masks: DICOM, NIfTI, NRRD, PNG and JPG."""

import io
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from lnm_kit.errors import InputError

Pixels = NDArray[np.generic]
Spacing = tuple[float, float]

FORMATS = "DICOM (.dcm or no ending), NIfTI (.nii, .nii.gz), NRRD (.nrrd), PNG (.png), JPG (.jpg)"
_LUMINANCE = np.array([0.299, 0.587, 0.114])
_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
_PNG_16_BIT_COLOR = {(16, 2), (16, 6)}  # bit depth and color type in the header


@dataclass(frozen=True, eq=False)
class Image:
    """Pixels of one image or clip with their spacing.

    Parameters
    ----------
    pixels
        (H, W), (H, W, 3), frames (T, H, W) or (T, H, W, 3); the dtype of the file.
    spacing_mm
        Distance of pixel centers (row, column) in mm; None = unknown.
    """

    pixels: Pixels
    spacing_mm: Spacing | None

    def gray(self) -> Pixels:
        """Return the luminance, (H, W) or (T, H, W), in the dtype of the pixels.

        Y = 0.299 R + 0.587 G + 0.114 B, rounded for integers; gray pixels stay as they are.

        Notes
        -----
        Source: ITU-R BT.601-7, 2.5.1.

        Examples
        --------
        >>> Image(np.array([[[255, 0, 0], [9, 9, 9]]], np.uint8), None).gray()
        array([[76,  9]], dtype=uint8)
        """
        if not _is_color(self.pixels):
            return self.pixels
        luminance = self.pixels.astype(np.float64) @ _LUMINANCE
        if self.pixels.dtype.kind in "iu":
            luminance = np.rint(luminance)
        return luminance.astype(self.pixels.dtype)


def read_image(path: str | Path, spacing_mm: Spacing | None = None) -> Image:
    """Read one image or clip.

    Parameters
    ----------
    path
        A file in one of the formats in `FORMATS`.
    spacing_mm
        Spacing (row, column) in mm, which then counts instead of what the file says.

    Returns
    -------
    Image
        DICOM as described in `lnm_kit.cohort.dicom.read_dicom`. NIfTI and NRRD with their
        slices first, (T, H, W). PNG and JPG as stored: 8 or 16 bits, palettes looked up, an
        alpha channel dropped, EXIF orientation not applied; they carry no spacing.

    Raises
    ------
    InputError
        When the file is missing, truncated, damaged or of another format.

    Examples
    --------
    >>> read_image("scan.bmp")
    Traceback (most recent call last):
    lnm_kit.errors.InputError: scan.bmp is not of a format that can be read; allowed: ...
    """
    path = Path(path)
    name = path.name.lower()
    stated: Spacing | None = None
    try:
        if name.endswith((".png", ".jpg", ".jpeg")):
            pixels = _read_pillow(path)
        elif name.endswith((".nii", ".nii.gz", ".nrrd")):
            from lnm_kit.cohort.volumes import read_volume

            pixels, stated = read_volume(path)
        elif path.suffix.lower() in {"", ".dcm", ".dicom"} or path.suffix[1:].isdigit():
            from lnm_kit.cohort.dicom import read_dicom

            pixels, stated = read_dicom(path)
        else:
            raise InputError(f"{path} is not of a format that can be read; allowed: {FORMATS}")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder, not an image file") from None
    except PermissionError:
        raise InputError(f"{path} may not be read (no permission)") from None
    return Image(pixels, spacing_mm if spacing_mm is not None else stated)


def read_mask(path: str | Path) -> NDArray[np.bool_]:
    """Read one mask, (H, W) or (T, H, W).

    Parameters
    ----------
    path
        A file in one of the formats in `FORMATS`, with the values 0 and 1, or 0 and 255.

    Raises
    ------
    InputError
        When the file cannot be read, is empty (no pixel is set), or holds other values.

    Examples
    --------
    >>> read_mask("mask.png")
    Traceback (most recent call last):
    lnm_kit.errors.InputError: mask.png does not exist
    """
    pixels = read_image(path).pixels
    fault = find_mask_fault(pixels)
    if fault is not None:
        raise InputError(f"the mask {path}: {fault[0]}; allowed: {fault[1]}")
    return np.asarray((pixels[..., 0] if _is_color(pixels) else pixels) != 0)


def find_mask_fault(pixels: Pixels) -> tuple[str, str] | None:
    """Return what is wrong with the pixels of a mask and what is allowed, or None.

    Parameters
    ----------
    pixels
        As `read_image` gives them.

    Examples
    --------
    >>> find_mask_fault(np.array([[0, 1], [2, 0]]))
    ('not binary, it has the values 0, 1, 2', 'only 0 and 1, or only 0 and 255')
    >>> find_mask_fault(np.array([[0, 255]])) is None
    True
    """
    if _is_color(pixels):
        if (pixels != pixels[..., :1]).any():
            return "colored", "gray, only 0 and 1, or only 0 and 255"
        pixels = pixels[..., 0]
    values = np.unique(pixels)
    if set(values.tolist()) <= {0, 1} or set(values.tolist()) <= {0, 255}:
        return ("empty, no pixel is set", "at least one pixel set") if not values.any() else None
    shown = ", ".join(f"{value:g}" for value in values[:5].astype(float))
    more = f" and {len(values) - 5} more" if len(values) > 5 else ""
    return f"not binary, it has the values {shown}{more}", "only 0 and 1, or only 0 and 255"


def frame_size(pixels: Pixels) -> tuple[int, int]:
    """Return (H, W) of an image or of the frames of a clip.

    Examples
    --------
    >>> frame_size(np.zeros((30, 240, 320, 3))), frame_size(np.zeros((4, 240, 320)))
    ((240, 320), (240, 320))
    """
    height, width = pixels.shape[-3:-1] if _is_color(pixels) else pixels.shape[-2:]
    return int(height), int(width)


def _is_color(pixels: Pixels) -> bool:
    return pixels.ndim >= 3 and pixels.shape[-1] == 3


def _read_pillow(path: Path) -> Pixels:
    data = path.read_bytes()
    if data.startswith(_PNG):
        # the pixels of a PNG without its end may still decode; then the file is not whole
        if _PNG_END not in data[-1024:]:
            raise InputError(f"{path} is a truncated PNG (its end is missing)")
        if tuple(data[24:26]) in _PNG_16_BIT_COLOR:
            # Pillow would reduce these to 8 bits
            from lnm_kit.cohort.volumes import read_volume

            return read_volume(path)[0][..., :3]
    try:
        with PillowImage.open(io.BytesIO(data)) as image:
            image.load()
            if image.mode in {"L", "RGB", "I;16", "I;16B", "I;16L", "I"}:
                return _native(np.array(image))
            if image.mode in {"1", "LA"}:
                return np.array(image.convert("L"))
            if image.mode in {"RGBA", "P"}:
                return np.array(image.convert("RGB"))
            mode = image.mode
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        what = str(error).replace("<_io.BytesIO object", "<the file")
        raise InputError(f"{path} is truncated or no image ({what})") from None
    except PillowImage.DecompressionBombError:
        raise InputError(f"{path} has more pixels than any ultrasound frame or CT slice") from None
    raise InputError(f"{path} has the color mode {mode}; allowed: gray, RGB, RGBA, palette")


def _native(pixels: Pixels) -> Pixels:
    """Give 16-bit values as uint16, whatever byte order or Pillow mode they came in."""
    if pixels.dtype.kind in "iu" and pixels.dtype.itemsize > 1:
        return pixels.astype(np.uint16)
    return pixels
