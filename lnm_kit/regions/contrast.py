"""B-mode image and contrast-enhanced frame of every case: pairing and cropping them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lnm_kit.cohort.folder import Cohort
from lnm_kit.cohort.images import read_image, read_mask
from lnm_kit.errors import InputError
from lnm_kit.progress import track
from lnm_kit.regions.crop import crop_region

MODALITIES = {"b_mode": "B-mode image", "ceus": "contrast-enhanced frame"}

LEAST_SATURATION = 0.2
"""Mean saturation from which an image counts as colored; the tint of a gray screen is below."""

_DARK = 25
_OVERSAMPLING = 4


@dataclass(frozen=True)
class ContrastPairs:
    """Which images belong together, and which cases lack one.

    Attributes
    ----------
    images
        Index `case_id`, in the order of the cohort; columns `b_mode` and `ceus` hold `image_id`.
    lacking
        What is missing, in words, to the cases that lack it.
    """

    images: pd.DataFrame
    lacking: dict[str, list[str]]


def contrast_images(cohort: Cohort) -> pd.DataFrame:
    """Find the B-mode image and the contrast-enhanced frame of every case, as far as it has them.

    Images of modality ``us`` are B-mode, those of modality ``ceus`` without a time are
    representative frames; those with a time are the frames of a clip and are left aside.

    Returns
    -------
    pandas.DataFrame
        Index `case_id`, in the order of the cohort; columns `b_mode` and `ceus` hold `image_id`,
        or None where the case has no such image.

    Raises
    ------
    InputError
        When a case has several images of a kind, or the two show different planes. All cases are
        listed.
    """
    images = cohort.images
    still = images["time_s"].isna() if "time_s" in images else pd.Series(True, images.index)
    kinds = {"b_mode": images["modality"] == "us", "ceus": (images["modality"] == "ceus") & still}
    order = cohort.cases.index
    problems, columns = [], {}
    for kind, chosen in kinds.items():
        found = images[chosen]
        several = order[order.isin(found["case_id"][found["case_id"].duplicated()])]
        if len(several):
            problems.append(f"several {MODALITIES[kind]}s: {', '.join(several)}")
        first = found[~found["case_id"].duplicated()]
        columns[kind] = pd.Series(first.index, index=first["case_id"], dtype=object).reindex(order)
    pairs = pd.DataFrame(columns, index=order)
    both = pairs.dropna()
    views = [images.loc[both[kind], "view"].to_numpy() for kind in kinds]
    apart = list(both.index[views[0] != views[1]])
    if apart:
        problems.append(
            f"B-mode image and contrast-enhanced frame of different planes: {', '.join(apart)}"
        )
    if problems:
        raise _no_pairs(problems)
    return pairs


def pair_contrast(cohort: Cohort) -> ContrastPairs:
    """Find the cases that have both images of `contrast_images`, and what the others lack.

    Raises
    ------
    InputError
        From `contrast_images`, or when no case has both.

    Notes
    -----
    *Source*: "the two images from a given patient were time-aligned": Guang 2023, section Study
    population.

    Examples
    --------
    >>> pair_contrast(cohort).images.loc["c1"].tolist()  # doctest: +SKIP
    ['c1-transverse', 'c1-ceus']
    """
    found = contrast_images(cohort)
    pairs = found.dropna()
    if pairs.empty:
        raise _no_pairs(["no case has both a B-mode image and a contrast-enhanced frame"])
    absent = {kind: list(found.index[found[kind].isna()]) for kind in MODALITIES}
    lacking = {f"no {MODALITIES[kind]}": cases for kind, cases in absent.items() if cases}
    return ContrastPairs(pairs, lacking)


def crop_contrast(
    cohort: Cohort, pairs: pd.DataFrame, *, size_px: int, margin: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crop both images of every pair around their own outlines; what is missing stays black.

    A pixel of a crop is the mean over its square: what is left out by choosing single pixels is
    not detail, in a small crop, but the averaging of speckle.

    Parameters
    ----------
    cohort
        Where the files are.
    pairs
        `ContrastPairs.images`, or all cases from `contrast_images`.
    size_px, margin
        As in :func:`lnm_kit.regions.crop_region`.

    Returns
    -------
    tuple of numpy.ndarray
        B-mode uint8 (N, S, S), contrast-enhanced frames uint8 (N, S, S, 3), and masks
        bool (N, 2, S, S).

    Raises
    ------
    InputError
        Frames that are gray where color is expected, B-mode images in color, clips where one frame
        is expected, files that cannot be read. All cases are listed.
    """
    shape = (len(pairs), size_px, size_px)
    b_mode, ceus = np.zeros(shape, np.uint8), np.zeros((*shape, 3), np.uint8)
    masks = np.zeros((len(pairs), 2, size_px, size_px), bool)
    problems = []
    for place, (case, row) in enumerate(
        track(pairs.iterrows(), label="crop pairs", total=len(pairs))
    ):
        for channel, kind in enumerate(MODALITIES):
            if pd.isna(row[kind]):
                continue
            try:
                crop, masks[place, channel] = _crop(
                    cohort, str(row[kind]), kind, size_px=size_px, margin=margin
                )
            except InputError as error:
                problems.append(f"{case}: {error}")
                continue
            (b_mode if kind == "b_mode" else ceus)[place] = crop
    if problems:
        raise InputError("\n".join(["Cases whose images cannot be used:", *problems]))
    return b_mode, ceus, masks


def _no_pairs(problems: list[str]) -> InputError:
    return InputError(
        "every case needs one B-mode image (modality us) and one contrast-enhanced frame "
        "(modality ceus, no time_s) of the same plane. Found:\n"
        + "\n".join(f"  - {line}" for line in problems)
        + "\nLeave one of several in images.csv, add what is missing, or take these cases out "
        "of cases.csv, and say so."
    )


def saturation(pixels: np.ndarray) -> float:
    """Mean of (max - min) / max over the channels of all pixels that are not nearly black.

    Examples
    --------
    >>> saturation(np.array([[[200, 100, 50], [90, 90, 90]]], np.uint8))
    0.375
    """
    if pixels.ndim < 3:
        return 0.0
    most = pixels.max(axis=-1).astype(float)
    seen = most > _DARK
    if not seen.any():
        return 0.0
    span = most - pixels.min(axis=-1)
    return float((span[seen] / most[seen]).mean())


def _crop(
    cohort: Cohort, image_id: str, kind: str, *, size_px: int, margin: float
) -> tuple[np.ndarray, np.ndarray]:
    row = cohort.images.loc[image_id]
    image = read_image(cohort.root / row["path"])
    mask = read_mask(cohort.root / row["mask_path"])
    gray = image.gray()
    if gray.ndim != 2 or gray.dtype != np.uint8:
        raise InputError(
            f"{row['path']} is {gray.dtype} {gray.shape}; needed: one frame of 8 bits a channel"
        )
    colored = saturation(image.pixels) >= LEAST_SATURATION
    if kind == "b_mode" and colored:
        raise InputError(
            f"{row['path']} is in color, a B-mode image is gray; is it a Doppler image, or the "
            "contrast-enhanced frame (modality ceus)?"
        )
    if kind == "ceus" and not colored:
        raise InputError(
            f"{row['path']} is gray, a contrast-enhanced frame is in the scanner's colors; is it "
            "the B-mode image (modality us), or was its color lost in the export?"
        )
    channels = [gray] if kind == "b_mode" else list(np.moveaxis(image.pixels, -1, 0))
    fine_px = _OVERSAMPLING * size_px
    fine = [crop_region(channel, mask, size_px=fine_px, margin=margin) for channel in channels]
    crop = np.stack([_block_means(each) for each, _ in fine], axis=-1)
    inside = _block_means(fine[0][1]) >= 0.5
    return np.rint(crop[..., 0] if kind == "b_mode" else crop).astype(np.uint8), inside


def _block_means(fine: np.ndarray) -> np.ndarray:
    side = len(fine) // _OVERSAMPLING
    blocks = fine.reshape(side, _OVERSAMPLING, side, _OVERSAMPLING)
    means: np.ndarray = blocks.mean(axis=(1, 3))
    return means
