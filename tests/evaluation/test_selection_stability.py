import numpy as np
import pandas as pd
import pytest

from lnm_kit.errors import InputError
from lnm_kit.evaluation.selection_stability import selection_frequency, selection_stability


def data(n: int = 60, rows_each: int = 2):
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(n), rows_each)
    label = (patients % 3 == 0).astype(int)
    features = pd.DataFrame(rng.normal(size=(len(patients), 4)), columns=list("abcd"))
    features["a"] += 3 * label
    return features, label, patients


def most_different(features: pd.DataFrame, label: np.ndarray, patients: np.ndarray) -> list[str]:
    gap = features[label == 1].mean() - features[label == 0].mean()
    return [gap.abs().idxmax()]


def test_a_strong_feature_is_always_selected_and_noise_never():
    frequency = selection_frequency(*data(), most_different, resamples=30, seed=0)
    assert frequency.to_dict() == {"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.0}


def test_noise_is_selected_now_and_then():
    features, label, patients = data()
    features["a"] -= 3 * label
    frequency = selection_frequency(features, label, patients, most_different, resamples=60, seed=0)
    assert frequency.sum() == pytest.approx(1.0)
    assert (frequency > 0).sum() >= 2


def test_patients_are_drawn_whole_and_each_class_keeps_its_number():
    features, label, patients = data()
    features["patient"], features["label"] = patients, label
    seen = []

    def look(table: pd.DataFrame, given: np.ndarray, owner: np.ndarray) -> list[str]:
        assert (table.label.to_numpy() == given).all()
        assert (table.patient.to_numpy() == owner).all()
        assert table.index.tolist() == list(range(len(table)))
        counts = table.patient.value_counts()
        assert (counts % 2 == 0).all()
        assert given.sum() == label.sum()
        seen.append(counts.max() > 2)
        return []

    selection_frequency(features, label, patients, look, resamples=10, seed=1)
    assert any(seen)


def test_the_seed_decides():
    features, label, patients = data()
    features["a"] -= 3 * label
    arguments = (features, label, patients, most_different)
    one, two, other = (selection_frequency(*arguments, resamples=20, seed=s) for s in (5, 5, 6))
    assert one.equals(two)
    assert not one.equals(other)


def test_all_that_is_wrong_is_listed():
    features, label, patients = data()
    wrong = label.copy()
    wrong[0] = 1 - wrong[0]
    doubled = features.set_axis(["a", "a", "c", "d"], axis=1)
    with pytest.raises(InputError, match=r"named twice: \['a'\]; 1 patients have both.*resamples"):
        selection_frequency(doubled, wrong, patients, most_different, resamples=0, seed=0)
    with pytest.raises(InputError, match="both 0 and 1 are needed"):
        selection_frequency(features, label * 0, patients, most_different, resamples=2, seed=0)
    with pytest.raises(InputError, match="one entry per row"):
        selection_frequency(features, label[1:], patients, most_different, resamples=2, seed=0)
    with pytest.raises(InputError, match="'other'"):
        selection_frequency(
            features, label, patients, lambda table, given, owner: ["other"], resamples=2, seed=0
        )


def test_stability_is_one_for_a_fixed_list_and_about_zero_for_a_random_one():
    assert selection_stability(pd.Series([1.0, 0.0, 0.0]), resamples=10) == 1.0
    rng = np.random.default_rng(0)
    masks = np.array([rng.permutation([True] * 5 + [False] * 45) for _ in range(400)])
    by_chance = selection_stability(pd.Series(masks.mean(axis=0)), resamples=400)
    assert by_chance == pytest.approx(0.0, abs=0.01)


def test_stability_is_the_mean_pairwise_agreement_of_lists_of_equal_length():
    # for lists of the same length it equals the mean Kuncheva index of all pairs
    rng = np.random.default_rng(1)
    n_features, kept, lists = 12, 4, 9
    masks = np.array([rng.permutation([True] * kept + [False] * 8) for _ in range(lists)])
    kuncheva = [
        ((masks[i] & masks[j]).sum() - kept**2 / n_features) / (kept - kept**2 / n_features)
        for i in range(lists)
        for j in range(i)
    ]
    found = selection_stability(pd.Series(masks.mean(axis=0)), resamples=lists)
    assert found == pytest.approx(np.mean(kuncheva))


@pytest.mark.parametrize(
    ("frequency", "resamples", "message"),
    [([0.5, 0.5], 1, "2 or more"), ([1.5, 0.0], 5, "0 to 1"), ([0.0, 0.0], 5, "was ever selected")],
)
def test_stability_says_what_it_cannot_measure(frequency, resamples, message):
    with pytest.raises(InputError, match=message):
        selection_stability(pd.Series(frequency), resamples=resamples)
