"""Every statistic lies within the tolerance of its independent reference."""

import numpy as np
import pytest

from tests.evaluation.references import PROPERTIES, REFERENCES
from tests.evaluation.references.row import (
    Property,
    Row,
    measure,
    property_table,
    reference_table,
)


@pytest.mark.parametrize("row", REFERENCES, ids=lambda row: f"{row.function} | {row.reference}")
def test_it_agrees_with_its_reference(row):
    found = measure(row)
    assert found.count > 0
    assert found.largest <= row.tolerance


@pytest.mark.parametrize("claim", PROPERTIES, ids=lambda claim: claim.claim)
def test_the_share_found_lies_inside_binomial_bounds(claim):
    low, high = claim.allowed()
    assert low <= claim.count(claim.draws) / claim.draws <= high


def test_a_wrong_value_shows_in_the_table():
    right = Row(
        "right", "itself", 0.1, lambda: iter([([1.0, np.inf, np.nan], [1.0, np.inf, np.nan])])
    )
    wrong = Row("wrong", "the other", 0.1, lambda: iter([(1.0, 1.0), (2.0, 2.5), ([0, 1], [0, 1])]))
    missing = Row("missing", "a number", 0.1, lambda: iter([(np.nan, 0.0)]))
    assert (measure(right).count, measure(right).largest) == (3, 0)
    assert (measure(wrong).count, measure(wrong).largest) == (4, 0.5)
    assert measure(missing).largest == np.inf
    lines = reference_table((right, wrong)).splitlines()
    assert len(lines) == 4
    assert lines[3] == "| wrong | the other | 4 | 5.0e-01 | 1.0e-01 |"


def test_the_bounds_are_those_of_the_binomial_distribution():
    claim = Property("half", 0.5, 100, lambda draws: draws // 2)
    assert claim.allowed() == pytest.approx((0.34, 0.66))
    assert property_table((claim,)).splitlines()[-1].startswith("| half | 0.5 | 100 | 0.5000 |")
