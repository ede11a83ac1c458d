import numpy as np
import pytest
from scipy.stats import ortho_group
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from lnm_kit.errors import InputError
from lnm_kit.evaluation.auc import auc
from lnm_kit.radiomics.deep_features import OUTSIDE, compress_deep_features

N_TRAINING, N_OUTSIDE, F, K = 60, 20, 8, 3
FOLD = np.r_[np.arange(N_TRAINING) % K, np.full(N_OUTSIDE, OUTSIDE)]


def shared(seed=0):
    """What all networks see: features (N, F) of falling variance."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N_TRAINING + N_OUTSIDE, F)) * np.arange(F, 0, -1)


def rotated(features, seed, *, shift=3.0):
    return features @ ortho_group.rvs(F, random_state=seed) + shift


def test_networks_that_differ_by_a_rotation_and_a_shift_agree_exactly():
    features = shared()
    found = compress_deep_features([features, rotated(features, 1), rotated(features, 2)], FOLD)
    alone = PCA(F, svd_solver="full").fit(features[(FOLD != 0) & (FOLD != OUTSIDE)])
    # as if there were one network only
    assert found.values == pytest.approx(alone.transform(features), abs=1e-9)
    assert found.agreement == pytest.approx(np.ones(F))
    assert np.abs(found.agreement_before).mean() < 0.9
    assert found.explained == pytest.approx(1.0)


def test_few_components_hold_what_most_of_the_variance_is():
    features = shared()
    found = compress_deep_features(
        [features, rotated(features, 1), rotated(features, 2)], FOLD, components=4
    )
    assert found.values.shape == (N_TRAINING + N_OUTSIDE, 4)
    assert found.explained == pytest.approx((np.arange(8, 4, -1) ** 2).sum() / 204, abs=0.08)
    assert found.agreement[0] > 0.9


def test_components_are_limited_by_cases_and_features():
    features = shared()
    many = compress_deep_features([features] * K, FOLD, components=500)
    assert many.values.shape[1] == F
    wide = np.random.default_rng(0).normal(size=(len(FOLD), 200))
    assert compress_deep_features([wide] * K, FOLD, components=500).values.shape[1] == 39


def test_a_held_out_case_changes_no_row_but_its_own():
    tables = [shared(seed) for seed in range(K)]
    before = compress_deep_features(tables, FOLD).values
    case = 4
    tables[FOLD[case]] = tables[FOLD[case]].copy()
    tables[FOLD[case]][case] += 100
    after = compress_deep_features(tables, FOLD).values
    changed = (np.abs(after - before) > 1e-9).any(axis=1)
    assert np.flatnonzero(changed).tolist() == [case]


def test_what_the_networks_learned_by_heart_does_not_reach_the_features():
    # every network has the label of the cases that it was fitted on as one strong feature
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, len(FOLD))
    tables = []
    for number in range(K):
        table = rng.normal(size=(len(FOLD), F))
        seen = (FOLD != OUTSIDE) & (number != FOLD)
        table[seen, 0] = 20 * label[seen] + rng.normal(0, 0.1, seen.sum())
        table[~seen, 0] = 20 * rng.integers(0, 2, (~seen).sum())
        tables.append(table)
    training = FOLD != OUTSIDE
    values = compress_deep_features(tables, FOLD).values
    leaky = PCA(F).fit_transform(tables[0][training])
    assert 0.3 < auc(label[training], values[training, 0]).value < 0.7
    model = LogisticRegression().fit(leaky, label[training])
    assert auc(label[training], model.decision_function(leaky)).value > 0.8


def test_a_case_outside_of_training_has_the_mean_and_does_not_take_part():
    tables = [shared(seed) for seed in range(K)]
    found = compress_deep_features(tables, FOLD).values
    fewer = compress_deep_features([t[:-5] for t in tables], FOLD[:-5]).values
    assert fewer == pytest.approx(found[:-5])
    moved = [t.copy() for t in tables]
    moved[1][-1] += 3
    change = compress_deep_features(moved, FOLD).values - found
    assert np.linalg.norm(change[-1]) == pytest.approx(np.linalg.norm(np.full(F, 3.0)) / K)
    assert np.abs(change[:-1]).max() < 1e-9


def test_one_network_agrees_with_nobody():
    features = shared()
    fold = np.r_[np.zeros(10, int), np.full(len(FOLD) - 10, OUTSIDE)]
    with pytest.raises(InputError, match="fitted on 0 cases"):
        compress_deep_features([features], fold)
    two = np.where(FOLD == OUTSIDE, OUTSIDE, FOLD % 2)[:-N_OUTSIDE]
    found = compress_deep_features([features[:-N_OUTSIDE]] * 2, two)
    assert np.isnan(found.agreement).all()


@pytest.mark.parametrize(
    ("tables", "fold", "message"),
    [
        ([], FOLD, "needed"),
        ([shared(), shared()[:-1]], FOLD, "shapes"),
        ([shared()] * K, FOLD[:-1], "shapes"),
        ([shared(), shared()[:, :4], shared()], FOLD, "networks have"),
        ([shared()] * 2, FOLD, "names the folds"),
        ([shared()] * 4, FOLD, "names the folds"),
        ([shared(), np.full((80, F), np.nan), shared()], FOLD, "not all finite"),
    ],
)
def test_bad_input_is_refused(tables, fold, message):
    with pytest.raises(InputError, match=message):
        compress_deep_features(tables, fold)
