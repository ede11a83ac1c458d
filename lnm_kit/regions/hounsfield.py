"""Hounsfield units: whether a CT image holds them, and the window that makes them gray levels."""

from pathlib import Path

import numpy as np

from lnm_kit.cohort.dicom import states_rescale
from lnm_kit.errors import InputError

LOWEST_HU = -2048
"""What scanners write outside of the field of view, at the lowest."""

HIGHEST_HU = 32767
"""Metal on an extended scale; ordinary scales end at 3,071."""

AIR_HU = -500
"""Every slice of a neck holds air, in the trachea or around the patient."""


def window_hu(hu: np.ndarray, *, center_hu: float, width_hu: float) -> np.ndarray:
    """Map a window of Hounsfield units to 0-255, linear inside and flat outside, uint8 (H, W).

    Parameters
    ----------
    hu
        (H, W), Hounsfield units.
    center_hu, width_hu
        Middle and width of the window.

    Raises
    ------
    InputError
        A width that is not above 0.

    Examples
    --------
    >>> window_hu(np.array([[-1000, -100, 50, 200, 900]]), center_hu=50, width_hu=300)
    array([[  0,   0, 128, 255, 255]], dtype=uint8)
    """
    if not width_hu > 0:
        raise InputError(f"width_hu is {width_hu}; it must be above 0.")
    share = (hu.astype(np.float64) - (center_hu - width_hu / 2)) / width_hu
    return np.round(255 * np.clip(share, 0, 1)).astype(np.uint8)


def find_hounsfield_fault(pixels: np.ndarray, path: Path) -> str | None:
    """Say why the pixels of a CT image cannot be Hounsfield units, or None.

    Parameters
    ----------
    pixels
        (H, W), as `read_image` gives them.
    path
        The file, whose header is read when it is DICOM.

    Notes
    -----
    A DICOM file without rescale slope and intercept holds stored values, in which water is not 0.
    Elsewhere the range must tell: 8 bits are a window, and a slice of a neck without any air is
    offset or was scaled. *Source*: DICOM PS3.3, C.11.1 (modality LUT).

    Examples
    --------
    >>> find_hounsfield_fault(np.zeros((4, 4), np.uint8), Path("slice.png"))
    'its pixels have 8 bits: gray levels of a window, no Hounsfield units'
    """
    if pixels.dtype == np.uint8:
        return "its pixels have 8 bits: gray levels of a window, no Hounsfield units"
    if states_rescale(path) is False:
        return "its DICOM header has no rescale slope and intercept, so its values are no HU"
    if not np.isfinite(pixels).all():
        return "it holds values that are not finite"
    lowest, highest = float(pixels.min()), float(pixels.max())
    if lowest < LOWEST_HU or highest > HIGHEST_HU:
        return f"its values run from {lowest:g} to {highest:g}, beyond any HU"
    if lowest > AIR_HU:
        return (
            f"its values run from {lowest:g} to {highest:g}: no air (below {AIR_HU} HU), so they "
            "are offset or scaled, or the slice was cut out too narrowly"
        )
    return None
