"""Milliseconds per region of the compiled radiomics engine, as ratios to its peers in one run.

    python -m benchmarks.radiomics_engine [--regions 64] [--rounds 3]

The job is pyradiomics' 851 features (original and eight wavelet images, seven classes) of simulated
nodules in frames of 224 x 224 pixels. Every tool runs on one thread and is timed by its processor
time; rounds alternate, so that other load on the machine falls on all.
"""

import argparse
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable

import numpy as np
import SimpleITK as sitk  # noqa: N813
from radiomics.featureextractor import RadiomicsFeatureExtractor

from benchmarks.radiomics_peers import BINS, IMAGE_TYPES, TEXTURE, installed, nine_images
from benchmarks.results import save
from benchmarks.table import show
from benchmarks.timing import alternate, missing, row
from lnm_kit.radiomics.engine import BinCount, feature_names, features
from lnm_kit.simulate.ddti_like import simulated_frame

SIZE_PX = 224
ALL = (*TEXTURE, "shape")
IMAGES = {"image_types": IMAGE_TYPES, "keep_residue": True}
PACKAGES = (
    *("lnm-kit", "numpy", "numba", "pyradiomics", "PyWavelets", "SimpleITK"),
    *("nyxus", "fastrad", "mirp"),
)
REGIONS_OF_PEER = {"nyxus": 8, "fastrad": 8, "mirp": 2}
FIRST_CALL = """
import time
import numpy as np
from lnm_kit.radiomics.engine import BinCount, features
pixels = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
mask = np.hypot(*(np.mgrid[:64, :64] - 32)) < 20
start = time.process_time()
features(pixels, mask, spacing_mm=(1, 1), binning=BinCount(25), image_types=("Original", "Wavelet"))
print(time.process_time() - start)
"""
Region = tuple[np.ndarray, np.ndarray]


def regions(n: int) -> list[Region]:
    """Windows around simulated nodules of 2,000 to 9,000 pixels."""
    found: list[Region] = []
    seed = 0
    while len(found) < n:
        seed += 1
        frame = simulated_frame(seed)
        mask = frame.masks[0]
        rows, columns = np.nonzero(mask)
        corner = [
            int(np.clip(place.mean() - SIZE_PX / 2, 0, max(length - SIZE_PX, 0)))
            for place, length in zip((rows, columns), mask.shape, strict=True)
        ]
        window = tuple(slice(start, start + SIZE_PX) for start in corner)
        inside = mask[window]
        if 2000 <= inside.sum() <= 9000 and inside.shape == (SIZE_PX, SIZE_PX):
            found.append((frame.pixels[window].copy(), inside.copy()))
    return found


def engine(region: Region, classes: tuple[str, ...]) -> np.ndarray:
    return features(
        *region, spacing_mm=(1.0, 1.0), binning=BinCount(BINS), classes=classes, **IMAGES
    )


def pyradiomics(region: Region, classes: tuple[str, ...]) -> dict:
    extractor = RadiomicsFeatureExtractor(binCount=BINS, additionalInfo=False)
    extractor.disableAllFeatures()
    for name in classes:
        extractor.enableFeatureClassByName(name)
    extractor.enableImageTypeByName("Wavelet")
    pixels, mask = region
    volume = sitk.GetImageFromArray(pixels[None])
    return extractor.execute(volume, sitk.GetImageFromArray(mask[None].astype(np.uint8)))


def compile_seconds() -> tuple[float, float]:
    """First call of a fresh process: with an empty cache of compiled code, and with a full one."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        for _ in range(2):
            command = [sys.executable, "-c", FIRST_CALL]
            done = subprocess.run(command, env=environment, capture_output=True, check=True)
            times.append(float(done.stdout.split()[-1]))
    return times[0], times[1]


def quiet() -> None:
    """One thread each, and no messages of pyradiomics."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    np.seterr(all="ignore")


def measure(*, n_regions: int = 64, rounds: int = 3, compiling: bool = True) -> list[dict]:
    """Rows of the table; a row's seconds are those of one region."""
    quiet()
    items = regions(n_regions)
    sizes = [int(mask.sum()) for _, mask in items]
    about = f"{n_regions} regions of {min(sizes):,} to {max(sizes):,} pixels"
    jobs: dict[str, tuple[Callable[..., object], list]] = {
        "engine": (lambda *item: engine(item, ALL), items),
        "pyradiomics": (lambda *item: pyradiomics(item, ALL), items),
        "engine, no shape": (lambda *item: engine(item, TEXTURE), items),
        "pyradiomics, no shape": (lambda *item: pyradiomics(item, TEXTURE), items),
    }
    absent = []
    ready = [(nine_images(pixels), mask) for pixels, mask in items[: max(REGIONS_OF_PEER.values())]]
    for name, compute in installed():
        if compute is None:
            absent.append(name)
        else:
            jobs[name] = (compute, ready[: REGIONS_OF_PEER[name]])
    calls = {
        name: lambda job=job, given=given: [job(*item) for item in given]
        for name, (job, given) in jobs.items()
    }
    first = {
        name: lambda job=job, given=given: job(*given[0]) for name, (job, given) in jobs.items()
    }
    counts = {name: len(given) for name, (_, given) in jobs.items()}
    seconds = {
        name: [one / counts[name] for one in taken]
        for name, taken in alternate(calls, rounds=rounds, warm_up=first).items()
    }
    n_features = len(feature_names(classes=ALL, **IMAGES))
    what = f"{n_features} features of a region"
    without = f"{len(feature_names(classes=TEXTURE, **IMAGES))} features, no shape"
    found = [
        _against(what, seconds, "engine", "pyradiomics", about),
        _against(without, seconds, "engine, no shape", "pyradiomics, no shape", about),
    ]
    for name in (name for name in counts if name in REGIONS_OF_PEER):
        note = f"{counts[name]} regions; its nine images ready-made, features of its own definition"
        found.append(_against("gray-level features", seconds, "engine, no shape", name, note))
    found += [missing("gray-level features", name) for name in absent]
    if compiling:
        cold, warm = compile_seconds()
        found.append(row("first call, compiling", "engine", [cold], note="once an installation"))
        found.append(row("first call, compiled before", "engine", [warm], note="once a process"))
    return found


def _against(what: str, seconds: dict, own: str, peer: str, note: str) -> dict:
    return row(
        what,
        "engine",
        seconds[own],
        peer=peer.partition(",")[0],
        peer_seconds=seconds[peer],
        note=note,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--regions", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    choice = parser.parse_args()
    rows = measure(n_regions=choice.regions, rounds=choice.rounds)
    save("radiomics", rows, PACKAGES)
    show("radiomics", rows)


if __name__ == "__main__":
    main()
