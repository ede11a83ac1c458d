import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from lnm_kit.errors import InputError
from lnm_kit.evaluation.auc import auc
from lnm_kit.evaluation.cross_validation import case_scores, out_of_fold_scores
from lnm_kit.radiomics.classifier import oversample, selected_features, svm_pipeline


def cases(signal: float, n: int = 120, n_features: int = 150, seed: int = 0):
    rng = np.random.default_rng(seed)
    label = (np.arange(n) % 6 == 0).astype(int)
    values = rng.lognormal(size=(n, n_features))
    values[:, :4] *= np.exp(signal * label)[:, None]
    names = [f"f{i}" for i in range(n_features)]
    return pd.DataFrame(values, columns=names), label, np.arange(n)


def test_it_learns_what_is_there():
    features, label, patients = cases(signal=1.5)
    scores = out_of_fold_scores(svm_pipeline(seed=0), features, label, patients, folds=5, seed=0)
    assert auc(label, scores).value > 0.85
    fitted = svm_pipeline(seed=0).fit(features, label)
    assert set(selected_features(fitted)) & {"f0", "f1", "f2", "f3"}
    assert fitted.score(features, label) > 0.85


def test_on_noise_it_finds_nothing_while_selection_outside_of_the_folds_does():
    honest, leaky = [], []
    for seed in range(4):
        features, label, patients = cases(signal=0.0, n_features=1500, seed=seed)
        pipeline = svm_pipeline(seed=0, log2_fold_change_above=0.3, lasso_folds=5)
        chosen = selected_features(clone(pipeline).fit(features, label))
        for table, areas in ((features, honest), (features[chosen], leaky)):
            scores = out_of_fold_scores(pipeline, table, label, patients, folds=5, seed=0)
            areas.append(auc(label, scores).value)
    assert 0.35 < np.mean(honest) < 0.6
    assert np.mean(leaky) > 0.75


def test_scoring_a_case_does_not_depend_on_the_cases_beside_it():
    features, label, _ = cases(signal=1.0)
    fitted = svm_pipeline(seed=0).fit(features, label)
    together = case_scores(fitted, features)
    alone = np.concatenate([case_scores(fitted, features.iloc[[row]]) for row in range(10)])
    assert alone == pytest.approx(together[:10])


def test_the_same_seed_gives_the_same_scores():
    features, label, _ = cases(signal=0.7)
    one, two = (case_scores(svm_pipeline(seed=3).fit(features, label), features) for _ in range(2))
    assert (one == two).all()


def test_the_pipeline_clones_with_its_parameters():
    pipeline = svm_pipeline(seed=5, penalty=2.0, lasso_folds=4, p_below=0.2, test="t-test")
    found = clone(pipeline).get_params()
    assert found["svm__C"] == 2.0
    assert found["lasso__folds"] == 4
    assert found["lasso__seed"] == 5
    assert found["smote__kw_args"] == {"seed": 5}
    assert found["volcano__p_below"] == 0.2
    assert found["volcano__test"] == "t-test"


def test_constant_features_are_no_reason_to_fail():
    features, label, _ = cases(signal=1.0)
    features["f9"] = 4.0
    fitted = svm_pipeline(seed=0).fit(features, label)
    assert "f9" not in selected_features(fitted)


def test_nothing_passing_any_filter_still_gives_a_model():
    features, label, _ = cases(signal=0.0, n_features=3)
    fitted = svm_pipeline(seed=0, log2_fold_change_above=100.0).fit(features, label)
    assert fitted["volcano"].fell_back_
    assert len(selected_features(fitted)) == 1


def test_smote_balances_the_classes_and_keeps_the_real_cases_first():
    features, label, _ = cases(signal=0.0)
    more, labels = oversample(features.to_numpy(), label, seed=0)
    assert np.bincount(labels).tolist() == [100, 100]
    assert (more[: len(features)] == features.to_numpy()).all()


def test_synthetic_cases_lie_between_two_real_positives():
    rng = np.random.default_rng(0)
    features, label = rng.normal(size=(30, 1)), np.repeat([0, 1], [25, 5])
    more, _ = oversample(features, label, seed=0)
    assert more[30:].min() >= features[label == 1].min()
    assert more[30:].max() <= features[label == 1].max()


@pytest.mark.parametrize(("positives", "expected"), [(1, 1), (2, 20), (3, 20)])
def test_smote_with_few_positives(positives, expected):
    label = np.repeat([0, 1], [20, positives])
    features = np.arange(label.size, dtype=float)[:, None]
    assert (oversample(features, label, seed=0)[1] == 1).sum() == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f * 0 + 3, "all 5 features are constant over the 120 cases given, first .*'f0'"),
        (lambda f: f.iloc[:, :0], "no features"),
        (lambda f: f.assign(f1=np.nan), r"1 of 5 features .*not finite.*\['f1'\]; leave"),
        (lambda f: f.assign(f2=np.inf), r"\['f2'\]"),
        (lambda f: f.assign(f3=f["f3"] * 1e200), r"beyond 1e150, first \['f3'\]"),
    ],
)
def test_features_that_allow_no_model_are_named(change, message):
    features, label, patients = cases(signal=0.5, n_features=5)
    with pytest.raises(InputError, match=message):
        svm_pipeline(seed=0).fit(change(features), label)
    # in a cross-validation the message counts the cases of the fold
    with pytest.raises(InputError, match=message.replace("120", "96")):
        out_of_fold_scores(svm_pipeline(seed=0), change(features), label, patients, folds=5, seed=0)


def test_a_class_with_one_case_in_what_a_fold_is_fitted_on_is_named():
    features, _, patients = cases(signal=0.5, n_features=5)
    label = np.repeat([1, 0], [2, 118])
    message = "at least two cases; found 1 positive and 59 negative .*cross-validation"
    with pytest.raises(InputError, match=message):
        out_of_fold_scores(svm_pipeline(seed=0), features, label, patients, folds=2, seed=0)


@pytest.mark.parametrize("positives", [0, 3])
def test_fewer_positives_than_folds_are_named_before_anything_is_fitted(positives):
    features, _, patients = cases(signal=0.5, n_features=5)
    label = (np.arange(120) < positives).astype(int)
    message = f"5 folds need at least 5 patients of each class; found {positives} positive and"
    with pytest.raises(InputError, match=message):
        out_of_fold_scores(None, features, label, patients, folds=5, seed=0)


def test_few_positives_in_every_fold_still_give_scores():
    features, _, patients = cases(signal=0.5, n_features=40)
    label = (np.arange(120) % 40 == 0).astype(int)
    scores = out_of_fold_scores(svm_pipeline(seed=0), features, label, patients, folds=3, seed=0)
    assert np.isfinite(scores).all()


def test_a_lasso_that_keeps_nothing_still_gives_a_model():
    rng = np.random.default_rng(0)
    label = np.repeat([0, 1], [60, 20])
    for _ in range(50):  # noise, until the LASSO keeps nothing of it
        noise = pd.DataFrame(rng.normal(size=(80, 3)), columns=list("abc")) + 9
        fitted = svm_pipeline(seed=0, p_below=1.1, log2_fold_change_above=0.0).fit(noise, label)
        if fitted["lasso"].fell_back_:
            break
    assert fitted["lasso"].fell_back_
    assert len(selected_features(fitted)) == 1
    assert np.isfinite(case_scores(fitted, noise)).all()


def test_a_feature_that_is_constant_in_one_fold_only_is_no_reason_to_fail():
    features, label, patients = cases(signal=1.0, n_features=20)
    features["rare"] = (np.arange(120) == 0) * 1.0
    scores = out_of_fold_scores(svm_pipeline(seed=0), features, label, patients, folds=5, seed=0)
    assert np.isfinite(scores).all()


def test_many_more_features_than_cases_are_handled_in_little_memory():
    features, label, _ = cases(signal=2.0, n_features=8_000)
    tracemalloc.start()
    fitted = svm_pipeline(seed=0, p_below=1.1, log2_fold_change_above=0.1).fit(features, label)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fitted["volcano"].get_support().sum() > 5_000
    assert set(selected_features(fitted)) & {"f0", "f1", "f2", "f3"}
    # the table is 8 MB; a matrix of all products of the features left would be 300 MB
    assert peak < 150e6
