"""Executing one chapter: parameters in, a run folder out."""

import errno
import logging
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import nbformat

from lnm_kit.errors import InputError
from lnm_kit.progress import describe_time
from lnm_kit.runs.display import RunDisplay
from lnm_kit.runs.environment import git_revision, package_versions, processors
from lnm_kit.runs.files import write_json, write_toml
from lnm_kit.runs.folder import (
    RUN_FILE,
    create_run_folder,
    file_digest,
    result_digests,
    this_process,
)
from lnm_kit.runs.harmless import make_harmless
from lnm_kit.runs.kernel import Execution, Outcome, execute
from lnm_kit.runs.notebook import (
    clear_outputs,
    inject,
    read_notebook,
    save_notebook,
    save_page,
)
from lnm_kit.runs.parameters import schema_of
from lnm_kit.runs.plan import Planner, RunPlan
from lnm_kit.runs.recorder import read_stages

RESERVE_FILE = ".reserve"
RESERVED_BYTES = 64 * 1024

_log = logging.getLogger("lnm_kit")


@dataclass(frozen=True)
class RunResult:
    """How a run ended and where its results are.

    ``wrong_input`` tells that the chapter itself refused what it was given; ``found`` that an
    earlier run was the same, so that nothing had to be executed.
    """

    folder: Path
    outcome: Outcome
    message: str | None
    failed_cell: int | None
    wrong_input: bool
    found: bool = False


def book_root() -> Path:
    """Return the folder with ``_toc.yml``: the working folder, one above it, or the checkout.

    Raises
    ------
    InputError
        When there is no book.
    """
    checkout = Path(__file__).resolve().parents[2]
    for folder in (Path.cwd(), *Path.cwd().parents, checkout):
        if (folder / "_toc.yml").is_file():
            return folder
    raise InputError(
        "there is no _toc.yml in the working folder or above it; run this in a checkout of the book"
    )


def run_chapter(
    chapter: str,
    values: Mapping[str, Any],
    *,
    root: Path | None = None,
    timeout_s: float | None = None,
    force: bool = False,
) -> RunResult:
    """Check the parameters and the cohort of a chapter, then execute it into a new run folder.

    A good run of before with the same parameters, cohort, cells and package code is returned
    instead; a failed one never is.

    Parameters
    ----------
    chapter
        Name of the chapter, e.g. "llnm".
    values
        The parameters that differ from the chapter's defaults.
    root
        The folder of the book; found from the working folder by default.
    timeout_s
        Time for the whole run.
    force
        Execute it even where there is such a run.

    Raises
    ------
    InputError
        When the chapter, a parameter or the cohort is wrong; nothing was started then.
    """
    schema_of(chapter)
    plan = Planner(root or book_root()).plan(chapter, values)
    return run_plan(plan, Path.cwd(), timeout_s=timeout_s, force=force)


def run_plan(
    plan: RunPlan, working_folder: Path, *, timeout_s: float | None = None, force: bool = False
) -> RunResult:
    """Execute a plan into a new folder below ``working_folder/runs``, or find its earlier run."""
    earlier = None if force else plan.earlier_run(working_folder)
    if earlier is not None:
        return RunResult(earlier, "ok", None, None, wrong_input=False, found=True)
    return run_notebook(
        plan.chapter,
        plan.notebook,
        given=plan.given,
        recorded=plan.recorded,
        identity=plan.identity,
        working_folder=working_folder,
        timeout_s=timeout_s,
        cohort_digest=plan.cohort_digest,
    )


def run_notebook(
    name: str,
    path: Path,
    *,
    given: Mapping[str, Any],
    recorded: Mapping[str, Any],
    identity: str,
    working_folder: Path,
    timeout_s: float | None = None,
    cohort_digest: str | None = None,
) -> RunResult:
    """Execute a notebook into a new run folder; the folder is kept however it ends.

    Parameters
    ----------
    name
        What the run's folder is named after.
    path
        The notebook.
    given
        The parameters to set after its `parameters` cell.
    recorded
        The values of all parameters, for ``params.toml``.
    identity
        Digest of everything that decides the outputs.
    working_folder
        Where the kernel runs, and where ``runs/`` is.
    timeout_s
        Time for the whole run.
    cohort_digest
        Identity of the cohort folder that is read, for ``run.json``.
    """
    notebook = inject(read_notebook(path), given)
    clear_outputs(notebook)
    folder = create_run_folder(name, identity, working_folder)
    n_cells = sum(cell.cell_type == "code" and bool(cell.source) for cell in notebook.cells)
    write_toml(folder / "params.toml", dict(recorded))
    about = _about(name, recorded, identity) | {"cohort_digest": cohort_digest}
    # a run whose process is killed can write nothing more: this is what it then says
    write_json(folder / RUN_FILE, about | {"outcome": "interrupted", "process": this_process()})
    # given back at the end, so that a full disk can still be told
    (folder / RESERVE_FILE).write_bytes(b"\0" * RESERVED_BYTES)
    with terminated_like_interrupted(), RunDisplay(name, n_cells, folder) as display:
        ended = execute(
            notebook,
            folder,
            working_folder=working_folder,
            timeout_s=timeout_s,
            on_cell=lambda number: setattr(display, "cell", number),
            on_poll=display.update,
        )
    if ended.outcome == "ok":
        ended = _with_the_same_cohort(ended, recorded.get("cohort"), cohort_digest)
    make_harmless(notebook)
    ended = _save(ended, notebook, folder, name)
    write_json(folder / RUN_FILE, about | _ending(ended, folder))
    _log.info("%s: %s after %s", name, ended.outcome, describe_time(ended.wall_time_s))
    return RunResult(
        folder=folder,
        outcome=ended.outcome,
        message=_in_one(ended),
        failed_cell=ended.failed_cell,
        wrong_input=ended.error_name == InputError.__name__,
    )


def _with_the_same_cohort(ended: Execution, cohort: object, digest: str | None) -> Execution:
    """Let a run fail whose cohort folder is no longer what it was when the run began."""
    if cohort is None or digest is None:
        return ended
    from lnm_kit.cohort import load_cohort

    try:
        changed = "was changed" if load_cohort(str(cohort)).digest() != digest else ""
    except InputError:
        changed = "was damaged or removed"
    if not changed:
        return ended
    message = (
        f"the cohort {cohort} {changed} while the run read it: the results belong to no cohort. "
        "Run it again when nobody writes there"
    )
    return replace(ended, outcome="error", error_name=InputError.__name__, error_message=message)


def _save(ended: Execution, notebook: nbformat.NotebookNode, folder: Path, name: str) -> Execution:
    """Write the executed notebook; on a full disk, leave room for the record that says so."""
    reserve = folder / RESERVE_FILE
    try:
        save_notebook(notebook, folder / "notebook.ipynb")
        save_page(notebook, folder / "notebook.html", title=name)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        reserve.unlink(missing_ok=True)
        before = f" (before that: {ended.error_message})" if ended.error_message else ""
        return replace(
            ended,
            outcome="error",
            error_name=InputError.__name__,
            error_message=f"no space left on the disk for the executed notebook{before}. Free "
            "some, and run it again: what was finished is in the cache",
        )
    reserve.unlink(missing_ok=True)
    return ended


def _about(name: str, recorded: Mapping[str, Any], identity: str) -> dict[str, Any]:
    return {
        "chapter": name,
        "identity": identity,
        "seed": recorded.get("seed"),
        "git_revision": git_revision(Path(__file__).parent),
        "processors": processors(),
        "versions": package_versions(),
    }


def _ending(ended: Execution, folder: Path) -> dict[str, Any]:
    device, stages = read_stages(folder)
    return {
        "outcome": ended.outcome,
        "failed_cell": ended.failed_cell,
        "error": ended.error_name,
        "message": ended.error_message,
        "wall_time_s": ended.wall_time_s,
        "cells_s": ended.cell_times_s,
        "stages_s": stages,
        "device": device,
        "peak_memory_mb": ended.peak_memory_mb,
        "notebook_sha256": file_digest(folder / "notebook.ipynb"),
        "results_sha256": result_digests(folder),
    }


def _in_one(ended: Execution) -> str | None:
    if ended.outcome == "ok":
        return None
    where = f"cell [{ended.failed_cell}]" if ended.failed_cell else "before the first cell"
    name = f"{ended.error_name}: " if ended.error_name else ""
    return f"{where}: {name}{ended.error_message}"


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Let a polite request to end (SIGTERM) be recorded like Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
