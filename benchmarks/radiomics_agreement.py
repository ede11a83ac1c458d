"""Largest differences between the compiled radiomics engine and pyradiomics, by class and by case.

    python benchmarks/radiomics_agreement.py [--simulated 24] [--ddti FOLDER] [--frames 9] [--shape]

Every feature of the original and the eight wavelet images is compared. A difference is relative, of
what exceeds 1e-12. The shape class is left out by default: pyradiomics searches all pairs of mesh
vertices, which takes seconds for a large nodule.
"""

import argparse
import logging
from collections import defaultdict
from itertools import islice

import numpy as np
import SimpleITK as sitk  # noqa: N813
from radiomics.featureextractor import RadiomicsFeatureExtractor

from lnm_kit.radiomics.engine import BinCount, feature_names, features
from lnm_kit.simulate.ddti_frames import read_frames
from lnm_kit.simulate.ddti_like import simulated_frame

TEXTURE = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
IMAGES = {"image_types": ("Original", "Wavelet"), "keep_residue": True}
TOLERANCE = 1e-6


def differences(pixels, mask, classes):
    """Class to the relative differences of its features."""
    extractor = RadiomicsFeatureExtractor(binCount=25, additionalInfo=False)
    extractor.disableAllFeatures()
    for name in classes:
        extractor.enableFeatureClassByName(name)
    extractor.enableImageTypeByName("Wavelet")
    volume = sitk.GetImageFromArray(pixels[None])
    expected = extractor.execute(volume, sitk.GetImageFromArray(mask[None].astype(np.uint8)))
    found = features(
        pixels, mask, spacing_mm=(1.0, 1.0), binning=BinCount(25), classes=classes, **IMAGES
    )
    by_class = defaultdict(list)
    for name, value in zip(feature_names(classes=classes, **IMAGES), found, strict=True):
        reference = float(expected[name])
        if not (np.isnan(value) and np.isnan(reference)):
            excess = max(abs(value - reference) - 1e-12, 0)
            by_class[name.split("_")[1]].append(excess / abs(reference) if excess else 0.0)
    return by_class


def hard_cases():
    """Regions and images that break assumptions, on a simulated frame."""
    pixels = simulated_frame(1).pixels[60:121, 60:130]
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    disc = np.hypot(rows - 30, columns - 35) < 24
    holes = np.random.default_rng(0).random(pixels.shape)
    yield pixels, disc
    yield pixels[:60, :69], disc[:60, :69]
    yield pixels, np.hypot(rows - 30, columns - 35) < 2.1
    yield pixels, np.hypot(rows, columns - 69) < 20
    yield pixels, disc & (holes < 0.4)
    yield pixels, disc & (np.abs(columns - 35) > 4)
    yield np.where(pixels > np.median(pixels), 200, 10).astype(np.uint8), disc
    yield np.where(disc, 77, pixels).astype(np.uint8), np.hypot(rows - 30, columns - 35) < 15
    for kind in (np.float32, np.float64):
        yield (pixels / 255 * 2 - 1).astype(kind), disc
    yield pixels.astype(np.uint16) * 257, disc


def cases(choice):
    if choice.ddti:
        for frame in islice(read_frames(choice.ddti), choice.frames):
            for mask in frame.masks:
                yield "DDTI", (frame.pixels, mask)
    for seed in range(choice.simulated):
        frame = simulated_frame(seed)
        yield "simulated", (frame.pixels, frame.masks[0])
    for case in hard_cases():
        yield "hard", case


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulated", type=int, default=24)
    parser.add_argument("--ddti")
    parser.add_argument("--frames", type=int, default=480)
    parser.add_argument("--shape", action="store_true")
    choice = parser.parse_args()
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    np.seterr(all="ignore")
    classes = (*TEXTURE, "shape") if choice.shape else TEXTURE
    largest, n_beyond, n_features = defaultdict(float), defaultdict(int), defaultdict(int)
    n_regions = defaultdict(int)
    for kind, (pixels, mask) in cases(choice):
        n_regions[kind] += 1
        for name, found in differences(pixels, mask, classes).items():
            largest[kind, name] = max(largest[kind, name], *found)
            n_beyond[kind, name] += sum(one > TOLERANCE for one in found)
            n_features[kind] += len(found)
    print(f"{'':>12}" + "".join(f"{name:>12}" for name in classes))
    for kind, n in n_regions.items():
        print(f"{kind:>12}" + "".join(f"{largest[kind, name]:12.1e}" for name in classes))
        beyond = sum(n_beyond[kind, name] for name in classes)
        print(
            f"{'':>12}  {n} regions, {n_features[kind]:,} features, {beyond} beyond {TOLERANCE:g}"
        )


if __name__ == "__main__":
    main()
