"""What `lnm run` costs more than plain papermill, on a chapter that does nothing for a second.

Run it in a checkout: ``python -m benchmarks.runner``. Both execute the same notebook, in turns; the
runner checks parameters, looks for an earlier run, watches the kernel, and writes page and record.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.results import save
from benchmarks.table import show
from benchmarks.timing import alternate, row
from tests.faults.place import Place

PACKAGES = ("lnm-kit", "papermill", "nbclient", "ipykernel")
PAPERMILL = [sys.executable, "-m", "papermill", "--kernel", "python3", "--language", "python"]


def run_lnm(place: Place) -> None:
    """One run through the command."""
    seen = place.lnm("run", "llnm", "-p", "profile=smoke", "--force")
    if seen.code:
        raise RuntimeError(seen.said)


def run_papermill(place: Place) -> None:
    """Papermill on the same notebook with the same parameter."""
    subprocess.run(
        [*PAPERMILL, "book/studies/llnm.ipynb", "out.ipynb", "-p", "profile", "smoke"],
        cwd=place.folder,
        env=place.environment,
        capture_output=True,
        check=True,
    )


def measure(*, rounds: int = 3) -> list[dict]:
    """The row of the table."""
    with TemporaryDirectory() as folder:
        place = Place(Path(folder))
        place.write_chapter("import time\ntime.sleep(1)")
        calls = {"lnm": lambda: run_lnm(place), "papermill": lambda: run_papermill(place)}
        taken = alternate(calls, rounds=rounds, clock=time.perf_counter)
    return [
        row(
            "run of a chapter that sleeps a second",
            "lnm run",
            taken["lnm"],
            peer="papermill",
            peer_seconds=taken["papermill"],
            note="wall time; the run also checks, records and writes a page",
        )
    ]


def main() -> None:
    """Measure, keep and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rows = measure(rounds=parser.parse_args().rounds)
    save("runner", rows, PACKAGES)
    show("runner", rows)


if __name__ == "__main__":
    main()
