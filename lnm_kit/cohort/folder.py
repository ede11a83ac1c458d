"""A cohort is a folder: load it, write it, and tell whether two are the same."""

import errno
import hashlib
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import tomli_w

from lnm_kit.cohort.problem import raise_problems
from lnm_kit.cohort.schema import CohortInfo
from lnm_kit.cohort.tables import Tables, check_tables, read_tables, typed
from lnm_kit.errors import InputError


@dataclass(frozen=True, eq=False)
class Cohort:
    """A cohort: its description and its tables; the pixels stay in the folder.

    Parameters
    ----------
    root
        The folder.
    info
        What the cohort is, and what label 1 means.
    cases
        One row a case, index `case_id`: patient_id, center, split, label and clinical columns.
    images
        One row an image, index `image_id`: case_id, modality, view, path, mask_path, spacing.
    truth
        For simulated cohorts, one row a case, index `case_id`: aggressiveness, probability.
    """

    root: Path
    info: CohortInfo
    cases: pd.DataFrame
    images: pd.DataFrame
    truth: pd.DataFrame | None = None

    def digest(self) -> str:
        """Return the SHA-256 of the description, the tables and the bytes of all image files.

        Two cohorts with the same digest give the same results, wherever their folders are.

        Raises
        ------
        InputError
            When an image or mask file is missing.
        """
        whole = hashlib.sha256(self.info.model_dump_json().encode())
        for table in (self.cases, self.images, self.truth):
            whole.update(b"\0" if table is None else table.to_csv().encode())
        for path in sorted({*self.images["path"], *self.images["mask_path"]}):
            try:
                with (self.root / path).open("rb") as file:
                    content = hashlib.file_digest(file, "sha256")
            except OSError as error:
                raise InputError(
                    f"{path} of the cohort {self.root} cannot be read ({error.strerror}); "
                    f"'lnm cohort check {self.root}' lists everything that is wrong"
                ) from None
            whole.update(path.encode() + b"\0" + content.digest())
        return whole.hexdigest()


def load_cohort(path: str | Path) -> Cohort:
    """Load a cohort folder; its tables are checked, its pixels are not read.

    Parameters
    ----------
    path
        The cohort folder.

    Raises
    ------
    InputError
        With all problems of the tables, each with file, row, what was found and what is allowed.

    Examples
    --------
    >>> load_cohort("no/such/folder")
    Traceback (most recent call last):
    lnm_kit.errors.InputError: the cohort no/such/folder has 1 problem: ...
    """
    root = Path(path).expanduser()
    tables = read_tables(root)
    raise_problems(tables.problems, root)
    return _cohort(root, tables)


def write_cohort(
    root: str | Path,
    info: CohortInfo,
    cases: pd.DataFrame,
    images: pd.DataFrame,
    truth: pd.DataFrame | None = None,
) -> Cohort:
    """Write the tables of a cohort into a folder that holds, or will hold, its image files.

    Nothing is written unless the tables are right. ``cohort.toml`` is written last, so that a
    folder without it was interrupted.

    Parameters
    ----------
    root
        The folder; created when it is missing.
    info
        The description.
    cases, images, truth
        The tables, with `case_id` (of `images`: `image_id`) as index or as a column.

    Raises
    ------
    InputError
        With all problems of the tables, or when the disk is full or may not be written.
    """
    root = Path(root).expanduser()
    texts = {"cases.csv": _csv(cases, "case_id"), "images.csv": _csv(images, "image_id")}
    if truth is not None:
        texts["truth.csv"] = _csv(truth, "case_id")
    texts["cohort.toml"] = tomli_w.dumps(info.model_dump(exclude_none=True))
    tables = check_tables(texts)
    raise_problems(tables.problems, root)
    with disk_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        _replace_files(root, texts)
    return _cohort(root, tables)


@contextmanager
def staged_folder(destination: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a temporary sibling of `destination` that takes its place when the block succeeds.

    Parameters
    ----------
    destination
        A folder that is missing or empty, or with `replace` an existing one.
    replace
        Whether an existing folder is replaced. It is kept until the new one is complete.

    Raises
    ------
    InputError
        When the disk is full or may not be written. Nothing is left behind then.
    """
    destination = destination.resolve()
    mark = uuid.uuid4().hex[:8]
    part = destination.with_name(f".{destination.name}.part-{mark}")
    old = destination.with_name(f".{destination.name}.old-{mark}")
    with disk_errors(destination):
        try:
            part.mkdir(parents=True)
            yield part
            if replace and destination.exists():
                destination.rename(old)
            part.rename(destination)
        except BaseException:
            if old.exists() and not destination.exists():
                old.rename(destination)
            raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)


@contextmanager
def disk_errors(destination: Path) -> Iterator[None]:
    """Turn a full disk or a missing permission into an InputError that names the folder."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(
                f"no space left on the disk while writing {destination}; nothing was written. "
                "Free some space or choose a folder on another disk."
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EEXIST):
            raise InputError(f"{destination} cannot be written: {error.strerror}") from error
        raise


def _cohort(root: Path, tables: Tables) -> Cohort:
    if tables.info is None or tables.cases is None or tables.images is None:
        raise InputError(f"{root} is not a cohort folder")
    truth = None if tables.truth is None else typed(tables.truth, "case_id")
    return Cohort(
        root, tables.info, typed(tables.cases, "case_id"), typed(tables.images, "image_id"), truth
    )


def _csv(table: pd.DataFrame, index: str) -> str:
    if index not in table.columns:
        table = table.rename_axis(index).reset_index()
    return table.to_csv(index=False, lineterminator="\n")


def _replace_files(root: Path, texts: dict[str, str]) -> None:
    parts = {name: root / f".{name}.part-{uuid.uuid4().hex[:8]}" for name in texts}
    try:
        for name, text in texts.items():
            parts[name].write_text(text, encoding="utf-8")
        if "truth.csv" not in texts:
            (root / "truth.csv").unlink(missing_ok=True)
        for name, part in parts.items():
            part.replace(root / name)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
