"""The published digital phantom, slice by slice, and the table of identifiers."""

import csv

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from lnm_kit.radiomics.engine import BinWidth, feature_names, features
from lnm_kit.radiomics.engine.firstorder import NAMES, firstorder_features
from lnm_kit.radiomics.engine.ibsi import IBSI
from lnm_kit.radiomics.engine.names import NAMES_OF_CLASS

TEXTURE = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")
NOT_IN_THE_STANDARD = {
    ("firstorder", "TotalEnergy"),
    ("glcm", "MCC"),
    *(("shape", f"Maximum2DDiameter{along}") for along in ("Column", "Row", "Slice")),
}


def test_every_feature_but_the_named_ones_has_an_identifier():
    named = {(group, name) for group, names in IBSI.items() for name in names}
    ours = {(g, name) for g, names in NAMES_OF_CLASS.items() if g != "shape2D" for name in names}
    assert ours - named == NOT_IN_THE_STANDARD
    assert named <= ours
    identifiers = [one for names in IBSI.values() for one, _ in names.values()]
    assert len(set(identifiers)) == len(identifiers)
    assert all(len(one) == 4 and one == one.upper() for one in identifiers)


@pytest.fixture
def phantom(ibsi_source):
    """Image and mask, (4, 4, 5), and the reference values by tag."""
    image, mask = (
        sitk.GetArrayFromImage(sitk.ReadImage(str(ibsi_source / f"digital_phantom_{kind}.nii.gz")))
        for kind in ("image", "mask")
    )
    table = ibsi_source / "ibsi_1_reference_values_digital_phantom.csv"
    with table.open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    values = {row["tag"]: row["reference value"] for row in rows}
    return image.astype(float), mask > 0, values


def assert_printed(value, printed, name):
    """The tables print three digits and no tolerance where all institutes agree."""
    assert value == pytest.approx(float(printed), rel=5e-3), name


def test_textures_of_the_phantom_are_the_reference_values(phantom):
    """Mean over slices and directions: the standard's "2D, averaged"."""
    image, mask, reference = phantom
    asked = {"image_types": ("Original",), "classes": TEXTURE}
    found = np.mean(
        [
            features(pixels, inside, spacing_mm=(2, 2), binning=BinWidth(1), **asked)
            for pixels, inside in zip(image, mask, strict=True)
        ],
        axis=0,
    )
    compared = 0
    for name, value in zip(feature_names(**asked), found, strict=True):
        _, group, feature = name.split("_")
        if feature in IBSI[group]:
            tag = IBSI[group][feature][1] + ("_2D_avg" if group in ("glcm", "glrlm") else "_2D")
            assert_printed(value, reference[tag], name)
            compared += 1
    assert compared == 74


def test_statistics_of_the_phantom_are_the_reference_values(phantom):
    image, mask, reference = phantom
    values = image[mask]
    counts = np.unique(values, return_counts=True)[1]
    found = dict(zip(NAMES, firstorder_features(values[None], counts[None], 8.0)[0], strict=True))
    for name, (_, tag) in IBSI["firstorder"].items():
        excess = 3 if name == "Kurtosis" else 0  # the standard's kurtosis is the excess
        assert_printed(found[name] - excess, reference[tag], name)
