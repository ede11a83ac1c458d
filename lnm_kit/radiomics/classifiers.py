"""Eight classifiers behind one selection, chosen without the cases that they are judged on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pandas as pd
from imblearn import FunctionSampler
from imblearn.pipeline import Pipeline
from lightgbm import LGBMClassifier
from numpy.typing import ArrayLike
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from xgboost import XGBClassifier

from lnm_kit.cohort.folds import patient_folds
from lnm_kit.errors import InputError, one_of
from lnm_kit.evaluation.auc import auc
from lnm_kit.evaluation.cross_validation import case_scores
from lnm_kit.evaluation.per_patient import patient_means
from lnm_kit.progress import track
from lnm_kit.radiomics.classifier import oversample
from lnm_kit.radiomics.lasso import LassoSelector
from lnm_kit.radiomics.selection import ConstantFilter

CLASSIFIERS = ("LR", "SVM", "KNN", "MLP", "RandomForest", "ExtraTrees", "XGBoost", "LightGBM")
"""The eight of the second study, in its order."""

_TREES = 100


def classifier_pipeline(name: str, *, seed: int, lasso_folds: int = 5) -> Pipeline:
    """Build an untrained pipeline; all that it learns, it learns from what `fit` is given.

    Steps: `constant` (:class:`ConstantFilter`); `scale` to zero mean and unit SD; `lasso`
    (:class:`LassoSelector`); `smote` adds synthetic positives until the classes are equal, in
    `fit` only; `classifier`. Each runs on one thread.

    Parameters
    ----------
    name
        One of `CLASSIFIERS`.
    seed
        Of the LASSO's folds, SMOTE and the classifier.
    lasso_folds
        Inner folds that choose the LASSO's penalty.

    Raises
    ------
    InputError
        An unknown name. `fit` raises it where no model is possible, see
        :func:`lnm_kit.radiomics.classifier.svm_pipeline`.

    Notes
    -----
    *Source*: Ni et al. 2024, sections "Radiomics feature extraction and selection" (LASSO, 5
    folds) and Fig. 3. The paper prints no settings; these are the libraries' own, except for
    shallow boosting (31 leaves and 100 rounds learn 35 positives by heart) and a decaying MLP. How
    the paper balances its classes is not printed either.

    Examples
    --------
    >>> [name for name, _ in classifier_pipeline("KNN", seed=0).steps]
    ['constant', 'scale', 'lasso', 'smote', 'classifier']
    """
    return Pipeline(
        [
            ("constant", ConstantFilter()),
            ("scale", StandardScaler()),
            ("lasso", LassoSelector(folds=lasso_folds, seed=seed)),
            ("smote", FunctionSampler(func=oversample, kw_args={"seed": seed})),
            ("classifier", _build(one_of("classifier", name, dict.fromkeys(CLASSIFIERS)), seed)),
        ]
    )


def fit_classifiers(
    features: pd.DataFrame,
    label: ArrayLike,
    groups: ArrayLike,
    *,
    seed: int,
    lasso_folds: int = 5,
    names: Sequence[str] = CLASSIFIERS,
) -> dict[str, Pipeline]:
    """Fit :func:`classifier_pipeline` of every name; what precedes the classifier is fitted once.

    The folds that choose the LASSO's penalty keep the rows of a patient (`groups`) together.

    Returns
    -------
    dict
        Name to fitted pipeline, the same as if each had been fitted alone.

    Examples
    --------
    >>> rng, label = np.random.default_rng(0), np.repeat([0, 1], 30)
    >>> features = pd.DataFrame({"size": label + rng.normal(0, 0.3, 60)})
    >>> fitted = fit_classifiers(features, label, np.arange(60), seed=0, names=["LR", "KNN"])
    >>> [round(pipeline.score(features, label)) for pipeline in fitted.values()]
    [1, 1]
    """
    labels = np.asarray(label)
    pipelines = {
        name: classifier_pipeline(name, seed=seed, lasso_folds=lasso_folds) for name in names
    }
    prepared = pipelines[names[0]][:-2].fit(features, labels, lasso__groups=np.asarray(groups))
    balanced, balanced_label = oversample(prepared.transform(features), labels, seed=seed)
    fitted = {}
    for name, pipeline in pipelines.items():
        sampler = pipeline["smote"].fit(balanced, balanced_label)
        classifier = pipeline["classifier"].fit(balanced, balanced_label)
        steps = [*prepared.steps, ("smote", sampler), ("classifier", classifier)]
        fitted[name] = Pipeline(steps)
    return fitted


def classifier_scores(
    features: pd.DataFrame,
    label: ArrayLike,
    groups: ArrayLike,
    *,
    folds: int,
    seed: int,
    lasso_folds: int = 5,
    names: Sequence[str] = CLASSIFIERS,
    n_jobs: int = 1,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Out-of-fold scores of every classifier; all that is learned is learned in each fold.

    Parameters
    ----------
    features
        (N, F), one row per image or case.
    label, groups
        (N,), 0 or 1; patient of every row, whose rows stay in one fold.
    folds
        Number of folds.
    seed, lasso_folds
        See :func:`classifier_pipeline`; the seed is of the folds as well.
    names
        Some of `CLASSIFIERS`.
    n_jobs
        Processes, one fold each.

    Returns
    -------
    tuple
        Scores in [0, 1], frame (N, classifiers) with the index of `features`; and the fold that
        held each row out, int (N,).

    Raises
    ------
    InputError
        When a class has fewer patients than folds, or lengths differ.

    Examples
    --------
    >>> rng, label = np.random.default_rng(0), np.tile([0, 1], 20)
    >>> features = pd.DataFrame({"size": label + rng.normal(0, 0.1, 40)})
    >>> scores, fold = classifier_scores(
    ...     features, label, np.arange(40), folds=4, seed=0, names=["LR"])
    >>> scores.shape, sorted(set(fold.tolist()))
    ((40, 1), [0, 1, 2, 3])
    """
    labels, patients = _checked(features, label, groups)
    split = patient_folds(labels, patients, folds=folds, seed=seed)
    results = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(
        joblib.delayed(_fit_and_score)(
            features, labels, patients, fit, out, seed, lasso_folds, names
        )
        for fit, out in split
    )
    scores = pd.DataFrame(np.nan, index=features.index, columns=list(names))
    fold = np.zeros(len(features), int)
    tracked = track(results, label="cross-validate classifiers", total=folds)
    for number, ((_, out), found) in enumerate(zip(split, tracked, strict=True)):
        scores.iloc[out] = found
        fold[out] = number
    return scores, fold


@dataclass(frozen=True)
class NestedChoice:
    """Scores of cases by a classifier that was chosen, like all else, without them.

    Parameters
    ----------
    scores
        (N,) in [0, 1], with the index of the features.
    chosen
        Name of the classifier that each outer fold's training cases chose.
    """

    scores: pd.Series
    chosen: tuple[str, ...]


def nested_choice(
    features: pd.DataFrame,
    label: ArrayLike,
    groups: ArrayLike,
    *,
    folds: int,
    inner_folds: int,
    seed: int,
    lasso_folds: int = 5,
    names: Sequence[str] = CLASSIFIERS,
    n_jobs: int = 1,
) -> NestedChoice:
    """Choose the classifier inside of each fold, by cross-validation among its training cases.

    The classifier with the highest AUC per patient over the inner folds is fitted on all training
    cases of the outer fold and scores the ones held out. So the scores carry the price of choosing.

    Parameters
    ----------
    inner_folds
        Folds inside of each outer fold's training cases.
    features, label, groups, folds, seed, lasso_folds, names, n_jobs
        As in :func:`classifier_scores`.

    Raises
    ------
    InputError
        As in :func:`classifier_scores`, for the inner folds too.

    Notes
    -----
    *Source*: Varma and Simon, BMC Bioinformatics 2006;7:91.

    Examples
    --------
    >>> rng, label = np.random.default_rng(0), np.tile([0, 1], 30)
    >>> features = pd.DataFrame({"size": label + rng.normal(0, 0.1, 60)})
    >>> nested_choice(features, label, np.arange(60), folds=3, inner_folds=2, seed=0,
    ...     names=["LR", "KNN"]).chosen
    ('LR', 'LR', 'LR')
    """
    labels, patients = _checked(features, label, groups)
    split = patient_folds(labels, patients, folds=folds, seed=seed)
    results = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(
        joblib.delayed(_choose_and_score)(
            features, labels, patients, fit, out, inner_folds, seed, lasso_folds, names
        )
        for fit, out in split
    )
    scores = pd.Series(np.nan, index=features.index, name="score")
    chosen = []
    tracked = track(results, label="choose a classifier in each fold", total=folds)
    for (_, out), (name, found) in zip(split, tracked, strict=True):
        scores.iloc[out] = found
        chosen.append(name)
    return NestedChoice(scores, tuple(chosen))


def patient_aucs(scores: pd.DataFrame, label: ArrayLike, groups: ArrayLike) -> pd.Series:
    """AUC of every column of scores over patients, each patient scored by the mean over its rows.

    Examples
    --------
    >>> scores = pd.DataFrame({"LR": [0.1, 0.6, 0.2, 0.9], "KNN": [0.1, 0.6, 0.9, 0.2]})
    >>> patient_aucs(scores, [0, 0, 0, 1], ["a", "a", "b", "c"]).to_dict()
    {'LR': 1.0, 'KNN': 0.0}
    """
    labels = patient_means(np.asarray(label), groups)
    return pd.Series(
        {name: auc(labels, patient_means(scores[name].to_numpy(), groups)).value for name in scores}
    )


def _choose_and_score(
    features: pd.DataFrame,
    labels: np.ndarray,
    patients: np.ndarray,
    fit: np.ndarray,
    out: np.ndarray,
    inner_folds: int,
    seed: int,
    lasso_folds: int,
    names: Sequence[str],
) -> tuple[str, np.ndarray]:
    scores, _ = classifier_scores(
        features.iloc[fit],
        labels[fit],
        patients[fit],
        folds=inner_folds,
        seed=seed,
        lasso_folds=lasso_folds,
        names=names,
    )
    best = str(patient_aucs(scores, labels[fit], patients[fit]).idxmax())
    found = _fit_and_score(features, labels, patients, fit, out, seed, lasso_folds, [best])
    return best, found[:, 0]


def _fit_and_score(
    features: pd.DataFrame,
    labels: np.ndarray,
    patients: np.ndarray,
    fit: np.ndarray,
    out: np.ndarray,
    seed: int,
    lasso_folds: int,
    names: Sequence[str],
) -> np.ndarray:
    fitted = fit_classifiers(
        features.iloc[fit],
        labels[fit],
        patients[fit],
        seed=seed,
        lasso_folds=lasso_folds,
        names=names,
    )
    held_out = features.iloc[out]
    return np.stack([case_scores(fitted[name], held_out) for name in names], axis=1)


def _build(name: str, seed: int) -> Any:
    builders: dict[str, Any] = {
        "LR": lambda: LogisticRegression(max_iter=2000, random_state=seed),
        # distances only: probabilities of an SVM are a second model, fitted in folds of its own
        "SVM": lambda: SVC(kernel="rbf"),
        "KNN": lambda: KNeighborsClassifier(n_neighbors=5, n_jobs=1),
        "MLP": lambda: MLPClassifier(
            hidden_layer_sizes=(32,),
            alpha=1.0,
            solver="lbfgs",
            # a smaller one takes thousands of steps, to learn the training cases by heart
            tol=3e-3,
            max_iter=2000,
            random_state=seed,
        ),
        "RandomForest": lambda: RandomForestClassifier(
            _TREES, min_samples_leaf=3, n_jobs=1, random_state=seed
        ),
        "ExtraTrees": lambda: ExtraTreesClassifier(
            _TREES, min_samples_leaf=3, n_jobs=1, random_state=seed
        ),
        "XGBoost": lambda: XGBClassifier(
            n_estimators=100, max_depth=3, learning_rate=0.1, n_jobs=1, random_state=seed
        ),
        "LightGBM": lambda: LGBMClassifier(
            n_estimators=100,
            max_depth=3,
            num_leaves=7,
            n_jobs=1,
            random_state=seed,
            deterministic=True,
            verbosity=-1,
        ),
    }
    return builders[name]()


def _checked(
    features: pd.DataFrame, label: ArrayLike, groups: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    labels, patients = np.asarray(label), np.asarray(groups)
    rows = (len(features),)
    if labels.shape != rows or patients.shape != rows:
        raise InputError(
            f"features have {rows[0]} rows, label has shape {labels.shape} and groups "
            f"{patients.shape}; all must have one entry per row."
        )
    if not np.isin(labels, (0, 1)).all():
        raise InputError("label holds other values than 0 and 1.")
    return labels, patients
