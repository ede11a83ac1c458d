"""The planes of a nodule as channels of one image: pairing the views of every case."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from lnm_kit.cohort.folder import Cohort
from lnm_kit.errors import InputError
from lnm_kit.regions.crop import crop_regions, crop_scales_mm


def pair_views(cohort: Cohort, views: Sequence[str]) -> pd.DataFrame:
    """Find the one image of each view of every case.

    Images of other views are left aside.

    Parameters
    ----------
    cohort
        Its `images` have a column `view`.
    views
        Names of the views, one channel each, without repetition.

    Returns
    -------
    pandas.DataFrame
        Identifier of an image for every case (rows, in the order of `cohort.cases`) and view
        (columns, in the order given).

    Raises
    ------
    InputError
        When no view is named or one is named twice, the cohort has no image of a view, or a case
        lacks a view or has several images of it. All cases are listed.

    Notes
    -----
    *Source*: one longitudinal and one transverse image of every patient; patients without both were
    excluded: M. Li 2026, sections Study samples and Image processing.

    Examples
    --------
    >>> pair_views(cohort, ["longitudinal", "transverse"]).loc["c1"].tolist()  # doctest: +SKIP
    ['c1_longitudinal', 'c1_transverse']
    """
    if not len(views) or len(set(views)) < len(views):
        raise InputError(f"views are {list(views)}; needed: at least one, each named once.")
    images = cohort.images
    counts = (
        pd.crosstab(images["case_id"], images["view"])
        .reindex(index=cohort.cases.index, columns=list(views), fill_value=0)
        .astype(int)
    )
    problems = [line for view in views for line in _problems(view, counts[view])]
    if problems:
        present = images["view"].value_counts(sort=False)
        found = ", ".join(f"{view} ({count})" for view, count in present.items())
        raise InputError(
            f"every case needs one image of each view: {', '.join(views)}. Found:\n"
            + "\n".join(f"  - {line}" for line in problems)
            + f"\nThe images of this cohort show: {found}. Add the missing images, leave one of "
            "several, or take these cases out of cases.csv, and say so."
        )
    chosen = images[images["view"].isin(views)].rename_axis("image_id").reset_index()
    paired = chosen.pivot(index="case_id", columns="view", values="image_id")
    return paired.loc[cohort.cases.index, list(views)]


def crop_views(
    cohort: Cohort, views: Sequence[str], *, size_px: int, margin: float = 0.15
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crop the region of every case in every view; the views become channels.

    Each view is cropped around its own outline, so the same place of two channels is in general
    not the same place of the body: the planes cross in one line.

    Parameters
    ----------
    cohort, views
        As in :func:`pair_views`.
    size_px, margin
        As in :func:`lnm_kit.regions.crop_regions`.

    Returns
    -------
    tuple of numpy.ndarray
        Crops uint8 (N, V, size_px, size_px), masks bool (N, V, size_px, size_px), and the width of
        a pixel in mm, float64 (N, V), NaN where unknown; N cases in the order of `cohort.cases`.

    Raises
    ------
    InputError
        As in :func:`pair_views`, or when an image has no usable region.

    Examples
    --------
    >>> crops, masks, scales_mm = crop_views(  # doctest: +SKIP
    ...     cohort, ["longitudinal", "transverse"], size_px=224
    ... )
    """
    pairs = pair_views(cohort, views)
    in_order = cohort.images.loc[pairs.to_numpy().ravel()]
    of_views = replace(cohort, images=in_order)
    crops, masks = crop_regions(of_views, size_px=size_px, margin=margin)
    scales_mm = crop_scales_mm(of_views, size_px=size_px, margin=margin)
    shape = (*pairs.shape, size_px, size_px)
    return crops.reshape(shape), masks.reshape(shape), scales_mm.reshape(pairs.shape)


def _problems(view: str, count: pd.Series) -> list[str]:
    if not count.any():
        return [f"no image shows the view {view!r}"]
    problems = []
    for cases, what in (
        (count.index[count == 0], f"no {view} image"),
        (count.index[count > 1], f"several {view} images"),
    ):
        if len(cases):
            word = "case has" if len(cases) == 1 else "cases have"
            problems.append(f"{len(cases)} {word} {what}: {', '.join(map(str, cases))}")
    return problems
