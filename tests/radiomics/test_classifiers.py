import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from lnm_kit.errors import InputError
from lnm_kit.evaluation.auc import auc
from lnm_kit.evaluation.cross_validation import case_scores
from lnm_kit.evaluation.per_patient import patient_means
from lnm_kit.radiomics.classifiers import (
    CLASSIFIERS,
    classifier_pipeline,
    classifier_scores,
    fit_classifiers,
    nested_choice,
    patient_aucs,
)

FEW = ("LR", "ExtraTrees")


def images(signal: float, patients: int = 60, n_features: int = 30, seed: int = 0):
    """Two images a patient that share most of what they show."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(patients), 2)
    label = (owner % 4 == 0).astype(int)
    of_patient = rng.normal(size=(patients, n_features))
    values = of_patient[owner] + 0.3 * rng.normal(size=(len(owner), n_features))
    values[:, :3] += signal * label[:, None]
    return pd.DataFrame(values, columns=[f"f{i}" for i in range(n_features)]), label, owner


def test_each_of_the_eight_learns_scores_and_keeps_quiet():
    features, label, owner = images(signal=2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = fit_classifiers(features, label, owner, seed=0)
        scores = {name: case_scores(model, features) for name, model in fitted.items()}
    assert tuple(fitted) == CLASSIFIERS
    for name, score in scores.items():
        assert auc(label, score).value > 0.9, name
        assert ((score >= 0) & (score <= 1)).all(), name


def test_fitting_together_gives_what_fitting_alone_gives():
    features, label, owner = images(signal=1.0)
    together = fit_classifiers(features, label, owner, seed=3)
    for name in ("LR", "KNN", "ExtraTrees", "XGBoost"):
        alone = classifier_pipeline(name, seed=3).fit(features, label, lasso__groups=owner)
        assert case_scores(together[name], features) == pytest.approx(case_scores(alone, features))


def test_the_same_seed_gives_the_same_scores():
    features, label, owner = images(signal=1.0)
    one, two = (
        classifier_scores(features, label, owner, folds=3, seed=1, names=("MLP", "LightGBM"))[0]
        for _ in range(2)
    )
    assert one.equals(two)


def test_more_processes_change_nothing():
    features, label, owner = images(signal=1.0)
    arguments = {"folds": 3, "seed": 0, "names": FEW}
    one, fold = classifier_scores(features, label, owner, **arguments)
    two, same = classifier_scores(features, label, owner, n_jobs=2, **arguments)
    assert one.equals(two)
    assert (fold == same).all()


def test_a_patient_never_stands_on_both_sides():
    features, label, owner = images(signal=0.0)
    _, fold = classifier_scores(features, label, owner, folds=4, seed=0, names=("LR",))
    assert (pd.Series(fold).groupby(owner).nunique() == 1).all()
    assert sorted(set(fold)) == [0, 1, 2, 3]


def test_a_feature_that_is_the_label_on_held_out_cases_only_does_not_help():
    features, label, owner = images(signal=0.0)
    _, fold = classifier_scores(features, label, owner, folds=4, seed=0, names=("LR",))
    rng = np.random.default_rng(0)
    for held_out in range(4):
        planted = features.copy()
        planted["planted"] = np.where(fold == held_out, label, rng.normal(size=len(label)))
        scores, again = classifier_scores(
            planted, label, owner, folds=4, seed=0, names=("LR", "KNN")
        )
        assert (again == fold).all()
        inside = fold == held_out
        for name in scores:
            assert auc(label[inside], scores[name][inside]).value < 0.95


def test_scores_of_a_fold_do_not_depend_on_its_labels_or_neighbors():
    features, label, owner = images(signal=1.0)
    scores, fold = classifier_scores(features, label, owner, folds=4, seed=0, names=FEW)
    inside, outside = fold == 1, fold != 1
    model = fit_classifiers(features[outside], label[outside], owner[outside], seed=0, names=FEW)
    for name in FEW:
        expected = case_scores(model[name], features[inside])
        assert scores[name][inside].to_numpy() == pytest.approx(expected)


def test_folds_of_images_report_what_is_not_there():
    honest, leaky = [], []
    for seed in range(2):
        features, label, owner = images(signal=0.0, patients=80, seed=seed)
        for groups, areas in ((owner, honest), (np.arange(len(owner)), leaky)):
            scores, _ = classifier_scores(features, label, groups, folds=4, seed=0, names=("KNN",))
            areas.append(patient_aucs(scores, label, owner).mean())
    assert 0.35 < np.mean(honest) < 0.62
    assert np.mean(leaky) > np.mean(honest) + 0.15


def test_the_choice_is_made_without_the_cases_that_it_scores():
    features, label, owner = images(signal=1.0)
    nested = nested_choice(
        features, label, owner, folds=3, inner_folds=2, seed=0, names=("LR", "KNN")
    )
    assert len(nested.chosen) == 3
    assert nested.scores.notna().all()
    _, fold = classifier_scores(features, label, owner, folds=3, seed=0, names=("LR",))
    rng = np.random.default_rng(1)
    changed = label.copy()
    inside = fold == 0
    # other labels in the held-out fold change neither its choice nor its scores
    by_patient = pd.Series(label[inside]).groupby(owner[inside]).first()
    shuffled = pd.Series(rng.permutation(by_patient), index=by_patient.index)
    changed[inside] = shuffled.loc[owner[inside]]
    inner, _ = classifier_scores(
        features[~inside], label[~inside], owner[~inside], folds=2, seed=0, names=("LR", "KNN")
    )
    best = patient_aucs(inner, label[~inside], owner[~inside]).idxmax()
    assert nested.chosen[0] == best
    model = fit_classifiers(
        features[~inside], label[~inside], owner[~inside], seed=0, names=(best,)
    )[best]
    assert nested.scores[inside].to_numpy() == pytest.approx(case_scores(model, features[inside]))


def test_without_signal_the_nested_choice_finds_nothing():
    areas = []
    for seed in range(3):
        features, label, owner = images(signal=0.0, seed=seed)
        nested = nested_choice(features, label, owner, folds=3, inner_folds=2, seed=seed, names=FEW)
        areas.append(auc(patient_means(label, owner), patient_means(nested.scores, owner)).value)
    assert 0.3 < np.mean(areas) < 0.65


def test_pipelines_clone_with_their_parameters():
    pipeline = clone(classifier_pipeline("SVM", seed=4, lasso_folds=3))
    assert pipeline["lasso"].folds == 3
    assert pipeline["smote"].kw_args == {"seed": 4}


def test_wrong_input_is_named():
    features, label, owner = images(signal=0.0)
    with pytest.raises(InputError, match="classifier"):
        classifier_pipeline("Forest", seed=0)
    with pytest.raises(InputError, match="fewer folds or more cases"):
        classifier_scores(features, label, owner, folds=20, seed=0)
    with pytest.raises(InputError, match="one entry per row"):
        classifier_scores(features, label[1:], owner, folds=2, seed=0)
    with pytest.raises(InputError, match="other values than 0 and 1"):
        nested_choice(features, label + 1, owner, folds=2, inner_folds=2, seed=0)
