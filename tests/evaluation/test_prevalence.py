import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from lnm_kit.errors import InputError
from lnm_kit.evaluation.confusion import Confusion, confusion, confusion_metrics
from lnm_kit.evaluation.prevalence import (
    negative_predictive_value,
    positive_predictive_value,
    predictive_values,
)

counts = st.builds(
    Confusion,
    tp=st.integers(1, 60),
    fp=st.integers(0, 60),
    fn=st.integers(0, 60),
    tn=st.integers(1, 200),
)
inner = st.floats(0.05, 0.95)


@given(counts)
@settings(deadline=None)
def test_at_the_samples_own_prevalence_they_are_the_counted_shares(cells):
    tp, fp, fn, tn = cells.tp, cells.fp, cells.fn, cells.tn
    table = predictive_values(cells, (tp + fn) / (tp + fp + fn + tn))
    assert table["ppv"].item() == pytest.approx(tp / (tp + fp))
    assert table["npv"].item() == pytest.approx(tn / (tn + fn))


def test_at_the_samples_own_prevalence_they_are_those_of_the_confusion_metrics():
    rng = np.random.default_rng(0)
    label = np.arange(300) % 5 == 0
    score = rng.normal(1.2 * label)
    metrics = confusion_metrics(label, score, 0.6)
    table = predictive_values(confusion(label, score, 0.6), 0.2).iloc[0]
    assert table["ppv"] == pytest.approx(metrics["ppv"].value)
    assert table["npv"] == pytest.approx(metrics["npv"].value)


@given(inner, inner, inner)
@settings(deadline=None)
def test_values_are_those_of_a_population_counted(sensitivity, specificity, prevalence):
    tp, fn = prevalence * sensitivity, prevalence * (1 - sensitivity)
    tn, fp = (1 - prevalence) * specificity, (1 - prevalence) * (1 - specificity)
    rates = (sensitivity, specificity, prevalence)
    assert positive_predictive_value(*rates) == pytest.approx(tp / (tp + fp))
    assert negative_predictive_value(*rates) == pytest.approx(tn / (tn + fn))


@given(counts, st.lists(st.floats(0.001, 0.999), min_size=2, max_size=12, unique=True))
@settings(deadline=None)
def test_ppv_rises_and_npv_falls_with_prevalence_and_intervals_hold_them(cells, prevalence):
    table = predictive_values(cells, sorted(prevalence))
    for end in ("", "_lo", "_hi"):
        assert (np.diff(table[f"ppv{end}"]) >= -1e-12).all()
        assert (np.diff(table[f"npv{end}"]) <= 1e-12).all()
    for name in ("ppv", "npv"):
        assert (table[f"{name}_lo"] >= 0).all()
        assert (table[f"{name}_lo"] <= table[name]).all()
        assert (table[name] <= table[f"{name}_hi"]).all()
        assert (table[f"{name}_hi"] <= 1).all()
        assert (table[f"{name}_lo"] < table[f"{name}_hi"]).all()


@given(inner, inner, inner, inner)
@settings(deadline=None)
def test_better_rates_never_lower_a_predictive_value(sensitivity, specificity, share, better):
    for value in (positive_predictive_value, negative_predictive_value):
        base = value(sensitivity, specificity, share)
        assert value(max(sensitivity, better), specificity, share) >= base - 1e-12
        assert value(sensitivity, max(specificity, better), share) >= base - 1e-12


@given(counts)
@settings(deadline=None)
def test_swapping_the_classes_swaps_the_values(cells):
    swapped = Confusion(tp=cells.tn, fp=cells.fn, fn=cells.fp, tn=cells.tp)
    here, there = predictive_values(cells, 0.3).iloc[0], predictive_values(swapped, 0.7).iloc[0]
    assert here["ppv"] == pytest.approx(there["npv"])
    assert here["npv"] == pytest.approx(there["ppv"])


def test_a_useless_test_has_the_prevalence_as_its_ppv():
    share = np.linspace(0.05, 0.95, 19)
    assert positive_predictive_value(0.4, 0.6, share) == pytest.approx(share)
    assert negative_predictive_value(0.4, 0.6, share) == pytest.approx(1 - share)


@pytest.mark.parametrize("prevalence", [0.02, 0.1, 0.5])
def test_intervals_of_large_samples_are_those_of_the_delta_method_on_the_logit(prevalence):
    # Mercaldo, Lau and Zhou, Stat Med 2007;26:2170-2183.
    cells = Confusion(tp=400, fp=300, fn=100, tn=1700)
    table = predictive_values(cells, prevalence).iloc[0]
    se, sp = 0.8, 0.85
    for name, value, variance in (
        ("ppv", positive_predictive_value(se, sp, prevalence), 0.2 / 0.8 / 500 + sp / 0.15 / 2000),
        ("npv", negative_predictive_value(se, sp, prevalence), 0.8 / 0.2 / 500 + 0.15 / sp / 2000),
    ):
        half = 1.959964 * math.sqrt(variance)
        expected = expit(logit(value) + np.array([-half, half]))
        assert [table[f"{name}_lo"], table[f"{name}_hi"]] == pytest.approx(expected, rel=0.01)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    truth = {name: value(0.8, 0.9, 0.1) for name, value in VALUES.items()}
    covered = dict.fromkeys(truth, 0)
    for _ in range(500):
        tp, fp = int(rng.binomial(40, 0.8)), int(rng.binomial(150, 0.1))
        row = predictive_values(Confusion(tp, fp, 40 - tp, 150 - fp), 0.1).iloc[0]
        for name, value in truth.items():
            covered[name] += row[f"{name}_lo"] <= value <= row[f"{name}_hi"]
    assert all(0.92 <= count / 500 <= 0.98 for count in covered.values())


VALUES = {"ppv": positive_predictive_value, "npv": negative_predictive_value}


def test_a_perfect_sample_has_values_1_and_intervals_below():
    row = predictive_values(Confusion(tp=17, fp=0, fn=0, tn=103), 0.05).iloc[0]
    for name in ("ppv", "npv"):
        assert row[name] == row[f"{name}_hi"] == 1
    assert 0.3 < row["ppv_lo"] < 0.95
    assert 0.98 < row["npv_lo"] < 1


def test_the_seed_decides_the_intervals_only():
    cells = Confusion(tp=30, fp=10, fn=5, tn=75)
    first, again, other = (predictive_values(cells, [0.1, 0.2], seed=s) for s in (0, 0, 1))
    assert first.equals(again)
    assert first[["ppv", "npv"]].equals(other[["ppv", "npv"]])
    assert not first["ppv_lo"].equals(other["ppv_lo"])
    assert other["ppv_lo"].to_numpy() == pytest.approx(first["ppv_lo"].to_numpy(), rel=0.02)


@pytest.mark.parametrize("prevalence", [0, 1, 12, -0.1, float("nan"), [], [[0.1]], [0.1, 5]])
def test_a_prevalence_lies_between_0_and_1(prevalence):
    with pytest.raises(InputError, match="prevalence"):
        predictive_values(Confusion(1, 1, 1, 1), prevalence)
    with pytest.raises(InputError, match="prevalence"):
        positive_predictive_value(0.9, 0.9, prevalence)


@pytest.mark.parametrize("value", VALUES.values())
def test_rates_lie_in_0_to_1(value):
    with pytest.raises(InputError, match="sensitivity is 90; allowed: 0 to 1"):
        value(90, 0.8, 0.1)
    with pytest.raises(InputError, match="specificity is nan"):
        value(0.9, float("nan"), 0.1)


def test_a_value_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="ever called positive"):
        positive_predictive_value(0, 1, 0.1)
    with pytest.raises(InputError, match="ever called negative"):
        negative_predictive_value(1, 0, 0.1)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (Confusion(0, 0, 5, 5), "no case called positive"),
        (Confusion(5, 5, 0, 0), "no case called negative"),
        (Confusion(0, 5, 0, 5), "no positive case"),
        (Confusion(5, 0, 5, 0), "no negative case"),
        (Confusion(5, -1, 5, 3), "a count is negative"),
        (Confusion(0, 0, 0, 5), "no positive case; there is no case called positive"),
    ],
)
def test_bad_counts_are_named(cells, message):
    with pytest.raises(InputError, match=message):
        predictive_values(cells, 0.1)
