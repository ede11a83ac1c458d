"""Pixels and spacing of NIfTI and NRRD files."""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from lnm_kit.errors import InputError

Spacing = tuple[float, float]

_NIFTI_1, _NIFTI_2 = 348, 540


def read_volume(path: Path) -> tuple[NDArray[np.generic], Spacing | None]:
    """Read a NIfTI or NRRD file, or a PNG of 16-bit colors.

    Parameters
    ----------
    path
        A file with the ending .nii, .nii.gz, .nrrd or .png.

    Returns
    -------
    pixels
        (H, W) for images and volumes of one slice, (H, W, 3) for color images, otherwise
        (T, H, W) with the slices first; the dtype of the file.
    spacing_mm
        (row, column); None when the file states none or no unit (``xyzt_units`` of NIfTI,
        ``spacings`` or ``space directions`` of NRRD).

    Raises
    ------
    InputError
        When the file is truncated, damaged, or has more than three dimensions.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    states_spacing = False
    if path.name.lower().endswith((".nii", ".nii.gz")):
        states_spacing = _check_nifti(path)
    elif head.startswith(b"NRRD"):
        header = head.split(b"\n\n")[0]
        states_spacing = b"\nspacings:" in header or b"\nspace directions:" in header
    try:
        image = SimpleITK.ReadImage(str(path))
    except RuntimeError:
        raise InputError(f"{path} is truncated, damaged, or not what its ending says") from None
    pixels = SimpleITK.GetArrayFromImage(image)
    if image.GetDimension() > 3:
        raise InputError(f"{path} has {image.GetDimension()} dimensions; allowed: 2 or 3")
    if image.GetDimension() == 3 and pixels.shape[0] == 1:
        pixels = pixels[0]
    column_mm, row_mm = image.GetSpacing()[:2]
    return pixels, (row_mm, column_mm) if states_spacing else None


def _check_nifti(path: Path) -> bool:
    """Tell whether a NIfTI file gives its unit of length.

    The file is measured against its header, because SimpleITK reads a truncated one without a
    word and fills what is missing with zeros.
    """
    data = path.read_bytes()
    try:
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        order = "<" if struct.unpack_from("<i", data)[0] in (_NIFTI_1, _NIFTI_2) else ">"
        size = struct.unpack_from(f"{order}i", data)[0]
        if size == _NIFTI_2:
            raise InputError(f"{path} is NIfTI-2, which is not read; write it as NIfTI-1 or NRRD")
        if size != _NIFTI_1:
            raise InputError(f"{path} is no NIfTI file")
        dim = struct.unpack_from(f"{order}8h", data, 40)
        bits, offset = struct.unpack_from(f"{order}h34xf", data, 72)
        units = data[123]
    except (struct.error, IndexError, EOFError, OSError, zlib.error):
        raise InputError(f"{path} is a truncated or damaged NIfTI file") from None
    needed = int(offset) + int(np.prod(dim[1 : 1 + dim[0]], dtype=np.int64)) * bits // 8
    if len(data) < needed:
        raise InputError(
            f"{path} is truncated: {len(data)} bytes of pixels and header, not {needed}"
        )
    return units & 7 != 0
