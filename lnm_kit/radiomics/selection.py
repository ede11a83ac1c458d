"""Which features are kept: the volcano plot and its filter, and that of constant features."""

import logging
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import mannwhitneyu, ttest_ind
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from lnm_kit.errors import InputError, one_of

TESTS = ("mann-whitney", "t-test")
"""Tests that :func:`volcano` can use; Welch's form of the t test."""

_NO_FEATURES = "there are no features (the table has no columns); give at least one."
_log = logging.getLogger("lnm_kit")


def volcano(
    features: pd.DataFrame,
    label: ArrayLike,
    *,
    test: str = "mann-whitney",
    p_below: float = 0.05,
    log2_fold_change_above: float = 1.0,
) -> pd.DataFrame:
    """Compare every feature between the classes: log2 fold change against p value.

    The fold change is mean(positive) / mean(negative). It has a meaning only for a feature with a
    true zero, so it is taken where all values have one sign; a feature that takes both signs
    (skewness, a wavelet's mean) could reach any fold change by its mean being near zero. There it
    is undefined: `log2_fold_change` is NaN, `defined` is false, and the feature does not pass.

    No correction for the number of tests is made, as the paper prints none: of 454 features
    without any relation about 23 have p < 0.05.

    Parameters
    ----------
    features
        (N, F), finite; unscaled, as extracted.
    label
        (N,), 0 or 1.
    test
        `mann-whitney` (two-sided, asymptotic, ties corrected) or `t-test` (Welch). The paper
        writes "t-test or Mann-Whitney U test"; radiomic features are skewed, so the rank test is
        the default, and no monotone change of a feature moves its p value.
    p_below, log2_fold_change_above
        What passes: p < p_below and the absolute log2 fold change > log2_fold_change_above.

    Returns
    -------
    pandas.DataFrame
        One row per feature: `log2_fold_change`, `p_value`, `passes`, `defined`.

    Raises
    ------
    InputError
        When there are no features, a value is not finite, a label is not 0 or 1, or a class has
        fewer than two cases.

    Notes
    -----
    *Source*: Feng et al. 2025, sections 2.9 and 3.3 and Fig. 2a (P < 0.05, absolute log2 fold
    change > 1).

    Examples
    --------
    >>> features = pd.DataFrame({"big": [1.0, 2, 3, 8, 9, 10], "none": [1.0, 3, 2, 3, 2, 1]})
    >>> volcano(features, [0, 0, 0, 1, 1, 1], p_below=0.1)["passes"].tolist()
    [True, False]
    """
    one_of("test", test, TESTS)
    values, positive = checked_features(features.to_numpy(np.float64), label)
    above, below = values[positive], values[~positive]
    mean_above, mean_below = above.mean(axis=0), below.mean(axis=0)
    one_sign = (values >= 0).all(axis=0) | (values <= 0).all(axis=0)
    defined = one_sign & (mean_above != 0) & (mean_below != 0)
    fold_change = np.full(values.shape[1], np.nan)
    fold_change[defined] = np.log2(mean_above[defined] / mean_below[defined])
    p_value = _p_values(above, below, test)
    strong = np.abs(np.nan_to_num(fold_change)) > log2_fold_change_above
    return pd.DataFrame(
        {
            "log2_fold_change": fold_change,
            "p_value": p_value,
            "passes": strong & (p_value < p_below),
            "defined": defined,
        },
        index=features.columns.rename("feature"),
    )


class ConstantFilter(SelectorMixin, BaseEstimator):
    """Drop the features that hold one value only (attribute `varies_`, bool (F,)).

    Examples
    --------
    >>> ConstantFilter().fit([[1.0, 4], [2, 4]]).get_support().tolist()
    [True, False]
    """

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:  # noqa: N803 - scikit-learn's
        """Learn which features vary; X (N, F).

        Raises
        ------
        InputError
            When there are no features, values are not finite or too large to square, or all
            features are constant.
        """
        if np.ndim(X) == 2 and np.shape(X)[1] == 0:
            raise InputError(_NO_FEATURES)
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite=False)
        names = np.asarray(getattr(self, "feature_names_in_", np.arange(values.shape[1])))
        # Beyond this the sum of squares is infinite, and the scaling after it NaN.
        usable = np.abs(values) < np.sqrt(np.finfo(np.float64).max / values.size)
        bad = names[~usable.all(axis=0)]
        if bad.size:
            raise InputError(
                f"{bad.size} of {names.size} features hold values that are not finite or beyond "
                f"1e150, first {bad[:3].tolist()}; leave these features or cases out, and say so."
            )
        self.varies_ = np.ptp(values, axis=0) > 0
        if not self.varies_.any():
            raise InputError(
                f"all {names.size} features are constant over the {len(values)} cases given, first "
                f"{names[:3].tolist()}; nothing can be selected. Leave out this branch, or look at "
                "how the features were extracted."
            )
        return self

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self, "varies_")
        return self.varies_


class VolcanoFilter(SelectorMixin, BaseEstimator):
    """Keep the features that pass :func:`volcano` on the cases given to `fit`.

    When none passes, the one with the smallest p value is kept, `fell_back_` is true, and the log
    says so: a pipeline in a fold must not die of a filter.

    Parameters
    ----------
    test, p_below, log2_fold_change_above
        See :func:`volcano`.

    Attributes
    ----------
    table_
        The frame of :func:`volcano`.
    fell_back_
        Whether no feature passed.

    Examples
    --------
    >>> features = [[1.0, 1], [2, 3], [3, 2], [8, 3], [9, 2], [10, 1]]
    >>> VolcanoFilter(p_below=0.1).fit(features, [0, 0, 0, 1, 1, 1]).get_support().tolist()
    [True, False]
    """

    def __init__(
        self,
        test: str = "mann-whitney",
        p_below: float = 0.05,
        log2_fold_change_above: float = 1.0,
    ) -> None:
        self.test = test
        self.p_below = p_below
        self.log2_fold_change_above = log2_fold_change_above

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn which features pass; X (N, F), y (N,) of 0 and 1."""
        values = validate_data(self, X, dtype=np.float64)
        names = getattr(self, "feature_names_in_", np.arange(values.shape[1]))
        self.table_ = volcano(
            pd.DataFrame(values, columns=names),
            y,
            test=self.test,
            p_below=self.p_below,
            log2_fold_change_above=self.log2_fold_change_above,
        )
        self.fell_back_ = not bool(self.table_["passes"].any())
        if self.fell_back_:
            _log.info("no feature passes the volcano filter; the smallest p value is kept")
        return self

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self, "table_")
        if self.fell_back_:
            smallest = int(self.table_["p_value"].to_numpy().argmin())
            return np.arange(len(self.table_)) == smallest
        return self.table_["passes"].to_numpy()


def _p_values(above: np.ndarray, below: np.ndarray, test: str) -> np.ndarray:
    """Two-sided p value per column; 1 for a column without any spread."""
    constant = np.ptp(np.vstack([above, below]), axis=0) == 0
    result = np.ones(above.shape[1])
    first, second = above[:, ~constant], below[:, ~constant]
    if first.shape[1] and test == "mann-whitney":
        result[~constant] = mannwhitneyu(first, second, method="asymptotic", axis=0).pvalue
    elif first.shape[1]:
        # A class without spread beside one with spread is a valid comparison for Welch's test.
        result[~constant] = ttest_ind(first, second, equal_var=False, axis=0).pvalue
    return result


def checked_features(values: np.ndarray, label: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return features (N, F) and whether each row is positive (N,), when both can be learned from.

    Raises
    ------
    InputError
        No features, values that are not finite, or labels that do not fit.
    """
    labels = np.asarray(label)
    if values.shape[1] == 0:
        raise InputError(_NO_FEATURES)
    problems = []
    bad = int((~np.isfinite(values)).any(axis=0).sum())
    if bad:
        problems.append(f"{bad} of {values.shape[1]} features hold values that are not finite")
    if labels.shape != (len(values),):
        problems.append(f"label has shape {labels.shape}, features have {len(values)} rows")
    elif not np.isin(labels, (0, 1)).all():
        problems.append("label holds other values than 0 and 1")
    elif min((labels == 1).sum(), (labels == 0).sum()) < 2:
        problems.append(
            f"each class needs at least two cases; found {int((labels == 1).sum())} positive and "
            f"{int((labels == 0).sum())} negative (in a cross-validation, among the cases that a "
            "fold is fitted on). Use more cases or other folds"
        )
    if problems:
        raise InputError("; ".join(problems) + ".")
    return values, labels == 1
