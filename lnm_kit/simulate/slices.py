"""The CT files of a simulated cohort: several axial slices of every nodule."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import SimpleITK
from joblib import Parallel, delayed
from PIL import Image

from lnm_kit.progress import track
from lnm_kit.simulate.attenuation import Attenuation
from lnm_kit.simulate.marginals import scale_counts
from lnm_kit.simulate.model import PopulationModel
from lnm_kit.simulate.neck_ct import RECONSTRUCTIONS, extent_mm, render_slice
from lnm_kit.simulate.nodule import Nodule

#: Share of a nodule's extent that is cut, so that the outermost slices still show it.
_CUT = 0.8
_CASES_PER_TASK = 4


def slice_counts(model: PopulationModel, n: int) -> dict[int, int]:
    """Number of cases, of n in one split, by their number of slices.

    Examples
    --------
    >>> from lnm_kit.simulate.model import population_model
    >>> counts = slice_counts(population_model("dgfnet"), 1285)
    >>> sum(number * cases for number, cases in counts.items())
    7649
    """
    shares = {str(number): share for number, share in enumerate(model.slice_shares, start=1)}
    return {int(number): count for number, count in scale_counts(shares, n).items()}


def draw_slice_counts(
    model: PopulationModel, splits: pd.Series, nodules: Mapping[str, Nodule], *, seed: int
) -> dict[str, int]:
    """Number of every case's slices, by case_id.

    Large nodules meet more slices: the counts of a split go to its nodules by the order of their
    size, with some noise.
    """
    drawn: dict[str, int] = {}
    for number, split in enumerate(splits.unique()):
        rng = np.random.default_rng([0x51CE, seed, number])
        members = [str(case_id) for case_id in splits.index[splits == split]]
        size = np.log([nodules[case_id].diameter_mm for case_id in members])
        order = np.argsort(size + 0.25 * rng.standard_normal(len(members)), kind="stable")
        counts = slice_counts(model, len(members))
        n_slices = np.repeat(list(counts), list(counts.values()))
        drawn |= {members[at]: int(n_slices[place]) for place, at in enumerate(order)}
    return {str(case_id): drawn[str(case_id)] for case_id in splits.index}


def slice_offsets(nodule: Nodule, n: int) -> tuple[float, ...]:
    """Places of n slices that divide a nodule evenly, mm from its center to the feet.

    Examples
    --------
    >>> nodule = Nodule(12.0, 0.8, 1.0, 0.0, -3.0, 1.6, "solid", "none", 0, "middle", 3)
    >>> len(slice_offsets(nodule, 4))
    4
    """
    head, feet = extent_mm(nodule)
    middles = (np.arange(n) + 0.5) / n
    return tuple(np.round(_CUT * (middles * (head + feet) - head), 2).tolist())


def write_slices(
    folder: Path,
    nodules: Mapping[str, Nodule],
    attenuations: Mapping[str, Attenuation],
    centers: Mapping[str, str],
    n_slices: Mapping[str, int],
    *,
    n_jobs: int,
) -> pd.DataFrame:
    """Render the slices of every nodule into `folder` and return the table of images.

    Slices are NRRD: it holds negative Hounsfield units and the spacing as they are.

    Parameters
    ----------
    folder
        Gets `images/*.nrrd` (int16, Hounsfield units) and `masks/*.png` (0 or 255).
    nodules, attenuations, centers, n_slices
        By case_id.
    n_jobs
        Processes; -1 = one a core.

    Returns
    -------
    DataFrame
        Index `image_id`; the columns of `images.csv`, modality `ct`, view `axial`.
    """
    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    render_one = delayed(_write_case)
    parts = Parallel(n_jobs=n_jobs, return_as="generator", batch_size=_CASES_PER_TASK)(
        render_one(
            folder,
            case_id,
            nodules[case_id],
            attenuations[case_id],
            centers[case_id],
            n_slices[case_id],
        )
        for case_id in nodules
    )
    tracked = track(parts, label="render simulated CT", total=len(nodules))
    return pd.DataFrame([row for part in tracked for row in part]).set_index("image_id")


def _write_case(
    folder: Path,
    case_id: str,
    nodule: Nodule,
    attenuation: Attenuation,
    center: str,
    n: int,
) -> list[dict[str, Any]]:
    rows = []
    for number, offset in enumerate(slice_offsets(nodule, n)):
        cut = render_slice(
            nodule, attenuation, RECONSTRUCTIONS[center], offset_mm=offset, seed=number
        )
        image_id = f"{case_id}-ct-{number + 1:02d}"
        path, mask_path = f"images/{image_id}.nrrd", f"masks/{image_id}.png"
        image = SimpleITK.GetImageFromArray(cut.hu)
        image.SetSpacing((cut.spacing_mm[1], cut.spacing_mm[0]))
        SimpleITK.WriteImage(image, str(folder / path), useCompression=True)
        Image.fromarray(cut.mask.astype(np.uint8) * 255).save(folder / mask_path)
        rows.append(
            {
                "image_id": image_id,
                "case_id": case_id,
                "modality": "ct",
                "view": "axial",
                "path": path,
                "mask_path": mask_path,
                "spacing_x_mm": cut.spacing_mm[1],
                "spacing_y_mm": cut.spacing_mm[0],
            }
        )
    return rows
