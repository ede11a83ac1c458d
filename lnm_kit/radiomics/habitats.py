"""Habitats: parts of a nodule that look alike, found by clustering what surrounds each pixel."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from scipy.ndimage import distance_transform_edt
from scipy.ndimage import label as connected
from scipy.signal import fftconvolve
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, silhouette_score

from lnm_kit.cohort.folder import Cohort
from lnm_kit.errors import InputError
from lnm_kit.progress import track
from lnm_kit.regions.images import MaskedImage, read_masked_image
from lnm_kit.regions.resample import resample, resample_mask

LOCAL_FEATURES = ("mean", "sd", "entropy", "gradient")
"""What is measured in the disk around a pixel."""

_GRAY_BINS = 8
_MOST_PIXELS = 4_000  # of the silhouette, whose cost grows with their square


@dataclass(frozen=True, eq=False)
class LocalRegion:
    """A nodule on the grid of the analysis, and the local features of its pixels.

    Parameters
    ----------
    gray
        float32 (H, W) in [0, 1].
    mask
        bool (H, W).
    values
        float32 (P, 4), `LOCAL_FEATURES` of the pixels of the mask, row by row.
    pixel_mm
        Width of a pixel; None where the image does not say.
    """

    gray: np.ndarray
    mask: np.ndarray
    values: np.ndarray
    pixel_mm: float | None


def local_region(
    image: MaskedImage, *, radius_mm: float = 0.75, grid_mm: float = 0.25
) -> LocalRegion:
    """Measure every pixel of a nodule in a small disk around it; only pixels of the nodule count.

    `mean` and `sd` of the gray level (255 is 1), `entropy` in bits of its histogram in 8 bins, and
    `gradient`, the slope of the local mean per pixel of the grid. Nothing outside of the outline
    enters: a habitat at the rim is one of the rim, not of the tissue beside it.

    Parameters
    ----------
    image
        Gray levels, mask and spacing.
    radius_mm
        Of the disk.
    grid_mm
        Pixel size that the image is brought to first. An image of unknown spacing stays on its own
        grid, with a disk of the same number of *pixels*.

    Raises
    ------
    InputError
        When the radius is below the grid, a size is not positive, or the mask is empty (on the
        grid).

    Notes
    -----
    *Source*: Ni et al. 2024, Discussion and Fig. 6 (sub-regions by clustering; neither features nor
    settings are printed, so these are ours).

    Examples
    --------
    >>> gray = np.zeros((20, 20), np.uint8)
    >>> gray[:, 10:] = 255
    >>> region = local_region(MaskedImage(gray, gray >= 0, (0.25, 0.25)))
    >>> region.values.shape, region.values[0].tolist(), region.values[9, :2].astype(float).round(2)
    ((400, 4), [0.0, 0.0, 0.0, 0.0], array([0.41, 0.49]))
    """
    if not (0 < grid_mm <= radius_mm and np.isfinite(radius_mm)):
        raise InputError(
            f"radius_mm is {radius_mm} and grid_mm {grid_mm}; needed: 0 < grid_mm <= radius_mm."
        )
    gray, mask = _unit_gray(image.gray), image.mask.astype(bool)
    if image.spacing_mm is not None:
        gray = resample(gray, image.spacing_mm, grid_mm, interpolation="linear")
        mask = resample_mask(mask, image.spacing_mm, grid_mm)
    if not mask.any():
        raise InputError(f"the mask is empty on a grid of {grid_mm:g} mm; take a finer grid.")
    radius = round(radius_mm / grid_mm)
    gray, mask = _around(gray, mask, radius + 2)
    disk = np.hypot(*np.mgrid[-radius : radius + 1, -radius : radius + 1]) <= radius + 0.3

    def within(values: np.ndarray) -> np.ndarray:
        """Sum over the disk, of the nodule's pixels only."""
        return fftconvolve(values * mask, disk.astype(np.float64), mode="same")

    number = np.maximum(within(np.ones_like(gray)), 0.5)
    mean = within(gray) / number
    # about the nodule's own mean, so that the difference of squares does not cancel
    center = gray[mask].mean()
    first, second = within(gray - center) / number, within((gray - center) ** 2) / number
    variance = np.maximum(second - first**2, 0.0)
    bins = np.minimum((gray * _GRAY_BINS).astype(int), _GRAY_BINS - 1)
    entropy = np.zeros_like(gray)
    for level in range(_GRAY_BINS):
        share = np.clip(within((bins == level).astype(np.float64)) / number, 0.0, 1.0)
        # transforms leave residue of 1e-17, which is no share
        entropy -= np.where(share > 1e-9, share * np.log2(np.maximum(share, 1e-9)), 0.0)
    slope = np.hypot(*np.gradient(mean))
    # below the rounding of the transforms there is no spread
    spread = np.where(variance > 1e-12, np.sqrt(variance), 0.0)
    maps = [mean.round(9) + 0.0, spread, np.maximum(entropy.round(9), 0.0), slope.round(9)]
    values = np.stack([each[mask] for each in maps], axis=1).astype(np.float32)
    pixel_mm = None if image.spacing_mm is None else grid_mm
    return LocalRegion(gray.astype(np.float32), mask, values, pixel_mm)


def local_regions(
    cohort: Cohort,
    image_ids: Sequence[str],
    *,
    radius_mm: float = 0.75,
    grid_mm: float = 0.25,
    n_jobs: int = 1,
) -> list[LocalRegion]:
    """Measure :func:`local_region` of some images of a cohort, in their order.

    Raises
    ------
    InputError
        Lists every image that has no usable region.

    Examples
    --------
    >>> regions = local_regions(cohort, cohort.images.index)  # doctest: +SKIP
    """
    results = joblib.Parallel(n_jobs=n_jobs, return_as="generator", batch_size=16)(
        joblib.delayed(_one_region)(cohort.root, row, radius_mm, grid_mm)
        for _, row in cohort.images.loc[list(image_ids)].iterrows()
    )
    found, problems = [], []
    tracked = track(results, label="measure local features", total=len(image_ids))
    for image_id, region in zip(image_ids, tracked, strict=True):
        if isinstance(region, str):
            problems.append(f"{image_id}: {region}")
        else:
            found.append(region)
    if problems:
        raise InputError("\n".join(["Images without local features:", *problems]))
    return found


@dataclass(frozen=True, eq=False)
class HabitatModel:
    """Clusters of local features, learned from training nodules.

    Parameters
    ----------
    mean, sd
        (4,), that local features are standardized with.
    centers
        (K, 4), standardized; habitat 1 has the lowest local mean, habitat K the highest.
    criterion
        One row per number tried: `number`, `silhouette`, `calinski_harabasz`, `chosen`.
    """

    mean: np.ndarray
    sd: np.ndarray
    centers: np.ndarray
    criterion: pd.DataFrame

    @property
    def number(self) -> int:
        """Number of habitats, K."""
        return len(self.centers)

    def map_of(self, region: LocalRegion) -> np.ndarray:
        """Habitat of every pixel, uint8 (H, W): 1 to K by the nearest center, 0 outside."""
        standard = (region.values - self.mean) / self.sd
        distance = ((standard[:, None] - self.centers) ** 2).sum(axis=2)
        habitats = np.zeros(region.mask.shape, np.uint8)
        habitats[region.mask] = 1 + distance.argmin(axis=1)
        return habitats


def fit_habitats(
    regions: Sequence[LocalRegion],
    *,
    numbers: Sequence[int] = (2, 3, 4, 5, 6),
    pixels_per_region: int = 100,
    seed: int,
) -> HabitatModel:
    """Cluster the pixels of training nodules; take the number of clusters of greatest silhouette.

    Every nodule gives equally many pixels (all, if it has fewer), so that large ones do not decide.
    Local features are standardized over these pixels and clustered by k-means for each number. The
    silhouette, on at most 4,000 pixels, says how much nearer a pixel is to its own cluster than to
    the next; the Calinski-Harabasz index is told beside it. Labels are not looked at.

    Parameters
    ----------
    regions
        Of *training* nodules only.
    numbers
        Numbers of clusters to try, each 2 or more.
    pixels_per_region
        Drawn from each nodule.
    seed
        Of the pixels drawn and of k-means.

    Raises
    ------
    InputError
        When there is no nodule, a number is below 2, or the pixels have fewer distinct values than
        clusters.

    Notes
    -----
    *Source*: Rousseeuw, J Comput Appl Math 1987;20:53-65 (silhouette); Calinski and Harabasz,
    Commun Stat 1974;3:1-27. Ni et al. 2024 name no criterion.

    Examples
    --------
    >>> gray = np.repeat(np.repeat(np.array([[20, 120, 220]], np.uint8), 30, 0), 20, 1)
    >>> region = local_region(MaskedImage(gray, gray > 0, (0.25, 0.25)))
    >>> model = fit_habitats([region], numbers=[2, 3], pixels_per_region=1000, seed=0)
    >>> model.map_of(region)[15, ::15]
    array([0, 1, 1, 2, 3], dtype=uint8)
    """
    if not regions or not numbers or min(numbers) < 2:
        raise InputError(
            f"{len(regions)} regions and the numbers {list(numbers)} were given; needed: one "
            "region or more, and numbers of 2 or more."
        )
    rng = np.random.default_rng(seed)
    drawn = np.concatenate(
        [
            region.values[rng.permutation(len(region.values))[:pixels_per_region]]
            for region in regions
        ]
    ).astype(np.float64)
    if len(np.unique(drawn.round(6), axis=0)) <= max(numbers):
        raise InputError(
            f"{len(drawn)} pixels have fewer distinct local features than the {max(numbers)} "
            "clusters asked for; the nodules are constant, or too few."
        )
    mean, sd = drawn.mean(axis=0), drawn.std(axis=0)
    sd = np.where(sd > 0, sd, 1.0)
    standard = (drawn - mean) / sd
    judged = rng.permutation(len(standard))[:_MOST_PIXELS]
    rows, models = [], {}
    for number in numbers:
        model = KMeans(number, n_init=4, random_state=seed).fit(standard)
        models[number] = model.cluster_centers_
        clusters = model.labels_[judged]
        rows.append(
            {
                "number": number,
                "silhouette": float(silhouette_score(standard[judged], clusters)),
                "calinski_harabasz": float(calinski_harabasz_score(standard, model.labels_)),
            }
        )
    criterion = pd.DataFrame(rows)
    criterion["chosen"] = criterion.index == criterion.silhouette.idxmax()
    centers = models[int(criterion.number[criterion.chosen].iloc[0])]
    return HabitatModel(mean, sd, centers[np.argsort(centers[:, 0])], criterion)


def habitat_features(model: HabitatModel, region: LocalRegion) -> pd.Series:
    """Describe the habitats of one nodule.

    Of every habitat k: `share_k`, its part of the area; `contiguity_k`, the part of its pixels'
    neighbors (4, inside of the nodule) that belong to it as well; `pieces_k`, its connected pieces
    per 100 pixels of the nodule; `depth_k`, the mean distance of its pixels to the outline over
    that of all pixels. A habitat that a nodule does not have gives 0 in all four. Of every pair,
    `border_k_l`, the part of all pairs of neighbors that lie on the border of k and l. And
    `gray_difference`, the mean gray of the brightest minus that of the darkest habitat it has.

    Parameters
    ----------
    model
        From :func:`fit_habitats`.
    region
        From :func:`local_region` with the same radius and grid as those of the model.

    Returns
    -------
    pandas.Series
        float64, the same names for every nodule; all finite.

    Examples
    --------
    >>> gray = np.repeat(np.repeat(np.array([[20, 220]], np.uint8), 30, 0), 20, 1)
    >>> region = local_region(MaskedImage(gray, gray > 0, (0.25, 0.25)))
    >>> model = fit_habitats([region], numbers=[2], pixels_per_region=2000, seed=0)
    >>> habitat_features(model, region)[["share_1", "share_2"]].sum()
    np.float64(1.0)
    """
    habitats = model.map_of(region)
    inside = habitats > 0
    area = int(inside.sum())
    pairs = np.concatenate(
        [
            np.stack([habitats[:-1].ravel(), habitats[1:].ravel()], axis=1),
            np.stack([habitats[:, :-1].ravel(), habitats[:, 1:].ravel()], axis=1),
        ]
    )
    pairs = np.sort(pairs[(pairs > 0).all(axis=1)], axis=1)
    number = model.number
    counts = np.zeros((number + 1, number + 1))
    np.add.at(counts, (pairs[:, 0], pairs[:, 1]), 1)
    touching = counts + counts.T
    depth = distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    depth = depth / depth[inside].mean()
    found: dict[str, float] = {}
    grays = []
    for k in range(1, number + 1):
        own = habitats == k
        size, neighbors = int(own.sum()), touching[k].sum()
        found[f"share_{k}"] = size / area
        found[f"contiguity_{k}"] = float(touching[k, k] / neighbors) if neighbors else 0.0
        found[f"pieces_{k}"] = 100 * connected(own)[1] / area
        found[f"depth_{k}"] = float(depth[own].mean()) if size else 0.0
        if size:
            grays.append(float(region.gray[own].mean()))
    for k in range(1, number + 1):
        for other in range(k + 1, number + 1):
            found[f"border_{k}_{other}"] = float(counts[k, other] / max(1, len(pairs)))
    found["gray_difference"] = max(grays) - min(grays)
    return pd.Series(found, dtype=np.float64)


def _one_region(root: Path, row: pd.Series, radius_mm: float, grid_mm: float) -> LocalRegion | str:
    try:
        image = read_masked_image(root, row)
        return local_region(image, radius_mm=radius_mm, grid_mm=grid_mm)
    except InputError as error:
        return str(error)


def _unit_gray(gray: np.ndarray) -> np.ndarray:
    """Gray levels in [0, 1]: 8 bits as they are, others by the range of the image."""
    values = gray.astype(np.float64)
    if gray.dtype == np.uint8:
        return values / 255
    if not np.isfinite(values).all() or np.ptp(values) == 0:
        raise InputError("the image is constant or holds values that are not finite.")
    return (values - values.min()) / np.ptp(values)


def _around(gray: np.ndarray, mask: np.ndarray, pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """The box of the mask and some pixels around it, padded where the image ends."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    padded_gray = np.pad(gray, pixels, mode="edge")
    padded_mask = np.pad(mask, pixels)
    box = np.s_[rows[0] : rows[-1] + 1 + 2 * pixels, columns[0] : columns[-1] + 1 + 2 * pixels]
    return padded_gray[box], padded_mask[box]
