"""The contrast-enhanced files of a simulated cohort: one still frame and one clip per case."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from PIL import Image

from lnm_kit.progress import track
from lnm_kit.simulate.body import Plane
from lnm_kit.simulate.ceus import PALETTE, ContrastFrames, render_ceus
from lnm_kit.simulate.nodule import Nodule
from lnm_kit.simulate.perfusion import Bolus, Perfusion

#: Times of a clip's frames after injection: close together in the wash-in, wide in the wash-out.
CLIP_TIMES_S = (0, 6, 8, 10, 12, 14, 16, 18, 21, 24, 28, 34, 42, 50, 60)
#: Pixels of the still frame to one of the clip, in both directions.
CLIP_REDUCTION = 2

_PNG_LEVEL = 6
_PLANE: Plane = "transverse"
_CASES_PER_TASK = 4


def still_time_s(perfusion: Perfusion, seed: int) -> float:
    """Time of the representative frame: about the gland's peak, as somebody picks it by eye."""
    rng = np.random.default_rng([0x571, int(seed)])
    late = 1.0 + 1.5 * float(np.clip(rng.standard_normal(), -2, 2))
    return round(perfusion.gland.peak_time_s + late, 1)


def write_clips(
    folder: Path,
    nodules: Mapping[str, Nodule],
    perfusions: Mapping[str, Perfusion],
    *,
    n_jobs: int,
) -> pd.DataFrame:
    """Render still and clip of every nodule into `folder` and return the table of images.

    The still shows the very cut of the transverse B-mode frame, pixel by pixel. Colors are stored
    as a palette, so that a reader gets RGB from files of the size of gray ones.

    Parameters
    ----------
    folder
        Gets `images/*.png` and `masks/*.png` (0 or 255); all frames of a clip share a mask.
    nodules, perfusions
        By case_id.
    n_jobs
        Processes; -1 = one a core.

    Returns
    -------
    DataFrame
        Index `image_id`; the columns of `images.csv` with `time_s` after injection: empty for the
        still, so that rows of modality ceus with a time are the frames of the clip.
    """
    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    render_one = delayed(_write_case)
    parts = Parallel(n_jobs=n_jobs, return_as="generator", batch_size=_CASES_PER_TASK)(
        render_one(folder, case_id, nodules[case_id], perfusions[case_id]) for case_id in nodules
    )
    tracked = track(parts, label="render contrast-enhanced ultrasound", total=len(nodules))
    return pd.DataFrame([row for part in tracked for row in part]).set_index("image_id")


def perfusion_table(
    perfusions: Mapping[str, Perfusion], nodules: Mapping[str, Nodule]
) -> pd.DataFrame:
    """Tabulate the known curves, one row a case, in columns that start with `ceus_`."""
    rows = {}
    for case_id, perfusion in perfusions.items():
        row: dict[str, Any] = {"frame_s": still_time_s(perfusion, nodules[case_id].seed)}
        for tissue in ("gland", "nodule"):
            bolus: Bolus = getattr(perfusion, tissue)
            row |= {f"{tissue}_{name}": value for name, value in asdict(bolus).items()}
            for name in ("peak_time_s", "transit_s", "half_s"):
                row[f"{tissue}_{name}"] = getattr(bolus, name)
        del row["gland_peak_db"]  # 0: the reference
        for name in ("heterogeneity_db", "defect", "rim_db", "pattern"):
            row[name] = getattr(perfusion, name)
        rows[case_id] = row
    return pd.DataFrame.from_dict(rows, orient="index").add_prefix("ceus_")


def _write_case(
    folder: Path, case_id: str, nodule: Nodule, perfusion: Perfusion
) -> list[dict[str, Any]]:
    still = render_ceus(
        nodule, perfusion, plane=_PLANE, seed=nodule.seed,
        time_s=[still_time_s(perfusion, nodule.seed)],
    )  # fmt: skip
    clip = render_ceus(
        nodule, perfusion, plane=_PLANE, seed=nodule.seed, time_s=CLIP_TIMES_S,
        reduction=CLIP_REDUCTION,
    )  # fmt: skip
    rows = _write(folder, case_id, f"{case_id}-ceus", still, [None])
    return rows + _write(folder, case_id, f"{case_id}-clip", clip, list(clip.time_s))


def _write(
    folder: Path, case_id: str, name: str, frames: ContrastFrames, times: list[float | None]
) -> list[dict[str, Any]]:
    mask_path = f"masks/{name}.png"
    mask = Image.fromarray(frames.mask.astype(np.uint8) * 255)
    mask.save(folder / mask_path, compress_level=_PNG_LEVEL)
    rows = []
    for levels, time_s in zip(frames.levels, times, strict=True):
        image_id = name if time_s is None else f"{name}-{round(time_s):02d}s"
        image = Image.fromarray(levels, mode="P")
        image.putpalette(PALETTE.tobytes())
        image.save(folder / f"images/{image_id}.png", compress_level=_PNG_LEVEL)
        rows.append(
            {
                "image_id": image_id,
                "case_id": case_id,
                "modality": "ceus",
                "view": _PLANE,
                "path": f"images/{image_id}.png",
                "mask_path": mask_path,
                "spacing_x_mm": frames.spacing_mm[1],
                "spacing_y_mm": frames.spacing_mm[0],
                "time_s": time_s,
            }
        )
    return rows
