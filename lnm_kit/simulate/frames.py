"""The image files of a simulated cohort: one PNG and one mask per case and image."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from PIL import Image

from lnm_kit.progress import track
from lnm_kit.simulate.appearance import describe_case
from lnm_kit.simulate.marginals import scale_counts
from lnm_kit.simulate.model import PopulationModel, View
from lnm_kit.simulate.nodule import Nodule
from lnm_kit.simulate.scanner import SCANNERS
from lnm_kit.simulate.ultrasound import render

Views = tuple[View, ...]

# Speckle hardly compresses: level 1 is several times faster than 6 for a few percent more bytes.
_PNG_LEVEL = 1
_CASES_PER_TASK = 8


def describe_nodules(
    cases: pd.DataFrame, aggressiveness: pd.Series, *, seed: int
) -> dict[str, Nodule]:
    """Nodule of every case, by case_id; depends on patient and seed, not on the label.

    The random stream of a case is that of its position in the table. `cases` holds the clinical
    columns and those that no clinical column records.
    """
    rows = cases.drop(columns=["label"]).to_dict("records")
    latent = aggressiveness.reindex(cases.index).to_numpy()
    nodules = {}
    for number, case_id in enumerate(cases.index):
        row = {str(name): value for name, value in rows[number].items()}
        nodules[str(case_id)] = describe_case(row, latent[number], case_seed(seed, number))
    return nodules


def case_seed(seed: int, number: int) -> int:
    """Seed of one case's images, below 2**32; different for every case and cohort seed.

    Examples
    --------
    >>> case_seed(1, 2) == case_seed(1, 2), case_seed(1, 2) == case_seed(2, 1)
    (True, False)
    """
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def image_counts(model: PopulationModel, n: int) -> dict[int, int]:
    """Number of cases, of n in one split, by their number of images.

    Examples
    --------
    >>> from lnm_kit.simulate.model import population_model
    >>> image_counts(population_model("llnm"), 10), image_counts(population_model("clnm"), 10)
    ({1: 10}, {2: 10})
    """
    if not model.image_shares:
        return {len(model.views): n}
    shares = {str(number): share for number, share in enumerate(model.image_shares, start=1)}
    return {int(number): count for number, count in scale_counts(shares, n).items()}


def draw_views(model: PopulationModel, splits: pd.Series, *, seed: int) -> dict[str, Views]:
    """Planes of every case's images, by case_id; depends on nothing but the seed.

    Without shares every case has the planes of the study. With shares the number of images is
    drawn, each split holding its share; the first images of a case show different planes in a
    random order, further ones any plane.

    Parameters
    ----------
    model
        The study's.
    splits
        Split of every case, index case_id.
    seed
        That of the cohort.
    """
    if not model.image_shares:
        return {str(case_id): model.views for case_id in splits.index}
    views: dict[str, Views] = {}
    for number, split in enumerate(splits.unique()):
        rng = np.random.default_rng([0x71E5, seed, number])
        members = splits.index[splits == split]
        counts = image_counts(model, len(members))
        for case_id, n_images in zip(
            members, rng.permutation(np.repeat(list(counts), list(counts.values()))), strict=True
        ):
            order = [model.views[at] for at in rng.permutation(len(model.views))]
            more = [model.views[at] for at in rng.integers(len(model.views), size=n_images)]
            views[str(case_id)] = tuple([*order, *more][:n_images])
    return views


def write_frames(
    folder: Path,
    nodules: dict[str, Nodule],
    centers: dict[str, str],
    views: Mapping[str, Views],
    *,
    n_jobs: int,
) -> pd.DataFrame:
    """Render every nodule in its views into `folder` and return the table of images.

    Parameters
    ----------
    folder
        Gets `images/*.png` (uint8 gray) and `masks/*.png` (0 or 255).
    nodules, centers, views
        By case_id. A plane that comes again is another frame of the same cut.
    n_jobs
        Processes; -1 = one a core.

    Returns
    -------
    DataFrame
        Index `image_id`; `case_id, modality, view, path, mask_path, spacing_x_mm, spacing_y_mm`.
    """
    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    tasks = [
        (case_id, view, views[case_id][:place].count(view))
        for case_id in nodules
        for place, view in enumerate(views[case_id])
    ]
    render_one = delayed(_write_frame)
    rows = Parallel(n_jobs=n_jobs, return_as="generator", batch_size=_CASES_PER_TASK)(
        render_one(folder, case_id, nodules[case_id], centers[case_id], view, again)
        for case_id, view, again in tasks
    )
    tracked = track(rows, label="render simulated ultrasound", total=len(tasks))
    return pd.DataFrame(list(tracked)).set_index("image_id")


def _write_frame(
    folder: Path, case_id: str, nodule: Nodule, center: str, view: View, again: int
) -> dict[str, Any]:
    """Write one frame; `again` counts the frames of this plane that came before."""
    frame = render(nodule, SCANNERS[center], plane=view, seed=nodule.seed + again)
    image_id = f"{case_id}-{view}" + (f"-{again + 1}" if again else "")
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
