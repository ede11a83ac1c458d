"""Time and memory of the radiomics engine as the number of images grows.

    python -m benchmarks.growth [--images 100 1000 10000] [--workers 1 2]

Every count runs in a process of its own. Images are made one by one (16 simulated nodules, each
time with other noise) and forgotten, as they would be read from files.
"""

import argparse
import json
import subprocess
import sys
import time

import numpy as np
import psutil

from benchmarks.radiomics_engine import ALL, IMAGES, regions
from benchmarks.results import save
from benchmarks.table import show
from lnm_kit.radiomics.engine import BinCount, features_of_many
from lnm_kit.regions.images import MaskedImage

PACKAGES = ("lnm-kit", "numpy", "numba")
TEMPLATES = 16
LOOK_EVERY = 25
STUDY = 1566
"""Images of the largest study that this book follows."""
IMAGES_SHORT = [100, 1000, STUDY, 10_000]
IMAGES_LONG = [*IMAGES_SHORT, 100_000]


def stream(n_images: int, workers: int) -> dict:
    """Seconds and largest memory for `n_images`, in this process."""
    templates = regions(TEMPLATES)

    def read(number: int) -> MaskedImage:
        pixels, mask = templates[number % TEMPLATES]
        noise = np.random.default_rng(number).integers(-3, 4, pixels.shape)
        return MaskedImage(np.clip(pixels + noise, 0, 255).astype(np.uint8), mask, None)

    given = {"binning": BinCount(25), "classes": ALL, **IMAGES}
    list(features_of_many(range(2), read, n_jobs=1, **given))  # loads the compiled code
    before = memory_mb()
    peak, wall, processor = before, time.perf_counter(), time.process_time()
    n_features = 0
    for number, found in enumerate(
        features_of_many(range(n_images), read, n_jobs=workers, **given)
    ):
        n_features += len(found)
        if number % LOOK_EVERY == 0:
            peak = max(peak, memory_mb())
    return {
        "images": n_images,
        "workers": workers,
        "seconds": round(time.perf_counter() - wall, 3),
        "processor_seconds": round(time.process_time() - processor, 3),
        "start_mb": round(before),
        "peak_mb": round(peak),
        "features": n_features,
    }


def memory_mb() -> float:
    """Memory of this process; what it shares with others counts in proportion, where known."""
    process = psutil.Process()
    full = process.memory_full_info()
    return getattr(full, "pss", full.rss) / 2**20


def measure(images: list[int], workers: list[int]) -> list[dict]:
    """Rows of the figure, each from a fresh process."""
    code = "import json, sys; from benchmarks.growth import stream; "
    code += "print(json.dumps(stream(int(sys.argv[1]), int(sys.argv[2]))))"
    rows = []
    for n_workers in workers:
        for n_images in images:
            command = [sys.executable, "-c", code, str(n_images), str(n_workers)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rows.append(json.loads(done.stdout.splitlines()[-1]))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="+", default=IMAGES_SHORT)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    choice = parser.parse_args()
    rows = measure(choice.images, choice.workers)
    save("growth", rows, PACKAGES)
    show("growth", rows)


if __name__ == "__main__":
    main()
