"""The threshold that turns a score into a decision, learned where it may be learned."""

import numpy as np

from lnm_kit.evaluation.auc import roc_points
from lnm_kit.evaluation.estimate import Numbers


def youden_threshold(label: Numbers, score: Numbers) -> float:
    """Score from which sensitivity + specificity - 1 is greatest (`score >= it` is positive).

    Give it training-fold scores (out of fold, best) only: a threshold chosen on the cases that it
    is then judged on flatters every metric of the confusion matrix. Among equally good thresholds
    the highest is taken, that is, the one with the higher specificity.

    Parameters
    ----------
    label
        (N,), 0 or 1.
    score
        (N,), finite; higher means more likely positive.

    Raises
    ------
    InputError
        When a label is not 0 or 1, a score is not finite, or a class is missing.

    Notes
    -----
    *Source*: Youden, Cancer 1950;3:32-35.

    Examples
    --------
    >>> youden_threshold([0, 0, 0, 1, 1], [0.1, 0.2, 0.6, 0.5, 0.9])
    0.5
    """
    points = roc_points(label, score)
    gain = points["true_positive_rate"] - points["false_positive_rate"]
    # The first point calls nothing positive; its threshold is infinite and carries no decision.
    best = 1 + int(np.argmax(gain.to_numpy()[1:].round(12)))
    return float(points["threshold"].iloc[best])
