"""Largest differences between the compiled radiomics engine and pyradiomics, by class and by case.

    python -m benchmarks.radiomics_agreement [--ddti FOLDER] [--frames 480]

A difference is relative, of what exceeds 1e-12. `ties` counts the pixels that lie exactly on an
edge between two bins of the unfiltered image: there one bit more or less changes the bin.
"""

import argparse
import itertools
import json
import logging
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import SimpleITK as sitk  # noqa: N813
from radiomics.featureextractor import RadiomicsFeatureExtractor

from benchmarks.results import save
from lnm_kit.radiomics.engine import BinCount, BinWidth, feature_names, features
from lnm_kit.simulate.ddti_frames import read_frames
from lnm_kit.simulate.ddti_like import simulated_frame

PACKAGES = ("lnm-kit", "numpy", "numba", "pyradiomics", "PyWavelets", "SimpleITK", "scikit-image")
TEXTURE = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
CLASSES = (*TEXTURE, "shape", "shape2D")
TWENTY_FIVE = BinCount(25)
TOLERANCE = 1e-6
SHAPE_BELOW_PX = 9000
"""pyradiomics searches all pairs of mesh vertices, which takes seconds for larger regions."""


@dataclass(frozen=True)
class Case:
    """A region and how its features are asked for; `flat` is a 2-D image instead of one slice."""

    kind: str
    pixels: np.ndarray
    mask: np.ndarray
    spacing_mm: tuple[float, float] = (1.0, 1.0)
    binning: BinCount | BinWidth = TWENTY_FIVE
    image_types: tuple[str, ...] = ("Original", "Wavelet")
    classes: tuple[str, ...] = (*TEXTURE, "shape")
    flat: bool = False
    sigmas_mm: tuple[float, ...] = ()


@dataclass
class Found:
    """What the comparisons of one kind of case gave."""

    regions: int = 0
    features: int = 0
    beyond: int = 0
    ties: int = 0
    largest: dict[str, float] = field(default_factory=lambda: defaultdict(float))


def by_pyradiomics(case: Case) -> dict[str, float]:
    given = (
        {"binCount": case.binning.count}
        if isinstance(case.binning, BinCount)
        else {"binWidth": case.binning.width}
    )
    extractor = RadiomicsFeatureExtractor(additionalInfo=False, **given)
    extractor.disableAllFeatures()
    extractor.disableAllImageTypes()
    for name in case.classes:
        extractor.enableFeatureClassByName(name)
    for name in case.image_types:
        arguments = {"sigma": list(case.sigmas_mm)} if name == "LoG" else {}
        name = name.removesuffix("2D") if name == "Wavelet2D" else name
        extractor.enableImageTypeByName(name, customArgs=arguments)
    row, column = case.spacing_mm
    volume = sitk.GetImageFromArray(case.pixels if case.flat else case.pixels[None])
    mask = case.mask.astype(np.uint8)
    region = sitk.GetImageFromArray(mask if case.flat else mask[None])
    for image in (volume, region):
        image.SetSpacing((column, row) if case.flat else (column, row, row))
    found = {name: float(value) for name, value in extractor.execute(volume, region).items()}
    if case.flat:  # a slice is as thick as a row is high; a 2-D image has no thickness
        found |= {name: found[name] * row for name in found if name.endswith("TotalEnergy")}
    return found


def differences(case: Case) -> dict[str, list[float]]:
    """Class to the relative differences of its features."""
    asked = {
        "image_types": case.image_types,
        "classes": case.classes,
        "sigmas_mm": case.sigmas_mm,
        "keep_residue": True,
    }
    expected = by_pyradiomics(case)
    values = features(
        case.pixels, case.mask, spacing_mm=case.spacing_mm, binning=case.binning, **asked
    )
    names = feature_names(**asked)
    if set(names) != set(expected):
        raise RuntimeError(f"{case.kind}: {set(names) ^ set(expected)} on one side only")
    by_class = defaultdict(list)
    for name, value in zip(names, values, strict=True):
        by_class[name.split("_")[1]].append(relative_difference(value, expected[name]))
    return by_class


def relative_difference(value: float, reference: float) -> float:
    """0 where both are NaN or within 1e-12, infinite where one of them is NaN."""
    if np.isnan(value) or np.isnan(reference):
        return 0.0 if np.isnan(value) and np.isnan(reference) else np.inf
    excess = abs(value - reference) - 1e-12
    if excess <= 0:
        return 0.0
    return excess / abs(reference) if reference else np.inf


def ties(case: Case) -> int:
    """Pixels of the region that lie exactly on an inner edge of the unfiltered image's bins."""
    values = case.pixels[case.mask].astype(float)
    if isinstance(case.binning, BinWidth):
        return int((values % case.binning.width == 0).sum())
    edges = np.histogram(values, case.binning.count)[1]
    return int(np.isin(values, edges[1:-1]).sum())


def compare(cases: Iterable[Case]) -> list[dict]:
    """One row a kind of case."""
    kinds: dict[str, Found] = {}
    for case in cases:
        found = kinds.setdefault(case.kind, Found())
        found.regions += 1
        found.ties += ties(case)
        for name, values in differences(case).items():
            found.features += len(values)
            found.beyond += int(np.sum(np.array(values) > TOLERANCE))
            found.largest[name] = max(found.largest[name], *values)
    return [
        {
            "kind": kind,
            "regions": found.regions,
            "features": found.features,
            "beyond": found.beyond,
            "ties": found.ties,
            **{name: float(f"{value:.2g}") for name, value in found.largest.items()},
        }
        for kind, found in kinds.items()
    ]


def hard_cases() -> Iterator[Case]:
    """Regions, images and settings that break assumptions, on a simulated frame."""
    pixels = simulated_frame(1).pixels[60:121, 60:130]
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    distance = np.hypot(rows - 30, columns - 35)
    disc = distance < 24
    holes = np.random.default_rng(0).random(pixels.shape)
    plain = Case("8-bit, odd by even", pixels, disc)
    yield plain
    even = (slice(60), slice(70))
    yield replace(plain, kind="even both ways", pixels=pixels[even], mask=disc[even])
    odd = (slice(61), slice(69))
    yield replace(plain, kind="odd both ways", pixels=pixels[odd], mask=disc[odd])
    regions = {
        "radius of 2 pixels": distance < 2.1,
        "at the border": np.hypot(rows, columns - 69) < 20,
        "porous": disc & (holes < 0.4),
        "several components": disc & (np.abs(columns - 35) > 4),
    }
    for kind, mask in regions.items():
        yield replace(plain, kind=kind, mask=mask)
    images = {
        "two gray levels": np.where(pixels > np.median(pixels), 200, 10).astype(np.uint8),
        "flat": np.where(disc, 77, pixels).astype(np.uint8),
        "16-bit": pixels.astype(np.uint16) * 257,
        "16-bit with sign": (pixels.astype(np.int16) - 128) * 90,
        "float32, not integer": (pixels / 255 * 2 - 1).astype(np.float32),
        "float64, not integer": pixels / 255 * 2 - 1,
    }
    for kind, image in images.items():
        yield replace(
            plain, kind=kind, pixels=image, mask=distance < 15 if kind == "flat" else disc
        )
    yield replace(plain, kind="spacing 0.15 x 0.2 mm", spacing_mm=(0.15, 0.2))
    for count in (8, 64, 256):
        yield replace(plain, kind="8, 64 and 256 bins", binning=BinCount(count))
    for width in (25.0, 4.0):  # with integers, pyradiomics overflows: see the page on radiomics
        yield replace(
            plain, kind="bins of a width", pixels=pixels.astype(float), binning=BinWidth(width)
        )
    others = ("Square", "SquareRoot", "Logarithm", "Exponential", "Gradient", "LBP2D")
    yield replace(plain, kind="other filters", image_types=others, spacing_mm=(0.2, 0.3))
    yield replace(
        plain,
        kind="true 2-D image",
        pixels=pixels.astype(float),
        image_types=("Original", "Wavelet2D", "LoG"),
        classes=("shape2D", *TEXTURE),
        spacing_mm=(0.5, 0.25),
        flat=True,
        sigmas_mm=(1.0, 2.5),
    )


def simulated_cases(n: int) -> Iterator[Case]:
    for seed in range(n):
        frame = simulated_frame(seed)
        yield Case("simulated nodules", frame.pixels, frame.masks[0])


def ddti_cases(folder: str, frames: int) -> Iterator[Case]:
    for frame in itertools.islice(read_frames(folder), frames):
        for mask in frame.masks:
            classes = (*TEXTURE, "shape") if mask.sum() < SHAPE_BELOW_PX else TEXTURE
            yield Case("DDTI, real frames", frame.pixels, mask, classes=classes)


def measure(cases: Iterable[Case]) -> list[dict]:
    """Rows of the table, with pyradiomics silent."""
    logger = logging.getLogger("radiomics")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return compare(cases)
    finally:
        logger.setLevel(before)


def measure_constructed(simulated: int = 24) -> list[dict]:
    return measure(itertools.chain(hard_cases(), simulated_cases(simulated)))


def measure_real(folder: str, frames: int = 480) -> list[dict]:
    return measure(ddti_cases(folder, frames))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulated", type=int, default=24)
    parser.add_argument("--ddti", help="folder of the public form of DDTI (XML and JPG)")
    parser.add_argument("--frames", type=int, default=480)
    choice = parser.parse_args()
    if choice.ddti:
        rows = measure_real(choice.ddti, choice.frames)
        save("agreement_real", rows, PACKAGES)
    else:
        rows = measure_constructed(choice.simulated)
        save("agreement", rows, PACKAGES)
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
