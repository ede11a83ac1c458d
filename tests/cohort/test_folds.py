import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from lnm_kit.cohort.folds import StratifiedPatientKFold, patient_folds
from lnm_kit.errors import InputError


@given(st.integers(2, 5), st.integers(0, 1000), st.integers(1, 3))
def test_no_patient_stands_on_both_sides_and_every_row_is_held_out_once(folds, seed, images):
    patients = np.repeat([f"p{i}" for i in range(40)], images)
    label = np.repeat(np.arange(40) % 4 == 0, images).astype(int)
    split = patient_folds(label, patients, folds=folds, seed=seed)
    held_out = np.concatenate([rows for _, rows in split])
    assert sorted(held_out) == list(range(len(label)))
    for fit, rows in split:
        assert not set(patients[fit]) & set(patients[rows])


@given(
    st.integers(2, 12), st.integers(0, 2**31), st.integers(2, 4), st.integers(1, 5), st.booleans()
)
def test_the_folds_are_those_of_scikit_learn(folds, seed, classes, images, own_label):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(12, 60))
    images_of = rng.integers(1, images + 1, n)
    patients = np.repeat(rng.permutation(n), images_of)
    label = np.repeat(rng.integers(0, classes, n), images_of)
    if own_label:  # of each image, not of the patient
        label = rng.integers(0, classes, len(patients))
    if np.unique(label, return_counts=True)[1].min() < folds:
        return
    ours, theirs = (
        [rows.tolist() for _, rows in splitter.split(label, label, patients)]
        for splitter in (
            kind(folds, shuffle=True, random_state=seed)
            for kind in (StratifiedPatientKFold, StratifiedGroupKFold)
        )
    )
    assert ours == theirs


def test_folds_keep_the_share_of_positives():
    label = np.r_[np.ones(30, int), np.zeros(270, int)]
    split = patient_folds(label, np.arange(300).astype(str), folds=10, seed=1)
    assert {int(label[rows].sum()) for _, rows in split} == {3}


def test_too_few_patients_of_a_class_are_counted_in_the_message():
    label = [1, 1, 1, 0, 0, 0, 0]
    patients = ["a", "a", "b", "c", "d", "e", "f"]
    with pytest.raises(InputError, match=r"3 folds need at least 3 patients.* 2 positive and 4"):
        patient_folds(label, patients, folds=3, seed=0)


@pytest.mark.parametrize("folds", [1, 0, -2])
def test_fewer_than_two_folds_are_refused(folds):
    with pytest.raises(InputError, match="allowed: 2 or more"):
        patient_folds([0, 1], ["a", "b"], folds=folds, seed=0)
