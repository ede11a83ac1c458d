"""Simulated readers: radiologists of three levels who decide before and after they see a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from lnm_kit.errors import InputError
from lnm_kit.evaluation.estimate import Numbers
from lnm_kit.published import published_table
from lnm_kit.published.printed import parse_number

Floats = npt.NDArray[np.float64]

GROUPS = ("junior", "medium", "senior")
MOMENTS = ("before", "after")
CONFIDENCES = (1, 2, 3, 4, 5)

# Free, since nothing is printed about them. Half of what varies between the cases of a class is
# the case's own, alike for all readers; the rest is each reader's noise.
SHARED_VARIANCE = 0.5
# Shares of the confidences 1, 2, 3 within the low ones and of 4, 5 within the high ones.
LOW_SHARES = (0.20, 0.35, 0.45)
HIGH_SHARES = (0.60, 0.40)

_WEIGHTS = np.concatenate([[0.0], np.geomspace(0.02, 20.0, 120)])


@dataclass(frozen=True)
class _Cases:
    label: npt.NDArray[np.bool_]
    case_part: Floats  # what all readers share of a case, normal scores within each class
    model_part: Floats  # the model's score, normal scores over all cases


def reader_operating_points() -> pd.DataFrame:
    """Printed sensitivity, specificity and share of high confidence of the three groups.

    Index `group`, `moment`. The printed accuracies are *not* used: accuracy is a weighted mean of
    sensitivity and specificity, and all six printed accuracies contradict them (five even lie
    below both). The sensitivities are elevenths, though test set B has 17 positives, and most of
    the shares are no counts of 120 patients; they are taken as rates that readers have on average.

    Notes
    -----
    *Source*: Feng 2025, Table 4 (sensitivity, specificity), section 3.7 (confidence 4 or 5).

    Examples
    --------
    >>> reader_operating_points().loc[("junior", "after")].tolist()
    [0.727, 0.782, 0.5977]
    """
    table = published_table("llnm", "table_4").set_index(["split", "model"]).to_dict("index")
    shares = published_table("llnm", "readers").set_index("level").to_dict("index")
    rows = {}
    for group in GROUPS:
        for moment in MOMENTS:
            printed = table[f"test_b_{moment}", group.capitalize()]
            share = parse_number(shares[group][f"high_confidence_{moment}"])
            rows[group, moment] = {
                "sensitivity": parse_number(printed["sensitivity"]).value,
                "specificity": parse_number(printed["specificity"]).value,
                "high_confidence": round(share.value / 100, share.decimals + 2),
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["group", "moment"])


def reader_parameters(
    cases: pd.DataFrame, truth_probability: Numbers, model_score: Numbers, *, seed: int
) -> pd.DataFrame:
    """What is fitted so that the simulated readers meet the printed numbers on these cases.

    Arguments as in :func:`simulate_readers`; index `group`, `moment`. Columns: `d_prime`, mean
    evidence of positive over negative cases (after: with the second look); `threshold` of the
    decision; `weight` of the model's score in the evidence (0 before); `second_look`, what had to
    be added to the positive cases' evidence because the model alone cannot carry the printed gain
    (0 whenever it can); `cut_2` to `cut_5`, distances from the threshold at which that confidence
    begins.

    Examples
    --------
    >>> cases = pd.DataFrame({"label": [0, 1] * 50}, index=[f"c{i}" for i in range(100)])
    >>> score = np.tile([0.2, 0.9], 50) + np.linspace(-0.3, 0.3, 100)
    >>> parameters = reader_parameters(cases, np.full(100, 0.5), score, seed=0)
    >>> parameters["weight"].round(2).gt(0).tolist()
    [False, True, False, True, False, True]
    """
    return _parameters(_checked(cases, truth_probability, model_score, n_readers=1, seed=seed))


def simulate_readers(
    cases: pd.DataFrame,
    truth_probability: Numbers,
    model_score: Numbers,
    *,
    n_readers: int,
    seed: int,
) -> pd.DataFrame:
    r"""Simulate readers of three levels with the printed operating points; nobody read anything.

    The evidence of reader r for case i with label y is binormal,

    .. math:: x_{ri} = d' y_i + \sqrt{s}\, h_i + \sqrt{1 - s}\, e_{ri}, \quad e_{ri} \sim N(0, 1),

    where h is the normal score of the true probability among the cases of the same label: a
    positive case that looks harmless is hard for every reader. After the model was shown it is

    .. math:: x'_{ri} = x_{ri} + w\, m_i + g\, y_i

    with the *same* noise and the normal score m of the model's score over all cases. A reader
    calls a case positive above a threshold; confidence grows with the distance to the threshold.

    *Fitted*, per group, so that the printed numbers are the expectations over the readers' noise
    on exactly these cases: d', both thresholds, the weight w (the smallest that does), and the
    cuts of the confidences 4 and 5 together. g is 0 unless the model is too poor to carry the
    printed gain; :func:`reader_parameters` gives all of them. *Free*: the share s = 0.5 of the
    evidence's variance that readers have in common, how the low confidences divide into 1, 2, 3
    (20, 35, 45 %) and the high ones into 4, 5 (60, 40 %), and that all readers of a group are
    equally good.

    As the readers' performance is built in through the labels, it says nothing about real readers,
    stays when labels depend on nothing (signal 0), and must not be compared with that of a model.

    Parameters
    ----------
    cases
        The cases that are read: index the case ids, column `label` (1 = positive).
    truth_probability
        (N,), true probability of each case, as in a simulated cohort's truth; its ranks count.
    model_score
        (N,), finite; the score of the model that is shown; its ranks count.
    n_readers
        Readers per group. The first readers stay the same when more are asked for.
    seed
        0 or larger.

    Returns
    -------
    pandas.DataFrame
        One row a reading: `case_id`, `group` (junior, medium, senior), `reader` (its name says
        that it is simulated), `moment` (before, after), `decision` (0/1), `confidence` (1 to 5).

    Raises
    ------
    InputError
        When a length or an index differs from that of the cases, case ids repeat, a class is
        missing, a probability leaves [0, 1], a score is not finite, or a number is out of range.

    Notes
    -----
    *Source*: Feng 2025, sections 2.7 and 3.7, Table 4; binormal model, Green and Swets, Signal
    Detection Theory and Psychophysics, 1966, chapter 3.

    Examples
    --------
    >>> cases = pd.DataFrame({"label": [0, 0, 1, 1]}, index=["a", "b", "c", "d"])
    >>> readings = simulate_readers(cases, [0.1, 0.4, 0.3, 0.8], [1, 3, 2, 4], n_readers=2, seed=0)
    >>> len(readings), readings["reader"].iloc[0]
    (48, 'simulated junior 1')
    """
    known = _checked(cases, truth_probability, model_score, n_readers=n_readers, seed=seed)
    parameters = _parameters(known).to_dict("index")
    parts = []
    for number, group in enumerate(GROUPS):
        for reader in range(n_readers):
            rng = np.random.default_rng([seed, number + 1, reader])
            noise = np.sqrt(1 - SHARED_VARIANCE) * rng.standard_normal(len(cases))
            for moment in MOMENTS:
                fitted = parameters[group, moment]
                place = _expected(known, fitted["d_prime"], fitted["weight"]) + noise
                beyond = place - fitted["threshold"]
                cuts = [fitted[f"cut_{level}"] for level in CONFIDENCES[1:]]
                reading = {
                    "case_id": cases.index,
                    "group": group,
                    "reader": f"simulated {group} {reader + 1}",
                    "moment": moment,
                    "decision": (beyond > 0).astype(np.int64),
                    "confidence": 1 + np.searchsorted(cuts, np.abs(beyond)),
                }
                parts.append(pd.DataFrame(reading))
    return pd.concat(parts, ignore_index=True)


def _parameters(known: _Cases) -> pd.DataFrame:
    rows = {}
    printed = reader_operating_points().to_dict("index")
    for group in GROUPS:
        before, after = (printed[group, moment] for moment in MOMENTS)
        d_prime, threshold = _signal(known, 0.0, before)
        weight = _weight(known, d_prime, after)
        needed, threshold_after = _signal(known, weight, after)
        # A weight that carries the gain leaves nothing but the root finder's error.
        second_look = needed - d_prime if abs(needed - d_prime) > 1e-6 else 0.0
        settings = {
            "before": (d_prime, threshold, 0.0, 0.0, before),
            "after": (needed, threshold_after, weight, second_look, after),
        }
        for moment, (mean, cut, share, extra, wanted) in settings.items():
            distances = _cuts(known, mean, cut, share, wanted["high_confidence"])
            rows[group, moment] = {
                "d_prime": mean,
                "threshold": cut,
                "weight": share,
                "second_look": extra,
                **{f"cut_{level}": at for level, at in zip((2, 3, 4, 5), distances, strict=True)},
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["group", "moment"])


def _expected(known: _Cases, d_prime: float, weight: float) -> Floats:
    """Evidence of each case without the reader's noise."""
    shared = np.sqrt(SHARED_VARIANCE) * known.case_part
    return d_prime * known.label + shared + weight * known.model_part


def _above(place: Floats, threshold: float) -> float:
    """Expected share of cases whose evidence, with the noise, lies above a threshold."""
    return float(ndtr((place - threshold) / np.sqrt(1 - SHARED_VARIANCE)).mean())


def _threshold(place: Floats, share: float) -> float:
    """Threshold that an expected share of cases lies above."""
    low, high = place.min() - 10, place.max() + 10
    return float(brentq(lambda tried: _above(place, tried) - share, low, high, xtol=1e-12))


def _signal(known: _Cases, weight: float, wanted: Mapping[Any, Any]) -> tuple[float, float]:
    """Find d' and the threshold that give both printed rates at a weight of the model."""
    place = _expected(known, 0.0, weight)
    threshold = _threshold(place[~known.label], 1 - wanted["specificity"])
    return threshold - _threshold(place[known.label], wanted["sensitivity"]), threshold


def _weight(known: _Cases, d_prime: float, wanted: Mapping[Any, Any]) -> float:
    """Smallest weight at which nothing is missing; where there is none, the one that misses least.

    What is missing at a weight is the d' that the printed rates need there, minus the reader's.
    """

    def missing(tried: float) -> float:
        return _signal(known, tried, wanted)[0] - d_prime

    misses = np.array([missing(tried) for tried in _WEIGHTS])
    enough = np.flatnonzero(misses <= 0)
    if not enough.size:
        return float(_WEIGHTS[np.argmin(misses)])
    # At weight 0 something is always missing: every group's printed rates rise.
    return float(brentq(missing, _WEIGHTS[enough[0] - 1], _WEIGHTS[enough[0]], xtol=1e-10))


def _cuts(
    known: _Cases, d_prime: float, threshold: float, weight: float, high: float
) -> list[float]:
    """Distances from the threshold where the confidences 2, 3, 4 and 5 begin."""
    place = _expected(known, d_prime, weight) - threshold
    low = 1 - high
    shares = (1 - low * LOW_SHARES[0], high + low * LOW_SHARES[2], high, high * HIGH_SHARES[1])

    def beyond(distance: float) -> float:
        return _above(place, distance) + 1 - _above(place, -distance)

    farthest = float(np.abs(place).max()) + 10
    return [
        float(brentq(lambda tried, share=share: beyond(tried) - share, 0.0, farthest))
        for share in shares
    ]


def _checked(
    cases: pd.DataFrame,
    truth_probability: Numbers,
    model_score: Numbers,
    *,
    n_readers: int,
    seed: int,
) -> _Cases:
    problems = []
    if "label" not in cases.columns:
        raise InputError(f"cases has the columns {list(cases.columns)}; it needs `label`.")
    if not cases.index.is_unique:
        problems.append("case ids repeat in the index of cases; each case is read once")
    if set(cases["label"].unique()) != {0, 1}:
        problems.append(f"label holds {cases['label'].unique().tolist()[:5]}; needed: 0 and 1")
    numbers = {"truth_probability": truth_probability, "model_score": model_score}
    for name, given in numbers.items():
        values = np.asarray(given, dtype=np.float64)
        if values.shape != (len(cases),):
            problems.append(f"{name} has shape {values.shape}; needed: ({len(cases)},), as cases")
        elif isinstance(given, pd.Series) and not given.index.equals(cases.index):
            problems.append(f"{name} has another index than cases; reorder it by the case ids")
        elif not np.isfinite(values).all():
            problems.append(f"{name} is not finite at {np.sum(~np.isfinite(values))} cases")
        elif name == "truth_probability" and (values.min() < 0 or values.max() > 1):
            problems.append(
                f"truth_probability is {values.min():g} to {values.max():g}; allowed: 0 to 1"
            )
    if n_readers < 1:
        problems.append(f"n_readers is {n_readers}; allowed: 1 or more")
    if seed < 0:
        problems.append(f"seed is {seed}; allowed: 0 or larger")
    if problems:
        raise InputError("simulated readers: " + "; ".join(problems) + ".")
    label = cases["label"].to_numpy() == 1
    probability = np.asarray(truth_probability, dtype=np.float64)
    # Equal probabilities (signal 0) are put in a random order: cases still differ in difficulty.
    tie = np.random.default_rng([seed, 0]).permutation(len(cases))
    case_part = np.empty(len(cases))
    for members in (np.flatnonzero(label), np.flatnonzero(~label)):
        order = np.lexsort((tie[members], probability[members]))
        case_part[members[order]] = ndtri((np.arange(len(members)) + 0.5) / len(members))
    ranks = rankdata(np.asarray(model_score, dtype=np.float64))
    return _Cases(label, case_part, ndtri((ranks - 0.5) / len(cases)))
