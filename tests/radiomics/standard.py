"""The engine and pyradiomics on the digital phantom of the standard, beside its printed values."""

import logging
import math
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk  # noqa: N813
from radiomics.featureextractor import RadiomicsFeatureExtractor

from lnm_kit.radiomics.engine import BinWidth, feature_names, features
from lnm_kit.radiomics.engine.firstorder import NAMES, firstorder_features
from lnm_kit.radiomics.engine.ibsi import IBSI

FILE = Path(__file__).with_name("ibsi_phantom.toml")
TEXTURE = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")
SPACING_MM = 2.0


def phantom() -> tuple[np.ndarray, np.ndarray]:
    """Gray levels (4, 4, 5) float and mask (4, 4, 5) bool."""
    read = tomllib.loads(FILE.read_text("utf-8"))
    return np.array(read["image"], dtype=float), np.array(read["mask"]) > 0


def printed_values() -> dict[str, tuple[float, float]]:
    """By tag the reference value, and how far off it a value may be.

    Three digits are printed, and a tolerance that is 0 where all institutes agreed: so it is the
    tolerance and half a unit of the third digit.
    """
    read = tomllib.loads(FILE.read_text("utf-8"))["values"]
    found = {}
    for tag, (value, tolerance) in read.items():
        number = float(value)
        unit = 10.0 ** (math.floor(math.log10(abs(number))) - 2) if number else 0.001
        found[tag] = (number, float(tolerance) + 0.5 * unit)
    return found


def tag_of(group: str, feature: str) -> str:
    """Tag of the table of reference values; textures of slices."""
    suffix = {"firstorder": "", "glcm": "_2D_avg", "glrlm": "_2D_avg"}
    return IBSI[group][feature][1] + suffix.get(group, "_2D")


def by_engine() -> dict[tuple[str, str], float]:
    """Statistics of the whole phantom; textures as the mean over its slices."""
    image, mask = phantom()
    counts = np.unique(image[mask], return_counts=True)[1]
    volume = SPACING_MM**3
    statistics = firstorder_features(image[mask][None], counts[None], volume)[0]
    found = dict(zip([("firstorder", name) for name in NAMES], statistics.tolist(), strict=True))
    asked = {"image_types": ("Original",), "classes": TEXTURE}
    spacing = (SPACING_MM, SPACING_MM)
    textures = np.mean(
        [
            features(pixels, inside, spacing_mm=spacing, binning=BinWidth(1), **asked)
            for pixels, inside in zip(image, mask, strict=True)
        ],
        axis=0,
    )
    for name, value in zip(feature_names(**asked), textures.tolist(), strict=True):
        found[tuple(name.split("_")[1:])] = value
    return found


def by_pyradiomics() -> dict[tuple[str, str], float]:
    """The same by pyradiomics."""
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    # without background it takes a mask for an empty one
    image, mask = (np.pad(each, ((0, 0), (1, 1), (1, 1))) for each in phantom())
    found = _executed(image, mask, ("firstorder",))
    slices = [
        _executed(pixels[None], inside[None], TEXTURE)
        for pixels, inside in zip(image, mask, strict=True)
    ]
    return found | {name: float(np.mean([each[name] for each in slices])) for name in slices[0]}


def _executed(
    image: np.ndarray, mask: np.ndarray, classes: tuple[str, ...]
) -> dict[tuple[str, str], float]:
    extractor = RadiomicsFeatureExtractor(binWidth=1, additionalInfo=False)
    extractor.disableAllFeatures()
    for name in classes:
        extractor.enableFeatureClassByName(name)
    volume, region = (sitk.GetImageFromArray(each) for each in (image, mask.astype(np.uint8)))
    for each in (volume, region):
        each.SetSpacing((SPACING_MM,) * 3)
    result = extractor.execute(volume, region)
    return {tuple(name.split("_")[1:]): float(value) for name, value in result.items()}


def phantom_table() -> pd.DataFrame:
    """One row a feature: identifier, printed value, what is allowed, engine, pyradiomics."""
    printed, engine, other = printed_values(), by_engine(), by_pyradiomics()
    rows = []
    for group, names in IBSI.items():
        for feature, (identifier, _) in names.items() if group != "shape" else ():
            value, allowed = printed[tag_of(group, feature)]
            key = (group, feature)
            rows.append((group, feature, identifier, value, allowed, engine[key], other[key]))
    columns = ["group", "feature", "identifier", "printed", "allowed", "engine", "pyradiomics"]
    return pd.DataFrame(rows, columns=columns)
