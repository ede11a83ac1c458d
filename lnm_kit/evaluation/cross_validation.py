"""Scores that every case gets from a model which never saw it, nor its patient."""

from typing import Any

import joblib
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit
from sklearn.base import clone

from lnm_kit.cohort.folds import patient_folds
from lnm_kit.errors import InputError
from lnm_kit.progress import track


def out_of_fold_scores(
    estimator: Any,
    features: pd.DataFrame,
    label: ArrayLike,
    groups: ArrayLike,
    *,
    folds: int = 10,
    seed: int,
    n_jobs: int = 1,
) -> np.ndarray:
    """Score every case by a copy of the estimator fitted on the other folds.

    Folds are stratified by label and keep the cases of a patient together. Whatever must be learned
    (scaling, selection, oversampling) has to be inside of the estimator.

    Parameters
    ----------
    estimator
        Untrained scikit-learn classifier or pipeline; it is cloned, never fitted itself.
    features
        (N, F).
    label
        (N,), 0 or 1.
    groups
        (N,), patient of every row.
    folds
        Number of folds.
    seed
        Of the assignment to folds.
    n_jobs
        Processes, one fold each.

    Returns
    -------
    numpy.ndarray
        (N,), see :func:`case_scores`, in the order of the rows.

    Raises
    ------
    InputError
        When lengths differ, a label is not 0 or 1, or a class has fewer patients than folds.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng, label = np.random.default_rng(0), np.tile([0, 1], 20)
    >>> features = pd.DataFrame({"size": label + rng.normal(0, 0.1, 40)})
    >>> patients = np.arange(40) // 2
    >>> scores = out_of_fold_scores(
    ...     LogisticRegression(), features, label, patients, folds=5, seed=0)
    >>> bool(scores[label == 1].min() > scores[label == 0].max())
    True
    """
    labels, patients = np.asarray(label), np.asarray(groups)
    _check(features, labels, patients)
    held_out = [rows for _, rows in patient_folds(labels, patients, folds=folds, seed=seed)]
    results = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(
        joblib.delayed(_fit_and_score)(estimator, features, labels, rows) for rows in held_out
    )
    scores = np.full(len(features), np.nan)
    tracked = track(results, label="cross-validate", total=folds)
    for rows, found in zip(held_out, tracked, strict=True):
        scores[rows] = found
    return scores


def case_scores(estimator: Any, features: pd.DataFrame) -> np.ndarray:
    """Score cases in [0, 1] by a fitted classifier; higher means more likely positive.

    `predict_proba` where there is one. Otherwise the logistic function of `decision_function`, so
    that an SVM's boundary is at 0.5: a monotone map, not a calibrated probability.

    Parameters
    ----------
    estimator
        Fitted scikit-learn classifier or pipeline.
    features
        (N, F).

    Returns
    -------
    numpy.ndarray
        float64 (N,).

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> model = SVC(kernel="linear").fit([[0.0], [1.0]], [0, 1])
    >>> case_scores(model, np.array([[0.5], [0.9]])).round(2).tolist()
    [0.5, 0.6]
    """
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(features)[:, 1], dtype=np.float64)
    return expit(np.asarray(estimator.decision_function(features), dtype=np.float64))


def _fit_and_score(
    estimator: Any, features: pd.DataFrame, labels: np.ndarray, held_out: np.ndarray
) -> np.ndarray:
    kept = np.setdiff1d(np.arange(len(features)), held_out)
    fitted = clone(estimator).fit(features.iloc[kept], labels[kept])
    return case_scores(fitted, features.iloc[held_out])


def _check(features: pd.DataFrame, labels: np.ndarray, patients: np.ndarray) -> None:
    rows = len(features)
    if labels.shape != (rows,) or patients.shape != (rows,):
        raise InputError(
            f"features have {rows} rows, label has shape {labels.shape} and groups "
            f"{patients.shape}; all must have one entry per row."
        )
    if not np.isin(labels, (0, 1)).all():
        raise InputError("label holds other values than 0 and 1.")
