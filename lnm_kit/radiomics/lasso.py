"""Choosing features by the LASSO, and its path along the penalty."""

import logging
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.linear_model import LassoCV
from sklearn.linear_model import lasso_path as coefficient_path
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from lnm_kit.cohort.folds import StratifiedPatientKFold
from lnm_kit.errors import InputError
from lnm_kit.radiomics.selection import checked_features

_PENALTIES = 100
# Over the largest penalty that keeps a feature. Below it, features that are nearly copies of each
# other keep the descent from converging; glmnet stops here as well when N < F.
_SMALLEST_PENALTY = 1e-2
_MAX_ITERATIONS = 20_000
_TOLERANCE = 1e-3
_MOST_PRODUCTS = 4000
_log = logging.getLogger("lnm_kit")


class LassoSelector(SelectorMixin, BaseEstimator):
    """Keep the features with a LASSO coefficient at the penalty of smallest mean squared error.

    Linear LASSO on the 0/1 label, the penalty chosen by stratified cross-validation among 100
    values; the features must come scaled. When no coefficient is left, the feature that is most
    correlated with the label is kept, `fell_back_` is true, and the log says so.

    Parameters
    ----------
    folds
        Inner folds, fewer when a class has fewer cases.
    seed
        Of the inner folds.

    Attributes
    ----------
    alpha_
        The chosen penalty (lambda of glmnet: the same scaling of the loss).
    coef_
        (F,).
    fell_back_
        Whether no coefficient was left.

    Notes
    -----
    *Source*: Feng et al. 2025, section 3.3 and Fig. 2c-d (mean squared error, lambda_min).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> features, label = rng.normal(size=(60, 4)), np.repeat([0, 1], 30)
    >>> features[:, 2] += 3 * label
    >>> bool(LassoSelector(seed=0).fit(features, label).get_support()[2])
    True
    """

    def __init__(self, folds: int = 10, seed: int = 0) -> None:
        self.folds = folds
        self.seed = seed

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:  # noqa: N803
        """Learn the penalty and the coefficients; X (N, F) scaled, y (N,) of 0 and 1.

        `groups` (N,) names the patient of every row, whose rows stay in one inner fold; without it
        every row is a patient of its own.
        """
        values, positive = checked_features(validate_data(self, X, dtype=np.float64), y)
        lasso = _fit_lasso(values, positive, self.folds, self.seed, groups)
        self.alpha_, self.coef_ = float(lasso.alpha_), lasso.coef_
        self.fell_back_ = not self.coef_.any()
        centered = values - values.mean(axis=0)
        spread = np.sqrt((centered**2).sum(axis=0))
        covered = np.abs(centered.T @ (positive - positive.mean()))
        self.strongest_ = int(np.argmax(covered / np.where(spread > 0, spread, np.inf)))
        if self.fell_back_:
            _log.info("the LASSO keeps no feature; the one most correlated with the label is kept")
        return self

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self, "coef_")
        if self.fell_back_:
            return np.arange(self.coef_.size) == self.strongest_
        return self.coef_ != 0


@dataclass(frozen=True, eq=False)
class LassoPath:
    """Coefficients and cross-validated error along the penalty; for figures.

    Attributes
    ----------
    alphas
        (A,), falling.
    coefficients
        (F, A) frame: features by penalty, of standardized features.
    error, error_se
        (A,), mean squared error over the folds and its standard error.
    alpha
        The penalty of the smallest error.
    """

    alphas: np.ndarray
    coefficients: pd.DataFrame
    error: np.ndarray
    error_se: np.ndarray
    alpha: float

    def kept(self) -> pd.Series:
        """Coefficients that are not zero at `alpha`, largest first."""
        chosen = self.coefficients.iloc[:, int(np.argmin(np.abs(self.alphas - self.alpha)))]
        chosen = chosen[chosen != 0].rename("coefficient")
        return chosen.reindex(chosen.abs().sort_values(ascending=False).index)


def lasso_path(
    features: pd.DataFrame,
    label: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    seed: int,
    folds: int = 10,
) -> LassoPath:
    """Trace the LASSO of :class:`LassoSelector` over its 100 penalties; features are scaled here.

    Parameters
    ----------
    features
        (N, F), finite, of training cases only.
    label
        (N,), 0 or 1.
    groups, seed, folds
        As in :class:`LassoSelector`.

    Raises
    ------
    InputError
        As in :func:`lnm_kit.radiomics.volcano`.

    Notes
    -----
    *Source*: Feng et al. 2025, Fig. 2c-d.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> label = np.repeat([0, 1], 30)
    >>> features = pd.DataFrame({"noise": rng.normal(size=60), "size": label + rng.normal(size=60)})
    >>> lasso_path(features, label, seed=0).kept().index[0]
    'size'
    """
    values, positive = checked_features(features.to_numpy(np.float64), label)
    values = StandardScaler().fit_transform(values)
    lasso = _fit_lasso(values, positive, folds, seed, groups)
    target = positive - positive.mean()
    alphas, coefficients, _ = coefficient_path(
        values, target, alphas=lasso.alphas_, max_iter=_MAX_ITERATIONS, tol=_TOLERANCE
    )
    # Traced from the largest penalty down, the last digits differ from the fit at the chosen one.
    coefficients[:, int(np.argmin(np.abs(alphas - lasso.alpha_)))] = lasso.coef_
    return LassoPath(
        alphas,
        pd.DataFrame(coefficients, index=features.columns),
        lasso.mse_path_.mean(axis=1),
        lasso.mse_path_.std(axis=1, ddof=1) / np.sqrt(lasso.mse_path_.shape[1]),
        float(lasso.alpha_),
    )


def _fit_lasso(
    values: np.ndarray, positive: np.ndarray, folds: int, seed: int, groups: ArrayLike | None
) -> LassoCV:
    patients = np.arange(len(positive)) if groups is None else np.asarray(groups)
    if patients.shape != positive.shape:
        raise InputError(
            f"groups has shape {patients.shape}; it must name one patient for each of the "
            f"{len(positive)} rows."
        )
    rarer = min(len(np.unique(patients[positive])), len(np.unique(patients[~positive])))
    n_folds = max(2, min(folds, rarer))
    splits = (
        StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        if groups is None
        else StratifiedPatientKFold(n_folds, shuffle=True, random_state=seed)
    )
    target = positive.astype(np.float64)
    lasso = LassoCV(
        alphas=_PENALTIES,
        eps=_SMALLEST_PENALTY,
        cv=list(splits.split(values, target, groups)),
        # The matrix of products is F x F: with 20,000 features 3 GB.
        precompute=values.shape[1] <= _MOST_PRODUCTS,
        max_iter=_MAX_ITERATIONS,
        tol=_TOLERANCE,
    )
    return lasso.fit(values, target)
