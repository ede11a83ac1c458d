"""Permutation tests of a classifier: how often a guess would have done as well."""

import numpy as np
from scipy.stats import rankdata

from lnm_kit.errors import InputError
from lnm_kit.evaluation.estimate import Numbers, labels_and_scores

INDICATORS = ("sensitivity", "specificity", "accuracy", "auc")


def permutation_tests(
    label: Numbers, score: Numbers, threshold: float, *, permutations: int = 999, seed: int
) -> dict[str, float]:
    """P values of sensitivity, specificity, accuracy and AUC against labels in random order.

    Scores and decisions stay, the labels are shuffled; p = (1 + B) / (1 + permutations), where B
    counts the shuffles in which the indicator is at least as large as observed. One-sided.

    Parameters
    ----------
    label, score, threshold
        As in :func:`lnm_kit.evaluation.confusion`.
    permutations
        Shuffles; no p value is below 1 / (1 + permutations).
    seed
        Of the shuffles.

    Returns
    -------
    dict
        p of each of `INDICATORS`. Decisions and class sizes are fixed, so the true positives
        determine sensitivity, specificity and accuracy alike, and these three have one p value,
        that of Fisher's one-sided exact test but for the error of the shuffles.

    Raises
    ------
    InputError
        As in :func:`lnm_kit.evaluation.confusion`, or fewer than one permutation.

    Notes
    -----
    *Source*: Ojala and Garriga, J Mach Learn Res 2010;11:1833-1863, test 1; Phipson and Smyth,
    Stat Appl Genet Mol Biol 2010;9:39 (why 1 is added).

    Examples
    --------
    >>> label = [0] * 10 + [1] * 10
    >>> p = permutation_tests(label, np.arange(20), 10, seed=0)
    >>> p["sensitivity"] == p["accuracy"] == p["auc"] == 0.001
    True
    """
    labels, scores = labels_and_scores(label, score)
    if permutations < 1:
        raise InputError(f"permutations is {permutations}; allowed: 1 or more.")
    called, rank = scores >= threshold, rankdata(scores)
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.broadcast_to(labels, (permutations, labels.size)), axis=1)
    observed, drawn = (_indicators(each, called, rank) for each in (labels[None], shuffled))
    # equal but for rounding counts as equal
    return {
        name: float((1 + np.sum(drawn[name] >= observed[name] - 1e-12)) / (1 + permutations))
        for name in INDICATORS
    }


def _indicators(labels: np.ndarray, called: np.ndarray, rank: np.ndarray) -> dict[str, np.ndarray]:
    """Indicators of many labelings, (P, N), of the same decisions and ranks, each (P,)."""
    n_positive, n = labels[0].sum(), labels.shape[1]
    hits = (labels & called).sum(axis=1)
    rejected = (~labels & ~called).sum(axis=1)
    above = (labels * rank).sum(axis=1) - n_positive * (n_positive + 1) / 2
    return {
        "sensitivity": hits / n_positive,
        "specificity": rejected / (n - n_positive),
        "accuracy": (hits + rejected) / n,
        "auc": above / (n_positive * (n - n_positive)),
    }
