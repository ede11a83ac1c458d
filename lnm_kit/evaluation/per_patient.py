"""Several rows per patient: means per patient, and intervals that know which rows belong."""

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from lnm_kit.errors import InputError
from lnm_kit.evaluation.auc import auc
from lnm_kit.evaluation.estimate import LEVEL, Estimate, Numbers, labels_and_scores

_Z = float(norm.ppf((1 + LEVEL) / 2))


def patient_means(values: Numbers, patients: ArrayLike) -> pd.Series:
    """Mean of a value over the rows of each patient.

    Parameters
    ----------
    values
        (N,), finite: scores of images, or their labels.
    patients
        (N,), patient of every row.

    Returns
    -------
    pandas.Series
        float64, index: the patients in order of their first row.

    Raises
    ------
    InputError
        When lengths differ, or a value is not finite.

    Examples
    --------
    >>> patient_means([0.2, 0.4, 0.9], ["b", "b", "a"]).round(2).to_dict()
    {'b': 0.3, 'a': 0.9}
    """
    numbers, owners = np.asarray(values, dtype=np.float64), np.asarray(patients)
    if numbers.ndim != 1 or numbers.shape != owners.shape:
        raise InputError(
            f"values have shape {numbers.shape} and patients {owners.shape}; both must be "
            "one-dimensional and of the same length."
        )
    bad = np.flatnonzero(~np.isfinite(numbers))
    if bad.size:
        raise InputError(
            f"values are not finite at {bad.size} positions, first {bad[:5].tolist()}; leave these "
            "rows out and say so."
        )
    return pd.Series(numbers).groupby(owners, sort=False).mean()


def auc_clustered(label: Numbers, score: Numbers, patients: ArrayLike) -> Estimate:
    r"""Area under the ROC curve over rows, with an interval that takes patients as independent.

    The area is that of :func:`lnm_kit.evaluation.auc` over all rows. Its variance sums DeLong's
    placements over the rows of each patient first: rows of one patient repeat each other, so the
    interval is wider than one that takes them for independent. With one row per patient it is
    DeLong's, apart from factors of n / (n - 1).

    Parameters
    ----------
    label, score
        (N,), as in :func:`lnm_kit.evaluation.auc`.
    patients
        (N,), patient of every row.

    Raises
    ------
    InputError
        As in :func:`lnm_kit.evaluation.auc`; or when the lengths differ.

    Notes
    -----
    *Source*: Obuchowski, Biometrics 1997;53:567-578. The interval is taken on the logit scale;
    where the variance is zero or a class has one patient, that of :func:`lnm_kit.evaluation.auc`
    over rows is given, and `method` says so.

    Examples
    --------
    >>> print(auc_clustered([0, 0, 0, 1, 1, 1], [1, 2, 5, 4, 6, 7], ["a", "a", "b", "c", "d", "d"]))
    0.889 (0.111 to 0.998)
    """
    labels, scores = labels_and_scores(label, score)
    owners = np.asarray(patients)
    if owners.shape != labels.shape:
        raise InputError(
            f"label has shape {labels.shape} and patients {owners.shape}; both need one entry per "
            "row."
        )
    positive, negative = scores[labels], scores[~labels]
    ranks = rankdata(scores)
    against_negative = (ranks[labels] - rankdata(positive)) / negative.size
    against_positive = 1 - (ranks[~labels] - rankdata(negative)) / positive.size
    value = float(against_negative.mean())
    _, cluster = np.unique(owners, return_inverse=True)
    n = int(cluster.max()) + 1
    of_positive = np.bincount(cluster[labels], against_negative - value, n) / positive.size
    of_negative = np.bincount(cluster[~labels], against_positive - value, n) / negative.size
    n_positive = len(np.unique(cluster[labels]))
    n_negative = len(np.unique(cluster[~labels]))
    if min(n_positive, n_negative) < 2 or value in (0.0, 1.0):
        plain = auc(labels.astype(int), scores)
        return Estimate(value, plain.lo, plain.hi, f"{plain.method}, rows as independent")
    variance = (
        n_positive / (n_positive - 1) * (of_positive**2).sum()
        + n_negative / (n_negative - 1) * (of_negative**2).sum()
        + 2 * n / (n - 1) * (of_positive * of_negative).sum()
    )
    if variance <= 1e-24:
        plain = auc(labels.astype(int), scores)
        return Estimate(value, plain.lo, plain.hi, f"{plain.method}, rows as independent")
    half, center = _Z * math.sqrt(variance) / (value * (1 - value)), float(logit(value))
    return Estimate(
        value, float(expit(center - half)), float(expit(center + half)), "Obuchowski, logit"
    )
