import numpy as np
import pytest
import torch

from lnm_kit.evaluation import auc
from lnm_kit.evaluation.stress import (
    Design,
    draw_patients,
    draw_table,
    fit_attention,
    of_patients,
    stress,
)
from lnm_kit.evaluation.stress.attention import attend, attend_in_batches
from lnm_kit.evaluation.stress.protocols import attention_to_a_bank
from lnm_kit.networks.dgf import NoduleAttention

DESIGN = Design(features=60, informative=3, prevalence=0.3, oracle_auc=0.85)


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(3)
    return fit_attention(draw_table(DESIGN, rng), rng)


@pytest.fixture(scope="module")
def nodules(fitted):
    return draw_patients(DESIGN, 90, fitted.columns, np.random.default_rng(4))[0]


@pytest.mark.parametrize("bank", [False, True])
def test_it_is_the_fifth_studys_nodule_attention(bank):
    rng = np.random.default_rng(0)
    values, company = rng.normal(size=(12, 6)), rng.normal(size=(5, 6))
    query, key = rng.normal(size=(2, 6, 6))
    module = NoduleAttention(n_features=3, width=3).double()
    with torch.no_grad():
        for layer, weight in (
            (module.query, query.T),
            (module.key, key.T),
            (module.value, np.eye(6)),
        ):
            layer.weight.copy_(torch.tensor(weight))
        us, ct = torch.tensor(values[:, :3]), torch.tensor(values[:, 3:])
        expected = module(us, ct, torch.tensor(company) if bank else None).numpy()
    found = attend(values, query @ key.T, company if bank else None)
    assert found == pytest.approx(expected, abs=1e-12)


def test_only_a_bank_gives_a_nodule_one_score(fitted, nodules):
    rng = np.random.default_rng(0)
    banked = fitted.with_bank(nodules)
    assert fitted.with_bank(nodules[:7]) == pytest.approx(banked[:7], abs=1e-12)
    one, other = (fitted.in_batches(nodules, rng.permutation(90)) for _ in range(2))
    assert np.abs(one - other).max() > 0.05 * banked.std()


def test_batches_are_sets(fitted, nodules):
    order = np.arange(90)
    shuffled = np.concatenate([part[::-1] for part in np.split(order, 3)])
    assert fitted.in_batches(nodules, order) == pytest.approx(fitted.in_batches(nodules, shuffled))
    few = attend_in_batches(nodules[:4], fitted.likeness, order[:4])
    assert few == pytest.approx(attend(nodules[:4], fitted.likeness))


def test_fresh_patients_are_those_of_the_tables():
    design = Design(patients=8000, prevalence=0.4, features=60, informative=3, oracle_auc=0.85)
    columns = np.array([0, 1, 10, 59])
    mean, label = of_patients(draw_table(design, np.random.default_rng(1)))
    fresh, fresh_label = draw_patients(design, 8000, columns, np.random.default_rng(2))
    assert fresh_label.sum() == label.sum() == 3200
    for value in (0, 1):
        one, other = mean[label == value][:, columns], fresh[fresh_label == value]
        assert other.mean(0) == pytest.approx(one.mean(0), abs=0.08)
        assert np.cov(other.T) == pytest.approx(np.cov(one.T), abs=0.12)


def test_the_mean_of_a_patient_is_that_of_its_images():
    table = draw_table(Design(patients=40, prevalence=0.3), np.random.default_rng(0))
    mean, label = of_patients(table)
    assert mean[7] == pytest.approx(table.features[table.patient == 7].mean(0))
    assert label[7] == table.label[table.patient == 7][0]


def test_the_truth_is_that_of_another_very_large_sample():
    design = Design(patients=150, prevalence=0.4, features=60, informative=3, oracle_auc=0.9)
    table = draw_table(design, np.random.default_rng(0))
    found = attention_to_a_bank(table, design, 0)
    again = attention_to_a_bank(table, design, 0)
    assert found == again
    assert 0.6 < found.true < 0.9
    assert abs(found.reported - found.true) < 0.25


def test_mixed_company_does_not_move_the_auc_and_sorting_lets_it_stray():
    design = Design(patients=200, prevalence=0.3, features=60, informative=3, oracle_auc=0.85)
    runs = stress(design, repetitions=25, seed=2, steps=("attention", "attention, sorted"))
    wide = runs.pivot_table("reported", "repetition", ["step", "form"])
    bank, mixed = wide["attention", "honest"], wide["attention", "leaky"]
    ordered = wide["attention, sorted", "leaky"]
    assert abs((mixed - bank).mean()) < 0.02
    assert (ordered - bank).std() > 2 * (mixed - bank).std()
    assert np.array_equal(wide["attention, sorted", "honest"], bank)


def test_scores_rank_fresh_patients_better_than_chance(fitted):
    fresh, label = draw_patients(DESIGN, 5000, fitted.columns, np.random.default_rng(5))
    assert auc(label, fitted.with_bank(fresh)).lo > 0.6
