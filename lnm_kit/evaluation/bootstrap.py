"""Bootstrap of cases by counting how often each was drawn, for many metrics at once."""

from collections.abc import Iterable
from itertools import chain

import numpy as np
import numpy.typing as npt

from lnm_kit.errors import InputError
from lnm_kit.evaluation.confusion import METRICS, metrics_of_counts
from lnm_kit.evaluation.estimate import LEVEL, Estimate, Numbers, labels_and_scores
from lnm_kit.evaluation.log_loss import losses_of
from lnm_kit.evaluation.resampling import drawn_counts

_CELLS = ((True, True), (False, True), (True, False), (False, False))
"""Is positive, is called so: true and false positives, false and true negatives."""


def bootstrap_metrics(
    label: Numbers, probability: Numbers, threshold: float, *, resamples: int = 2000, seed: int = 0
) -> dict[str, Estimate]:
    r"""AUC, Brier score, log loss and the metrics of one threshold, all with bootstrap intervals.

    Every resample of the cases is drawn once, as the number of times :math:`w_i` that each case is
    in it, and all metrics are read off these counts: means as weighted means, decisions as weighted
    cells, and the area from weights that were summed up in the order of the scores,

    .. math::
        A = \frac{1}{W^+ W^-} \sum_g W_g^+ \Big(\sum_{h < g} W_h^- + \tfrac12 W_g^-\Big),

    with the weights of the positives and negatives at the g-th different score. No case is copied
    and nothing is sorted again. Intervals are percentiles; a resample in which a metric does not
    exist (one class only, nobody called positive) is left out of that metric's.

    Where there is a formula, it is better than resampling: :func:`lnm_kit.evaluation.auc` and
    :func:`lnm_kit.evaluation.confusion_metrics` have it. This is for comparing all metrics in the
    same resamples.

    Parameters
    ----------
    label
        (N,), 0 or 1, both present.
    probability
        (N,), in [0, 1].
    threshold
        A case is called positive when its probability is at least this.
    resamples
        2 or more.
    seed
        Of the bootstrap.

    Returns
    -------
    dict
        `auc`, the names of `METRICS`, `brier` and `log_loss`, each to its Estimate.

    Raises
    ------
    InputError
        When labels and probabilities do not fit or are out of range, or `resamples` is below 2.

    Notes
    -----
    *Source*: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile
    interval); area as a mean over pairs, Hanley and McNeil, Radiology 1982;143:29-36.

    Examples
    --------
    >>> found = bootstrap_metrics([0, 0, 1, 0, 1, 1], [0.1, 0.3, 0.4, 0.5, 0.8, 0.9], 0.5)
    >>> print(found["auc"].method, round(found["auc"].value, 3))
    bootstrap percentile, 2000 0.889
    """
    labels, chance = labels_and_scores(label, probability)
    problems = []
    if chance.min() < 0 or chance.max() > 1:
        problems.append(f"probability is {chance.min():g} to {chance.max():g}; allowed: 0 to 1")
    if not np.isfinite(threshold):
        problems.append(f"threshold is {threshold}; it must be a finite number")
    if resamples < 2:
        problems.append(f"resamples is {resamples}; allowed: 2 or more")
    if problems:
        raise InputError("; ".join(problems) + ".")
    order = np.argsort(chance, kind="stable")
    labels, chance = labels[order], chance[order]
    starts = np.flatnonzero(np.r_[True, chance[1:] != chance[:-1]])
    called = chance >= threshold
    in_cell = [(called == is_called) & (labels == is_positive) for is_positive, is_called in _CELLS]
    columns = np.column_stack([*in_cell, (chance - labels) ** 2, losses_of(labels, chance)])
    columns = columns.astype(np.float64)

    weights = chain([np.ones(len(labels))], drawn_counts(len(labels), resamples, seed))
    # the first row is the cases themselves, each once
    rows = _metrics_of(weights, labels, starts, columns)
    method = f"bootstrap percentile, {resamples}"
    return {
        name: _estimate(float(row[0]), row[1:], method)
        for name, row in zip(("auc", *METRICS, "brier", "log_loss"), rows, strict=True)
    }


def _estimate(value: float, samples: npt.NDArray[np.float64], method: str) -> Estimate:
    if np.isnan(value):
        return Estimate.undefined("no case was called so")
    lo, hi = np.nanquantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(lo), float(hi), method)


def _metrics_of(
    weights: Iterable[npt.NDArray[np.float64]],
    labels: npt.NDArray[np.bool_],
    starts: npt.NDArray[np.intp],
    columns: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """All metrics (rows) of each weighting of the cases, which are in the order of their scores."""
    positive = labels.astype(np.float64)
    areas, sums = [], []
    for weight in weights:
        areas.append(_area(weight * positive, weight, starts))
        sums.append(weight @ columns)
    cells, means = np.split(np.array(sums), [4], axis=1)
    return np.vstack([areas, metrics_of_counts(cells), means.T / len(labels)])


def _area(
    positive: npt.NDArray[np.float64],
    weight: npt.NDArray[np.float64],
    starts: npt.NDArray[np.intp],
) -> float:
    """Weighted area under the ROC curve; NaN where one class was not drawn."""
    if len(starts) < len(weight):  # ties: one group of weights for each different score
        positive, weight = np.add.reduceat(positive, starts), np.add.reduceat(weight, starts)
    negative = weight - positive
    pairs = positive.sum() * negative.sum()
    below = np.cumsum(negative) - negative / 2
    return float(positive @ below / pairs) if pairs else float("nan")
