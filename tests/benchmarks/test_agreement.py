"""The comparison with pyradiomics sees a difference where there is one."""

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import radiomics_agreement
from benchmarks.radiomics_agreement import (
    Case,
    compare,
    differences,
    hard_cases,
    relative_difference,
    ties,
)
from lnm_kit.radiomics.engine import BinCount, BinWidth

ROWS, COLUMNS = np.mgrid[:30, :31]
GRAY = np.random.default_rng(0).integers(0, 99, ROWS.shape).astype(np.uint8)
CASE = Case(
    "plain",
    GRAY,
    np.hypot(ROWS - 15, COLUMNS - 15) < 9,
    image_types=("Original",),
    classes=("firstorder", "ngtdm"),
)


def test_a_difference_is_relative_and_of_what_exceeds_1e_12():
    assert relative_difference(2.0, 2.0 + 1e-13) == 0
    assert relative_difference(2.002, 2.0) == pytest.approx(1e-3)
    assert relative_difference(math.nan, math.nan) == 0
    assert relative_difference(math.nan, 1.0) == math.inf
    assert relative_difference(1e-9, 0.0) == math.inf


@pytest.mark.filterwarnings("ignore")
def test_equal_features_agree_and_a_wrong_one_is_counted(monkeypatch):
    found = differences(CASE)
    assert {name: len(values) for name, values in found.items()} == {"firstorder": 18, "ngtdm": 5}
    assert max(max(values) for values in found.values()) < 1e-9
    right = radiomics_agreement.by_pyradiomics

    def wrong(case):
        values = right(case)
        return values | {"original_ngtdm_Strength": 1.01 * values["original_ngtdm_Strength"]}

    monkeypatch.setattr(radiomics_agreement, "by_pyradiomics", wrong)
    (row,) = compare([CASE])
    assert (row["regions"], row["features"], row["beyond"]) == (1, 23, 1)
    assert row["ngtdm"] == pytest.approx(0.0099, abs=1e-4)


def test_ties_are_pixels_on_an_inner_edge():
    pixels = np.array([[0, 1, 2], [3, 4, 5]])
    case = replace(CASE, pixels=pixels, mask=np.ones((2, 3), bool))
    assert ties(case) == 4  # 25 bins of 0.2: all but the two ends
    assert ties(replace(case, binning=BinCount(3))) == 0  # edges at 1.67 and 3.33
    assert ties(replace(case, binning=BinWidth(2.0))) == 3


def test_the_hard_cases_cover_what_breaks_assumptions():
    cases = list(hard_cases())
    kinds = {case.pixels.dtype.name for case in cases}
    assert kinds == {"uint8", "uint16", "int16", "float32", "float64"}
    types = {name for case in cases for name in case.image_types}
    assert types == {
        *("Original", "Wavelet", "Wavelet2D", "LoG", "Square", "SquareRoot"),
        *("Logarithm", "Exponential", "Gradient", "LBP2D"),
    }
    assert {name for case in cases for name in case.classes} == set(radiomics_agreement.CLASSES)
    assert {type(case.binning).__name__ for case in cases} == {"BinCount", "BinWidth"}
    assert any(case.mask[0].any() for case in cases)
    assert any(case.spacing_mm != (1.0, 1.0) for case in cases)
