"""Real DDTI frames as the realism measure needs them: image box, outlines, seams, two halves."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from lnm_kit.cohort.ddti_source import Box, Points, fill_outlines, find_box, read_case
from lnm_kit.errors import InputError

Array = npt.NDArray[Any]
Half = Literal["tuning", "held_out"]

# Ticks of the depth scale and the image's rim lie within this many pixels of the box's edge.
_RIM_PX = 4
_SMALLEST_NODULE_PX = 200


@dataclass(frozen=True)
class RealFrame:
    """The ultrasound image of one frame with its outlined nodules.

    Attributes
    ----------
    case
        Number of the case (patient).
    pixels
        Gray levels, (H, W) uint8.
    masks
        One (H, W) bool mask per outlined nodule.
    seams
        Columns where a dual frame joins its two images, (S,) int.
    """

    case: int
    pixels: Array
    masks: list[Array]
    seams: Array


def half_of(case: int) -> Half:
    """Tell which half of DDTI a case belongs to: looked at while tuning, or held out.

    The first byte of the SHA-256 of the case's number decides, so the split needs no file and
    never changes.

    Examples
    --------
    >>> half_of(3), half_of(4), half_of(5)
    ('held_out', 'tuning', 'tuning')
    """
    digest = hashlib.sha256(f"ddti case {case}".encode()).digest()
    return "tuning" if digest[0] % 2 == 0 else "held_out"


def read_frames(source: str | Path, half: Half | None = None) -> Iterator[RealFrame]:
    """Read the frames of a DDTI folder (JPG + XML) in the order of the case numbers.

    Frames without a usable outline, or whose files are missing or broken, are passed over;
    ``lnm cohort import ddti`` names them.

    Raises
    ------
    InputError
        When `source` is not a folder with numbered XML files.
    """
    folder = Path(source)
    paths = {int(path.stem): path for path in folder.glob("*.xml") if path.stem.isdigit()}
    if not paths:
        raise InputError(
            f"{folder} holds no numbered XML file; give the folder of the public DDTI form "
            "(1.xml, 1_1.jpg, ...)."
        )
    for case, path in sorted(paths.items()):
        if half is not None and half_of(case) != half:
            continue
        try:
            marks = read_case(path).frames
        except InputError:
            continue
        for mark in marks:
            image = folder / f"{case}_{mark.number}.jpg"
            if mark.fault is None and image.is_file():
                frame = _read_frame(image, case, mark.outlines)
                if frame is not None:
                    yield frame


def _read_frame(path: Path, case: int, outlines: list[Points]) -> RealFrame | None:
    try:
        with Image.open(path) as image:
            gray = np.asarray(image.convert("L"))
    except OSError:
        return None
    found = find_box(gray)
    if found is None:
        return None
    box = Box(
        found.top + _RIM_PX, found.bottom - _RIM_PX, found.left + _RIM_PX, found.right - _RIM_PX
    )
    masks = [fill_outlines([outline], box, gray.shape)[0] for outline in outlines]
    masks = [mask for mask in masks if mask.sum() >= _SMALLEST_NODULE_PX]
    if not masks:
        return None
    pixels = box.crop(gray)
    seams = np.array([seam_column(pixels)] if found.is_dual else [], dtype=np.int64)
    return RealFrame(case, pixels, masks, seams)


def seam_column(pixels: Array) -> int:
    """Column in the middle third after which all rows jump most: the seam of a dual frame.

    Examples
    --------
    >>> halves = np.zeros((10, 90), dtype=np.uint8)
    >>> halves[:, 40:] = 50
    >>> seam_column(halves)
    39
    """
    jump = np.abs(np.diff(pixels.astype(np.float32), axis=1)).mean(axis=0)
    third = pixels.shape[1] // 3
    return third + int(np.argmax(jump[third:-third]))
