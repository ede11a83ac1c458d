import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from statsmodels.stats.proportion import proportion_confint

from lnm_kit.errors import InputError
from lnm_kit.evaluation.confusion import METRICS, confusion, confusion_metrics

decisions = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=4, max_size=60).filter(
    lambda rows: 0 < sum(label for label, _ in rows) < len(rows)
)


def split(rows) -> tuple[np.ndarray, np.ndarray]:
    label, called = np.array(rows).T
    return label.astype(int), called.astype(float)


@given(decisions)
@settings(max_examples=40)
def test_values_are_those_of_scikit_learn(rows):
    label, called = split(rows)
    found = confusion_metrics(label, called, 0.5)
    assert tuple(found) == METRICS
    expected = {
        "accuracy": reference.accuracy_score(label, called),
        "sensitivity": reference.recall_score(label, called),
        "specificity": reference.recall_score(label, called, pos_label=0),
        "f1": reference.f1_score(label, called, zero_division=0),
        "kappa": reference.cohen_kappa_score(label, called),
    }
    if called.any():
        expected["ppv"] = reference.precision_score(label, called)
    if not called.all():
        expected["npv"] = reference.precision_score(label, called, pos_label=0)
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, abs=1e-12), name


@given(decisions)
@settings(max_examples=40)
def test_every_interval_holds_its_value_and_stays_in_range(rows):
    for name, estimate in confusion_metrics(*split(rows), 0.5).items():
        if estimate.defined:
            assert estimate.lo - 1e-9 <= estimate.value <= estimate.hi + 1e-9, name
            assert (-1 if name == "kappa" else 0) <= estimate.lo
            assert estimate.hi <= 1 + 1e-12


@given(decisions)
@settings(max_examples=40)
def test_counts_add_up_and_swapping_the_classes_swaps_the_metrics(rows):
    label, called = split(rows)
    counts = confusion(label, called, 0.5)
    assert counts.tp + counts.fp + counts.fn + counts.tn == len(label)
    found = confusion_metrics(label, called, 0.5)
    mirrored = confusion_metrics(1 - label, 1 - called, 0.5)
    assert found["sensitivity"].value == mirrored["specificity"].value
    assert found["kappa"].value == pytest.approx(mirrored["kappa"].value)
    assert found["ppv"].defined == mirrored["npv"].defined


def test_wilson_interval_of_a_printed_example():
    # Newcombe, Stat Med 1998;17:857-872, table I, method 3: 81 of 263 and 15 of 148.
    label = np.ones(263 + 1, int)
    label[-1] = 0
    called = np.concatenate([np.ones(81), np.zeros(182), [0]])
    found = confusion_metrics(label, called, 0.5)["sensitivity"]
    assert (found.lo, found.hi) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    label = np.concatenate([np.ones(148, int), [0]])
    called = np.concatenate([np.ones(15), np.zeros(134)])
    found = confusion_metrics(label, called, 0.5)["sensitivity"]
    assert (found.lo, found.hi) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert (found.lo, found.hi) == pytest.approx(proportion_confint(15, 148, method="wilson"))


def test_multinomial_bootstrap_equals_resampling_the_cases():
    rng = np.random.default_rng(0)
    label = np.arange(120) % 3 == 0
    score = label + rng.normal(0, 0.8, 120)
    found = confusion_metrics(label, score, 0.5, seed=1)
    drawn = []
    called = score >= 0.5
    for _ in range(2000):
        rows = rng.integers(0, 120, 120)
        y, x = label[rows], called[rows]
        chance = y.mean() * x.mean() + (1 - y.mean()) * (1 - x.mean())
        drawn.append(((y == x).mean() - chance) / (1 - chance))
    lo, hi = np.quantile(drawn, [0.025, 0.975])
    assert (found["kappa"].lo, found["kappa"].hi) == pytest.approx((lo, hi), abs=0.025)


def test_a_score_at_the_threshold_is_called_positive():
    assert confusion([0, 1], [0.4, 0.5], 0.5).tp == 1


def test_the_seed_decides_the_bootstrap_and_nothing_else():
    label, score = [0, 1] * 10, np.linspace(0, 1, 20)
    first, again, other = (confusion_metrics(label, score, 0.5, seed=s) for s in (0, 0, 1))
    assert first == again
    assert first["accuracy"] == other["accuracy"]
    assert first["f1"].value == other["f1"].value


def test_ppv_without_a_positive_call_is_undefined_and_says_so():
    found = confusion_metrics([0, 1], [0.1, 0.2], 0.9)["ppv"]
    assert math.isnan(found.value)
    assert found.method == "undefined: no case was called positive"


@pytest.mark.parametrize("threshold", [float("nan"), float("inf")])
def test_a_threshold_must_be_finite(threshold):
    with pytest.raises(InputError, match="threshold"):
        confusion([0, 1], [0, 1], threshold)


def test_labels_are_checked():
    with pytest.raises(InputError, match="both classes"):
        confusion_metrics([1, 1], [0, 1], 0.5)


def test_a_bootstrap_without_spread_says_that_it_measures_no_certainty():
    found = confusion_metrics([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], 0.5)
    assert (found["f1"].lo, found["f1"].hi) == (1, 1)
    assert "no measure of certainty" in found["f1"].method
    assert (
        "no measure" not in confusion_metrics([0, 0, 1, 1], [0.1, 0.6, 0.8, 0.9], 0.5)["f1"].method
    )


def test_wilson_intervals_hold_their_value_also_at_0_and_1():
    for total in range(1, 60):
        for positive in {0, total // 2, total}:
            label = [1] * total + [0]
            score = [1.0] * positive + [0.0] * (total - positive) + [0.0]
            found = confusion_metrics(label, score, 0.5)["sensitivity"]
            assert 0 <= found.lo <= found.value <= found.hi <= 1
