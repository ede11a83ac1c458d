"""What acting on a model is worth, against treating everybody or nobody."""

import numpy as np
import pandas as pd

from lnm_kit.errors import InputError
from lnm_kit.evaluation.estimate import LEVEL, Numbers, labels_and_scores


def decision_curve(
    label: Numbers,
    probability: Numbers,
    thresholds: Numbers,
    *,
    resamples: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    r"""Net benefit of treating those at or above each threshold probability, with 95 % bands.

    .. math:: \mathrm{NB}(p_t) = \frac{\mathrm{TP}}{n} - \frac{\mathrm{FP}}{n}\,\frac{p_t}{1 - p_t}

    A physician who treats from a risk of :math:`p_t` on holds one missed patient for as bad as
    :math:`(1 - p_t)/p_t` treatments in vain; in that currency the net benefit counts patients
    found. Treating nobody is worth 0. The bands are quantiles over bootstrap resamples of the
    cases.

    Parameters
    ----------
    label
        (N,), 0 or 1; 1 is the positive class.
    probability
        (N,), predicted probability of the positive class, in [0, 1]. It must mean what it says:
        recalibrate class-weighted models first.
    thresholds
        (T,), in [0, 1).
    resamples
        Of the bands.
    seed
        Of the resamples.

    Returns
    -------
    pandas.DataFrame
        One row a threshold: `threshold`, `net_benefit`, `lo`, `hi`, `treat_all`, and
        `avoided`: treatments avoided per patient against treating all, at the same number of
        patients found, NaN at threshold 0.

    Raises
    ------
    InputError
        As :func:`lnm_kit.evaluation.auc`; or a probability or threshold out of its range.

    Notes
    -----
    *Source*: Vickers and Elkin, Med Decis Making 2006;26:565-574; the reference of the tests is
    the R package dcurves.

    Examples
    --------
    >>> curve = decision_curve([0, 0, 0, 1], [0.1, 0.2, 0.6, 0.9], [0.0, 0.5], resamples=20)
    >>> curve[["net_benefit", "treat_all"]].round(3).to_numpy().tolist()
    [[0.25, 0.25], [0.0, -0.5]]
    """
    labels, scores = labels_and_scores(label, probability)
    limits = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    problems = []
    if ((scores < 0) | (scores > 1)).any():
        problems.append(
            f"probability goes from {scores.min():g} to {scores.max():g}; allowed: 0 to 1"
        )
    if not (np.isfinite(limits) & (limits >= 0) & (limits < 1)).all():
        problems.append("a threshold is outside of 0 to below 1")
    if resamples < 2:
        problems.append(f"resamples is {resamples}; allowed: 2 or more")
    if problems:
        raise InputError("; ".join(problems) + ".")
    cells = _cells(labels, scores, limits)
    value = _net_benefit(cells, limits)
    # a curve depends on these counts only, so a bootstrap of the cases is a draw of the counts
    shares = cells.ravel() / len(labels)
    samples = np.random.default_rng(seed).multinomial(len(labels), shares, size=resamples)
    drawn = _net_benefit(samples.reshape(resamples, *cells.shape), limits)
    lo, hi = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    odds = limits / (1 - limits)
    treat_all = labels.mean() - (1 - labels.mean()) * odds
    gained = value - treat_all
    avoided = np.divide(gained, odds, out=np.full_like(gained, np.nan), where=odds > 0)
    return pd.DataFrame(
        {
            "threshold": limits,
            "net_benefit": value,
            "lo": np.minimum(lo, value),
            "hi": np.maximum(hi, value),
            "treat_all": treat_all,
            "avoided": avoided,
        }
    )


def _cells(labels: np.ndarray, scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Count negatives and positives by how many thresholds they reach, (2, T + 1)."""
    reached = np.searchsorted(np.sort(thresholds), scores, side="right")
    n_bands = len(thresholds) + 1
    return np.bincount(labels * n_bands + reached, minlength=2 * n_bands).reshape(2, n_bands)


def _net_benefit(cells: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Net benefit at each threshold from counts (..., 2, T + 1), by adding up from above."""
    at_least = np.cumsum(cells[..., :0:-1], axis=-1)[..., ::-1]
    order = np.argsort(thresholds, kind="stable")
    reached = np.empty_like(at_least)
    reached[..., order] = at_least
    false_positive, true_positive = reached[..., 0, :], reached[..., 1, :]
    n = cells.sum(axis=(-1, -2))[..., None]
    return (true_positive - false_positive * thresholds / (1 - thresholds)) / n
