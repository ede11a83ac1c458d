"""What a score decides at one threshold: the confusion matrix and the metrics that follow."""

import math
from dataclasses import dataclass

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from lnm_kit.errors import InputError
from lnm_kit.evaluation.estimate import LEVEL, Estimate, Numbers, labels_and_scores

METRICS = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "kappa")
"""Names of the metrics, in the order that the studies print them."""

_RESAMPLES = 2000


@dataclass(frozen=True)
class Confusion:
    """Counts of right and wrong decisions: true and false positives, false and true negatives."""

    tp: int
    fp: int
    fn: int
    tn: int


def confusion(label: Numbers, score: Numbers, threshold: float) -> Confusion:
    """Count the decisions `score >= threshold` against the labels.

    Parameters
    ----------
    label
        (N,), 0 or 1; 1 is the positive class.
    score
        (N,), finite.
    threshold
        A case is called positive when its score is at least this.

    Raises
    ------
    InputError
        When a label is not 0 or 1, a class is missing, or a score or the threshold is not finite.

    Examples
    --------
    >>> confusion([0, 0, 1, 1], [0.2, 0.7, 0.5, 0.9], threshold=0.5)
    Confusion(tp=2, fp=1, fn=0, tn=1)
    """
    labels, scores = labels_and_scores(label, score)
    if not math.isfinite(threshold):
        raise InputError(f"threshold is {threshold}; it must be a finite number.")
    called = scores >= threshold
    return Confusion(
        tp=int(np.sum(called & labels)),
        fp=int(np.sum(called & ~labels)),
        fn=int(np.sum(~called & labels)),
        tn=int(np.sum(~called & ~labels)),
    )


def confusion_metrics(
    label: Numbers, score: Numbers, threshold: float, *, seed: int = 0
) -> dict[str, Estimate]:
    r"""Accuracy, sensitivity, specificity, PPV, NPV, F1 and kappa at one threshold.

    Proportions carry Wilson's interval. F1 and Cohen's kappa are no proportions; theirs is the
    percentile interval of 2,000 bootstrap samples of the cases. As both depend on the four counts
    only, the bootstrap of cases *is* a multinomial draw of the four counts. Where cells of 0 leave
    all samples equal, as with perfect decisions, that interval has no width; `method` says so.

    F1 = 2 TP / (2 TP + FP + FN); kappa = (p_o - p_e) / (1 - p_e), with the agreement p_o expected
    by chance p_e.

    Parameters
    ----------
    label, score, threshold
        As in :func:`confusion`.
    seed
        Of the bootstrap.

    Returns
    -------
    dict
        Metric name (see `METRICS`) to its Estimate. PPV or NPV without a case called so is
        undefined: NaN, with the reason in `method`.

    Raises
    ------
    InputError
        As in :func:`confusion`.

    Notes
    -----
    *Source*: Wilson, J Am Stat Assoc 1927;22:209-212; Cohen, Educ Psychol Meas 1960;20:37-46.

    Examples
    --------
    >>> metrics = confusion_metrics([0, 0, 1, 1], [0.2, 0.7, 0.5, 0.9], threshold=0.5)
    >>> print(metrics["sensitivity"])
    1.000 (0.342 to 1.000)
    >>> round(metrics["kappa"].value, 3)
    0.5
    """
    counts = confusion(label, score, threshold)
    tp, fp, fn, tn = counts.tp, counts.fp, counts.fn, counts.tn
    cells = np.array([tp, fp, fn, tn])
    samples = np.random.default_rng(seed).multinomial(
        cells.sum(), cells / cells.sum(), size=_RESAMPLES
    )
    return {
        "accuracy": _wilson(tp + tn, int(cells.sum()), ""),
        "sensitivity": _wilson(tp, tp + fn, ""),
        "specificity": _wilson(tn, tn + fp, ""),
        "ppv": _wilson(tp, tp + fp, "no case was called positive"),
        "npv": _wilson(tn, tn + fn, "no case was called negative"),
        "f1": _bootstrap(_f1(cells[None])[0], _f1(samples)),
        "kappa": _bootstrap(_kappa(cells[None])[0], _kappa(samples)),
    }


def metrics_of_counts(cells: np.ndarray) -> np.ndarray:
    """All of `METRICS` from counts (B, 4) ordered tp, fp, fn, tn: (len(METRICS), B), else NaN.

    Examples
    --------
    >>> metrics_of_counts(np.array([[2, 1, 0, 1]]))[:, 0].round(2).tolist()
    [0.75, 1.0, 0.5, 0.67, 1.0, 0.8, 0.5]
    """
    tp, fp, fn, tn = cells.T.astype(np.float64)
    pairs = ((tp + tn, tp + fp + fn + tn), (tp, tp + fn), (tn, tn + fp), (tp, tp + fp))
    shares = [_share(above, below) for above, below in (*pairs, (tn, tn + fn))]
    return np.stack([*shares, _f1(cells), _kappa(cells)])


def _wilson(count: int, total: int, reason: str) -> Estimate:
    if total == 0:
        return Estimate.undefined(reason)
    lo, hi = proportion_confint(count, total, alpha=1 - LEVEL, method="wilson")
    # at 0 and at 1 the limit is the value itself, which rounding misses
    value = count / total
    low, high = max(0.0, min(float(lo), value)), min(1.0, max(float(hi), value))
    return Estimate(value, low, high, "Wilson")


def _bootstrap(value: float, samples: np.ndarray) -> Estimate:
    # A sample that drew one class only, all called alike, has no F1 or no kappa.
    lo, hi = np.nanquantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    method = f"bootstrap percentile, {_RESAMPLES}"
    if lo == hi:
        # Cells of 0 stay 0 in every sample, as with perfect decisions.
        method += " (all samples agree: no measure of certainty)"
    return Estimate(float(value), float(lo), float(hi), method)


def _f1(cells: np.ndarray) -> np.ndarray:
    """F1 of counts (B, 4) ordered tp, fp, fn, tn; NaN where there is no positive at all."""
    tp, fp, fn, _ = cells.T.astype(np.float64)
    return _share(2 * tp, 2 * tp + fp + fn)


def _kappa(cells: np.ndarray) -> np.ndarray:
    """Cohen's kappa of counts (B, 4); NaN where chance alone agrees fully."""
    tp, fp, fn, tn = cells.T.astype(np.float64)
    total = tp + fp + fn + tn
    chance = ((tp + fp) * (tp + fn) + (fn + tn) * (fp + tn)) / total**2
    above = (tp + tn) / total - chance
    return np.divide(above, 1 - chance, out=np.full_like(tp, np.nan), where=chance < 1 - 1e-12)


def _share(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
