"""What ``lnm run`` and ``lnm sweep`` show while kernels work: cell, stage and time left."""

import json
import logging
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lnm_kit.progress import PROGRESS_FILE, describe_state, describe_time

LINE_EVERY_S = 10.0
SWEEP_LINE_EVERY_S = 30.0

_log = logging.getLogger("lnm_kit")


class RunDisplay:
    """One status line that is kept up to date on a terminal; plain log lines elsewhere.

    Parameters
    ----------
    chapter
        What is running.
    n_cells
        Number of code cells.
    folder
        The run's folder, where the kernel appends to ``progress.jsonl``.
    """

    def __init__(self, chapter: str, n_cells: int, folder: Path) -> None:
        self.chapter = chapter
        self.n_cells = n_cells
        self.cell = 0
        self._file = folder / PROGRESS_FILE
        self._read_to = 0
        self._state: dict[str, Any] = {}
        self._started = time.monotonic()
        self._shown = (-1, "", 0.0)
        self._status: Any = None

    def __enter__(self) -> Self:
        """Begin to show the line."""
        if sys.stderr.isatty():
            from rich.console import Console

            self._status = Console(stderr=True).status(self.line())
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the line away."""
        if self._status is not None:
            self._status.stop()

    def line(self) -> str:
        """Return the status as one line.

        Examples
        --------
        >>> RunDisplay("llnm", 30, Path("runs")).line()
        'llnm: cell 0/30, 0 s'
        """
        seconds = time.monotonic() - self._started
        line = f"{self.chapter}: cell {self.cell}/{self.n_cells}, {describe_time(seconds)}"
        unfinished = self._state and self._state["done"] != self._state["total"]
        return f"{line} | {describe_state(**self._state)}" if unfinished else line

    def update(self) -> None:
        """Read what the kernel reported, and show it."""
        self._read_reports()
        if self._status is not None:
            self._status.update(self.line())
            return
        cell, label, shown_at = self._shown
        now = time.monotonic()
        fresh = (self.cell, str(self._state.get("label", ""))) != (cell, label)
        if now - shown_at >= LINE_EVERY_S or (fresh and now - shown_at >= 1.0):
            _log.info(self.line())
            self._shown = (self.cell, str(self._state.get("label", "")), now)

    def _read_reports(self) -> None:
        if not self._file.is_file():
            return
        with self._file.open("rb") as file:
            file.seek(self._read_to)
            # the last line may be half written when it is read
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read_to += len(whole) + len(newline)
        for line in whole.splitlines():
            self._state = json.loads(line)


class SweepDisplay:
    """Lines on what starts and ends, and on a terminal a status line below them."""

    def __init__(self) -> None:
        self._status: Any = None
        self._logged = time.monotonic()

    def __enter__(self) -> Self:
        """Begin to show the line."""
        if sys.stderr.isatty():
            from rich.console import Console

            self._status = Console(stderr=True, highlight=False).status("starting")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the line away."""
        if self._status is not None:
            self._status.stop()

    def note(self, line: str) -> None:
        """Show a line that stays."""
        if self._status is not None:
            self._status.console.print(line, markup=False)
        else:
            _log.info(line)

    def update(self, line: str) -> None:
        """Show the state of the sweep; elsewhere than on a terminal once in a while."""
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(line))
        elif time.monotonic() - self._logged >= SWEEP_LINE_EVERY_S:
            _log.info(line)
            self._logged = time.monotonic()
