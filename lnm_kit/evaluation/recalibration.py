"""Making probabilities mean what they say, without changing who is ranked above whom."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from lnm_kit.errors import InputError
from lnm_kit.evaluation.calibration import calibration_intercept, calibration_slope
from lnm_kit.evaluation.estimate import Numbers


@dataclass(frozen=True)
class Recalibration:
    r"""A shift and a stretch of log-odds: :math:`p' = \mathrm{expit}(a + b\,\mathrm{logit}\,p)`.

    Examples
    --------
    >>> Recalibration(intercept=0.0, slope=1.0).apply([0.2, 0.7]).round(3).tolist()
    [0.2, 0.7]
    """

    intercept: float
    """a, in log-odds."""
    slope: float
    """b; below 1 makes probabilities more modest, below 0 turns the ranking around."""

    def apply(self, probability: Numbers) -> np.ndarray:
        """Recalibrated probabilities, float64 (N,), of probabilities inside of (0, 1).

        Raises
        ------
        InputError
            When a probability is not finite or not strictly between 0 and 1.
        """
        return expit(self.intercept + self.slope * _logits(probability))


def fit_recalibration(label: Numbers, probability: Numbers) -> Recalibration:
    r"""Fit the shift and the stretch that make probabilities fit their labels best.

    Maximum likelihood of :math:`\mathrm{logit}\,P(y = 1) = a + b\,\mathrm{logit}\,p`, unpenalized.
    Give scores of training cases that their model did not see (out of fold), never those of the
    cases that the result is judged on: there, slope 1 and intercept 0 would come out whatever the
    model is worth.

    Parameters
    ----------
    label
        (N,), 0 or 1; 1 is the positive class.
    probability
        (N,), predicted probability of the positive class, inside of (0, 1).

    Raises
    ------
    InputError
        As in :func:`lnm_kit.evaluation.calibration_slope`, or when the slope is not defined: all
        predictions are equal, or they separate the classes.

    Notes
    -----
    *Source*: Cox, Biometrika 1958;45:562-565; as "logistic recalibration" in Steyerberg, Clinical
    Prediction Models, 2nd ed. 2019, chapter 20.

    Examples
    --------
    >>> label = [0, 1, 0, 1, 0, 1, 0, 1]
    >>> found = fit_recalibration(label, [0.1, 0.3, 0.4, 0.6, 0.7, 0.9, 0.2, 0.5])
    >>> round(found.intercept, 3), round(found.slope, 3)
    (0.187, 0.944)
    """
    slope = calibration_slope(label, probability)
    if not slope.defined:
        raise InputError(
            f"these scores cannot be recalibrated ({slope.method}): no finite slope fits them "
            "best. Give scores of cases that the model did not see, of both classes."
        )
    # At the slope of the joint maximum, the best intercept is that of the joint maximum.
    stretched = expit(slope.value * _logits(probability))
    return Recalibration(calibration_intercept(label, stretched).value, slope.value)


def _logits(probability: Numbers) -> np.ndarray:
    values = np.asarray(probability, dtype=np.float64)
    bad = np.flatnonzero(~((values > 0) & (values < 1)))
    if bad.size:
        raise InputError(
            f"probability is not strictly between 0 and 1 at {bad.size} positions, first "
            f"{bad[:5].tolist()}; clip the probabilities, say to [1e-6, 1 - 1e-6], and say so."
        )
    return logit(values)
