"""Cross-entropy of predicted probabilities, the "loss" that tables of networks print."""

import numpy as np
import numpy.typing as npt

from lnm_kit.errors import InputError
from lnm_kit.evaluation.estimate import LEVEL, Estimate, Numbers, labels_and_scores
from lnm_kit.evaluation.resampling import resampled_means

LEAST_PROBABILITY = 1e-7
"""A probability nearer to 0 or 1 counts as this, so that one certain mistake is not infinite."""

_RESAMPLES = 2000


def log_loss(label: Numbers, probability: Numbers, *, seed: int = 0) -> Estimate:
    r"""Mean cross-entropy of probabilities, in nats, with a bootstrap interval over the cases.

    .. math:: L = -\frac{1}{n} \sum_i y_i \log p_i + (1 - y_i) \log(1 - p_i)

    It is *not* weighted by class. Always predicting the share of positives s gives the entropy of
    s: 0.31 nats at 9.2 %; a probability that was trained with class weights may lie above that and
    still rank well.

    Parameters
    ----------
    label
        (N,), 0 or 1, both present.
    probability
        (N,), in [0, 1].
    seed
        Of the 2,000 bootstrap samples, whose percentiles are the 95 % interval.

    Raises
    ------
    InputError
        When the lengths differ, a class is missing, or a probability leaves [0, 1].

    Notes
    -----
    *Source*: Good, J R Stat Soc B 1952;14:107-114.

    Examples
    --------
    >>> round(log_loss([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9]).value, 3)
    0.198
    """
    labels, chance = labels_and_scores(label, probability)
    if chance.min() < 0 or chance.max() > 1:
        raise InputError(
            f"probability is {chance.min():g} to {chance.max():g}; allowed: 0 to 1. Scores on "
            "another scale have no log loss."
        )
    losses = losses_of(labels, chance)
    samples = resampled_means(losses, _RESAMPLES, seed)
    lo, hi = np.quantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(
        float(losses.mean()), float(lo), float(hi), f"bootstrap percentile, {_RESAMPLES}"
    )


def losses_of(
    label: npt.NDArray[np.bool_], probability: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the cross-entropy of each case, in nats, probabilities 0 and 1 being moved inside."""
    chance = np.clip(probability, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return -np.log(np.where(label, chance, 1 - chance))
