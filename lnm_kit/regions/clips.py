"""Contrast-enhanced clips of a cohort: the frames of a case with their times."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.ndimage import binary_dilation

from lnm_kit.cohort.folder import Cohort
from lnm_kit.cohort.images import read_image, read_mask
from lnm_kit.errors import InputError

LEAST_FRAMES = 4
"""A time-intensity curve of fewer frames has no baseline, rise and fall."""


@dataclass(frozen=True, eq=False)
class Clip:
    """Frames uint8 (T, H, W) or (T, H, W, 3), the nodule bool (H, W), seconds after injection."""

    frames: np.ndarray
    mask: np.ndarray
    time_s: np.ndarray


def cases_with_clip(cohort: Cohort) -> list[str]:
    """Cases with at least `LEAST_FRAMES` contrast-enhanced frames that have a time, in order.

    Examples
    --------
    >>> cases_with_clip(cohort)  # doctest: +SKIP
    ['c1', 'c2']
    """
    count = _frames(cohort)["case_id"].value_counts()
    with_clip = set(count.index[count >= LEAST_FRAMES])
    return [case for case in cohort.cases.index if case in with_clip]


def read_clip(cohort: Cohort, case: str) -> Clip:
    """Read the frames of a case's clip, in the order of their times.

    Raises
    ------
    InputError
        No clip, two frames of one time, or frames of different sizes.

    Examples
    --------
    >>> read_clip(cohort, "c1").frames.shape  # doctest: +SKIP
    (15, 150, 195, 3)
    """
    frames = _frames(cohort)
    rows = frames[frames["case_id"] == case].sort_values("time_s")
    if len(rows) < LEAST_FRAMES:
        raise InputError(
            f"{case} has {len(rows)} contrast-enhanced frames with a time; a clip needs at least "
            f"{LEAST_FRAMES}."
        )
    time_s = rows["time_s"].to_numpy(float)
    if (np.diff(time_s) <= 0).any():
        raise InputError(f"{case}: two frames of its clip have the same time.")
    pixels = [read_image(cohort.root / path).pixels for path in rows["path"]]
    mask = read_mask(cohort.root / rows["mask_path"].iloc[0])
    sizes = {each.shape for each in pixels}
    if len(sizes) > 1 or pixels[0].shape[:2] != mask.shape:
        raise InputError(
            f"{case}: the frames of its clip have the sizes {sorted(sizes)} and the mask "
            f"{mask.shape}; needed: one size."
        )
    return Clip(np.stack(pixels), mask, time_s)


def ring_around(mask: np.ndarray, *, inner_px: int = 2, outer_px: int = 8) -> np.ndarray:
    """Ring between two distances from a mask, bool (H, W): the tissue beside a nodule.

    Raises
    ------
    InputError
        Distances that leave no ring.

    Examples
    --------
    >>> mask = np.zeros((9, 9), bool)
    >>> mask[4, 4] = True
    >>> int(ring_around(mask, inner_px=1, outer_px=2).sum())  # of the diamond of 13, 5 are inside
    8
    """
    if not 0 <= inner_px < outer_px:
        raise InputError(
            f"the ring runs from {inner_px} to {outer_px} px; needed: 0 <= inner < outer."
        )
    inner = binary_dilation(mask, iterations=inner_px) if inner_px else mask.astype(bool)
    ring: np.ndarray = binary_dilation(mask, iterations=outer_px) & ~inner
    return ring


def _frames(cohort: Cohort) -> pd.DataFrame:
    images = cohort.images
    if "time_s" not in images:
        return images.iloc[:0].assign(time_s=np.nan)
    return images[(images["modality"] == "ceus") & images["time_s"].notna()]
