import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.api import Logit, add_constant

from lnm_kit.errors import InputError
from lnm_kit.evaluation.decision_curve import decision_curve
from tests.conftest import development_data

THRESHOLDS = np.arange(0, 1, 0.05)


def cases(n=80, seed=0):
    rng = np.random.default_rng(seed)
    probability = rng.uniform(size=n)
    return (rng.random(n) < probability).astype(int), probability


@pytest.mark.parametrize("file", ["r_case1_results.csv", "r_simple_binary_dca_result_df.csv"])
def test_it_is_what_dcurves_computes_in_r(file):
    folder = development_data("dca")
    table = pd.read_csv(folder / "df_binary.csv")
    expected = pd.read_csv(folder / file)
    # at 0 the R package leaves out who has a probability of exactly 0
    expected = expected[(expected.threshold > 0) & (expected.threshold < 1)]
    label = table.cancer.astype(int)
    # the package turns an age into a risk by logistic regression
    of_age = Logit(label, add_constant(table.age)).fit(disp=False).predict()
    risks = {"all": of_age, "age": of_age, "famhistory": table.famhistory}
    compared = 0
    for name, rows in expected.groupby("variable"):
        if name == "none":
            continue
        found = decision_curve(label, risks[name], rows.threshold, resamples=2)
        value = found.treat_all if name == "all" else found.net_benefit
        assert value.to_numpy() == pytest.approx(rows.net_benefit, abs=1e-10)
        if name != "all" and "net_intervention_avoided" in rows:
            avoided = rows.net_intervention_avoided
            assert found.avoided.to_numpy() == pytest.approx(avoided, abs=1e-10)
        compared += len(rows)
    assert compared >= 99


def by_counting(label, probability, threshold):
    called = probability >= threshold
    n = len(label)
    true, false = (called & (label == 1)).sum(), (called & (label == 0)).sum()
    return true / n - false / n * threshold / (1 - threshold)


@given(st.integers(0, 200), st.integers(0, 1))
@settings(max_examples=40, deadline=None)
def test_it_is_the_count_of_patients_at_every_threshold(seed, decimals):
    label, probability = cases(seed=seed)
    probability = probability.round(decimals + 1)  # ties, and cases at a threshold
    found = decision_curve(label, probability, THRESHOLDS, resamples=2)
    expected = [by_counting(label, probability, t) for t in THRESHOLDS]
    assert found.net_benefit.to_numpy() == pytest.approx(expected)


def test_thresholds_may_come_in_any_order_and_twice():
    label, probability = cases()
    found = decision_curve(label, probability.round(1), [0.4, 0.1, 0.9, 0.4])
    one_by_one = [by_counting(label, probability.round(1), t) for t in (0.4, 0.1, 0.9, 0.4)]
    assert found.net_benefit.to_numpy() == pytest.approx(one_by_one)
    assert found.iloc[0].equals(found.iloc[3])


def test_bands_are_those_of_resampled_patients():
    label, probability = cases(n=150)
    found = decision_curve(label, probability, [0.2, 0.5], resamples=4000)
    rng = np.random.default_rng(1)
    curves = [
        [by_counting(label[rows], probability[rows], t) for t in (0.2, 0.5)]
        for rows in rng.integers(0, 150, (4000, 150))
    ]
    lo, hi = np.quantile(curves, [0.025, 0.975], axis=0)
    assert found.lo.to_numpy() == pytest.approx(lo, abs=0.006)
    assert found.hi.to_numpy() == pytest.approx(hi, abs=0.006)


def test_at_threshold_0_all_are_treated_and_a_perfect_model_keeps_that_worth():
    label, _ = cases()
    found = decision_curve(label, label.astype(float), THRESHOLDS, resamples=2)
    assert found.net_benefit.to_numpy() == pytest.approx(np.full(20, label.mean()))
    assert found.treat_all[0] == pytest.approx(label.mean())
    assert np.isnan(found.avoided[0])


def test_the_bands_hold_the_value_and_the_seed_decides():
    label, probability = cases()
    first, again = (decision_curve(label, probability, [0.1, 0.4], seed=1) for _ in range(2))
    assert first.equals(again)
    assert ((first.lo <= first.net_benefit) & (first.net_benefit <= first.hi)).all()
    wide = decision_curve(*cases(n=30), [0.3])
    narrow = decision_curve(*cases(n=3000), [0.3])
    assert (wide.hi - wide.lo)[0] > 3 * (narrow.hi - narrow.lo)[0]


def test_wrong_input_is_named():
    label, probability = cases()
    with pytest.raises(InputError, match=r"probability goes from .* allowed: 0 to 1"):
        decision_curve(label, probability * 3, [0.2])
    with pytest.raises(InputError, match=r"threshold is outside.*resamples is 1"):
        decision_curve(label, probability, [1.0], resamples=1)
