"""Resamples of cases, drawn as counts."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt


def drawn_counts(n: int, resamples: int, seed: int) -> Iterator[npt.NDArray[np.float64]]:
    """Yield how often each of `n` cases is in each bootstrap resample, (n,) float64.

    A mean over a resample is then ``counts @ values / n``: no case is copied, and memory does not
    grow with the number of resamples.

    Parameters
    ----------
    n
        Number of cases.
    resamples
        How many samples of `n` cases, drawn with replacement.
    seed
        Of the draws.

    Examples
    --------
    >>> [int(counts.sum()) for counts in drawn_counts(5, 3, seed=0)]
    [5, 5, 5]
    """
    rng = np.random.default_rng(seed)
    for _ in range(resamples):
        rows = rng.integers(0, n, n)
        yield np.bincount(rows, minlength=n).astype(np.float64)


def resampled_means(
    values: npt.NDArray[np.float64], resamples: int, seed: int
) -> npt.NDArray[np.float64]:
    """Return the mean of values (N, ...) in each bootstrap resample, (resamples, ...).

    Examples
    --------
    >>> resampled_means(np.full(4, 2.5), 3, seed=0).tolist()
    [2.5, 2.5, 2.5]
    """
    n = len(values)
    return np.stack([counts @ values / n for counts in drawn_counts(n, resamples, seed)])
