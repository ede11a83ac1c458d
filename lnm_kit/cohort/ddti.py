"""DDTI, the public database of thyroid ultrasound images, as a cohort folder."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image as PillowImage
from scipy import ndimage

from lnm_kit.cohort.ddti_source import (
    Box,
    SourceCase,
    SourceFrame,
    fill_outlines,
    find_box,
    read_case,
)
from lnm_kit.cohort.folder import staged_folder, write_cohort
from lnm_kit.cohort.images import Image, Pixels, read_image
from lnm_kit.cohort.import_report import REPORT, ImportReport
from lnm_kit.cohort.schema import CohortInfo, is_number
from lnm_kit.errors import InputError
from lnm_kit.progress import track

LABELS = {"2": 0, "3": 0, "4a": 0, "4b": 1, "4c": 1, "5": 1}
SHARES = {"training": 0.6, "validation": 0.2, "test_a": 0.2}
SEXES = {"F": "female", "M": "male"}
OUTSIDE_AT_MOST = 0.1
SLIVER = 0.02


def import_ddti(
    source: str | Path, destination: str | Path, *, seed: int = 0, replace: bool = False
) -> ImportReport:
    """Turn the public form of DDTI (``CASE.xml``, ``CASE_FRAME.jpg``) into a cohort folder.

    One case an XML, its frames as images, the filled outlines as masks (several outlines of a
    frame are several components). Where two planes stand side by side, each half with an outline
    becomes an image of its own. Frames are cropped to the ultrasound image, because the text
    around it prints the TI-RADS reading, which is the label; the pixels inside are not changed.
    Label 1 is TI-RADS 4b, 4c or 5: at least two suspicious features. (4a and above, which is
    also used, would call a nodule with one suspicious feature and a risk of 3 % positive, and
    leave 52 negative cases of 298.) Cases without TI-RADS and frames without a usable outline
    are left out and reported, not guessed. DDTI has no split: cases are split 60/20/20, by case
    and stratified by label, with `seed`. DDTI gives no spacing; it stays unknown.

    Parameters
    ----------
    source
        The folder with the XML and JPG files.
    destination
        The cohort folder to write; missing or empty, or with `replace` an existing cohort.
    seed
        Of the split.
    replace
        Whether an existing cohort folder is replaced.

    Returns
    -------
    ImportReport
        What was found and done.

    Raises
    ------
    InputError
        When the source is missing or not DDTI, when the destination is not free, or when it
        cannot be written. Nothing is left half-written.

    Notes
    -----
    Source: L. Pedraza et al., "An open access thyroid ultrasound image database", Proc. SPIE
    9287 (2015). Categories: J. Y. Kwak et al., Radiology 260:892-899 (2011), which assigns 4a,
    4b, 4c and 5 to one, two, three or four, and five suspicious features.

    Examples
    --------
    >>> import_ddti("no/such/folder", "cohorts/ddti")
    Traceback (most recent call last):
    lnm_kit.errors.InputError: no/such/folder is no folder; ...
    """
    source, destination = Path(source).expanduser(), Path(destination).expanduser()
    files = _find_files(source)
    _check_destination(source, destination, replace)
    report = ImportReport(destination)
    with staged_folder(destination, replace=replace) as folder:
        for name in ("images", "masks"):
            (folder / name).mkdir()
        cases, images = _import_cases(files, folder, report)
        if not cases:
            raise InputError(f"no case of {source} can be used: {report.rows[0][2]}, ...")
        table = pd.DataFrame(cases)
        table.insert(3, "split", split_cases(table["label"].to_numpy(), seed))
        write_cohort(folder, _describe(seed), table, pd.DataFrame(images))
        report.n_positive = int(table["label"].sum())
        report.splits = {name: int((table["split"] == name).sum()) for name in SHARES}
        report.findings.to_csv(folder / REPORT, index=False)
    return report


def split_cases(label: np.ndarray, seed: int) -> list[str]:
    """Assign cases to training, validation and test_a, 60/20/20 within each label.

    Parameters
    ----------
    label
        0 or 1, (n,).
    seed
        The same seed gives the same split.

    Examples
    --------
    >>> sorted(split_cases(np.array([0] * 5 + [1] * 5), seed=0))[:4]
    ['test_a', 'test_a', 'training', 'training']
    """
    generator = np.random.default_rng(seed)
    names = list(SHARES)
    ends = np.cumsum(list(SHARES.values()))
    split = np.empty(len(label), dtype=object)
    for value in (0, 1):
        members = generator.permutation(np.flatnonzero(label == value))
        cuts = np.rint(ends[:-1] * len(members)).astype(int)
        for name, part in zip(names, np.split(members, cuts), strict=True):
            split[part] = name
    return split.tolist()


def _find_files(source: Path) -> list[Path]:
    if not source.is_dir():
        raise InputError(
            f"{source} is no folder; give the folder that holds DDTI's CASE.xml and CASE_FRAME.jpg"
        )
    files = sorted(source.glob("*.xml"), key=lambda path: path.stem.zfill(8))
    if not files:
        raise InputError(f"{source} holds no XML file; DDTI has one CASE.xml for every case")
    return files


def _check_destination(source: Path, destination: Path, replace: bool) -> None:
    if destination.exists() and not destination.is_dir():
        raise InputError(f"{destination} is a file; give a folder that is missing or empty")
    if destination.resolve() in (source.resolve(), *source.resolve().parents):
        raise InputError(f"{destination} holds the source {source}; choose another folder")
    if not destination.is_dir() or not any(destination.iterdir()):
        return
    if not replace:
        raise InputError(
            f"{destination} is not empty; choose another folder, or --force to replace the cohort"
        )
    if not (destination / "cohort.toml").is_file():
        raise InputError(
            f"{destination} is not empty and no cohort (it has no cohort.toml), so it is not "
            "replaced; choose another folder"
        )


def _describe(seed: int) -> CohortInfo:
    return CohortInfo(
        name="ddti",
        endpoint="TI-RADS reading of a thyroid nodule (no pathology, no lymph nodes)",
        positive="TI-RADS 4b, 4c or 5 (negative: 2, 3 or 4a)",
        source=(
            "DDTI, Digital Database of Thyroid Ultrasound Images (Pedraza et al. 2015, Proc. SPIE "
            "9287). Frames cropped to the ultrasound image. The splits are ours, not the data "
            f"set's: by case, stratified by label, seed {seed}. Each case is taken for one "
            "patient; the data set does not say which cases share one. Pixel spacing unknown."
        ),
        licence="published as an open-access database; no licence file",
        simulated=False,
    )


def _import_cases(
    files: list[Path], folder: Path, report: ImportReport
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    cases: list[dict[str, object]] = []
    images: list[dict[str, object]] = []
    digests = _digest_frames(files[0].parent)
    first: dict[str, str] = {}
    report.n_source_cases, report.n_source_frames = len(files), len(digests)
    for path in track(files, label="import DDTI"):
        try:
            case = read_case(path)
        except InputError as error:
            report.add(path.stem, "", f"broken XML: {error}", "left out")
            continue
        _note_frames_without_marks(path, case, digests, report)
        if case.fields["tirads"] not in LABELS:
            value = case.fields["tirads"]
            found = f"unknown TI-RADS: {value!r}" if value else "no TI-RADS"
            report.add(case.number, "", found, "left out")
            continue
        kept = []
        for frame in case.frames:
            name = f"{case.number}_{frame.number}"
            twin = first.get(digests.get(name, ""))
            if twin is not None and not twin.startswith(f"{case.number}_"):
                frame.fault = f"an image of another case, imported before: {twin}"
            rows = _import_frame(path.parent, folder, case, frame, report)
            if rows:
                kept += rows
                report.n_frames += 1
                first.setdefault(digests[name], name)
        if not kept:
            report.add(case.number, "", "no usable frame", "left out")
            continue
        cases.append(_case_row(case, report))
        images += kept
    _note_copies(digests, report)
    report.n_cases, report.n_images = len(cases), len(images)
    return cases, images


def _digest_frames(source: Path) -> dict[str, str]:
    """Map the name of every frame to a digest of its pixels, empty when it cannot be read."""
    digests = {}
    for path in sorted(source.glob("*.jpg"), key=lambda path: path.stem.zfill(12)):
        try:
            pixels = read_image(path).pixels
            digests[path.stem] = hashlib.sha256(pixels.tobytes()).hexdigest()
        except InputError:
            digests[path.stem] = ""
    return digests


def _note_copies(digests: dict[str, str], report: ImportReport) -> None:
    groups: dict[str, list[str]] = {}
    for name, digest in digests.items():
        if digest:
            groups.setdefault(digest, []).append(name)
    for names in groups.values():
        for name in names if len(names) > 1 else []:
            case, _, frame = name.partition("_")
            others = ", ".join(other for other in names if other != name)
            report.add(case, frame, f"same pixels as {others}", "noted")
            report.n_copies += 1


def _note_frames_without_marks(
    path: Path, case: SourceCase, digests: dict[str, str], report: ImportReport
) -> None:
    marked = {f"{case.number}_{frame.number}" for frame in case.frames}
    for name in digests:
        if name.startswith(f"{case.number}_") and name not in marked:
            report.add(case.number, name.partition("_")[2], "no mark in the XML", "left out")


def _import_frame(
    source: Path, folder: Path, case: SourceCase, frame: SourceFrame, report: ImportReport
) -> list[dict[str, object]]:
    """Write the images of one frame and their masks; return their rows, none when left out."""
    name = f"{case.number}_{frame.number}"
    read = _read_frame(source / f"{name}.jpg", frame)
    if isinstance(read, str):
        report.add(case.number, frame.number, read, "left out")
        return []
    pixels, mask, box, outside = read
    planes = split_planes(mask) if box.is_dual else {"": slice(None)}
    rows: list[dict[str, object]] = []
    for suffix, columns in planes.items():
        image_id = f"{name}{suffix}"
        _write_png(folder / "images" / f"{image_id}.png", pixels[:, columns])
        _write_png(folder / "masks" / f"{image_id}.png", mask[:, columns].astype(np.uint8) * 255)
        rows.append(
            {
                "image_id": image_id,
                "case_id": case.number,
                "modality": "us",
                "view": "dual" if box.is_dual and suffix == "" else "unknown",
                "path": f"images/{image_id}.png",
                "mask_path": f"masks/{image_id}.png",
                "spacing_x_mm": "",
                "spacing_y_mm": "",
            }
        )
    n = len(frame.outlines)
    found = f"{n} outline{'s' if n > 1 else ''}, image in {box}"
    if box.is_dual:
        found += f", two planes side by side: {len(rows)} image{'s' if len(rows) > 1 else ''}"
    found += f", {frame.n_arrows} arrow(s) not used" if frame.n_arrows else ""
    found += f", {outside:.1%} of an outline outside of the image" if outside else ""
    report.add(case.number, frame.number, found, "imported")
    report.n_dual += box.is_dual
    return rows


def split_planes(mask: Pixels) -> dict[str, slice]:
    """Columns of the planes of a dual frame that hold an outline: halves ``a`` and ``b``.

    An outline that crosses the middle by more than a sliver keeps the frame whole (suffix "").

    Parameters
    ----------
    mask
        bool (H, W).

    Examples
    --------
    >>> mask = np.zeros((4, 8), bool)
    >>> mask[1, 5:7] = True
    >>> split_planes(mask)
    {'b': slice(4, 8, None)}
    """
    middle, width = mask.shape[1] // 2, mask.shape[1]
    components, n_components = ndimage.label(mask)
    sizes = np.bincount(components.ravel(), minlength=n_components + 1)[1:]
    on_left = np.bincount(components[:, :middle].ravel(), minlength=n_components + 1)[1:] / sizes
    if (np.minimum(on_left, 1 - on_left) > SLIVER).any():
        return {"": slice(None)}
    halves = {"a": slice(0, middle), "b": slice(middle, width)}
    return {
        name: half for name, half in halves.items() if mask[:, half].sum() > SLIVER * mask.sum()
    }


def _read_frame(path: Path, frame: SourceFrame) -> tuple[Pixels, Pixels, Box, float] | str:
    """Return the cropped pixels, mask, box and share outside, or why there are none."""
    if frame.fault is not None:
        return frame.fault
    try:
        pixels = read_image(path).pixels
    except InputError as error:
        return f"no readable frame: {str(error).replace(str(path), path.name)}"
    gray = Image(pixels, None).gray()
    box = find_box(gray)
    if box is None:
        return "no ultrasound image in the frame"
    mask, outside = fill_outlines(frame.outlines, box, gray.shape)
    if outside > OUTSIDE_AT_MOST:
        return f"an outline outside of the image: {outside:.0%} of its area"
    if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., 0]
    return np.ascontiguousarray(box.crop(pixels)), mask, box, outside


def _write_png(path: Path, pixels: Pixels) -> None:
    # level 1 takes half the time of the default 6, and 8 % more room
    PillowImage.fromarray(pixels).save(path, compress_level=1)


def _case_row(case: SourceCase, report: ImportReport) -> dict[str, object]:
    """Map DDTI's fields to the project's columns; a blank stays blank, a doubt becomes one."""
    age, sex = case.fields["age"], case.fields["sex"]
    if age and not is_number(age, 0, 120):
        report.add(case.number, "", f"impossible age: {age!r}", "age left empty")
        age = ""
    if sex and sex not in SEXES:
        report.add(case.number, "", f"sex is {sex!r}", "sex left empty")
    blank = [name for name, value in case.fields.items() if not value]
    if blank:
        report.add(case.number, "", f"blank: {', '.join(blank)}", "left empty")
    return {
        "case_id": case.number,
        "patient_id": case.number,
        "center": "ddti",
        "label": LABELS[case.fields["tirads"]],
        "sex": SEXES.get(sex, ""),
        "age_years": age,
        **{
            name: case.fields[name]
            for name in ("composition", "echogenicity", "margins", "calcifications", "tirads")
        },
    }
