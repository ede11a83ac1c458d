"""Regions of nodules with several ultrasound and CT images, and what shall be drawn in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from lnm_kit.cohort.folder import Cohort
from lnm_kit.errors import InputError
from lnm_kit.progress import track
from lnm_kit.regions.hounsfield import find_hounsfield_fault, window_hu
from lnm_kit.regions.images import read_masked_image
from lnm_kit.regions.targets import (
    DILATIONS,
    boundary_target,
    external_square,
    square_region,
    tissue_edges,
)

NAMES = {"us": "ultrasound", "ct": "CT"}
CHROMA = 16
"""Difference of two channels, of 255, from which on a pixel counts as colored."""

COLORED_SHARE = 0.01


@dataclass(frozen=True)
class RegionRecipe:
    """How the regions of both modalities are made.

    Parameters
    ----------
    us_px, ct_px
        Sides of the resized squares; 288 and 96 in the paper.
    window_center_hu, window_width_hu
        Window of the CT; the paper prints none.
    """

    us_px: int = 288
    ct_px: int = 96
    window_center_hu: float = 50.0
    window_width_hu: float = 300.0


@dataclass(frozen=True)
class NoduleRegions:
    """All regions of one modality, in the order of the cohort's images.

    Parameters
    ----------
    images
        uint8 (A, S, S).
    targets
        bool (A, 2, S, S): the nodule; its boundary (ultrasound) or the edges of the tissue (CT).
    case_ids, image_ids
        A of each.
    area
        float64 (A,), area of the nodule in the original image: in mm2 where the spacing of all
        images of the case is known, else in pixels.
    mm_per_pixel
        float64 (A,), of the region; NaN where unknown.
    """

    images: np.ndarray
    targets: np.ndarray
    case_ids: tuple[str, ...]
    image_ids: tuple[str, ...]
    area: np.ndarray
    mm_per_pixel: np.ndarray


def check_modalities(cohort: Cohort, modalities: Sequence[str] = ("us", "ct")) -> None:
    """Check that every case has at least one image in each modality.

    Raises
    ------
    InputError
        When one has not; all cases are listed.

    Notes
    -----
    *Source*: G. Li (DGFNet), section "Patient Cohort": nodules with "missing US or CT data" were
    left out.
    """
    counts = (
        pd.crosstab(cohort.images["case_id"], cohort.images["modality"])
        .reindex(index=cohort.cases.index, columns=list(modalities), fill_value=0)
        .astype(int)
    )
    problems = []
    for modality in modalities:
        without = counts.index[counts[modality] == 0]
        if len(without) == len(counts):
            problems.append(f"no case has a {NAMES.get(modality, modality)} image")
        elif len(without):
            word = "case has" if len(without) == 1 else "cases have"
            problems.append(
                f"{len(without)} {word} no {NAMES.get(modality, modality)} image: "
                f"{', '.join(map(str, without))}"
            )
    if problems:
        raise InputError(
            "this study pairs ultrasound with CT and needs both of every case. Found:\n"
            + "\n".join(f"  - {line}" for line in problems)
            + "\nAdd the missing images, or take these cases out of cases.csv, and say so."
        )


def nodule_regions(
    cohort: Cohort, recipe: RegionRecipe, *, n_jobs: int = 1
) -> dict[str, NoduleRegions]:
    """Cut out, window and resize all images, and make the targets of their segmentation.

    Parameters
    ----------
    cohort
        With ultrasound and CT images of every case.
    recipe
        Sizes, window and edges.
    n_jobs
        Threads; -1 = one a core.

    Returns
    -------
    ``us`` and ``ct``.

    Raises
    ------
    InputError
        A case lacks a modality; a file or mask cannot be used; a CT image does not hold Hounsfield
        units, or has color; an ultrasound image is in color within its region. All are listed.

    Notes
    -----
    *Source*: G. Li (DGFNet), section "Data pre-processing" and the two on boundaries.

    Examples
    --------
    >>> regions = nodule_regions(load_cohort("cohort"), RegionRecipe())  # doctest: +SKIP
    >>> regions["us"].images.shape  # doctest: +SKIP
    (3522, 288, 288)
    """
    check_modalities(cohort)
    images = cohort.images[cohort.images["modality"].isin(["us", "ct"])]
    look = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    made = look(delayed(_region)(cohort, row, recipe) for _, row in images.iterrows())
    found = list(track(made, label="cut out regions", total=len(images)))
    faults = [
        f"{row['case_id']}, image {image_id} ({row['path']}): {each}"
        for (image_id, row), each in zip(images.iterrows(), found, strict=True)
        if isinstance(each, str)
    ]
    if faults:
        raise InputError(
            f"{len(faults)} images cannot be used:\n"
            + "\n".join(f"  - {line}" for line in faults)
            + "\nCT must be gray and in Hounsfield units, ultrasound gray within the region. "
            "Replace these images, or take them out of images.csv."
        )
    return {
        modality: _stacked(
            images[images["modality"] == modality],
            [
                each
                for each, kind in zip(found, images["modality"], strict=True)
                if kind == modality and not isinstance(each, str)
            ],
        )
        for modality in ("us", "ct")
    }


@dataclass(frozen=True)
class _Region:
    image: np.ndarray
    targets: np.ndarray
    area_px: float
    area_mm2: float
    mm_per_pixel: float


def _region(cohort: Cohort, row: Mapping[str, str], recipe: RegionRecipe) -> _Region | str:
    """The region of one image, or what is wrong with it."""
    is_ct = row["modality"] == "ct"
    dilations = DILATIONS[row["modality"]]
    size_px = recipe.ct_px if is_ct else recipe.us_px
    path = cohort.root / row["path"]
    try:
        shown = read_masked_image(cohort.root, pd.Series(row))
        box = external_square(shown.mask, dilations=dilations)
        inside = (
            slice(max(box.top, 0), box.top + box.side),
            slice(max(box.left, 0), box.left + box.side),
        )
        stored = shown.gray if shown.stored is None else shown.stored
        pixels = stored if is_ct else stored[inside]
        fault = _color_fault(pixels, is_ct=is_ct)
        if fault is None and is_ct:
            fault = find_hounsfield_fault(shown.gray, path)
        elif fault is None and shown.gray.dtype != np.uint8:
            fault = f"its pixels are {shown.gray.dtype}; ultrasound has 8 bits"
        if fault is not None:
            return fault
        gray = (
            window_hu(
                shown.gray,
                center_hu=recipe.window_center_hu,
                width_hu=recipe.window_width_hu,
            )
            if is_ct
            else shown.gray
        )
        region, mask = square_region(gray, shown.mask, dilations=dilations, size_px=size_px)
    except InputError as error:
        return str(error).replace(f"{cohort.root}/", "")
    edges = tissue_edges(region) if is_ct else boundary_target(mask)
    area = float(shown.mask.sum())
    spacing = shown.spacing_mm
    return _Region(
        region,
        np.stack([mask, edges]),
        area,
        area * spacing[0] * spacing[1] if spacing else np.nan,
        spacing[1] * box.side / size_px if spacing else np.nan,
    )


def _color_fault(pixels: np.ndarray, *, is_ct: bool) -> str | None:
    if pixels.ndim < 3 or pixels.shape[-1] != 3:
        return None
    spread = pixels.max(axis=-1).astype(float) - pixels.min(axis=-1)
    share = float((spread >= CHROMA).mean())
    if share <= COLORED_SHARE:
        return "it has three channels; CT has one" if is_ct else None
    where = "it is in color" if is_ct else "its region is in color (Doppler, elastography, marks)"
    return f"{where}: {share:.0%} of the pixels, where gray is expected"


def _stacked(images: pd.DataFrame, regions: Sequence[_Region]) -> NoduleRegions:
    area = pd.DataFrame(
        {
            "case_id": images["case_id"].to_numpy(),
            "px": [each.area_px for each in regions],
            "mm2": [each.area_mm2 for each in regions],
        }
    )
    known = area["mm2"].notna().groupby(area["case_id"]).transform("all")
    return NoduleRegions(
        np.stack([each.image for each in regions]),
        np.stack([each.targets for each in regions]),
        tuple(images["case_id"].astype(str)),
        tuple(images.index.astype(str)),
        area["mm2"].where(known, area["px"]).to_numpy(),
        np.array([each.mm_per_pixel for each in regions]),
    )
