"""How far simulated frames are from real ones: a fixed judge and a table of real statistics."""

import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.stats import ks_2samp
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from lnm_kit.errors import InputError, one_of
from lnm_kit.progress import track
from lnm_kit.simulate.ddti_frames import Half, RealFrame, read_frames
from lnm_kit.simulate.ddti_like import join_regions, region_features, simulated_frame

Region = Literal["nodule", "patch", "outline", "frame"]
Regions = dict[str, pd.DataFrame]

#: Quantiles of the real side that the table keeps, in percent.
QUANTILES = (1, 5, 25, 50, 75, 95, 99)
#: Settings of the judge; they are part of the measure and are not for tuning.
JUDGE_ROUNDS, JUDGE_FOLDS, JUDGE_IMAGES = 60, 5, 400
#: Versions of the simulation that were measured on the tuning half before the last was fixed.
VERSIONS_TRIED = 9
SUMMARY_FILE, RESULT_FILE = "ddti_summary.csv", "realism.toml"


@dataclass(frozen=True)
class RegionRealism:
    """The measure for one kind of region.

    Attributes
    ----------
    auc
        Area under the ROC curve of the judge, real against simulated; 0.5 would be no difference.
    inside
        Share of simulated feature values within the real 1-99 % range.
    ks_median, ks_max
        Kolmogorov-Smirnov distances over the features.
    n_real, n_simulated
        Regions on the two sides; the AUC depends on them.
    """

    auc: float
    inside: float
    ks_median: float
    ks_max: float
    n_real: int
    n_simulated: int


@dataclass(frozen=True)
class RealismReport:
    """What the judge found for nodules and for homogeneous patches."""

    nodule: RegionRealism
    patch: RegionRealism
    n_patients: int
    n_images: int
    half: str


def judge(real: pd.DataFrame, simulated: pd.DataFrame, *, seed: int = 0) -> float:
    """AUC of telling simulated rows from real ones out of fold, grouped by patient.

    Histogram gradient boosting with 60 rounds, 5 stratified folds. *Source*: the two-sample test
    by a classifier, Lopez-Paz & Oquab 2017, Revisiting classifier two-sample tests, ICLR.

    Parameters
    ----------
    real, simulated
        Features (N, F) with the same columns, indexed by patient; no patient is in both.
    """
    columns = list(simulated.columns)
    features = pd.concat([real[columns], simulated])
    label = np.repeat([0, 1], [len(real), len(simulated)])
    groups = np.array(
        [f"real {case}" for case in real.index] + [f"sim {case}" for case in simulated.index]
    )
    score = cross_val_predict(
        HistGradientBoostingClassifier(max_iter=JUDGE_ROUNDS, random_state=seed),
        features.to_numpy(),
        label,
        groups=groups,
        cv=StratifiedGroupKFold(JUDGE_FOLDS, shuffle=True, random_state=seed),
        method="predict_proba",
    )[:, 1]
    return float(roc_auc_score(label, score))


def compare_regions(real: pd.DataFrame, simulated: pd.DataFrame) -> RegionRealism:
    """Judge one kind of region and summarize the features one by one."""
    low, high = real.quantile(0.01), real.quantile(0.99)
    inside = (simulated >= low) & (simulated <= high)
    distance = [ks_2samp(real[name], simulated[name]).statistic for name in simulated.columns]
    return RegionRealism(
        auc=judge(real, simulated),
        inside=float(inside.to_numpy().mean()),
        ks_median=float(np.median(distance)),
        ks_max=float(np.max(distance)),
        n_real=len(real),
        n_simulated=len(simulated),
    )


def judge_realism(
    source: str | Path,
    *,
    half: Half = "held_out",
    n_images: int = JUDGE_IMAGES,
    seed: int = 0,
    n_jobs: int = 1,
) -> RealismReport:
    """Run the judge on one half of a DDTI folder against as many fresh simulated images.

    Raises
    ------
    InputError
        When `source` holds no DDTI cases of that half, or `n_images` is below 20.
    """
    one_of("half", half, ("tuning", "held_out"))
    if n_images < 20:
        raise InputError(f"n_images is {n_images}; the judge needs at least 20 simulated images.")
    frames = list(read_frames(source, half))
    if not frames:
        raise InputError(f"{source} holds no outlined frame of the {half} half of DDTI.")
    real = real_regions(frames, n_jobs=n_jobs)
    simulated = simulated_regions(n_images, seed=seed, n_jobs=n_jobs)
    return RealismReport(
        nodule=compare_regions(real["nodule"], simulated["nodule"]),
        patch=compare_regions(real["patch"], simulated["patch"]),
        n_patients=len({frame.case for frame in frames}),
        n_images=n_images,
        half=half,
    )


def real_regions(frames: list[RealFrame], *, n_jobs: int = 1) -> Regions:
    """Features of real frames by kind of region, indexed by case."""
    jobs = (delayed(region_features)(frame) for frame in frames)
    done = Parallel(n_jobs=n_jobs, return_as="generator")(jobs)
    return join_regions(track(done, label="features of real frames", total=len(frames)))


def simulated_regions(n_images: int, *, seed: int, n_jobs: int = 1) -> Regions:
    """Features of `n_images` fresh DDTI-like frames by kind of region, indexed by image."""
    jobs = (delayed(_features_of_seed)(number) for number in image_seeds(n_images, seed=seed))
    done = Parallel(n_jobs=n_jobs, return_as="generator")(jobs)
    return join_regions(track(done, label="features of simulated frames", total=n_images))


def image_seeds(n_images: int, *, seed: int) -> range:
    """Seeds of the simulated images of one measurement.

    Examples
    --------
    >>> image_seeds(2, seed=0)
    range(1000000, 1000002)
    """
    first = 1_000_000 * (seed + 1)
    return range(first, first + n_images)


def _features_of_seed(seed: int) -> Regions:
    return region_features(simulated_frame(seed))


def summarize_ddti(source: str | Path, *, n_jobs: int = 1) -> pd.DataFrame:
    """Reduce the real frames to quantiles: one row per region and feature, no pixel is kept.

    Returns
    -------
    DataFrame
        Index (region, feature); n, and q01 ... q99 for the quantiles in `QUANTILES`.

    Raises
    ------
    InputError
        When `source` is no DDTI folder.
    """
    frames = list(read_frames(source))
    regions = real_regions(frames, n_jobs=n_jobs)
    tables = {name: _quantiles(features) for name, features in regions.items()}
    return pd.concat(tables, names=["region", "feature"])


def _quantiles(features: pd.DataFrame) -> pd.DataFrame:
    table = features.quantile([q / 100 for q in QUANTILES]).T
    table.columns = pd.Index([f"q{q:02d}" for q in QUANTILES])
    table.insert(0, "n", features.notna().sum())
    return table


def load_summary() -> pd.DataFrame:
    """Load the table of the real side that comes with the project, from `summarize_ddti`.

    Examples
    --------
    >>> float(load_summary().loc[("nodule", "firstorder_Mean"), "q50"]) > 50
    True
    """
    with resources.files("lnm_kit.simulate").joinpath(SUMMARY_FILE).open() as file:
        return pd.read_csv(file, index_col=["region", "feature"])


def load_result() -> dict[str, Any]:
    """Load what the judge found on the held-out patients, with n, date and versions tried.

    Examples
    --------
    >>> 0.5 <= load_result()["held_out"]["nodule"]["auc"] <= 1
    True
    """
    text = resources.files("lnm_kit.simulate").joinpath(RESULT_FILE).read_text()
    return tomllib.loads(text)


def compare_with_summary(features: pd.DataFrame, *, region: Region = "nodule") -> pd.DataFrame:
    """Compare simulated features with the table of the real side; needs no real frame.

    Parameters
    ----------
    features
        (N, F) with names from the table, e.g. of `simulated_regions(...)[region]`.
    region
        Which rows of the table to compare with.

    Returns
    -------
    DataFrame
        Index feature; `inside`, the share of values within the real 1-99 % range; `ks`, the
        largest distance of the two distribution functions at the table's quantiles, a lower bound
        of the Kolmogorov-Smirnov distance; `real_median`, `simulated_median`.

    Raises
    ------
    InputError
        When a feature is not in the table.
    """
    table = load_summary().loc[one_of("region", region, ("nodule", "patch", "outline", "frame"))]
    unknown = sorted(set(features.columns) - set(table.index))
    if unknown:
        raise InputError(
            f"The table of real {region} features has no {', '.join(unknown)}; "
            f"it has {', '.join(table.index[:5])} and {len(table) - 5} more."
        )
    rows = {}
    for name in features.columns:
        values, real = features[name].to_numpy(), table.loc[name]
        steps = [abs(float((values <= real[f"q{q:02d}"]).mean()) - q / 100) for q in QUANTILES]
        rows[name] = {
            "inside": float(((values >= real["q01"]) & (values <= real["q99"])).mean()),
            "ks": max(steps),
            "real_median": float(real["q50"]),
            "simulated_median": float(np.median(values)),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("feature")
