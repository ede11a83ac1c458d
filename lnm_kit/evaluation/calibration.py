"""Whether predicted probabilities mean what they say: curve, tests and scores of calibration."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import chi2, norm, rankdata
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.stats.proportion import proportion_confint
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

from lnm_kit.errors import InputError
from lnm_kit.evaluation.estimate import LEVEL, Estimate, Numbers, labels_and_scores
from lnm_kit.evaluation.resampling import resampled_means

_RESAMPLES = 2000
_Z = float(norm.ppf((1 + LEVEL) / 2))


@dataclass(frozen=True)
class HosmerLemeshowTest:
    """Hosmer-Lemeshow statistic with its degrees of freedom, groups formed and p value."""

    statistic: float
    degrees_of_freedom: int
    groups: int
    p_value: float


def calibration_curve(label: Numbers, probability: Numbers, *, groups: int = 10) -> pd.DataFrame:
    """Observed share of positives beside the mean prediction, in groups of equal size.

    Groups are quantiles of the predictions. Equal predictions stay in one group, so that ties can
    make groups unequal, or fewer than asked for.

    Parameters
    ----------
    label
        (N,), 0 or 1; 1 is the positive class.
    probability
        (N,), predicted probability of the positive class, in [0, 1].
    groups
        How many groups to form, at least 2.

    Returns
    -------
    pandas.DataFrame
        One row per group, lowest predictions first: `n`, `positives`, `mean_predicted`,
        `observed` (share of positives), `lo` and `hi` (Wilson's 95 % interval of the share).

    Raises
    ------
    InputError
        When a label is not 0 or 1, a class is missing, a probability is outside of [0, 1] or not
        finite, or there are fewer than 2 groups or more groups than cases.

    Notes
    -----
    *Source*: Wilson, J Am Stat Assoc 1927;22:209-212, of the interval.

    Examples
    --------
    >>> curve = calibration_curve([0, 0, 0, 1, 0, 1], [0.1, 0.1, 0.2, 0.6, 0.7, 0.8], groups=2)
    >>> curve[["n", "positives", "mean_predicted"]].round(3).to_numpy().tolist()
    [[3.0, 0.0, 0.133], [3.0, 2.0, 0.7]]
    """
    labels, probabilities = _labels_and_probabilities(label, probability)
    if not 2 <= groups <= labels.size:
        raise InputError(
            f"groups is {groups}; allowed: 2 to {labels.size}, the number of cases. "
            "10 is usual, fewer for small samples."
        )
    # Mid-ranks give equal predictions the same group, and equal groups where there are no ties.
    group = np.floor((rankdata(probabilities) - 0.5) * groups / labels.size).astype(int)
    cases = pd.DataFrame({"label": labels.astype(int), "probability": probabilities})
    table = cases.groupby(group).agg(
        n=("label", "size"),
        positives=("label", "sum"),
        mean_predicted=("probability", "mean"),
        observed=("label", "mean"),
    )
    lo, hi = proportion_confint(
        table["positives"].to_numpy(), table["n"].to_numpy(), alpha=1 - LEVEL, method="wilson"
    )
    return table.assign(lo=lo, hi=hi).reset_index(drop=True)


def hosmer_lemeshow(
    label: Numbers, probability: Numbers, *, external: bool, groups: int = 10
) -> HosmerLemeshowTest:
    r"""Test whether observed and expected positives differ more than chance lets them, per group.

    The statistic is :math:`\sum_j (O_j - n_j \bar p_j)^2 / (n_j \bar p_j (1 - \bar p_j))` over the
    g groups formed, chi-squared with g - 2 degrees of freedom on the data that the model was fitted
    on and with g on other data. A group that is predicted to hold no (or only) positives and does
    adds nothing; when it does not, the statistic is infinite and p = 0.

    A large p value is no proof of calibration: small samples cannot show its lack.

    Parameters
    ----------
    label, probability
        As in :func:`calibration_curve`.
    external
        True for data that the model was not fitted on, False for development data.
    groups
        How many quantile groups to form; ties can make them fewer.

    Raises
    ------
    InputError
        As in :func:`calibration_curve`, or when fewer than 3 groups were formed on development
        data, which leaves no degree of freedom.

    Notes
    -----
    *Source*: Hosmer and Lemeshow, Commun Stat Theory Methods 1980;9:1043-1069; for external data
    Hosmer, Lemeshow and Sturdivant, Applied Logistic Regression, 3rd ed. 2013, chapter 5.

    Examples
    --------
    >>> probability = [0.2] * 10 + [0.5] * 10 + [0.8] * 10
    >>> label = [1] * 3 + [0] * 7 + [1] * 5 + [0] * 5 + [1] * 6 + [0] * 4
    >>> test = hosmer_lemeshow(label, probability, external=True, groups=3)
    >>> round(test.statistic, 3), test.degrees_of_freedom, round(test.p_value, 3)
    (3.125, 3, 0.373)
    """
    curve = calibration_curve(label, probability, groups=groups)
    freedom = len(curve) if external else len(curve) - 2
    if freedom < 1:
        raise InputError(
            f"{len(curve)} groups were formed of {groups} asked for; the Hosmer-Lemeshow test on "
            "development data needs at least 3. Ask for more groups, or see whether the "
            "predictions are nearly all equal."
        )
    expected = (curve["n"] * curve["mean_predicted"]).to_numpy()
    excess = curve["positives"].to_numpy() - expected
    variance = expected * (1 - curve["mean_predicted"].to_numpy())
    parts = np.divide(
        excess**2, variance, out=np.where(excess == 0, 0.0, np.inf), where=variance > 0
    )
    statistic = float(parts.sum())
    return HosmerLemeshowTest(statistic, freedom, len(curve), float(chi2.sf(statistic, freedom)))


def calibration_intercept(label: Numbers, probability: Numbers) -> Estimate:
    r"""Calibration in the large: by how much the logits are too low on average, 0 being ideal.

    The a of :math:`\mathrm{logit}\,P(y = 1) = a + \mathrm{logit}\,p`, the logit of the prediction
    being an offset, by maximum likelihood with Wald's interval. Above 0, the predictions are too
    low.

    Parameters
    ----------
    label
        (N,), 0 or 1; 1 is the positive class.
    probability
        (N,), predicted probability of the positive class, inside of (0, 1).

    Raises
    ------
    InputError
        When a label is not 0 or 1, a class is missing, or a probability is not finite or not
        strictly between 0 and 1.

    Notes
    -----
    *Source*: Cox, Biometrika 1958;45:562-565; Van Calster et al., BMC Med 2019;17:230.

    Examples
    --------
    >>> print(calibration_intercept([0, 0, 0, 1] * 10, [0.5] * 40))
    -1.099 (-1.814 to -0.383)
    """
    labels, logits = _labels_and_logits(label, probability)

    # The root of the score equation; Newton's steps of a GLM can run off with extreme offsets.
    def missing(intercept: float) -> float:
        return float(labels.sum() - expit(intercept + logits).sum())

    reach = float(np.abs(logits).max()) + math.log(labels.size) + 1
    value = brentq(missing, -reach, reach, xtol=1e-12)
    fitted = expit(value + logits)
    information = float(np.sum(fitted * (1 - fitted)))
    if information < 1e-12:
        return Estimate.undefined("every prediction equals its label within rounding")
    half = _Z / math.sqrt(information)
    return Estimate(value, value - half, value + half, "logistic with offset, Wald")


def calibration_slope(label: Numbers, probability: Numbers) -> Estimate:
    r"""Calibration slope: below 1 the predictions are too extreme, above 1 too modest.

    The b of :math:`\mathrm{logit}\,P(y = 1) = a + b\,\mathrm{logit}\,p` by maximum likelihood, with
    Wald's interval. Undefined, with the reason in `method`, when all predictions are equal or when
    they separate the classes, as the likelihood then has no maximum.

    Parameters
    ----------
    label, probability
        As in :func:`calibration_intercept`.

    Raises
    ------
    InputError
        As in :func:`calibration_intercept`.

    Notes
    -----
    *Source*: Cox, Biometrika 1958;45:562-565; Van Calster et al., BMC Med 2019;17:230.

    Examples
    --------
    >>> print(calibration_slope([0, 1, 0, 1, 0, 1], [0.1, 0.3, 0.4, 0.6, 0.7, 0.9]))
    0.719 (-0.752 to 2.190)
    """
    labels, logits = _labels_and_logits(label, probability)
    if np.ptp(logits) == 0:
        return Estimate.undefined("all predictions are equal")
    separation = Estimate.undefined("the predictions separate the classes perfectly")
    positive, negative = logits[labels], logits[~labels]
    if positive.min() >= negative.max() or positive.max() <= negative.min():
        return separation
    design = np.column_stack([np.ones_like(logits), logits])
    with warnings.catch_warnings():
        warnings.simplefilter("error", PerfectSeparationWarning)
        try:
            model = GLM(labels.astype(float), design, family=Binomial())
            # the default stops when the deviance does, with the slope known to 1e-5
            fit = model.fit(tol=1e-10, tol_criterion="params")
        except PerfectSeparationWarning:
            return separation
    value, half = float(fit.params[1]), _Z * float(fit.bse[1])
    return Estimate(value, value - half, value + half, "logistic, Wald")


def brier_score(label: Numbers, probability: Numbers, *, seed: int = 0) -> Estimate:
    r"""Brier score, the mean of :math:`(p - y)^2`: 0 is perfect, lower is better.

    The interval is the percentile interval of 2,000 bootstrap samples of the cases.

    Parameters
    ----------
    label, probability
        As in :func:`calibration_curve`.
    seed
        Of the bootstrap.

    Raises
    ------
    InputError
        When a label is not 0 or 1, a class is missing, or a probability is outside of [0, 1].

    Notes
    -----
    *Source*: Brier, Mon Weather Rev 1950;78:1-3 (here its half, as is usual for two classes).

    Examples
    --------
    >>> round(brier_score([0, 0, 1, 1], [0.1, 0.4, 0.6, 0.9]).value, 3)
    0.085
    """
    labels, probabilities = _labels_and_probabilities(label, probability)
    error = (probabilities - labels) ** 2
    return _percentile(float(error.mean()), resampled_means(error, _RESAMPLES, seed))


def scaled_brier_score(label: Numbers, probability: Numbers, *, seed: int = 0) -> Estimate:
    r"""Scaled Brier score: 1 is perfect, 0 no better than the share of positives for everybody.

    :math:`1 - B / (\bar y (1 - \bar y))` with the Brier score B; negative when worse than that.
    The interval is the percentile interval of 2,000 bootstrap samples of the cases; samples of one
    class only, in which it does not exist, are left out.

    Parameters
    ----------
    label, probability, seed
        As in :func:`brier_score`.

    Raises
    ------
    InputError
        As in :func:`brier_score`.

    Notes
    -----
    *Source*: Steyerberg et al., Epidemiology 2010;21:128-138.

    Examples
    --------
    >>> round(scaled_brier_score([0, 0, 1, 1], [0.1, 0.4, 0.6, 0.9]).value, 3)
    0.66
    """
    labels, probabilities = _labels_and_probabilities(label, probability)
    error = (probabilities - labels) ** 2
    means, shares = resampled_means(np.column_stack([error, labels]), _RESAMPLES, seed).T
    both = (shares > 0) & (shares < 1)
    samples = 1 - means[both] / (shares[both] * (1 - shares[both]))
    share = labels.mean()
    return _percentile(float(1 - error.mean() / (share * (1 - share))), samples)


def _percentile(value: float, samples: np.ndarray) -> Estimate:
    lo, hi = np.quantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(lo), float(hi), f"bootstrap percentile, {_RESAMPLES}")


def _labels_and_probabilities(
    label: Numbers, probability: Numbers
) -> tuple[np.ndarray, np.ndarray]:
    labels, probabilities = labels_and_scores(label, probability)
    bad = np.flatnonzero((probabilities < 0) | (probabilities > 1))
    if bad.size:
        raise InputError(
            f"probability is outside of [0, 1] at {bad.size} positions, first {bad[:5].tolist()} "
            f"({probabilities[bad[0]]:g}); a score that is no probability has no calibration, map "
            "it to one first."
        )
    return labels, probabilities


def _labels_and_logits(label: Numbers, probability: Numbers) -> tuple[np.ndarray, np.ndarray]:
    labels, probabilities = _labels_and_probabilities(label, probability)
    bad = np.flatnonzero((probabilities == 0) | (probabilities == 1))
    if bad.size:
        raise InputError(
            f"probability is exactly 0 or 1 at {bad.size} positions, first {bad[:5].tolist()}, "
            "where the logit is infinite; clip the probabilities, say to [1e-6, 1 - 1e-6], and "
            "say so."
        )
    return labels, logit(probabilities)
