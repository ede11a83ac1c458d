"""Attention between nodules of a batch: a score that depends on who else is computed with it."""

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from lnm_kit.evaluation.stress.design import Table
from lnm_kit.evaluation.stress.fitting import KEPT, strongest

BATCH = 30
"""Nodules that attend to one another, as many as the fifth study's batch has."""


def attend(
    values: np.ndarray, likeness: np.ndarray, company: np.ndarray | None = None
) -> np.ndarray:
    r"""Values plus a weighted mean over a company, (N, F) float64.

    .. math:: f_i = v_i + \sum_j a_{ij} v_j, \qquad
        a_{ij} = \operatorname{softmax}_j\left(v_i^T M v_j / \sqrt F\right)

    Parameters
    ----------
    values
        Float (N, F), of nodules.
    likeness
        Float (F, F), the M of the formula: weights of the queries times those of the keys.
    company
        Float (C, F), of other nodules; j then runs over nodule i itself and over these. Without
        it, j runs over all N.

    Notes
    -----
    *Source*: G. Li (DGFNet), equations 15 to 20; the values are the features themselves.

    Examples
    --------
    >>> attend(np.array([[1.0, 2.0]]), np.eye(2))
    array([[2., 4.]])
    """
    query, root = values @ likeness, np.sqrt(values.shape[1])
    if company is None:
        return values + softmax(query @ values.T / root, axis=1) @ values
    own = (query * values).sum(axis=1, keepdims=True)
    weights = softmax(np.hstack([own, query @ company.T]) / root, axis=1)
    return values + weights[:, :1] * values + weights[:, 1:] @ company


def attend_in_batches(values: np.ndarray, likeness: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Let nodules attend to their batch: about `BATCH` neighbors in `order`, (N, F) float64.

    Parameters
    ----------
    values, likeness
        As in :func:`attend`.
    order
        Int (N,), a permutation of the rows.

    Examples
    --------
    >>> values = np.random.default_rng(0).normal(size=(60, 4))
    >>> found = attend_in_batches(values, np.eye(4), np.arange(60))
    >>> bool(np.allclose(found[30:], attend(values[30:], np.eye(4))))
    True
    """
    attended = np.empty_like(values)
    for batch in np.array_split(order, max(round(len(order) / BATCH), 1)):
        attended[batch] = attend(values[batch], likeness)
    return attended


@dataclass(frozen=True, eq=False)
class AttentionScore:
    """A linear score of attended features, and the bank of training nodules to attend to.

    Parameters
    ----------
    columns
        Int (F,), the features that it uses.
    mean, sd
        Float (F,), of the training nodules; they standardize the features.
    likeness
        Float (F, F), of :func:`attend`.
    weights
        Float (F,), of the attended features.
    bank
        Float (BATCH - 1, F), standardized features of training nodules.
    """

    columns: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    likeness: np.ndarray
    weights: np.ndarray
    bank: np.ndarray

    def with_bank(self, chosen: np.ndarray) -> np.ndarray:
        """Scores (N,) of nodules that attend to the bank; `chosen` has its `columns` only."""
        values = (chosen - self.mean) / self.sd
        return attend(values, self.likeness, self.bank) @ self.weights

    def in_batches(self, chosen: np.ndarray, order: np.ndarray) -> np.ndarray:
        """Scores (N,) of nodules that attend to their batch mates in this order."""
        values = (chosen - self.mean) / self.sd
        return attend_in_batches(values, self.likeness, order) @ self.weights


def of_patients(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Mean features (P, F) and label (P,) of every patient of a table."""
    _, first, place = np.unique(table.patient, return_index=True, return_inverse=True)
    total = np.zeros((len(first), table.features.shape[1]))
    np.add.at(total, place, table.features)
    return total / np.bincount(place)[:, None], table.label[first]


def fit_attention(table: Table, rng: np.random.Generator) -> AttentionScore:
    """Fit the weights on training nodules that attend to one another, in random batches.

    Queries and keys keep the random weights that a network starts with: uniform, within one over
    the root of the number of features. Only the weights of the score are learned.

    Parameters
    ----------
    table
        Cases to learn from; a patient is one nodule, with the mean over its images.
    rng
        Of queries and keys, of the batches and of the bank.

    Examples
    --------
    >>> from lnm_kit.evaluation.stress.design import Design, draw_table
    >>> rng = np.random.default_rng(0)
    >>> score = fit_attention(draw_table(Design(), rng), rng)
    >>> score.bank.shape
    (29, 20)
    """
    features, label = of_patients(table)
    columns = strongest(features, label, KEPT)
    mean, sd = features[:, columns].mean(0), features[:, columns].std(0)
    values = (features[:, columns] - mean) / sd
    query, key = rng.uniform(-1, 1, (2, KEPT, KEPT)) / np.sqrt(KEPT)
    attended = attend_in_batches(values, query @ key.T, rng.permutation(len(values)))
    model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=500).fit(attended, label)
    bank = values[rng.permutation(len(values))[: BATCH - 1]]
    return AttentionScore(columns, mean, sd, query @ key.T, model.coef_[0], bank)
