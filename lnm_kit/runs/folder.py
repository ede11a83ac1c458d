"""The folder of one run: its name, and what ``run.json`` says in it."""

import hashlib
import json
import os
import platform
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from lnm_kit.progress import RUN_FOLDER_VARIABLE

RUN_FILE = "run.json"
RESULT_FILES = ("params.toml", "metrics.json", "predictions.parquet")
SILENT_AT_MOST_S = 24 * 3600
OUTCOMES = ("ok", "error", "timeout", "kernel-died", "interrupted")


def create_run_folder(chapter: str, identity: str, root: Path) -> Path:
    """Create ``runs/<chapter>/<time>-<identity>/``; a new name where two start in one second.

    Parameters
    ----------
    chapter
        Name of the chapter, or of the page.
    identity
        Digest of what is run; its first characters become part of the name.
    root
        The folder that holds ``runs/``.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    parent = root / "runs" / chapter
    for attempt in range(1, 1000):
        name = f"{stamp}-{identity[:8]}" + (f"-{attempt}" if attempt > 1 else "")
        try:
            (parent / name).mkdir(parents=True)
        except FileExistsError:
            continue
        return parent / name
    raise FileExistsError(f"no free name for a run in {parent}")


def open_run_folder(chapter: str) -> tuple[Path, bool]:
    """Return the folder of the run that this process is part of, and whether it is a fresh one."""
    given = os.environ.get(RUN_FOLDER_VARIABLE)
    if given:
        return Path(given), False
    identity = hashlib.sha256(f"{time.time_ns()}-{os.getpid()}".encode()).hexdigest()
    return create_run_folder(chapter, identity, Path.cwd()), True


def earlier_runs(chapter: str, root: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield folder and ``run.json`` of the chapter's runs, the newest first."""
    for path in sorted((root / "runs" / chapter).glob(f"*/{RUN_FILE}"), reverse=True):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(record, dict):
            yield path.parent, record


def find_same_run(chapter: str, identity: str, root: Path) -> Path | None:
    """Return the newest good run with the same identity whose files are as they were written."""
    for folder, record in earlier_runs(chapter, root):
        same = record.get("identity") == identity and record.get("outcome") == "ok"
        if same and is_untouched(folder, record):
            return folder
    return None


def result_digests(folder: Path) -> dict[str, str | None]:
    """Return the SHA-256 of the files that later runs, sweeps and comparisons read."""
    return {name: file_digest(folder / name) for name in RESULT_FILES}


def is_untouched(folder: Path, record: Mapping[str, Any]) -> bool:
    """Tell whether notebook and results are as they were when the run ended."""
    if file_digest(folder / "notebook.ipynb") != record.get("notebook_sha256"):
        return False
    return record.get("results_sha256", result_digests(folder)) == result_digests(folder)


def this_process() -> dict[str, Any]:
    """Return what tells this process from all others, earlier ones and other machines included."""
    process = {"pid": os.getpid(), "since": psutil.Process().create_time()}
    return process | {"machine": platform.node()}


def is_running(folder: Path, record: Mapping[str, Any]) -> bool:
    """Tell whether the process that writes into this folder is still at work.

    On another machine nobody can be asked: a run there counts as at work until nothing was
    written for a day.
    """
    process = record.get("process")
    if not isinstance(process, dict):
        return False
    if process.get("machine", platform.node()) != platform.node():
        newest = max((path.stat().st_mtime for path in folder.iterdir()), default=0.0)
        return time.time() - newest < SILENT_AT_MOST_S
    try:
        return abs(psutil.Process(process["pid"]).create_time() - process["since"]) < 1
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False


def file_digest(path: Path) -> str | None:
    """Return the SHA-256 of a file, None where there is none."""
    if not path.is_file():
        return None
    return hashlib.sha256(path.read_bytes()).hexdigest()
