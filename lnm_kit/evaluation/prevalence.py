"""Predictive values where the disease is rarer or more common than in the study."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from lnm_kit.errors import InputError
from lnm_kit.evaluation.confusion import Confusion
from lnm_kit.evaluation.estimate import LEVEL

_DRAWS = 20_000

Rates = float | Sequence[float] | np.ndarray


def positive_predictive_value(
    sensitivity: Rates, specificity: Rates, prevalence: Rates
) -> np.ndarray:
    r"""Share of the cases called positive that are positive, by Bayes' theorem.

    PPV = Se p / (Se p + (1 - Sp)(1 - p)), with the prevalence p.

    Parameters
    ----------
    sensitivity, specificity
        In [0, 1]; numbers or arrays that broadcast with the prevalence.
    prevalence
        Share of positive cases, inside of (0, 1).

    Returns
    -------
    numpy.ndarray
        In [0, 1], of the shape that the three broadcast to.

    Raises
    ------
    InputError
        When a value is out of its range, or nothing is ever called positive (Se = 0, Sp = 1).

    Notes
    -----
    *Source*: Altman and Bland, BMJ 1994;309:102.

    Examples
    --------
    >>> positive_predictive_value(0.9, 0.8, [0.1, 0.5]).round(3).tolist()
    [0.333, 0.818]
    """
    hit, right, share = _checked(sensitivity, specificity, prevalence)
    return _ppv(hit, right, share, "positive (sensitivity 0, specificity 1)")


def negative_predictive_value(
    sensitivity: Rates, specificity: Rates, prevalence: Rates
) -> np.ndarray:
    r"""Share of the cases called negative that are negative, by Bayes' theorem.

    NPV = Sp (1 - p) / (Sp (1 - p) + (1 - Se) p), with the prevalence p.

    Parameters
    ----------
    sensitivity, specificity, prevalence
        As in :func:`positive_predictive_value`.

    Returns
    -------
    numpy.ndarray
        In [0, 1], of the shape that the three broadcast to.

    Raises
    ------
    InputError
        When a value is out of its range, or nothing is ever called negative (Se = 1, Sp = 0).

    Notes
    -----
    *Source*: Altman and Bland, BMJ 1994;309:102.

    Examples
    --------
    >>> negative_predictive_value(0.9, 0.8, [0.1, 0.5]).round(3).tolist()
    [0.986, 0.889]
    """
    hit, right, share = _checked(sensitivity, specificity, prevalence)
    # The negative class seen as the positive one.
    return _ppv(right, hit, 1 - share, "negative (sensitivity 1, specificity 0)")


def predictive_values(counts: Confusion, prevalence: Rates, *, seed: int = 0) -> pd.DataFrame:
    r"""PPV and NPV at other prevalences than that of the sample, with 95 % intervals.

    Sensitivity and specificity are taken from the sample and hold, so the assumption, at every
    prevalence. On the logit scale the prevalence only shifts a predictive value:
    logit PPV = logit p + log(Se / (1 - Sp)) and logit NPV = -logit p - log((1 - Se) / Sp). The
    interval of the likelihood ratio is therefore found once, from 20,000 draws of Se and Sp out of
    their Jeffreys posteriors Beta(x + 1/2, n - x + 1/2), and shifted. It is widened to hold the
    value where a count of 0 puts the value at the border. The prevalence is taken as known.

    Parameters
    ----------
    counts
        Decisions in the sample, from :func:`lnm_kit.evaluation.confusion`; both classes present.
    prevalence
        One or several shares of positive cases, inside of (0, 1).
    seed
        Of the draws.

    Returns
    -------
    pandas.DataFrame
        One row per prevalence: `prevalence`, `ppv`, `ppv_lo`, `ppv_hi`, `npv`, `npv_lo`, `npv_hi`.

    Raises
    ------
    InputError
        When a prevalence is out of its range, a count is negative, a class is missing, or no case
        was called positive (or none negative), which leaves a predictive value undefined.

    Notes
    -----
    *Source*: Altman and Bland, BMJ 1994;309:102; Brown, Cai and DasGupta, Stat Sci
    2001;16:101-133 (Jeffreys interval).

    Examples
    --------
    >>> counts = Confusion(tp=90, fp=40, fn=10, tn=160)
    >>> table = predictive_values(counts, [0.1, 0.5])
    >>> table[["prevalence", "ppv", "npv"]].round(3).to_numpy().tolist()
    [[0.1, 0.333, 0.986], [0.5, 0.818, 0.889]]
    """
    shares = np.atleast_1d(_check_prevalence(prevalence))
    _check_counts(counts)
    tp, fp, fn, tn = counts.tp, counts.fp, counts.fn, counts.tn
    rng = np.random.default_rng(seed)
    sensitivity = rng.beta(tp + 0.5, fn + 0.5, _DRAWS)
    specificity = rng.beta(tn + 0.5, fp + 0.5, _DRAWS)
    # A draw of 1 within rounding is an infinite ratio, which quantiles can rank.
    with np.errstate(divide="ignore"):
        positive = np.log(sensitivity) - np.log1p(-specificity)
        negative = np.log(specificity) - np.log1p(-sensitivity)
    table = pd.DataFrame({"prevalence": shares})
    for name, odds, draws, value in (
        ("ppv", logit(shares), positive, _log_ratio(tp * (fp + tn), fp * (tp + fn))),
        ("npv", -logit(shares), negative, _log_ratio(tn * (tp + fn), fn * (fp + tn))),
    ):
        lo, hi = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        table[name] = expit(odds + value)
        table[f"{name}_lo"] = expit(odds + min(lo, value))
        table[f"{name}_hi"] = expit(odds + max(hi, value))
    return table


def _ppv(hit: np.ndarray, right: np.ndarray, share: np.ndarray, never: str) -> np.ndarray:
    found, false = hit * share, (1 - right) * (1 - share)
    called = found + false
    if np.any(called == 0):
        raise InputError(
            f"no case is ever called {never}; the predictive value is undefined at every "
            "prevalence. Choose another threshold."
        )
    return np.asarray(found / called)


def _checked(
    sensitivity: Rates, specificity: Rates, prevalence: Rates
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rates = []
    for name, given in (("sensitivity", sensitivity), ("specificity", specificity)):
        rate = np.asarray(given, dtype=np.float64)
        if not np.all((rate >= 0) & (rate <= 1)):
            raise InputError(f"{name} is {given}; allowed: 0 to 1 (a share, no percentage).")
        rates.append(rate)
    return rates[0], rates[1], _check_prevalence(prevalence)


def _check_prevalence(prevalence: Rates) -> np.ndarray:
    shares = np.asarray(prevalence, dtype=np.float64)
    bad = shares[~((shares > 0) & (shares < 1))]
    if bad.size or shares.ndim > 1 or not shares.size:
        found = f"holds {bad.tolist()[:5]}" if bad.size else f"has the shape {shares.shape}"
        raise InputError(
            f"prevalence {found}; give one number or a list, each above 0 and below 1 (a share, "
            "no percentage)."
        )
    return shares


def _check_counts(counts: Confusion) -> None:
    tp, fp, fn, tn = counts.tp, counts.fp, counts.fn, counts.tn
    problems = []
    if min(tp, fp, fn, tn) < 0:
        problems.append("a count is negative")
    for total, what in (
        (tp + fn, "positive case"),
        (fp + tn, "negative case"),
        (tp + fp, "case called positive, so that the PPV is undefined"),
        (fn + tn, "case called negative, so that the NPV is undefined"),
    ):
        if total == 0:
            problems.append(f"there is no {what}")
    if problems:
        raise InputError(f"{counts}: {'; '.join(problems)}.")


def _log_ratio(above: int, below: int) -> float:
    """Return log(above / below), infinite where one of the two is 0."""
    with np.errstate(divide="ignore"):
        return float(np.log(float(above)) - np.log(float(below)))
