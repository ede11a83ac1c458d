import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.evaluation.auc import auc
from lnm_kit.evaluation.per_patient import auc_clustered, patient_means


def clustered(rng: np.random.Generator, patients: int, rows_each: int, shared: float):
    """Labels, scores and patients; `shared` is the correlation of a patient's rows."""
    label = np.arange(patients) % 4 == 0
    own = rng.normal(size=patients) + label
    owner = np.repeat(np.arange(patients), rows_each)
    noise = rng.normal(size=len(owner))
    score = np.sqrt(shared) * own[owner] + np.sqrt(1 - shared) * (noise + label[owner])
    return label[owner].astype(int), score, owner


def test_a_patient_is_scored_by_the_mean_over_its_own_rows():
    means = patient_means([1.0, 5.0, 3.0, 2.0], ["b", "a", "b", "c"])
    assert means.to_dict() == {"b": 2.0, "a": 5.0, "c": 2.0}
    assert list(means.index) == ["b", "a", "c"]


def test_means_do_not_depend_on_the_order_of_rows_and_weigh_patients_alike():
    rng = np.random.default_rng(0)
    values, owners = rng.normal(size=30), rng.integers(0, 7, 30)
    order = rng.permutation(30)
    one, two = patient_means(values, owners), patient_means(values[order], owners[order])
    assert one.sort_index().to_numpy() == pytest.approx(two.sort_index().to_numpy())
    assert len(one) == len(np.unique(owners))


def test_one_row_a_patient_changes_nothing():
    rng = np.random.default_rng(1)
    label, score = np.arange(80) % 4 == 0, rng.normal(size=80)
    assert patient_means(score, np.arange(80)).to_numpy() == pytest.approx(score)
    plain, grouped = auc(label.astype(int), score), auc_clustered(label, score, np.arange(80))
    assert grouped.value == plain.value
    assert (grouped.lo, grouped.hi) == pytest.approx((plain.lo, plain.hi), abs=0.01)


def test_copies_of_rows_do_not_narrow_the_interval():
    rng = np.random.default_rng(2)
    label, score = np.arange(80) % 4 == 0, rng.normal(size=80) + (np.arange(80) % 4 == 0)
    once = auc_clustered(label, score, np.arange(80))
    thrice = auc_clustered(np.tile(label, 3), np.tile(score, 3), np.tile(np.arange(80), 3))
    assert (thrice.value, thrice.lo, thrice.hi) == pytest.approx((once.value, once.lo, once.hi))
    naive = auc(np.tile(label, 3).astype(int), np.tile(score, 3))
    assert naive.hi - naive.lo < 0.7 * (once.hi - once.lo)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(3)
    truth = auc_clustered(*clustered(rng, 40_000, 2, 0.7)).value
    covered, naive = [], []
    for _ in range(400):
        sample = clustered(rng, 120, 3, 0.7)
        truth_of = truth
        found, plain = auc_clustered(*sample), auc(*sample[:2])
        covered.append(found.lo <= truth_of <= found.hi)
        naive.append(plain.lo <= truth_of <= plain.hi)
    assert 0.91 < np.mean(covered) < 0.98
    assert np.mean(naive) < 0.9


def test_a_class_of_one_patient_falls_back_and_says_so():
    found = auc_clustered([0, 0, 1, 1], [1.0, 3.0, 2.0, 4.0], ["a", "b", "c", "c"])
    assert "rows as independent" in found.method
    assert found.value == 0.75


def test_wrong_input_is_named():
    with pytest.raises(InputError, match=r"\(2,\) and patients \(3,\)"):
        patient_means([1.0, 2.0], ["a", "b", "c"])
    with pytest.raises(InputError, match=r"not finite at 1 positions, first \[1\]"):
        patient_means([1.0, np.nan], ["a", "b"])
    with pytest.raises(InputError, match="one entry per row"):
        auc_clustered([0, 1], [1.0, 2.0], ["a"])
    with pytest.raises(InputError, match="only"):
        auc_clustered([1, 1], [1.0, 2.0], ["a", "b"])
