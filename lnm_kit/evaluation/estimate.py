"""A number with its interval, and the checks that every metric makes on its input."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lnm_kit.errors import InputError

LEVEL = 0.95
"""Coverage that every interval of this package aims at."""

Numbers = np.ndarray | pd.Series | Sequence[float] | Sequence[int]


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval and the name of the method that gave the interval.

    `value` is NaN only when the quantity is undefined; `method` then says why.

    Examples
    --------
    >>> print(Estimate(0.8437, 0.7912, 0.8954, "DeLong, logit"))
    0.844 (0.791 to 0.895)
    >>> print(Estimate.undefined("no case was called positive"))
    undefined: no case was called positive
    """

    value: float
    lo: float
    hi: float
    method: str

    @classmethod
    def undefined(cls, reason: str) -> "Estimate":
        """An estimate that does not exist, with the reason."""
        return cls(math.nan, math.nan, math.nan, f"undefined: {reason}")

    @property
    def defined(self) -> bool:
        """Whether there is a value."""
        return not math.isnan(self.value)

    def __str__(self) -> str:
        if not self.defined:
            return self.method
        return f"{self.value:.3f} ({self.lo:.3f} to {self.hi:.3f})"


def labels_and_scores(label: Numbers, score: Numbers) -> tuple[np.ndarray, np.ndarray]:
    """Return labels as bool (N,) and scores as float64 (N,), or say everything that is wrong.

    Parameters
    ----------
    label
        (N,), 0 or 1; 1 is the positive class.
    score
        (N,), finite; higher means more likely positive.

    Raises
    ------
    InputError
        Another shape, a label that is not 0 or 1, a score that is no finite number, or one class
        only.
    """
    labels = np.asarray(label)
    try:
        scores = np.asarray(score, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"score holds something that is no number ({error}).") from None
    problems = []
    if labels.ndim != 1 or labels.shape != scores.shape:
        raise InputError(
            f"label has shape {labels.shape} and score {scores.shape}; "
            "both must be one-dimensional and of the same length."
        )
    values = set(np.unique(labels).tolist())
    if not values <= {0, 1}:
        problems.append(f"label holds {sorted(values - {0, 1}, key=str)[:5]}; allowed: 0 and 1")
    elif len(values) < 2:
        problems.append(
            f"label holds only {sorted(values)} in {labels.size} cases; both classes are needed, "
            "so leave out this split or group for this metric"
        )
    bad = np.flatnonzero(~np.isfinite(scores))
    if bad.size:
        problems.append(
            f"score is not finite at {bad.size} positions, first {bad[:5].tolist()}; "
            "leave these cases out and say so"
        )
    if problems:
        raise InputError("; ".join(problems) + ".")
    return labels.astype(bool), scores
