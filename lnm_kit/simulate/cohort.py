"""A simulated cohort as a folder, rendered once and kept in the cache."""

import hashlib
import os
import shutil
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pandas as pd

from lnm_kit.cache import CACHE_VARIABLE, MANIFEST, cache_root, cached
from lnm_kit.cohort import CohortInfo, staged_folder, write_cohort
from lnm_kit.errors import InputError
from lnm_kit.published import published
from lnm_kit.simulate import clips, frames, slices
from lnm_kit.simulate.attenuation import Attenuation, describe_attenuation
from lnm_kit.simulate.clips import CLIP_TIMES_S, perfusion_table, write_clips
from lnm_kit.simulate.frames import (
    Views,
    describe_nodules,
    draw_views,
    image_counts,
    write_frames,
)
from lnm_kit.simulate.model import AGGRESSIVENESS, SPREAD, PopulationModel, population_model
from lnm_kit.simulate.nodule import Nodule
from lnm_kit.simulate.perfusion import Perfusion, describe_perfusion
from lnm_kit.simulate.population import check_simulation, simulate_population, split_plan
from lnm_kit.simulate.slices import draw_slice_counts, slice_counts, write_slices

# Above the largest frame with its mask that was seen (100 kB, PNG of about 300 rows).
BYTES_PER_FRAME = 150_000
# A still frame and its clip at half the size.
BYTES_PER_CLIP = 150_000 + 40_000 * len(CLIP_TIMES_S)
BYTES_PER_SLICE = 60_000
FRAME_TABLE = "images.csv"


def simulate_cohort(
    study: str,
    *,
    seed: int,
    signal: float,
    size: float = 1.0,
    most_images: int | None = None,
    n_jobs: int = 1,
) -> Path:
    """Return the folder of a simulated cohort, rendering it when the cache does not hold it.

    The result depends on the arguments (but `n_jobs`) and on the package's code only. Frames do
    not depend on `signal`: cohorts that differ in nothing else share them.

    Parameters
    ----------
    study, seed, signal, size
        As in `simulate_population`.
    most_images
        At most so many images of each modality of a case are drawn; None: as many as it has.
    n_jobs
        Processes that render; -1 = one a core.

    Returns
    -------
    Path
        A cohort folder with `truth.csv`; read it, never write into it.

    Raises
    ------
    InputError
        When an argument is out of its range, or the disk has no room.
    """
    check_simulation(study, seed=seed, signal=signal, size=size)
    if most_images is not None and most_images < 1:
        raise InputError(f"most_images is {most_images}; allowed: 1 or more.")
    model = population_model(study)
    cases, truth = simulate_population(study, seed=seed, signal=signal, size=size)
    unrecorded = truth[[variable.column for variable in model.unrecorded]]
    shown = model.b_mode_strength * truth[AGGRESSIVENESS]
    nodules = describe_nodules(cases.join(unrecorded), shown, seed=seed)
    views = {
        case_id: planes[:most_images]
        for case_id, planes in draw_views(model, cases["split"], seed=seed).items()
    }
    rendered = [_rendered(cases, nodules, views, n_jobs=n_jobs)]
    drawn = truth.join(_nodule_table(nodules))
    if model.contrast:
        perfusions = {
            case_id: describe_perfusion(z, nodule.seed)
            for (case_id, nodule), z in zip(nodules.items(), truth[AGGRESSIVENESS], strict=True)
        }
        rendered.append(_rendered_clips(nodules, perfusions, n_jobs=n_jobs))
        drawn = drawn.join(perfusion_table(perfusions, nodules))
    if model.slice_shares:
        attenuations = {
            case_id: describe_attenuation(nodule, s, nodule.seed)
            for (case_id, nodule), s in zip(nodules.items(), truth[SPREAD], strict=True)
        }
        n_slices = {
            case_id: n if most_images is None else min(n, most_images)
            for case_id, n in draw_slice_counts(model, cases["split"], nodules, seed=seed).items()
        }
        rendered.append(_rendered_slices(cases, nodules, attenuations, n_slices, n_jobs=n_jobs))
        told = pd.DataFrame({case_id: asdict(a) for case_id, a in attenuations.items()}).T
        drawn = drawn.join(told.add_prefix("ct_"))
    return cached(
        "simulated-cohort",
        partial(_fill, rendered, _info(model, seed, signal, size), cases, drawn),
        inputs={
            "study": study,
            "seed": seed,
            "signal": float(signal),
            "size": float(size),
            "tables": hashlib.sha256(f"{cases.to_csv()}{truth.to_csv()}".encode()).hexdigest(),
            "frames": " ".join(folder.name for folder in rendered),
        },
        code=[sys.modules[__name__]],
    )


def copy_cohort(cached_folder: Path, folder: Path) -> None:
    """Copy a cohort out of the cache; `folder` appears whole or not at all.

    Raises
    ------
    InputError
        When `folder` exists and is not empty, or cannot be written.
    """
    refuse_existing(folder)
    with staged_folder(folder) as part:
        skip_manifest = shutil.ignore_patterns(MANIFEST)
        shutil.copytree(cached_folder, part, ignore=skip_manifest, dirs_exist_ok=True)


def refuse_existing(folder: Path) -> None:
    """Check that a folder to be written is missing or empty.

    Raises
    ------
    InputError
        When it holds something, or is a file.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"{folder} exists already and is not overwritten; name another folder or remove it."
        )


def require_space(folder: Path, study: str, size: float) -> None:
    """Check that the disks of `folder` and of the cache have room for a simulated cohort.

    Raises
    ------
    InputError
        When one has not; names the folder, what is needed and what is free.
    """
    model = population_model(study)
    n_frames = sum(
        n_images * n_cases
        for n in split_plan(study, size)["n"]
        for n_images, n_cases in image_counts(model, int(n)).items()
    )
    needed = n_frames * BYTES_PER_FRAME
    if model.contrast:
        needed += int(split_plan(study, size)["n"].sum()) * BYTES_PER_CLIP
    if model.slice_shares:
        needed += BYTES_PER_SLICE * sum(
            n_slices * n_cases
            for n in split_plan(study, size)["n"]
            for n_slices, n_cases in slice_counts(model, int(n)).items()
        )
    for place in (folder.absolute(), cache_root().absolute()):
        existing = next(path for path in (place, *place.parents) if path.exists())
        free = shutil.disk_usage(existing).free
        if free < needed:
            raise InputError(
                f"{place}: the simulated cohort needs about {needed / 1e6:.0f} MB, the disk has "
                f"{free / 1e6:.0f} MB free. Free some space, choose a folder on another disk "
                f"({CACHE_VARIABLE} names the cache), or a smaller size."
            )


def _rendered(
    cases: pd.DataFrame, nodules: dict[str, Nodule], views: dict[str, Views], *, n_jobs: int
) -> Path:
    """Folder with the frames of these nodules; a cache entry of its own, shared by all signals."""
    centers = dict(zip(cases.index, cases["center"], strict=True))
    described = hashlib.sha256(
        "\n".join(
            f"{case_id} {centers[case_id]} {views[case_id]} {n}" for case_id, n in nodules.items()
        ).encode()
    )

    def compute(folder: Path) -> None:
        images = write_frames(folder, nodules, centers, views, n_jobs=n_jobs)
        images.to_csv(folder / FRAME_TABLE)

    return cached(
        "simulated-frames",
        compute,
        inputs={"nodules": described.hexdigest()},
        code=[frames],
    )


def _rendered_clips(
    nodules: dict[str, Nodule], perfusions: dict[str, Perfusion], *, n_jobs: int
) -> Path:
    """Folder with the contrast-enhanced frames of these nodules, as `_rendered`."""
    described = hashlib.sha256(
        "\n".join(f"{case_id} {n} {perfusions[case_id]}" for case_id, n in nodules.items()).encode()
    )

    def compute(folder: Path) -> None:
        write_clips(folder, nodules, perfusions, n_jobs=n_jobs).to_csv(folder / FRAME_TABLE)

    return cached(
        "simulated-clips",
        compute,
        inputs={"nodules": described.hexdigest()},
        code=[clips],
    )


def _rendered_slices(
    cases: pd.DataFrame,
    nodules: dict[str, Nodule],
    attenuations: dict[str, Attenuation],
    n_slices: dict[str, int],
    *,
    n_jobs: int,
) -> Path:
    """Folder with the CT slices of these nodules, as `_rendered`."""
    centers = dict(zip(cases.index, cases["center"], strict=True))
    described = hashlib.sha256(
        "\n".join(
            f"{case_id} {centers[case_id]} {n_slices[case_id]} {n} {attenuations[case_id]}"
            for case_id, n in nodules.items()
        ).encode()
    )

    def compute(folder: Path) -> None:
        table = write_slices(folder, nodules, attenuations, centers, n_slices, n_jobs=n_jobs)
        table.to_csv(folder / FRAME_TABLE)

    return cached(
        "simulated-slices",
        compute,
        inputs={"nodules": described.hexdigest()},
        code=[slices],
    )


def _fill(
    rendered: list[Path], info: CohortInfo, cases: pd.DataFrame, truth: pd.DataFrame, folder: Path
) -> None:
    """Write the cohort into `folder`; the image files are links to the rendered ones."""
    tables = []
    for source in rendered:
        images = pd.read_csv(source / FRAME_TABLE, index_col="image_id")
        for name in {*images["path"], *images["mask_path"]}:
            (folder / name).parent.mkdir(exist_ok=True)
            _link(source / name, folder / name)
        tables.append(images)
    order = {case_id: number for number, case_id in enumerate(cases.index)}
    images = pd.concat(tables)
    images = images.sort_values("case_id", key=lambda ids: ids.map(order), kind="stable")
    write_cohort(folder, info, cases, images, truth)


def _link(source: Path, target: Path) -> None:
    """Hard link, or a copy on file systems without links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _nodule_table(nodules: dict[str, Nodule]) -> pd.DataFrame:
    """What was drawn, one row a case: the nodule's values that are no clinical column."""
    table = pd.DataFrame({case_id: asdict(n) for case_id, n in nodules.items()}).T
    told = ["seed", "foci", "composition", "calcification", "location", "side"]
    table = table.drop(columns=told)
    return table.infer_objects().add_prefix("nodule_")


def _info(model: PopulationModel, seed: int, signal: float, size: float) -> CohortInfo:
    paper = published(model.study)["citation"]
    return CohortInfo(
        name=f"{model.name} (seed {seed}, signal {signal:g}, size {size:g})",
        endpoint=model.endpoint,
        positive=model.positive,
        source=(
            "Simulated: patients, labels and images are drawn from a known model, with the counts "
            f"and marginals of {paper} Nothing in it is that paper's data. Not for clinical use."
        ),
        licence="CC0-1.0",
        simulated=True,
        seed=seed,
        signal=float(signal),
    )
