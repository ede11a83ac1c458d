"""What a region needs of a cohort's image: gray levels, mask, spacing."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lnm_kit.cohort.images import read_image, read_mask
from lnm_kit.errors import InputError


@dataclass(frozen=True, eq=False)
class MaskedImage:
    """Gray levels (H, W) in their stored type, mask bool (H, W), spacing (row, column) in mm.

    `stored`, of an image that was read, holds its pixels as in the file: (H, W), or (H, W, 3).
    """

    gray: np.ndarray
    mask: np.ndarray
    spacing_mm: tuple[float, float] | None
    stored: np.ndarray | None = None


def read_masked_image(root: Path, row: pd.Series) -> MaskedImage:
    """Read one image of a cohort with its mask.

    The spacing is that of `images.csv`; where it is empty there, that of the file; else None.

    Parameters
    ----------
    root
        Folder of the cohort.
    row
        A row of `cohort.images`: `path`, `mask_path`, `spacing_x_mm`, `spacing_y_mm`.

    Raises
    ------
    InputError
        When a file cannot be read, the image is a clip, or image and mask differ in size.

    Examples
    --------
    >>> row = pd.Series({"path": "a.png", "mask_path": "m.png"}, dtype=object)
    >>> read_masked_image(Path("nowhere"), row)
    Traceback (most recent call last):
    lnm_kit.errors.InputError: nowhere/a.png does not exist
    """
    stated = pd.to_numeric(row.reindex(["spacing_y_mm", "spacing_x_mm"]))
    spacing = None if stated.isna().any() else (float(stated.iloc[0]), float(stated.iloc[1]))
    image = read_image(root / row["path"], spacing)
    gray = np.asarray(image.gray())
    mask = read_mask(root / row["mask_path"])
    if gray.ndim != 2:
        raise InputError(
            f"{row['path']} holds {gray.shape[0]} frames; a region is cut from one frame: "
            "give the frame that the mask was drawn on as an image of its own"
        )
    if gray.shape != mask.shape:
        raise InputError(
            f"{row['path']} has {gray.shape} pixels and {row['mask_path']} has {mask.shape}; "
            "both must be of the same size"
        )
    return MaskedImage(gray, mask, image.spacing_mm, image.pixels)
