"""What loading the package costs, as a ratio to loading numpy and pandas; and a chapter's kernel.

    python -m benchmarks.startup [--rounds 3]

Imports are timed by the processor time of fresh processes, less that of a process that imports
nothing; kernels by the clock on the wall, from the start to the first answer.
"""

import argparse
import resource
import subprocess
import sys
import time

from jupyter_client.manager import start_new_kernel

from benchmarks.results import save
from benchmarks.table import show
from benchmarks.timing import alternate, row

PACKAGES = ("lnm-kit", "numpy", "pandas", "scikit-learn", "torch", "ipykernel", "jupyter_client")
PEER = "numpy, pandas"
MODULES = {
    "lnm_kit": "the package itself",
    "lnm_kit.cohort": "reading cohorts",
    "lnm_kit.radiomics.engine": "the radiomics engine, with numba",
    "lnm_kit.cli": "the command line",
    "lnm_kit.evaluation": "metrics, with scipy, scikit-learn and statsmodels",
    "lnm_kit.figures": "figures, with matplotlib and plotly",
    "lnm_kit.training, lnm_kit.networks.backbones": "networks, with torch and timm",
}
FIRST_CELL = """
import logging
import numpy as np
import pandas as pd
from IPython.display import Markdown
from lnm_kit.errors import InputError
from lnm_kit.figures import use_style
from lnm_kit.runs import Recorder, take_parameters
from myst_nb import glue
"""


def run_code(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)


def children_seconds() -> float:
    """Processor time of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def in_kernel(code: str) -> None:
    """Start a kernel, run a cell, end the kernel."""
    manager, client = start_new_kernel(startup_timeout=120)
    try:
        reply = client.execute_interactive(code, timeout=120, output_hook=lambda _: None)
        if reply["content"]["status"] != "ok":
            raise RuntimeError(reply["content"]["evalue"])
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def measure(*, rounds: int = 3) -> list[dict]:
    """Rows of the table."""
    names = ["", PEER, *MODULES]
    calls = {
        name: lambda name=name: run_code(f"import {name}" if name else "pass") for name in names
    }
    taken = alternate(calls, rounds=rounds, clock=children_seconds)
    bare = taken.pop("")
    # a process that loads nothing takes some time as well, which is not the package's
    own = {
        name: [max(one - start, 1e-4) for one, start in zip(times, bare, strict=True)]
        for name, times in taken.items()
    }
    found = [
        row("import", name, own[name], peer=PEER, peer_seconds=own[PEER], note=note)
        for name, note in MODULES.items()
    ]
    for one in found:  # here the package is compared with what it loads: how much more is it
        for key in ("ratio", "ratio_low", "ratio_high"):
            one.pop(key)
    kernels = alternate(
        {"empty": lambda: in_kernel("pass"), "chapter": lambda: in_kernel(FIRST_CELL)},
        rounds=rounds,
        clock=time.perf_counter,
        warm_up={},
    )
    note = "wall time; the peer is a kernel that imports nothing"
    what = "kernel of a chapter, to the end of its first cell"
    last = row(what, "kernel", kernels["chapter"], note=note)
    peer = row("", "", kernels["empty"])["seconds"]
    return [*found, last | {"peer": "empty kernel", "peer_seconds": peer}]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rows = measure(rounds=parser.parse_args().rounds)
    save("startup", rows, PACKAGES)
    show("startup", rows)


if __name__ == "__main__":
    main()
