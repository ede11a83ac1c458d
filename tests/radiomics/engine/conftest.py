"""pyradiomics as the reference, and the engine compared with it."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from radiomics.featureextractor import RadiomicsFeatureExtractor

from lnm_kit.radiomics.engine import BinCount, feature_names, features

CLASSES = ("firstorder", "shape", "glcm", "glrlm", "glszm", "gldm", "ngtdm")


def extract(volume, region, *, setting, image_types, classes):
    """Features by pyradiomics, which says nothing meanwhile."""
    logger = logging.getLogger("radiomics")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        extractor = RadiomicsFeatureExtractor(additionalInfo=False, **setting)
        extractor.disableAllFeatures()
        for name in classes:
            extractor.enableFeatureClassByName(name)
        extractor.disableAllImageTypes()
        for name, arguments in image_types.items():
            extractor.enableImageTypeByName(name, customArgs=arguments)
        with np.errstate(all="ignore"):
            found = extractor.execute(volume, region)
    finally:
        logger.setLevel(before)
    return {name: float(value) for name, value in found.items()}


@pytest.fixture(scope="session")
def pyradiomics() -> Callable[..., dict[str, float]]:
    """Features of a slice by pyradiomics: a volume of one slice, or (`flat`) a 2-D image."""

    def compute(
        pixels, mask, *, setting, image_types, spacing_mm=(1.0, 1.0), classes=CLASSES, flat=False
    ):
        row, column = spacing_mm
        volume = sitk.GetImageFromArray(pixels if flat else pixels[None])
        region = sitk.GetImageFromArray((mask if flat else mask[None]).astype(np.uint8))
        for image in (volume, region):
            image.SetSpacing((column, row) if flat else (column, row, row))
        return extract(volume, region, setting=setting, image_types=image_types, classes=classes)

    return compute


@pytest.fixture(scope="session")
def disagreement(pyradiomics) -> Callable[..., dict[str, tuple[float, float]]]:
    """Features on which the engine and pyradiomics differ, with both values.

    Equal means within 1e-6 of the value, plus 1e-12, or both NaN.
    """

    def compute(
        pixels,
        mask,
        *,
        setting=None,
        binning=None,
        image_types=("Original", "Wavelet"),
        spacing_mm=(1.0, 1.0),
    ):
        setting, binning = setting or {"binCount": 25}, binning or BinCount(25)
        expected = pyradiomics(
            pixels,
            mask,
            setting=setting,
            image_types={name: {} for name in image_types},
            spacing_mm=spacing_mm,
        )
        asked = {"image_types": image_types, "classes": CLASSES, "keep_residue": True}
        found = features(pixels, mask, spacing_mm=spacing_mm, binning=binning, **asked)
        named = dict(zip(feature_names(**asked), found.tolist(), strict=True))
        assert set(named) == set(expected)
        return {
            name: (value, expected[name])
            for name, value in named.items()
            if not np.isclose(value, expected[name], rtol=1e-6, atol=1e-12, equal_nan=True)
        }

    return compute


@pytest.fixture(scope="session")
def ibsi_source(repository) -> Path:
    """Digital phantom and reference values, beside the checkout or under LNM_DATA."""
    folder = Path(os.environ.get("LNM_DATA", repository.parent / "shared" / "data")) / "ibsi"
    if not folder.is_dir():
        pytest.skip("needs the public digital phantom, which is not part of the project")
    return folder
