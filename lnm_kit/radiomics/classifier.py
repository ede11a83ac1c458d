"""The radiomics model of the first study: filter, LASSO, SMOTE and SVM in one pipeline."""

import numpy as np
from imblearn import FunctionSampler
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from lnm_kit.radiomics.lasso import LassoSelector
from lnm_kit.radiomics.selection import ConstantFilter, VolcanoFilter


def svm_pipeline(
    seed: int,
    *,
    test: str = "mann-whitney",
    p_below: float = 0.05,
    log2_fold_change_above: float = 1.0,
    lasso_folds: int = 10,
    penalty: float = 1.0,
) -> Pipeline:
    """Build the untrained SVM pipeline; all that it learns, it learns from what `fit` is given.

    Steps: `constant` (:class:`ConstantFilter`); `volcano` (:class:`VolcanoFilter`); `scale` to zero
    mean and unit SD; `lasso` (:class:`LassoSelector`); `smote` adds synthetic positives until
    the classes are equal, in `fit` only; `svm` with a radial kernel and balanced class weights.
    After SMOTE the classes *are* balanced, so these weights are all 1: the paper names both, and
    together they do no more than SMOTE alone.

    Scores are those of `decision_function`, signed distances and no probabilities.

    A filter that keeps nothing does not end the fit: the best single feature is kept, `fell_back_`
    of the step is true, and the log says so. `fit` raises InputError where no model is possible:
    no features, all of them constant, values not finite, or a class with fewer than two cases.

    Parameters
    ----------
    seed
        Of the LASSO's folds and of SMOTE.
    test, p_below, log2_fold_change_above
        See :func:`lnm_kit.radiomics.selection.volcano`.
    lasso_folds
        Inner folds that choose the LASSO's penalty.
    penalty
        C of the SVM.

    Returns
    -------
    imblearn.pipeline.Pipeline
        With `decision_function`; give it a DataFrame, and :func:`selected_features` gives names.

    Notes
    -----
    *Source*: Feng et al. 2025, sections 2.4 and 3.3.

    Examples
    --------
    >>> [name for name, _ in svm_pipeline(seed=0).steps]
    ['constant', 'volcano', 'scale', 'lasso', 'smote', 'svm']
    """
    return Pipeline(
        [
            ("constant", ConstantFilter()),
            (
                "volcano",
                VolcanoFilter(
                    test=test, p_below=p_below, log2_fold_change_above=log2_fold_change_above
                ),
            ),
            ("scale", StandardScaler()),
            ("lasso", LassoSelector(folds=lasso_folds, seed=seed)),
            ("smote", FunctionSampler(func=oversample, kw_args={"seed": seed})),
            ("svm", SVC(C=penalty, kernel="rbf", class_weight="balanced")),
        ]
    )


def selected_features(pipeline: Pipeline) -> list[str]:
    """Names of the features that a fitted :func:`svm_pipeline` kept.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        Before `fit`.

    Examples
    --------
    >>> import pandas as pd
    >>> rng, label = np.random.default_rng(0), np.repeat([0, 1], 30)
    >>> features = pd.DataFrame(rng.uniform(1, 2, (60, 3)), columns=["a", "b", "c"])
    >>> features["b"] *= 1 + 2 * label
    >>> selected_features(svm_pipeline(seed=0).fit(features, label))
    ['b']
    """
    return [str(name) for name in pipeline[:-2].get_feature_names_out()]


def oversample(
    features: np.ndarray, label: np.ndarray, *, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Add synthetic cases of the rarer class by SMOTE until the classes are equal.

    SMOTE's five neighbors become fewer when the class has fewer cases; with one case nothing can
    be interpolated, and the data come back as they are.

    Parameters
    ----------
    features
        (N, F), scaled.
    label
        (N,), 0 or 1.
    seed
        Of SMOTE.

    Returns
    -------
    tuple of numpy.ndarray
        The cases, then the synthetic ones; and their labels.

    Notes
    -----
    *Source*: Chawla et al., J Artif Intell Res 2002;16:321-357.

    Examples
    --------
    >>> features, label = oversample(np.arange(8.0)[:, None], np.array([0] * 6 + [1] * 2), seed=0)
    >>> np.bincount(label).tolist()
    [6, 6]
    """
    neighbors = min(5, int(np.unique(label, return_counts=True)[1].min()) - 1)
    if neighbors < 1:
        return features, label
    return SMOTE(k_neighbors=neighbors, random_state=seed).fit_resample(features, label)
