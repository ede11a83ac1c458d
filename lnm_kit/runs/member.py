"""One run of a sweep in a process of its own: ``python -m lnm_kit.runs.member``."""

import contextlib
import json
import logging
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lnm_kit.errors import InputError
from lnm_kit.runs.cluster import SCHEDULER_VARIABLE
from lnm_kit.runs.plan import Planner, RunPlan

PARENT_LOOKED_AT_EVERY_S = 1.0
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)
WORKERS = "LOKY_MAX_CPU_COUNT"


def bounded_environment(threads: int) -> dict[str, str]:
    """Return this process's environment with a bound on the threads and workers of a member.

    A smaller bound that is set already stays.

    Examples
    --------
    >>> bounded_environment(1)["OMP_NUM_THREADS"]
    '1'
    """

    def least(names: Sequence[str]) -> str:
        before = [os.environ.get(name, "") for name in names]
        return str(min([threads, *(int(number) for number in before if number.isdigit())]))

    # one bound for all kinds of threads: a library may follow the largest of several
    bounds = dict.fromkeys(THREADS, least(THREADS)) | {WORKERS: least([WORKERS])}
    return dict(os.environ) | bounds


def to_text(
    plan: RunPlan, working_folder: Path, timeout_s: float | None, *, elsewhere: bool = False
) -> str:
    """Return what :func:`main` reads; `elsewhere` lets it check the plan on its own machine."""
    paths = {"notebook": str(plan.notebook), "working_folder": str(working_folder)}
    return json.dumps(asdict(plan) | paths | {"timeout_s": timeout_s, "elsewhere": elsewhere})


def start_member(
    text: str, log: Path, working_folder: Path, environment: dict[str, str]
) -> subprocess.Popen[str]:
    """Start a process that executes a plan, which is given as the text of :func:`to_text`.

    It runs in the working folder and writes what it is doing to the log. Its standard output is
    one line of JSON at the end.
    """
    # a member on a cluster that waited for a place there would wait for itself
    own = {name: value for name, value in environment.items() if name != SCHEDULER_VARIABLE}
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "lnm_kit.runs.member"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=own,
            cwd=working_folder,
        )
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(text)
    return process


def main() -> None:
    """Execute the plan that stands on the standard input; a JSON line says how it ended."""
    from lnm_kit.runs.execute import run_plan

    logger = logging.getLogger("lnm_kit")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(logging.INFO)
    # a Ctrl-C on the terminal is the sweep's, which then ends its members one by one
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_sweep, args=(os.getppid(),), daemon=True).start()
    given: dict[str, Any] = json.loads(sys.stdin.read())
    working_folder, timeout_s = Path(given.pop("working_folder")), given.pop("timeout_s")
    elsewhere = given.pop("elsewhere")
    plan = RunPlan(**given | {"notebook": Path(given["notebook"])})
    problem = what_differs(plan) if elsewhere else None
    if problem is not None:
        said: dict[str, Any] = {"outcome": "error", "message": problem, "folder": None}
    else:
        result = run_plan(plan, working_folder, timeout_s=timeout_s, force=True)
        said = asdict(result) | {"folder": str(result.folder)}
    # nobody reads it where a worker of a cluster was killed; the run's record says the same
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), (json.dumps(said) + "\n").encode())


def what_differs(plan: RunPlan) -> str | None:
    """Say why this machine cannot run what another one planned; None where it can.

    The notebook, the package's code and the cohort must be the same here: the run is recorded
    under their digest.
    """
    machine = f"the machine {platform.node()} that was to run it"
    try:
        here = Planner(plan.notebook.parents[2]).plan(plan.chapter, plan.given)
    except InputError as error:
        return f"{machine} cannot: {error}"
    if here.identity == plan.identity:
        return None
    if here.cohort_digest != plan.cohort_digest:
        return f"{machine} sees other files of the cohort; let all machines read the same folder"
    return (
        f"{machine} has other code of the book; update it there, or let its workers start from "
        "the same folder"
    )


def _end_with_the_sweep(sweep: int) -> None:
    """Ask this process to end, kindly, when the sweep that started it is gone."""
    while os.getppid() == sweep:
        time.sleep(PARENT_LOOKED_AT_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
