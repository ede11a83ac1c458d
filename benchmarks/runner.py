"""What `lnm run` costs more than plain papermill, on a chapter that does nothing for a second.

Run it in a checkout: ``python -m benchmarks.runner``. Both execute the same notebook, in turns; the
runner checks parameters, looks for an earlier run, watches the kernel, and writes page and record.
"""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.place import Place

ROUNDS = 5
PAPERMILL = [sys.executable, "-m", "papermill", "--kernel", "python3", "--language", "python"]


def seconds_of_lnm(place: Place) -> float:
    """Wall time of one run through the command."""
    began = time.monotonic()
    seen = place.lnm("run", "llnm", "-p", "profile=smoke", "--force")
    if seen.code:
        raise RuntimeError(seen.said)
    return time.monotonic() - began


def seconds_of_papermill(place: Place) -> float:
    """Wall time of papermill on the same notebook with the same parameter."""
    began = time.monotonic()
    subprocess.run(
        [*PAPERMILL, "book/studies/llnm.ipynb", "out.ipynb", "-p", "profile", "smoke"],
        cwd=place.folder,
        env=place.environment,
        capture_output=True,
        check=True,
    )
    return time.monotonic() - began


def main() -> None:
    """Print the table."""
    with TemporaryDirectory() as folder:
        place = Place(Path(folder))
        place.write_chapter("import time\ntime.sleep(1)")
        sys.stdout.write(
            "| round | lnm run, s | papermill, s | difference, s |\n|---|---|---|---|\n"
        )
        differences = []
        for number in range(1, ROUNDS + 1):
            ours, theirs = seconds_of_lnm(place), seconds_of_papermill(place)
            differences.append(ours - theirs)
            sys.stdout.write(f"| {number} | {ours:.2f} | {theirs:.2f} | {ours - theirs:.2f} |\n")
        middle = sorted(differences)[ROUNDS // 2]
        sys.stdout.write(f"\nmedian difference {middle:.2f} s\n")


if __name__ == "__main__":
    main()
