"""What a second model changes in the risk of patients, beside the first."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from lnm_kit.errors import InputError
from lnm_kit.evaluation.estimate import LEVEL, Estimate, Numbers, labels_and_scores

_Z = float(norm.ppf((1 + LEVEL) / 2))


@dataclass(frozen=True)
class Reclassification:
    """Net reclassification of a second model against a first.

    `total` is the sum of `positive` (share of positives moved up minus share moved down) and
    `negative` (share of negatives moved down minus share moved up); the parts say more than the
    sum, which is no share of anybody.
    """

    total: Estimate
    positive: Estimate
    negative: Estimate


def net_reclassification(
    label: Numbers, first: Numbers, second: Numbers, cuts: Numbers | None = None
) -> Reclassification:
    r"""Net reclassification index (NRI) of a second model, with its parts and 95 % intervals.

    .. math:: \mathrm{NRI} = (u_1 - d_1) + (d_0 - u_0)

    with the shares u moved up and d moved down among positives (1) and negatives (0). With `cuts`
    a move is one into another class of risk; without, any change of the probability. Variances are
    :math:`(u + d - (u - d)^2)/n` of each class.

    A model that only shifts probabilities can have a large NRI and be worse: look at calibration
    and at the decision curve before it.

    Parameters
    ----------
    label
        (N,), 0 or 1.
    first, second
        (N,), predicted probabilities of the same cases.
    cuts
        Rising limits of risk classes inside of (0, 1); a case at a limit belongs to the class
        above. None: the continuous NRI.

    Raises
    ------
    InputError
        As :func:`lnm_kit.evaluation.auc`, or cuts that do not rise inside of (0, 1).

    Notes
    -----
    *Source*: Pencina et al., Stat Med 2008;27:157-172 and 2011;30:11-21; on its faults, Kerr
    et al., Epidemiology 2014;25:114-121.

    Examples
    --------
    >>> found = net_reclassification([0, 0, 1, 1], [.2, .6, .4, .6], [.1, .4, .6, .7], [0.5])
    >>> found.positive.value, found.negative.value, found.total.value
    (0.5, 0.5, 1.0)
    """
    labels, before = labels_and_scores(label, first)
    _, after = labels_and_scores(label, second)
    if cuts is not None:
        limits = np.asarray(cuts, dtype=np.float64)
        inside = limits.size and (limits > 0).all() and (limits < 1).all()
        if not inside or (np.diff(limits) <= 0).any():
            raise InputError(f"cuts are {limits.tolist()}; allowed: rising, above 0 and below 1.")
        before, after = np.digitize(before, limits), np.digitize(after, limits)
    parts = []
    for of_class, sign in ((labels, 1), (~labels, -1)):
        up = float((after[of_class] > before[of_class]).mean())
        down = float((after[of_class] < before[of_class]).mean())
        variance = (up + down - (up - down) ** 2) / of_class.sum()
        parts.append((sign * (up - down), float(variance)))
    positive, negative = parts
    return Reclassification(
        total=_normal(positive[0] + negative[0], positive[1] + negative[1]),
        positive=_normal(*positive),
        negative=_normal(*negative),
    )


def _normal(value: float, variance: float) -> Estimate:
    half = _Z * np.sqrt(variance)
    return Estimate(value, value - half, value + half, "normal")
