"""The two sides of the realism measure as features: DDTI-like simulated frames, and regions."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from lnm_kit.simulate.ddti_frames import RealFrame
from lnm_kit.simulate.nodule import Nodule
from lnm_kit.simulate.scanner import SCANNERS, Scanner
from lnm_kit.simulate.texture_features import (
    homogeneous_patches,
    nodule_crop,
    ring_mean,
    texture_features,
)
from lnm_kit.simulate.ultrasound import render


def ddti_like_nodule(seed: int) -> Nodule:
    """Draw a nodule with the sizes and the class mix of DDTI, unrelated to any latent.

    Examples
    --------
    >>> ddti_like_nodule(3) == ddti_like_nodule(3)
    True
    """
    rng = np.random.default_rng([0xDD71, seed])

    def normal(center: float, spread: float) -> float:
        return center + spread * float(np.clip(rng.standard_normal(), -2.5, 2.5))

    area_px = float(np.clip(np.exp(normal(np.log(9700), 0.82)), 900, 45000))
    aspect = float(np.exp(normal(np.log(0.79), 0.26)))
    width_mm = np.sqrt(4 * area_px / np.pi / aspect) * 0.15
    calcification = str(rng.choice(("none", "micro", "macro"), p=(0.48, 0.40, 0.12)))
    counts = {"none": 0, "micro": 1 + int(rng.poisson(17)), "macro": int(rng.integers(1, 3))}
    return Nodule(
        diameter_mm=float(width_mm * max(1.05, aspect)),
        aspect=aspect,
        irregularity=float(np.exp(normal(0, 0.45))),
        contact=float(rng.uniform(0.1, 0.3)) if rng.random() < 0.15 else 0.0,
        echo_db=normal(-3.0, 2.4),
        heterogeneity=float(np.exp(normal(np.log(1.5), 0.42))),
        composition=str(rng.choice(("solid", "mixed", "cystic"), p=(0.74, 0.22, 0.04))),
        calcification=calcification,
        calcification_count=counts[calcification],
        location=str(rng.choice(("upper", "middle", "lower", "isthmus"), p=(0.25, 0.4, 0.3, 0.05))),
        seed=seed,
    )


def simulated_frame(seed: int, scanner: Scanner | None = None) -> RealFrame:
    """Render a DDTI-like frame in either plane, in the form of a real one.

    Examples
    --------
    >>> frame = simulated_frame(1)
    >>> frame.pixels.shape == frame.masks[0].shape
    True
    """
    nodule = ddti_like_nodule(seed)
    transverse = np.random.default_rng([0x91A, seed]).random() < 0.5
    frame = render(
        nodule,
        scanner or SCANNERS["center_1"],
        plane="transverse" if transverse else "longitudinal",
        seed=seed,
    )
    return RealFrame(seed, frame.pixels, [frame.mask], np.array([], dtype=np.int64))


def region_features(frame: RealFrame) -> dict[str, pd.DataFrame]:
    """Features of one frame by kind of region, each indexed by its case.

    nodule and patch hold the radiomic features that the judge sees; outline and frame hold plain
    gray levels and sizes.
    """
    nodules = [texture_features(*nodule_crop(frame.pixels, mask)) for mask in frame.masks]
    patches = [
        texture_features(patch, np.ones(patch.shape, dtype=bool))
        for patch in homogeneous_patches(frame.pixels, frame.masks, frame.seams)
    ]
    gray = np.percentile(frame.pixels, (5, 25, 50, 75, 95))
    names = ("gray_p05", "gray_p25", "gray_median", "gray_p75", "gray_p95")
    levels = pd.Series(dict(zip(names, gray, strict=True)))
    return {
        "nodule": _stack(nodules, frame.case),
        "patch": _stack(patches, frame.case),
        "outline": _stack([outline_statistics(frame, mask) for mask in frame.masks], frame.case),
        "frame": _stack([levels], frame.case),
    }


def outline_statistics(frame: RealFrame, mask: np.ndarray) -> pd.Series:
    """Size, place and gray level of one outlined nodule."""
    rows, columns = np.nonzero(mask)
    inside = frame.pixels[mask]
    return pd.Series(
        {
            "area_px": float(mask.sum()),
            "height_over_width": float((np.ptp(rows) + 1) / (np.ptp(columns) + 1)),
            "center_depth_fraction": float(rows.mean() / mask.shape[0]),
            "inside_mean": float(inside.mean()),
            "inside_sd": float(inside.std()),
            "inside_over_ring": float(inside.mean() / ring_mean(frame.pixels, mask)),
        }
    )


def join_regions(parts: Iterable[dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Stack the features of many frames, kind by kind."""
    frames = list(parts)
    return {kind: pd.concat([part[kind] for part in frames]) for kind in frames[0]}


def _stack(rows: Sequence[pd.Series], case: int) -> pd.DataFrame:
    return pd.DataFrame(list(rows), index=pd.Index([case] * len(rows), name="case"))
