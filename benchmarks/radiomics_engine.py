"""Milliseconds per region of the compiled radiomics engine, as ratios to its peers in one run.

    python benchmarks/radiomics_engine.py [--regions 64] [--rounds 3]

The job is pyradiomics' 851 features (original and eight wavelet images, seven classes) of simulated
nodules in frames of 224 x 224 pixels. Every tool runs on one thread and is timed by its processor
time; rounds alternate, so that other load on the machine falls on all. nyxus and fastrad take part
when they can be imported: they get the nine images ready-made and compute the six gray-level
classes of their own, so no filter is in their time; both have no bins by count, so they get ready-
made gray levels or the width that makes 25.
"""

import argparse
import importlib.util
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numba
import numpy as np
import SimpleITK as sitk  # noqa: N813
from radiomics.featureextractor import RadiomicsFeatureExtractor

from lnm_kit.radiomics.engine import BinCount, feature_names, features
from lnm_kit.radiomics.engine.filters import Slice, filtered_values
from lnm_kit.simulate.ddti_like import simulated_frame

SIZE_PX = 224
BINS = 25
TEXTURE = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
IMAGES = {"image_types": ("Original", "Wavelet"), "keep_residue": True}
SETTINGS = {"binning": BinCount(BINS), **IMAGES}
FIRST_CALL = """
import time
import numpy as np
from lnm_kit.radiomics.engine import BinCount, features
pixels = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
mask = np.hypot(*(np.mgrid[:64, :64] - 32)) < 20
start = time.perf_counter()
features(pixels, mask, spacing_mm=(1, 1), binning=BinCount(25), image_types=("Original", "Wavelet"))
print(time.perf_counter() - start)
"""
STREAM = """
import sys, time
import numpy as np, psutil
from lnm_kit.radiomics.engine import BinCount, features_of_many
from lnm_kit.regions.images import MaskedImage

def read(seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (224, 224)).astype(np.uint8)
    return MaskedImage(pixels, np.hypot(*(np.mgrid[:224, :224] - 112)) < 40, None)

process = psutil.Process()
before, peak, start = process.memory_info().rss, 0, time.perf_counter()
found = features_of_many(range(int(sys.argv[1])), read, n_jobs=-1, binning=BinCount(25),
                         image_types=("Original", "Wavelet"), keep_residue=True)
for one in found:
    peak = max(peak, process.memory_info().rss)
print(time.perf_counter() - start, before / 2**20, peak / 2**20)
"""


def regions(n):
    """Windows around simulated nodules of 2,000 to 9,000 pixels."""
    found, seed = [], 0
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


def engine(pixels, mask, *, shape):
    classes = (*TEXTURE, "shape") if shape else TEXTURE
    return features(pixels, mask, spacing_mm=(1.0, 1.0), classes=classes, **SETTINGS)


def pyradiomics(pixels, mask, *, shape):
    extractor = RadiomicsFeatureExtractor(binCount=BINS, additionalInfo=False)
    extractor.disableAllFeatures()
    for name in (*TEXTURE, "shape") if shape else TEXTURE:
        extractor.enableFeatureClassByName(name)
    extractor.enableImageTypeByName("Wavelet")
    volume, region = sitk.GetImageFromArray(pixels[None]), mask[None].astype(np.uint8)
    return extractor.execute(volume, sitk.GetImageFromArray(region))


def nine_images(pixels):
    """The original and the eight wavelet images, whole, for the peers without filters."""
    box = (slice(0, pixels.shape[0]), slice(0, pixels.shape[1]))
    inside = np.arange(pixels.size)
    image = Slice(pixels.astype(np.float64), box, inside, (1.0, 1.0, 1.0))
    values, _ = filtered_values(image, IMAGES["image_types"], (), keep_residue=True)
    return values.reshape(-1, *pixels.shape)


def fastrad():
    import torch
    from fastrad import FeatureExtractor, FeatureSettings, Mask, MedicalImage

    torch.set_num_threads(1)

    def compute(images, mask):
        region = Mask(torch.from_numpy(mask[None].astype(np.float32)))
        for image in images:
            width = float(np.ptp(image[mask])) / BINS
            scaled = torch.from_numpy((image[None] / width).astype(np.float32))
            settings = FeatureSettings(list(TEXTURE), bin_width=1.0, device="cpu")
            FeatureExtractor(settings).extract(MedicalImage(scaled), region)

    return compute


def nyxus():
    from nyxus import Nyxus

    groups = [f"*ALL_{name}*" for name in ("INTENSITY", "GLCM", "GLRLM", "GLSZM", "GLDM", "NGTDM")]
    extractor = Nyxus(groups, coarse_gray_depth=BINS, n_feature_calc_threads=1)

    def compute(images, mask):
        low = images[:, mask].min(axis=1)[:, None, None]
        scale = 4095 / np.ptp(images[:, mask], axis=1)[:, None, None]
        levels = np.clip((images - low) * scale, 0, 4095).astype(np.uint32)
        labels = np.repeat(mask[None].astype(np.uint32), len(levels), axis=0)
        extractor.featurize(levels, labels)

    return compute


def peers():
    tools = {"nyxus": nyxus, "fastrad": fastrad}
    return {name: build() for name, build in tools.items() if importlib.util.find_spec(name)}


def milliseconds(call, items):
    start = time.process_time()
    for item in items:
        call(*item)
    return 1e3 * (time.process_time() - start) / len(items)


def compile_seconds():
    """First call of a fresh process: with an empty cache of compiled code, and with a full one."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        for _ in range(2):
            command = [sys.executable, "-c", FIRST_CALL]
            done = subprocess.run(command, env=environment, capture_output=True, check=True)
            times.append(float(done.stdout.split()[-1]))
    return times


def stream(n_images):
    """Seconds, and memory before and at its peak, for many images on all cores."""
    command = [sys.executable, "-c", STREAM, str(n_images)]
    done = subprocess.run(command, capture_output=True, check=True)
    return [float(word) for word in done.stdout.split()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--regions", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, nargs="+", default=[100, 1600, 6400])
    choice = parser.parse_args()

    os.environ["OMP_NUM_THREADS"] = "1"
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    np.seterr(all="ignore")
    items = regions(choice.regions)
    sizes = [int(mask.sum()) for _, mask in items]
    ready = [(nine_images(pixels), mask) for pixels, mask in items[:8]]
    calls = {
        "engine": (lambda *item: engine(*item, shape=True), items),
        "engine, no shape": (lambda *item: engine(*item, shape=False), items),
        "pyradiomics": (lambda *item: pyradiomics(*item, shape=True), items),
        "pyradiomics, no shape": (lambda *item: pyradiomics(*item, shape=False), items),
        **{name: (call, ready) for name, call in peers().items()},
    }
    for call, given in calls.values():
        call(*given[0])  # warm up: compile, load libraries
    taken = {name: [] for name in calls}
    for _ in range(choice.rounds):
        for name, (call, given) in calls.items():
            taken[name].append(milliseconds(call, given))

    n_features = len(feature_names(classes=(*TEXTURE, "shape"), **IMAGES))
    print(
        f"{len(items)} regions of {min(sizes)}-{max(sizes)} px (median "
        f"{statistics.median(sizes):.0f}), {n_features} features, one thread, medians of "
        f"{choice.rounds} rounds; numba {numba.__version__}, numpy {np.__version__}"
    )
    for name, times in taken.items():
        own = "engine, no shape" if name not in ("engine", "pyradiomics") else "engine"
        ratios = [other / ours for other, ours in zip(times, taken[own], strict=True)]
        print(
            f"{name:>22}: {statistics.median(times):7.2f} ms a region, "
            f"{statistics.median(ratios):6.1f} x the engine "
            f"({min(ratios):.1f} to {max(ratios):.1f})"
        )
    cold, warm = compile_seconds()
    print(f"first call: {cold:.1f} s to compile, {warm:.2f} s with the compiled code on disk")
    for n_images in choice.images:
        seconds, before, peak = stream(n_images)
        print(
            f"{n_images} images of 224 x 224 on {os.cpu_count()} cores: {seconds:.1f} s, memory "
            f"{before:.0f} MB after the imports, {peak:.0f} MB at most"
        )


if __name__ == "__main__":
    main()
