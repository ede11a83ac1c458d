"""The runs that lie below ``runs/``: finding, choosing and removing them."""

import json
import shutil
import tomllib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lnm_kit.errors import InputError, one_of
from lnm_kit.runs.folder import OUTCOMES, RUN_FILE, earlier_runs, is_running
from lnm_kit.runs.recorder import METRICS_FILE, PREDICTIONS_FILE

RUNNING = "running"
SHOWN_AT_MOST = 6


@dataclass(frozen=True)
class Run:
    """One folder of ``runs/<chapter>/``, with what its ``run.json`` and ``params.toml`` say."""

    folder: Path
    record: dict[str, Any]
    parameters: dict[str, Any]

    @property
    def chapter(self) -> str:
        """Name of the chapter or page."""
        return str(self.record.get("chapter", self.folder.parent.name))

    @property
    def name(self) -> str:
        """Chapter and folder, by which the run is found again."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    @property
    def outcome(self) -> str:
        """How it ended: ok, error, timeout, kernel-died, interrupted; or running."""
        return (
            RUNNING
            if is_running(self.folder, self.record)
            else str(self.record.get("outcome", "unknown"))
        )

    @property
    def message(self) -> str:
        """What went wrong and in which cell; empty for a good run."""
        return describe_failure(self.record)

    @property
    def figures(self) -> dict[str, Path]:
        """The figures by name, as PNG."""
        return {path.stem: path for path in sorted((self.folder / "figures").glob("*.png"))}

    @property
    def predictions_file(self) -> Path:
        """Where the predicted probabilities of all cases are, if the run came so far."""
        return self.folder / PREDICTIONS_FILE

    def metrics(self) -> list[dict[str, Any]]:
        """Return the rows of ``metrics.json``; none when the run did not come so far.

        Raises
        ------
        InputError
            When the file is damaged.
        """
        path = self.folder / METRICS_FILE
        if not path.is_file():
            return []
        try:
            rows = json.loads(path.read_text(encoding="utf-8"))
            return [dict(row) for row in rows if {"model", "split", "metric", "value"} <= set(row)]
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"{path} cannot be read ({error}); run it again.") from error


def describe_failure(record: Mapping[str, Any]) -> str:
    """Return cell and message of a run that did not end well.

    Examples
    --------
    >>> describe_failure({"failed_cell": 3, "error": "ValueError", "message": "no rows"})
    'cell [3]: ValueError: no rows'
    >>> describe_failure({"outcome": "interrupted"})
    'its process ended before it could say why'
    """
    if record.get("outcome") == "ok":
        return ""
    if not record.get("message"):
        return "its process ended before it could say why"
    cell = record.get("failed_cell")
    name = f"{record['error']}: " if record.get("error") else ""
    return f"{f'cell [{cell}]' if cell else 'before the first cell'}: {name}{record['message']}"


def read_run(folder: Path) -> Run:
    """Read one run folder.

    Raises
    ------
    InputError
        When it has no readable ``run.json`` or ``params.toml``.
    """
    try:
        record = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        parameters = tomllib.loads((folder / "params.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder} is no folder of a run: {error}. `lnm runs list` shows the runs."
        ) from error
    if not isinstance(record, dict):
        raise InputError(f"{folder} is no folder of a run: its {RUN_FILE} holds no table.")
    return Run(folder, record, parameters)


def all_runs(root: Path, chapter: str | None = None) -> list[Run]:
    """Return the runs below ``root/runs``, the newest first; unreadable folders are left out.

    Raises
    ------
    InputError
        When there are runs, but none of this chapter.
    """
    there = sorted({path.parents[1].name for path in (root / "runs").glob(f"*/*/{RUN_FILE}")})
    if chapter is not None and there:
        one_of("chapter", chapter, there)
    runs = []
    for name in there if chapter is None else [chapter]:
        for folder, _ in earlier_runs(name, root):
            try:
                runs.append(read_run(folder))
            except InputError:
                continue
    return sorted(runs, key=lambda run: run.folder.name, reverse=True)


def choose_runs(
    runs: Sequence[Run], *, outcome: str | None = None, values: Mapping[str, Any] | None = None
) -> list[Run]:
    """Return the runs with this outcome and these values of parameters.

    Raises
    ------
    InputError
        When the outcome is unknown, or no run has a parameter of that name.
    """
    if outcome is not None:
        one_of("outcome", outcome, [*OUTCOMES, RUNNING])
    known = {name for run in runs for name in run.parameters}
    for name in values or {}:
        if runs and name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise InputError(f"no run has a parameter {name!r}.{hint}")
    return [
        run
        for run in runs
        if outcome in (None, run.outcome)
        and all(run.parameters.get(name) == value for name, value in (values or {}).items())
    ]


def find_run(word: str, root: Path) -> Run:
    """Return the run that a user means: a folder, an id, or the beginning of one.

    Parameters
    ----------
    word
        A path, ``chapter/id``, an id, or the first characters of an id or of its last part.
    root
        The folder that holds ``runs/``.

    Raises
    ------
    InputError
        When there is no such run, or more than one.
    """
    if (Path(word) / RUN_FILE).is_file():
        return read_run(Path(word))
    chapter, slash, start = word.rpartition("/")
    folders = [path.parent for path in (root / "runs").glob(f"*/*/{RUN_FILE}")]
    if slash:
        folders = [folder for folder in folders if folder.parent.name == chapter]
    exact = [folder for folder in folders if folder.name == start]
    found = exact or [folder for folder in folders if start and _starts(folder.name, start)]
    if len(found) == 1:
        return read_run(found[0])
    if not found:
        raise InputError(f"there is no run {word!r} below runs/; `lnm runs list` shows them.")
    names = sorted((f"{folder.parent.name}/{folder.name}" for folder in found), reverse=True)
    more = f" and {len(names) - SHOWN_AT_MOST} more" if len(names) > SHOWN_AT_MOST else ""
    raise InputError(
        f"{len(names)} runs begin with {word!r}: {', '.join(names[:SHOWN_AT_MOST])}{more}. "
        "Give more of the id."
    )


def removable(chosen: Iterable[Run], root: Path, *, newest_too: bool) -> list[Run]:
    """Leave out what must stay: runs at work, and the newest good run of each chapter.

    Parameters
    ----------
    chosen
        The runs that are meant to go.
    root
        The folder that holds ``runs/``.
    newest_too
        Let the newest good runs go as well.
    """
    kept: set[Path] = set()
    if not newest_too:
        newest: dict[str, Path] = {}
        for run in all_runs(root):
            if run.outcome == "ok":
                newest.setdefault(run.folder.parent.name, run.folder)
        kept = set(newest.values())
    return [run for run in chosen if run.folder not in kept and run.outcome != RUNNING]


def remove_run(run: Run) -> None:
    """Remove a run's folder; a reader sees all of it or nothing."""
    aside = run.folder.with_name(f".removed-{uuid.uuid4().hex[:8]}")
    run.folder.rename(aside)
    shutil.rmtree(aside)


def folder_size(folder: Path) -> int:
    """Return the size of all files in a folder, in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _starts(name: str, start: str) -> bool:
    """Tell whether a folder's name, or the part after its time, begins so."""
    return name.startswith(start) or "-".join(name.split("-")[2:]).startswith(start)
