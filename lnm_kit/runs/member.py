"""One run of a sweep in a process of its own: ``python -m lnm_kit.runs.member``."""

import json
import logging
import os
import signal
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lnm_kit.runs.plan import RunPlan

PARENT_LOOKED_AT_EVERY_S = 1.0
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
    "LOKY_MAX_CPU_COUNT",
)


def bounded_environment(threads: int) -> dict[str, str]:
    """Return this process's environment with a bound on the threads and workers of a member.

    A smaller bound that is set already stays.

    Examples
    --------
    >>> bounded_environment(1)["OMP_NUM_THREADS"]
    '1'
    """
    bounds = {}
    for name in THREADS:
        before = os.environ.get(name, "")
        bounds[name] = str(min(threads, int(before)) if before.isdigit() else threads)
    return dict(os.environ) | bounds


def to_text(plan: RunPlan, working_folder: Path, timeout_s: float | None) -> str:
    """Return what :func:`main` reads."""
    paths = {"notebook": str(plan.notebook), "working_folder": str(working_folder)}
    return json.dumps(asdict(plan) | paths | {"timeout_s": timeout_s})


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
    given["notebook"] = Path(given["notebook"])
    result = run_plan(RunPlan(**given), working_folder, timeout_s=timeout_s, force=True)
    sys.stdout.write(json.dumps(asdict(result) | {"folder": str(result.folder)}) + "\n")


def _end_with_the_sweep(sweep: int) -> None:
    """Ask this process to end, kindly, when the sweep that started it is gone."""
    while os.getppid() == sweep:
        time.sleep(PARENT_LOOKED_AT_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
