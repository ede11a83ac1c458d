"""Radiomic features of all images of a cohort, in parallel and cached."""

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd

from lnm_kit.cache import cached
from lnm_kit.errors import InputError
from lnm_kit.progress import track
from lnm_kit.radiomics.region import (
    CLASSES,
    RESIDUE_BANDS,
    check_settings,
    region_features,
)
from lnm_kit.regions.images import MaskedImage, read_masked_image

if TYPE_CHECKING:
    from lnm_kit.cohort.folder import Cohort

_FEATURES_FILE = "features.parquet"
Perturbation = Callable[[MaskedImage, np.random.Generator], MaskedImage]
_log = logging.getLogger("lnm_kit")


def extract_features(
    cohort: "Cohort",
    *,
    spacing_mm: float | None,
    bin_count: int = 25,
    image_types: tuple[str, ...] = ("Original", "Wavelet"),
    sigmas_mm: tuple[float, ...] = (),
    keep_residue: bool = False,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Extract the radiomic features of every image of a cohort.

    The result is cached by the content of the cohort and by the settings. An image without known
    spacing is never resampled: its features are in pixels, it is named in the log and listed in
    `features.attrs["in_pixels"]`. The number of wavelet features that were left out as rounding
    residue stands in `features.attrs["residue_left_out"]`.

    Parameters
    ----------
    cohort
        Its images with masks; label, split and clinical columns are not looked at.
    spacing_mm
        See :func:`region_features`. No default: it decides what texture means.
    bin_count, image_types, sigmas_mm, keep_residue
        See :func:`region_features`.
    n_jobs
        Threads; -1 for all cores. It does not change the result.

    Returns
    -------
    pandas.DataFrame
        float64, one row per image (index `image_id`, in the order of `cohort.images`), one column
        per feature with pyradiomics' own name; every value is finite.

    Raises
    ------
    InputError
        Lists every image whose region cannot carry the features. Which cases a study leaves out is
        the user's decision, so none is left out here.

    Notes
    -----
    *Source*: Feng et al. 2025, sections 2.3, 2.4 and 3.3: 1 mm, 25 bins, [-1, 1], six classes on
    the original and the wavelet images.

    Examples
    --------
    >>> features = extract_features(cohort, spacing_mm=1.0)  # doctest: +SKIP
    """
    check_settings(spacing_mm, bin_count, image_types, sigmas_mm)
    settings = {
        "spacing_mm": spacing_mm,
        "bin_count": bin_count,
        "image_types": tuple(sorted(image_types)),
        "sigmas_mm": tuple(sigmas_mm),
        "keep_residue": keep_residue,
    }

    def compute(folder: Path) -> None:
        _extract(cohort.root, cohort.images, settings, n_jobs).to_parquet(folder / _FEATURES_FILE)

    folder = cached(
        "radiomics",
        compute,
        inputs={"cohort": cohort.digest(), **settings},
        code=[sys.modules[__name__]],
    )
    features = pd.read_parquet(folder / _FEATURES_FILE)
    _report(features)
    return features


def perturbed_features(
    cohort: "Cohort",
    image_ids: Sequence[str],
    perturb: Perturbation,
    *,
    seed: int,
    spacing_mm: float | None,
    bin_count: int = 25,
    image_types: tuple[str, ...] = ("Original", "Wavelet"),
    sigmas_mm: tuple[float, ...] = (),
    keep_residue: bool = False,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Extract the features of some images after something was done to them.

    What is done is the caller's: another delineation, another gray level. Beside
    :func:`extract_features` of the same images it gives the repeated measurements that an
    intraclass correlation needs. Nothing is cached.

    Parameters
    ----------
    cohort
        Its images with masks.
    image_ids
        Which images, in the order of the result.
    perturb
        Takes a :class:`~lnm_kit.regions.images.MaskedImage` and a generator of its own for each
        image; gives another one.
    seed
        Of the generators. The number of threads does not change the result.
    spacing_mm, bin_count, image_types, sigmas_mm, keep_residue, n_jobs
        As in :func:`extract_features`.

    Returns
    -------
    pandas.DataFrame
        As from :func:`extract_features`, the chosen images only.

    Raises
    ------
    InputError
        As :func:`extract_features`; or an image that the cohort does not have.

    Notes
    -----
    *Source*: Zwanenburg et al., Sci Rep 2019;9:614: repeated measurements by perturbation.

    Examples
    --------
    >>> again = perturbed_features(  # doctest: +SKIP
    ...     cohort, ids, lambda image, rng: image, seed=0, spacing_mm=1.0
    ... )
    """
    check_settings(spacing_mm, bin_count, image_types, sigmas_mm)
    unknown = [name for name in image_ids if name not in cohort.images.index]
    if unknown or not len(image_ids):
        raise InputError(
            f"image_ids holds {unknown[:5]}, which the cohort does not have; give one or more of "
            f"its {len(cohort.images)} images, such as {cohort.images.index[0]!r}."
        )
    settings = {
        "spacing_mm": spacing_mm,
        "bin_count": bin_count,
        "image_types": tuple(sorted(image_types)),
        "sigmas_mm": tuple(sigmas_mm),
        "keep_residue": keep_residue,
    }
    chosen = cohort.images.loc[list(image_ids)]
    return _extract(cohort.root, chosen, settings, n_jobs, perturb, seed)


def count_by_class(features: pd.DataFrame) -> pd.Series:
    """Count the features of every class, to print beside a paper's own counts.

    Parameters
    ----------
    features
        Columns named as pyradiomics names them.

    Returns
    -------
    pandas.Series
        Class (in the order of `CLASSES`) to number of columns, and their `total`.

    Examples
    --------
    >>> names = ["original_shape_Sphericity", "wavelet-LLL_glcm_Contrast"]
    >>> count_by_class(pd.DataFrame(columns=names)).to_dict()
    {'firstorder': 0, 'shape': 1, 'glcm': 1, 'glrlm': 0, 'glszm': 0, 'gldm': 0, 'total': 2}
    """
    found = features.columns.str.split("_").str[1]
    counts = found.value_counts().reindex(list(CLASSES), fill_value=0)
    counts["total"] = len(features.columns)
    return counts.rename("features").rename_axis("class")


def _extract(
    root: Path,
    images: pd.DataFrame,
    settings: dict,
    n_jobs: int,
    perturb: Perturbation | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    identifiers = list(images.index)
    results = joblib.Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(
        joblib.delayed(_one_image)(root, row, settings, perturb, [seed, number])
        for number, (_, row) in enumerate(images.iterrows())
    )
    rows, problems, in_pixels = [], [], []
    tracked = track(results, label="extract features", total=len(identifiers))
    for image_id, (found, has_spacing) in zip(identifiers, tracked, strict=True):
        if isinstance(found, str):
            problems.append(f"{image_id}: {found}")
            continue
        rows.append(found)
        if not has_spacing:
            in_pixels.append(image_id)
    if problems:
        heading = f"{len(problems)} of {len(identifiers)} images give no features:"
        raise InputError("\n".join([heading, *problems]))
    table = pd.DataFrame(rows, index=pd.Index(identifiers, name="image_id"))
    left_out = 0
    if not settings["keep_residue"]:
        left_out = len(RESIDUE_BANDS) * int(table.columns.str.startswith("wavelet-LLL_").sum())
    table.attrs = {"in_pixels": in_pixels, "residue_left_out": left_out}
    return table


def _one_image(
    root: Path, row: pd.Series, settings: dict, perturb: Perturbation | None, seed: list[int]
) -> tuple[dict[str, float] | str, bool]:
    """Features of an image, or what is wrong with it; and whether its spacing is known."""
    try:
        image = read_masked_image(root, row)
        if perturb is not None:
            image = perturb(image, np.random.default_rng(seed))
        return region_features(image, **settings), image.spacing_mm is not None
    except InputError as error:
        return str(error), False


def _report(features: pd.DataFrame) -> None:
    left_out, in_pixels = features.attrs["residue_left_out"], features.attrs["in_pixels"]
    if left_out:
        _log.info(
            "%d features of the wavelet sub-bands %s left out: in one slice, rounding residue",
            left_out,
            ", ".join(RESIDUE_BANDS),
        )
    if in_pixels:
        mixed = "" if len(in_pixels) == len(features) else "; the others are in mm: do not mix them"
        _log.warning(
            "%d of %d images have no known spacing, their features are in pixels (first: %s)%s",
            len(in_pixels),
            len(features),
            ", ".join(in_pixels[:3]),
            mixed,
        )
