"""Labels with a fixed number of positives: conditional Bernoulli sampling."""

import numpy as np
import numpy.typing as npt
from scipy import optimize
from scipy.special import expit, logsumexp

Floats = npt.NDArray[np.float64]


def intercept_for(log_odds: Floats, n_positive: int) -> float:
    """Find the intercept a with sum(sigmoid(a + log_odds)) = n_positive.

    Parameters
    ----------
    log_odds
        Shape (n,), without the intercept.
    n_positive
        Expected number of positives, 0 < n_positive < n.

    Examples
    --------
    >>> round(intercept_for(np.zeros(4), 1), 6) == round(float(np.log(1 / 3)), 6)
    True
    """
    if not 0 < n_positive < len(log_odds):
        raise ValueError(f"{n_positive} positives of {len(log_odds)} cases: need 0 < k < n")
    center = np.log(n_positive / (len(log_odds) - n_positive))
    lo, hi = center - log_odds.max() - 1, center - log_odds.min() + 1
    return float(optimize.brentq(lambda a: expit(a + log_odds).sum() - n_positive, lo, hi))


def draw_labels(probability: Floats, n_positive: int, rng: np.random.Generator) -> npt.NDArray:
    """Draw independent labels given that exactly `n_positive` of them are 1; int64, shape (n,).

    Independent draws are repeated until their sum is right, which is the conditional Bernoulli
    design by definition. Where the probabilities add up to `n_positive`, that sum is the most
    probable one (Darroch 1964), so that at most about n + 1 draws are expected; for the cohorts
    here it takes tens.

    *Source*: Chen, Dempster and Liu, Biometrika 81 (1994) 457-469.

    Raises
    ------
    ValueError
        When the probabilities do not add up to `n_positive`.

    Examples
    --------
    >>> int(draw_labels(np.full(10, 0.3), 3, np.random.default_rng(0)).sum())
    3
    """
    if not np.isclose(probability.sum(), n_positive, rtol=0, atol=1e-6):
        raise ValueError(f"probabilities add up to {probability.sum()}, not to {n_positive}")
    while True:
        labels = rng.uniform(size=len(probability)) < probability
        if labels.sum() == n_positive:
            return labels.astype(np.int64)


def inclusion_probability(log_odds: Floats, n_positive: int) -> Floats:
    r"""P(y_i = 1 | sum(y) = k) of independent Bernoulli labels with these log odds; shape (n,).

    With :math:`w_i = e^{\eta_i}` and :math:`R(k, C)` the k-th elementary symmetric function of
    the weights of the set C, :math:`\pi_i = w_i R(k-1, C \setminus i) / R(k, C)`. An intercept
    added to all log odds cancels. Sums of R over the cases before and after i are built one case
    at a time, in logarithms.

    *Source*: Chen, Dempster and Liu, Biometrika 81 (1994) 457-469, section 2.

    Examples
    --------
    >>> inclusion_probability(np.array([0.0, 0.0, np.log(2.0)]), 1)
    array([0.25, 0.25, 0.5 ])
    """
    n = len(log_odds)
    if not 0 < n_positive < n:
        raise ValueError(f"{n_positive} positives of {n} cases: need 0 < k < n")
    after = np.full((n + 1, n_positive), -np.inf)
    after[n, 0] = 0.0
    for i in range(n - 1, 0, -1):
        after[i] = _add_case(after[i + 1], log_odds[i])
    before = after[n]
    log_without = np.empty(n)
    for i in range(n):
        log_without[i] = logsumexp(before + after[i + 1][::-1])
        before = _add_case(before, log_odds[i])
    log_weight = log_odds + log_without
    # every subset of size k holds k cases, so that the weights add up to k R(k)
    probability = n_positive * np.exp(log_weight - logsumexp(log_weight))
    # rounding errors must not put cases with equal log odds in an order
    _, group, size = np.unique(log_odds, return_inverse=True, return_counts=True)
    return (np.bincount(group, weights=probability) / size)[group]


def _add_case(log_r: Floats, log_odds: float) -> Floats:
    """R(0..k-1, C + i) from R(0..k-1, C), all in logarithms."""
    added = log_r.copy()
    added[1:] = np.logaddexp(log_r[1:], log_r[:-1] + log_odds)
    return added
