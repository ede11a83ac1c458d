"""Everything that is wrong with a cohort folder, tables and pixels, in one list."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from lnm_kit.cohort.images import Image, Pixels, find_mask_fault, frame_size, read_image
from lnm_kit.cohort.problem import Problem
from lnm_kit.cohort.schema import is_inside, is_number
from lnm_kit.cohort.tables import line, read_tables
from lnm_kit.errors import InputError
from lnm_kit.progress import track

TABLE = "images.csv"
SPACING_TOLERANCE = 0.01


def check_cohort(path: str | Path, *, n_jobs: int = -1) -> list[Problem]:
    """List everything that is wrong with a cohort folder; an empty list means nothing is.

    Beyond what `load_cohort` checks in the tables: image and mask files that are missing,
    truncated, damaged or no image, masks that are empty, not binary or of another size, constant
    images, NaN and infinite pixels, a spacing that contradicts the file's, and images with
    identical pixels in different splits.

    Parameters
    ----------
    path
        The cohort folder.
    n_jobs
        Number of files that are read at once; -1 = as many as there are cores.

    Returns
    -------
    list of Problem
        Problems of the tables first, then of the files in the order of ``images.csv``.

    Examples
    --------
    >>> [print(problem) for problem in check_cohort("no/such/folder")]
    no/such/folder: no such folder; allowed: a cohort folder with cohort.toml
    [None]
    """
    root = Path(path).expanduser()
    tables = read_tables(root)
    images = tables.images
    if images is None or not {"path", "mask_path"} <= set(images):
        return tables.problems
    rows = list(zip(map(line, images.index), images.to_dict("records"), strict=True))
    look = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    looks = look(delayed(_look_at)(root, row, cells) for row, cells in rows)
    seen = list(track(looks, label="check images", total=len(rows)))
    problems = tables.problems + [problem for one in seen for problem in one.problems]
    if tables.cases is not None and {"case_id", "split"} <= set(tables.cases):
        split = dict(zip(tables.cases["case_id"], tables.cases["split"], strict=True))
        problems += _find_copies(images, seen, split)
    return problems


@dataclass
class _Look:
    """What was seen in one image and its mask."""

    pixels_digest: str = ""
    problems: list[Problem] = field(default_factory=list)


def _look_at(root: Path, row: int, cells: dict[str, str]) -> _Look:
    look = _Look()
    # paths that leave the folder are reported with the table and never opened
    image = _read(root, cells["path"], row, look.problems)
    mask = _read(root, cells["mask_path"], row, look.problems)
    if image is not None:
        look.pixels_digest = _digest(image.pixels)
        look.problems += _check_image(image, cells, row)
    if mask is not None:
        fault = find_mask_fault(mask.pixels)
        if fault is not None:
            look.problems.append(
                Problem(TABLE, row, f"the mask {cells['mask_path']} is {fault[0]}", fault[1])
            )
    if image is not None and mask is not None:
        image_size, mask_size = frame_size(image.pixels), frame_size(mask.pixels)
        if image_size != mask_size:
            found = f"the mask {cells['mask_path']} has {mask_size[0]} x {mask_size[1]} pixels"
            allowed = f"the image's {image_size[0]} x {image_size[1]} (rows x columns)"
            look.problems.append(Problem(TABLE, row, found, allowed))
    return look


def _read(root: Path, path: str, row: int, problems: list[Problem]) -> Image | None:
    if not is_inside(path):
        return None
    try:
        return read_image(root / path)
    except InputError as error:
        found = str(error).replace(str(root / path), path)
        problems.append(Problem(TABLE, row, found, "a whole, readable image file"))
    return None


def _check_image(image: Image, cells: dict[str, str], row: int) -> Iterator[Problem]:
    pixels, path = image.pixels, cells["path"]
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        yield Problem(TABLE, row, f"{path} has NaN or infinite pixels", "finite pixels")
    elif pixels.min() == pixels.max():
        yield Problem(TABLE, row, f"every pixel of {path} is {pixels.min()}", "an image")
    stated = (cells.get("spacing_y_mm", ""), cells.get("spacing_x_mm", ""))
    if image.spacing_mm is None or not all(is_number(text) for text in stated):
        return
    table = np.array([float(text) for text in stated])
    if not np.allclose(table, image.spacing_mm, rtol=SPACING_TOLERANCE, atol=0):
        found = f"spacing (y, x) is {stated[0]}, {stated[1]} mm"
        own = "{:.4g}, {:.4g} mm".format(*image.spacing_mm)
        yield Problem(TABLE, row, found, f"what {path} says ({own}), or empty")


def _digest(pixels: Pixels) -> str:
    head = f"{pixels.shape} {pixels.dtype}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(pixels).tobytes()).hexdigest()


def _find_copies(
    images: pd.DataFrame, seen: list[_Look], split: dict[str, str]
) -> Iterator[Problem]:
    """Yield a problem for every image whose pixels were seen before in another split."""
    if "case_id" not in images:
        return
    first: dict[str, int] = {}
    cases, paths = images["case_id"].tolist(), images["path"].tolist()
    for row, look in enumerate(seen):
        if not look.pixels_digest:
            continue
        other = first.setdefault(look.pixels_digest, row)
        here, there = split.get(cases[row]), split.get(cases[other])
        if here is not None and there is not None and here != there:
            found = f"{paths[row]} is in {here} and has the pixels of {paths[other]}"
            found += f" (row {line(other)}) in {there}"
            yield Problem(TABLE, line(row), found, "no image in two splits")
