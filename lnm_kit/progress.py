"""Progress of long loops: a bar on a terminal, log lines elsewhere, nothing in notebook pages."""

import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

RUN_FOLDER_VARIABLE = "LNM_RUN_FOLDER"
PROGRESS_FILE = "progress.jsonl"
LOG_EVERY_S = 5.0
REPORT_EVERY_S = 0.5

_log = logging.getLogger("lnm_kit")


def track(items: Iterable[T], *, label: str, total: int | None = None) -> Iterator[T]:
    """Yield the items and show how far the loop is.

    On a terminal this is a bar with the time left. Elsewhere (kernels, pipes, workers) it is one
    line in the logger ``lnm_kit`` every few seconds. Where the environment variable
    ``LNM_RUN_FOLDER`` is set, the state is also appended to ``progress.jsonl`` in that folder,
    which ``lnm run`` reads to show the stage of the running chapter.

    Parameters
    ----------
    items
        What to loop over.
    label
        What is being done, e.g. "render frames".
    total
        Number of items, for iterables without a length.

    Examples
    --------
    >>> sum(track([1, 2, 3], label="add"))
    6
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    if _on_terminal():
        yield from _with_bar(items, label, total)
    else:
        yield from _with_lines(items, label, total)


def report(label: str, done: int, total: int | None, seconds: float) -> None:
    """Append one state to the run folder's ``progress.jsonl``; does nothing outside of a run.

    Parameters
    ----------
    label
        What is being done.
    done, total
        Finished and expected number of steps; `total` is None where it is not known.
    seconds
        Wall time since the first step began.
    """
    folder = os.environ.get(RUN_FOLDER_VARIABLE)
    if not folder:
        return
    line = json.dumps({"label": label, "done": done, "total": total, "seconds": round(seconds, 3)})
    # a full disk must fail the work itself with its own message, not its progress display
    with contextlib.suppress(OSError), (Path(folder) / PROGRESS_FILE).open("a") as file:
        file.write(line + "\n")


def describe_time(seconds: float) -> str:
    """Give a duration in words that fit on a progress line.

    Examples
    --------
    >>> describe_time(7.4), describe_time(75), describe_time(3720)
    ('7 s', '1 min 15 s', '1 h 02 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def describe_state(label: str, done: int, total: int | None, seconds: float) -> str:
    """Give one line with the state and, once it can be known, the time left.

    Examples
    --------
    >>> describe_state("fold", 2, 10, 20.0)
    'fold: 2/10, 20 s, about 1 min 20 s left'
    >>> describe_state("frames", 30, None, 2.0)
    'frames: 30, 2 s'
    """
    counted = f"{done}/{total}" if total is not None else f"{done}"
    line = f"{label}: {counted}, {describe_time(seconds)}"
    if total is not None and 0 < done < total:
        line += f", about {describe_time(seconds / done * (total - done))} left"
    return line


def _on_terminal() -> bool:
    """Tell whether a bar would be seen: a terminal, and neither a kernel nor a run's process."""
    if os.environ.get(RUN_FOLDER_VARIABLE) or "ipykernel" in sys.modules:
        return False
    return bool(getattr(sys.stderr, "isatty", lambda: False)())


def _with_bar(items: Iterable[T], label: str, total: int | None) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Elapsed())
    console = Console(stderr=True)
    with Progress(*columns, Remaining(), console=console, transient=True) as bar:
        task = bar.add_task(label, total=total)
        for item in items:
            yield item
            bar.advance(task)


def _with_lines(items: Iterable[T], label: str, total: int | None) -> Iterator[T]:
    started = logged = time.monotonic()
    reported = 0.0
    done = 0
    for item in items:
        yield item
        done += 1
        now = time.monotonic()
        if now - reported >= REPORT_EVERY_S or done == total:
            report(label, done, total, now - started)
            reported = now
        if now - logged >= LOG_EVERY_S:
            _log.info(describe_state(label, done, total, now - started))
            logged = now
    _log.info("%s: %d done in %s", label, done, describe_time(time.monotonic() - started))
