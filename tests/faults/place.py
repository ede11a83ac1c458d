"""A book of one tiny chapter, the real command line on it, and what came of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lnm_kit.runs.schemas import LlnmParameters

REPOSITORY = Path(__file__).resolve().parents[2]
LNM = [sys.executable, "-m", "lnm_kit.cli"]
PATIENCE_S = 300
# a folder of its own for one process, seen by nobody else and gone with it; results are copied out
IN_A_SMALL_FOLDER = (
    'mkdir -p "$1" && mount -t tmpfs -o "$2" tmpfs "$1" && small="$1" && shift 2 && '
    '{ "$@"; code=$?; cp -r "$small" kept; exit $code; }'
)


class NotPossibleHereError(Exception):
    """This machine does not let a test do the fault."""


@dataclass(frozen=True)
class Seen:
    """What a run left: outcome in its record (None without a record), exit code, last words."""

    outcome: str | None
    code: int
    said: str


@dataclass(frozen=True)
class Place:
    """A folder with a book, which is the working folder of the command."""

    folder: Path

    def write_chapter(self, *sources: str) -> None:
        """Write the chapter llnm with these cells after its parameters."""
        defaults = LlnmParameters().model_dump()
        tagged = new_code_cell("\n".join(f"{name} = {value!r}" for name, value in defaults.items()))
        tagged.metadata["tags"] = ["parameters"]
        cells = [new_markdown_cell("# A chapter"), tagged, *map(new_code_cell, sources)]
        (self.folder / "book" / "studies").mkdir(parents=True, exist_ok=True)
        (self.folder / "_toc.yml").write_text("format: jb-book\nroot: book/index\n")
        nbformat.write(new_notebook(cells=cells), self.folder / "book" / "studies" / "llnm.ipynb")

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of the command: a cache of its own, one thread."""
        paths = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
        own = {"PYTHONPATH": paths, "LNM_CACHE": str(self.folder / "cache")}
        own |= {"OMP_NUM_THREADS": "1", "COLUMNS": "200"}
        kept = {name: value for name, value in os.environ.items() if name != "LNM_RUN_FOLDER"}
        return kept | own

    def start(self, *words: str | Path, before: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start the command."""
        return subprocess.Popen(
            [*before, *LNM, *map(str, words)],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # a shell that starts the tests in the background makes its children deaf to Ctrl-C
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

    def lnm(self, *words: str | Path, before: Sequence[str] = ()) -> Seen:
        """Run the command to its end."""
        return self.end(self.start(*words, before=before))

    def lnm_in_small(self, folder: str, options: str, *words: str | Path) -> Seen:
        """Run the command with a small file system of its own in one folder.

        Raises
        ------
        NotPossibleHereError
            The machine does not allow it.
        """
        shell = ["unshare", "-rm", "sh", "-c", IN_A_SMALL_FOLDER, "sh", folder, options]
        try:
            allowed = subprocess.run([*shell, "true"], cwd=self.folder, capture_output=True)
        except FileNotFoundError:
            raise NotPossibleHereError("there is no command unshare") from None
        if allowed.returncode:
            raise NotPossibleHereError("no file system may be mounted")
        subprocess.run(["rm", "-rf", "kept"], cwd=self.folder, check=True)
        return self.end(self.start(*words, before=shell), runs="kept")

    def end(self, process: subprocess.Popen[str], *, runs: str = "runs") -> Seen:
        """Wait for the command; the outcome is that of the newest run."""
        try:
            said, _ = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            raise TimeoutError(f"not done after {PATIENCE_S} s: {said}") from None
        records = self.records(runs)
        return Seen(records[0]["outcome"] if records else None, process.returncode, said)

    def records(self, runs: str = "runs") -> list[dict[str, Any]]:
        """Return the readable records of all runs, the newest first."""
        found = []
        for path in sorted((self.folder / runs).rglob("run.json"), reverse=True):
            try:
                found.append(json.loads(path.read_text()))
            except ValueError:
                continue
        return found

    def run_folders(self) -> list[Path]:
        """Return the folders of all runs, the oldest first."""
        return sorted(path.parent for path in (self.folder / "runs").glob("*/*/run.json"))

    def newest_notebook(self) -> str:
        """Return the text of the notebook that was executed last."""
        return (self.run_folders()[-1] / "notebook.ipynb").read_text()

    def wait_for(self, name: str) -> str:
        """Return the content of a file as soon as it is there."""
        return wait(lambda: (self.folder / name).read_text(), f"the file {name}")

    def touch(self, name: str) -> None:
        """Make an empty file, on which a cell waits."""
        (self.folder / name).touch()


def wait(look: Any, what: str) -> Any:
    """Call `look` until it gives something and does not fail for want of a file."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            found = look()
        except FileNotFoundError:
            found = None
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError(f"waited {PATIENCE_S} s for {what}")


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{pid}/stat")
    return state.is_file() and state.read_text().rpartition(")")[2].split()[0] == "Z"
