"""Radiomic features of nodule crops and of homogeneous patches, alike for real and simulated."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import SimpleITK
from radiomics import firstorder, glcm, glrlm, glszm, ngtdm
from scipy.ndimage import binary_dilation, gaussian_filter, uniform_filter, zoom

Array = npt.NDArray[Any]

#: Side of a nodule crop, px: the longest side of its box, grown by 12 %, is brought to this.
CROP_PX = 112
#: Side of a homogeneous patch, px.
PATCH_PX = 64

_CLASSES = (
    firstorder.RadiomicsFirstOrder,
    glcm.RadiomicsGLCM,
    glrlm.RadiomicsGLRLM,
    glszm.RadiomicsGLSZM,
    ngtdm.RadiomicsNGTDM,
)


def texture_features(pixels: Array, mask: Array) -> pd.Series:
    """Compute 78 original-image features of one region with 25 gray bins, names as pyradiomics'.

    First order (18), GLCM (23), GLRLM (16), GLSZM (16), NGTDM (5), on a one-slice volume. Left
    out is what repeats another feature: the GLCM's SumAverage, twice its JointAverage.

    *Source*: van Griethuysen et al. 2017, Cancer Res. 77:e104 (pyradiomics 3.0.1).

    Examples
    --------
    >>> gray = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    >>> len(texture_features(gray, np.ones((64, 64), dtype=bool)))
    78
    """
    image = SimpleITK.GetImageFromArray(pixels[None].astype(np.float32))
    region = SimpleITK.GetImageFromArray(mask[None].astype(np.uint8))
    values: dict[str, float] = {}
    for family in _CLASSES:
        calculator = family(image, region, binCount=25)
        for name, deprecated in family.getFeatureNames().items():
            if not deprecated and name != "SumAverage":
                calculator.enableFeatureByName(name)
        prefix = family.__name__.removeprefix("Radiomics").lower()
        for name, value in calculator.execute().items():
            values[f"{prefix}_{name}"] = float(value)
    return pd.Series(values)


def nodule_crop(pixels: Array, mask: Array) -> tuple[Array, Array]:
    """Bring a nodule to a square of `CROP_PX`: box plus 12 %, nearest inside, mask grown by 5 px.

    Returns
    -------
    pixels, mask
        Both (`CROP_PX`, `CROP_PX`) or less where the frame ends.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    side = 1.12 * max(rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)
    center = (rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2
    window = tuple(
        slice(max(0, round(at - side / 2)), min(length, round(at + side / 2) + 1))
        for at, length in zip(center, mask.shape, strict=True)
    )
    factor = CROP_PX / side
    crop = zoom(pixels[window].astype(np.float32), factor, order=1, grid_mode=True, mode="nearest")
    inside = zoom(mask[window].astype(np.float32), factor, order=1, grid_mode=True, mode="nearest")
    return np.rint(crop), binary_dilation(inside > 0.5, iterations=5)


def homogeneous_patches(pixels: Array, masks: Iterable[Array], seams: Array) -> list[Array]:
    """Pick up to three non-overlapping 64 x 64 patches of even speckle from one frame.

    Step 16, rows between 12 and 75 % of the frame, off the dilated nodules and off seams, mean
    gray 35-150, at most 4 pixels above 245, at most 2 % below 3, and the sigma-6 blur varying by
    at most 16 % of the mean; the most even ones first. "Even speckle" is not proven parenchyma.
    """
    height, width = pixels.shape
    nodules = np.zeros(pixels.shape, dtype=bool)
    for mask in masks:
        nodules |= binary_dilation(mask, iterations=5)
    smooth = gaussian_filter(pixels.astype(np.float32), 6)
    found: list[tuple[float, int, int]] = []
    for r in range(int(0.12 * height), int(0.75 * height) - PATCH_PX + 1, 16):
        for c in range(0, width - PATCH_PX + 1, 16):
            at = slice(r, r + PATCH_PX), slice(c, c + PATCH_PX)
            patch = pixels[at]
            mean = float(patch.mean())
            uneven = float(smooth[at].std()) / max(mean, 1.0)
            fits = 35 <= mean <= 150 and uneven <= 0.16 and not nodules[at].any()
            clean = (patch > 245).sum() <= 4 and (patch < 3).mean() <= 0.02
            seamless = not ((seams >= c - 1) & (seams <= c + PATCH_PX)).any()
            if fits and clean and seamless:
                found.append((uneven, r, c))
    chosen: list[tuple[int, int]] = []
    for _, r, c in sorted(found):
        if all(abs(r - a) >= PATCH_PX or abs(c - b) >= PATCH_PX for a, b in chosen):
            chosen.append((r, c))
        if len(chosen) == 3:
            break
    return [pixels[r : r + PATCH_PX, c : c + PATCH_PX] for r, c in chosen]


def ring_mean(pixels: Array, mask: Array) -> float:
    """Mean gray of a ring of 4-14 px around the nodule."""
    grown = uniform_filter(mask.astype(np.float32), 29) > 1e-6
    ring = grown & ~binary_dilation(mask, iterations=4)
    return float(pixels[ring].mean()) if ring.any() else float("nan")
