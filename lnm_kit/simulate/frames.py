"""The image files of a simulated cohort: one PNG and one mask per case and view."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from PIL import Image

from lnm_kit.progress import track
from lnm_kit.simulate.nodule import Nodule, describe_nodule
from lnm_kit.simulate.scanner import SCANNERS
from lnm_kit.simulate.ultrasound import render

View = Literal["transverse", "longitudinal"]

# Speckle hardly compresses: level 1 is several times faster than 6 for a few percent more bytes.
_PNG_LEVEL = 1
_CASES_PER_TASK = 8


def describe_nodules(
    cases: pd.DataFrame, aggressiveness: pd.Series, *, seed: int
) -> dict[str, Nodule]:
    """Nodule of every case, by case_id; depends on patient and seed, not on the label.

    The random stream of a case is that of its position in the table.
    """
    rows = cases.drop(columns=["label"]).to_dict("records")
    latent = aggressiveness.reindex(cases.index).to_numpy()
    nodules = {}
    for number, case_id in enumerate(cases.index):
        row = {str(name): value for name, value in rows[number].items()}
        nodules[str(case_id)] = describe_nodule(row, latent[number], case_seed(seed, number))
    return nodules


def case_seed(seed: int, number: int) -> int:
    """Seed of one case's images, below 2**32; different for every case and cohort seed.

    Examples
    --------
    >>> case_seed(1, 2) == case_seed(1, 2), case_seed(1, 2) == case_seed(2, 1)
    (True, False)
    """
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def write_frames(
    folder: Path,
    nodules: dict[str, Nodule],
    centers: dict[str, str],
    views: Sequence[View],
    *,
    n_jobs: int,
) -> pd.DataFrame:
    """Render every nodule in every view into `folder` and return the table of images.

    Parameters
    ----------
    folder
        Gets `images/*.png` (uint8 gray) and `masks/*.png` (0 or 255).
    nodules, centers
        By case_id.
    views
        The planes of every case.
    n_jobs
        Processes; -1 = one a core.

    Returns
    -------
    DataFrame
        Index `image_id`; `case_id, modality, view, path, mask_path, spacing_x_mm, spacing_y_mm`.
    """
    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    tasks = [(case_id, view) for case_id in nodules for view in views]
    render_one = delayed(_write_frame)
    rows = Parallel(n_jobs=n_jobs, return_as="generator", batch_size=_CASES_PER_TASK)(
        render_one(folder, case_id, nodules[case_id], centers[case_id], view)
        for case_id, view in tasks
    )
    tracked = track(rows, label="render simulated ultrasound", total=len(tasks))
    return pd.DataFrame(list(tracked)).set_index("image_id")


def _write_frame(
    folder: Path, case_id: str, nodule: Nodule, center: str, view: View
) -> dict[str, Any]:
    frame = render(nodule, SCANNERS[center], plane=view, seed=nodule.seed)
    image_id = f"{case_id}-{view}"
    path, mask_path = f"images/{image_id}.png", f"masks/{image_id}.png"
    Image.fromarray(frame.pixels).save(folder / path, compress_level=_PNG_LEVEL)
    mask = frame.mask.astype(np.uint8) * 255
    Image.fromarray(mask).save(folder / mask_path, compress_level=_PNG_LEVEL)
    return {
        "image_id": image_id,
        "case_id": case_id,
        "modality": "us",
        "view": view,
        "path": path,
        "mask_path": mask_path,
        "spacing_x_mm": frame.spacing_mm[1],
        "spacing_y_mm": frame.spacing_mm[0],
    }
