"""A kernel of this very interpreter, watched from outside while it executes a notebook."""

import asyncio
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat
import psutil
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from lnm_kit.progress import RUN_FOLDER_VARIABLE

Outcome = Literal["ok", "error", "timeout", "kernel-died", "interrupted"]
POLL_S = 0.2
# of the time, at most: memory is found by walking through all pages, some 10 ms a GB
LOOKING_SHARE = 0.03
STARTUP_TIMEOUT_S = 120
ENDING_TIMEOUT_S = 30
QUIET = "--log-level=40"
LESS_MEMORY = "take a smaller cohort, image or batch, or fewer processes (n_jobs; lnm book -n 1)"
KERNEL_DIED = (
    f"the kernel was killed from outside, or crashed. Where memory ran out, {LESS_MEMORY}. What "
    "was finished before is in the cache: run it again"
)
CLUSTER_LOST = (
    "the Dask cluster was lost while it computed a part of this cell. What was finished before is "
    "in the cache: start the cluster, or leave --scheduler out, and run it again"
)


@dataclass(frozen=True)
class Execution:
    """How the execution of a notebook ended.

    ``failed_cell`` is the number that stands in brackets beside the code cell, counted from 1.
    """

    outcome: Outcome
    failed_cell: int | None
    error_name: str | None
    error_message: str | None
    wall_time_s: float
    cell_times_s: list[float]
    peak_memory_mb: float


class ThisInterpreter(KernelSpecManager):
    """Knows one kernel: the interpreter that runs this code, whatever is installed elsewhere."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the kernel, whatever name a notebook gives it."""
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", QUIET],
            display_name="Python 3",
            language="python",
        )


class _Worker(threading.Thread):
    """Executes the notebook beside the main thread, which keeps the terminal and its signals."""

    def __init__(
        self,
        notebook: nbformat.NotebookNode,
        folder: Path,
        working_folder: Path,
        timeout_s: float | None,
        on_cell: Callable[[int], None],
    ) -> None:
        super().__init__(daemon=True)
        # join() is not used: in Python 3.11 a Ctrl-C inside of it marks a running thread as ended
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self.cell = 0
        self.cell_times_s: list[float] = []
        self._folder = folder
        self._working_folder = working_folder
        self._on_cell = on_cell
        self._cell_began = time.monotonic()
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self.manager = AsyncKernelManager(kernel_spec_manager=ThisInterpreter())
        self.client = NotebookClient(
            notebook,
            km=self.manager,
            startup_timeout=STARTUP_TIMEOUT_S,
            # never 0, which means no limit
            timeout_func=lambda _: None if deadline is None else _left(deadline),
            on_cell_execute=self._begin_cell,
            on_cell_executed=self._end_cell,
        )

    def run(self) -> None:
        environment = dict(os.environ) | {
            RUN_FOLDER_VARIABLE: str(self._folder.resolve()),
            # tqdm, which timm brings along, asks for widgets that no page of the book needs
            "PYTHONWARNINGS": "ignore:IProgress not found",
        }
        try:
            with (self._folder / "stderr.log").open("ab") as log:
                # nbclient leaves a kernel running whose manager it did not make, unless told not to
                work = self.client.async_execute(
                    env=environment,
                    stdout=log,
                    stderr=log,
                    cwd=str(self._working_folder),
                    cleanup_kc=True,
                )
                asyncio.run(work)
        except BaseException as error:  # told apart by the main thread
            self.error = error
        finally:
            self.ended.set()

    def pid(self) -> int | None:
        return getattr(self.manager.provisioner, "pid", None) if self.manager.has_kernel else None

    def _begin_cell(self, cell: nbformat.NotebookNode, cell_index: int) -> None:
        self.cell += 1
        self._cell_began = time.monotonic()
        self._on_cell(self.cell)

    def _end_cell(self, cell: nbformat.NotebookNode, cell_index: int, execute_reply: Any) -> None:
        self.cell_times_s.append(round(time.monotonic() - self._cell_began, 3))


def execute(
    notebook: nbformat.NotebookNode,
    folder: Path,
    *,
    working_folder: Path,
    timeout_s: float | None = None,
    on_cell: Callable[[int], None] = lambda number: None,
    on_poll: Callable[[], None] = lambda: None,
) -> Execution:
    """Execute a notebook in place.

    Parameters
    ----------
    notebook
        Its outputs are filled in as far as it comes.
    folder
        The run's folder; the kernel finds it in ``LNM_RUN_FOLDER``, and ``stderr.log`` goes there.
    working_folder
        Where the kernel runs, so that relative paths mean what they mean to the user.
    timeout_s
        Time for the whole notebook.
    on_cell
        Called with the number of each code cell when it begins.
    on_poll
        Called a few times a second.
    """
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    began = time.monotonic()
    worker = _Worker(notebook, folder, working_folder, timeout_s, on_cell)
    peak, look_again = 0.0, began
    interrupted = False
    worker.start()
    try:
        while not worker.ended.wait(POLL_S):
            if time.monotonic() >= look_again:
                looked = time.monotonic()
                peak = max(peak, _memory_mb(worker.pid()))
                look_again = looked + (time.monotonic() - looked) / LOOKING_SHARE
            on_poll()
    except KeyboardInterrupt:
        interrupted = True
    finally:
        if not worker.ended.is_set():
            _kill(worker.pid())
            worker.ended.wait(ENDING_TIMEOUT_S)
    outcome, name, message = _judge(worker.error, interrupted)
    return Execution(
        outcome=outcome,
        failed_cell=None if outcome == "ok" else worker.cell or None,
        error_name=name,
        error_message=message,
        wall_time_s=round(time.monotonic() - began, 3),
        cell_times_s=worker.cell_times_s,
        peak_memory_mb=round(peak, 1),
    )


def _judge(
    error: BaseException | None, interrupted: bool
) -> tuple[Outcome, str | None, str | None]:
    if interrupted:
        return "interrupted", None, "stopped by the user"
    match error:
        case None:
            return "ok", None, None
        case CellExecutionError(ename="MemoryError"):
            return "error", error.ename, f"memory ran out: {LESS_MEMORY}"
        case CellExecutionError(ename="ClusterLostError" | "FutureCancelledError" | "KilledWorker"):
            return "error", error.ename, CLUSTER_LOST
        case CellExecutionError():
            return "error", error.ename, _plain(error.evalue)
        case CellTimeoutError():
            return "timeout", None, "the time given to the run was over (--timeout)"
        case DeadKernelError():
            return "kernel-died", None, KERNEL_DIED
        case _:
            return "error", type(error).__name__, _plain(str(error))


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.01)


def _plain(text: str) -> str:
    """Drop the color codes of a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text).strip()


def _memory_mb(pid: int | None) -> float:
    """Return the memory of a process and of those it started, in MB (10^6 bytes).

    Where the system tells it (Linux), a page that several processes share counts once.
    """
    total = 0
    for process in _family(pid):
        try:
            used = process.memory_full_info()
        except psutil.Error:
            continue
        total += getattr(used, "pss", 0) or used.rss
    return total / 1e6


def _kill(pid: int | None) -> None:
    for process in _family(pid):
        try:
            process.kill()
        except psutil.Error:
            continue


def _family(pid: int | None) -> list[psutil.Process]:
    if pid is None:
        return []
    try:
        parent = psutil.Process(pid)
        return [*parent.children(recursive=True), parent]
    except psutil.Error:
        return []
