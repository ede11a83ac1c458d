"""What every protocol does with a table: choose features, scale, fit a linear score."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from lnm_kit.evaluation.stress.design import LinearScore, Table

KEPT = 20
"""Features that a protocol keeps, if it does not try several numbers."""


def strongest(features: np.ndarray, label: np.ndarray, kept: int) -> np.ndarray:
    """Columns with the largest two-sample t statistics, sorted, (kept,).

    Examples
    --------
    >>> rng, label = np.random.default_rng(0), np.repeat([0, 1], 20)
    >>> features = rng.normal(size=(40, 5))
    >>> features[:, 3] += 3 * label
    >>> strongest(features, label, 1).tolist()
    [3]
    """
    positive, negative = features[label == 1], features[label == 0]
    gap = positive.mean(0) - negative.mean(0)
    error = np.sqrt(
        positive.var(0, ddof=1) / len(positive) + negative.var(0, ddof=1) / len(negative)
    )
    return np.sort(np.argsort(-np.abs(gap) / error, kind="stable")[:kept])


def fit_score(
    table: Table,
    *,
    chosen: np.ndarray | None = None,
    kept: int = KEPT,
    penalty: float = 10.0,
    scaled_by: Table | None = None,
) -> LinearScore:
    """Fit a class-weighted logistic regression with a ridge penalty on the strongest features.

    Parameters
    ----------
    table
        Cases to learn from.
    chosen
        Columns to use; without it the `kept` strongest of `table`.
    kept
        Number of columns to choose.
    penalty
        Of the ridge, on standardized features; its inverse is scikit-learn's C.
    scaled_by
        Cases whose mean and SD standardize the features; `table` without it.

    Examples
    --------
    >>> from lnm_kit.evaluation.stress.design import Design, draw_table
    >>> design = Design(patients=200, oracle_auc=0.95)
    >>> score = fit_score(draw_table(design, np.random.default_rng(0)))
    >>> 0.7 < score.true_auc(design) < 0.95
    True
    """
    columns = strongest(table.features, table.label, kept) if chosen is None else chosen
    basis = (table if scaled_by is None else scaled_by).features[:, columns]
    mean, sd = basis.mean(0), basis.std(0)
    model = LogisticRegression(C=1 / penalty, class_weight="balanced", max_iter=500)
    model.fit((table.features[:, columns] - mean) / sd, table.label)
    weights = np.zeros(table.features.shape[1])
    weights[columns] = model.coef_[0] / sd
    return LinearScore(weights, float(model.intercept_[0] - (model.coef_[0] / sd) @ mean))


def by_patient(table: Table, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Label and mean score of every patient of a table, in the order of their numbers."""
    _, first, place = np.unique(table.patient, return_index=True, return_inverse=True)
    mean = np.bincount(place, weights=score) / np.bincount(place)
    return table.label[first], mean
