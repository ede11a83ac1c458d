"""What a Dask worker does with a member of a sweep: a process of its own, as on one machine."""

import json
import os
import time
from pathlib import Path
from typing import Any

from distributed import Status, Worker, get_worker

from lnm_kit.runs.environment import processors
from lnm_kit.runs.files import write_json
from lnm_kit.runs.member import bounded_environment, start_member
from lnm_kit.runs.sweep_processes import end_at_last, how_it_died, last_words

POLL_S = 0.2
ENDING_TIMEOUT_S = 25
ATTEMPTS_AT_MOST = 100


def run_member(text: str, log: str, working_folder: str) -> dict[str, Any]:
    """Execute a plan to its end; the result is also left beside the log.

    The scheduler gives a task again whose worker was lost. One that had ended is not repeated,
    and each attempt has a log of its own.

    Parameters
    ----------
    text
        From :func:`lnm_kit.runs.member.to_text`.
    log
        Where the first attempt writes what it is doing.
    working_folder
        Where it runs.
    """
    result = result_file(Path(log))
    if result.is_file():
        ended: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return ended
    worker = get_worker()
    own_log = _fresh_log(Path(log))
    began = time.monotonic()
    process = start_member(text, own_log, Path(working_folder), _environment(worker))
    key = worker.get_current_task()
    while process.poll() is None and _is_wanted(worker, key):
        time.sleep(POLL_S)
    if process.poll() is None:
        process.terminate()
        end_at_last(process, ENDING_TIMEOUT_S)
    ended = {
        "said": last_words(process),
        "problem": how_it_died(process.returncode, own_log),
        "seconds": time.monotonic() - began,
    }
    write_json(result, ended)
    return ended


def result_file(log: Path) -> Path:
    """Return where the result of a member stands whose first log this is."""
    return log.with_suffix(".json")


def log_of_attempt(log: Path, attempt: int) -> Path:
    """Return the log of one attempt, counted from 1.

    Examples
    --------
    >>> [log_of_attempt(Path("4.log"), attempt).name for attempt in (1, 2)]
    ['4.log', '4.2.log']
    """
    return log if attempt == 1 else log.with_suffix(f".{attempt}.log")


def problems_here(needed: list[str], working_folder: str | None) -> list[str]:
    """Say which paths this worker does not see, and whether it was started elsewhere."""
    problems = [
        f"does not see {path}; all machines must read the same folder under the same path"
        for path in needed
        if not Path(path).exists()
    ]
    here = Path.cwd()
    if working_folder is not None and here.resolve() != Path(working_folder).resolve():
        problems.append(f"was started in {here}; start it in {working_folder}")
    return problems


def _fresh_log(log: Path) -> Path:
    """Make the empty log of the next attempt."""
    for attempt in range(1, ATTEMPTS_AT_MOST):
        path = log_of_attempt(log, attempt)
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"{ATTEMPTS_AT_MOST} attempts left a log like {log}")


def _environment(worker: Worker) -> dict[str, str]:
    """Share the processors out to the tasks that this worker has at the same time.

    `dask worker` sets OMP_NUM_THREADS to 1 unless it is told otherwise; that bounds all of it.
    """
    told = os.environ.get("OMP_NUM_THREADS", "")
    threads = min(int(told), processors()) if told.isdigit() else processors()
    return bounded_environment(max(1, threads // worker.state.nthreads))


def _is_wanted(worker: Worker, key: object) -> bool:
    """Tell whether the scheduler still waits for the task; a lost one waits for nothing."""
    if worker.status in (Status.closing, Status.closed, Status.failed):
        return False
    task = worker.state.tasks.get(key)
    return task is not None and task.state in ("executing", "long-running")
