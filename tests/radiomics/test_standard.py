"""The engine and pyradiomics on the digital phantom that the tests bring along."""

import csv

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from tests.conftest import development_data
from tests.radiomics.standard import phantom, phantom_table, printed_values


@pytest.fixture(scope="module")
def table():
    return phantom_table().set_index(["group", "feature"])


def test_every_feature_but_the_kurtosis_is_the_printed_one(table):
    assert len(table) == 91
    for tool in ("engine", "pyradiomics"):
        gap = (table[tool] - table.printed).abs()
        beyond = table.index[gap > table.allowed]
        assert list(beyond) == [("firstorder", "Kurtosis")]
        # printed is the excess over that of a normal distribution
        excess = table[tool] - 3 - table.printed
        assert abs(excess["firstorder", "Kurtosis"]) <= table.allowed["firstorder", "Kurtosis"]


def test_the_tolerance_is_narrow(table):
    assert (table.allowed <= 0.0051 * table.printed.abs()).all()
    assert table.allowed["glcm", "Contrast"] == pytest.approx(0.005)  # printed 5.28
    assert table.allowed["ngtdm", "Coarseness"] < 0.001


def test_engine_and_pyradiomics_agree(table):
    np.testing.assert_allclose(table.engine, table.pyradiomics, rtol=1e-9)


def test_the_phantom_is_the_public_one():
    folder = development_data("ibsi")
    for kind, ours in zip(("image", "mask"), phantom(), strict=True):
        theirs = sitk.GetArrayFromImage(
            sitk.ReadImage(str(folder / f"digital_phantom_{kind}.nii.gz"))
        )
        assert np.array_equal(ours, theirs)
    with (folder / "ibsi_1_reference_values_digital_phantom.csv").open(
        encoding="utf-8-sig"
    ) as file:
        rows = {row["tag"]: row for row in csv.DictReader(file)}
    for tag, (value, allowed) in printed_values().items():
        assert value == float(rows[tag]["reference value"])
        assert allowed >= float(rows[tag]["tolerance"])
