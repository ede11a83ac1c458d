"""Columns with published marginals: exact counts of levels, matched means and SDs."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy import optimize
from scipy.special import ndtr, ndtri

from lnm_kit.simulate.model import Variable

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

# The curve of a large sample is fitted on this many of its points.
_FIT_POINTS = 4000


def scale_counts(counts: Mapping[str, float], n: int) -> dict[str, int]:
    """Scale counts to the total `n`, by largest remainders; unchanged when they add up to `n`.

    Examples
    --------
    >>> scale_counts({"a": 1, "b": 2}, 7)
    {'a': 2, 'b': 5}
    """
    exact = np.array(list(counts.values()), dtype=float) * n / sum(counts.values())
    whole = np.floor(exact + 1e-9).astype(int)
    rest = n - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:rest]] += 1
    return dict(zip(counts, whole.tolist(), strict=True))


def assign_levels(score: Floats, counts: list[int]) -> Ints:
    """Cut cases into levels by the rank of their score, with exactly these counts; (n,) codes.

    Examples
    --------
    >>> assign_levels(np.array([0.3, -1.0, 2.0]), [2, 1])
    array([0, 0, 1])
    """
    codes = np.empty(len(score), dtype=np.intp)
    codes[np.argsort(score, kind="stable")] = np.repeat(np.arange(len(counts)), counts)
    return codes


def assign_values(
    variable: Variable,
    score: Floats,
    counts: list[int],
    rng: np.random.Generator,
    *,
    mean: float,
    sd: float,
    fit: bool,
) -> Floats:
    """Give every case a value that grows with its score; shape (n,), in the variable's unit.

    Classes hold exactly the given counts. Within a class the values are spread over the class's
    part of one truncated normal (or log-normal) curve, one case per equal slice of it. With
    `fit`, the curve's two parameters are solved for so that mean and SD (ddof 1) of *all* values
    are the given ones, as nearly as the classes allow; otherwise the curve has that mean and SD.
    """
    codes = assign_levels(score, counts)
    place = np.empty(len(score))
    for code in range(len(counts)):
        members = np.flatnonzero(codes == code)
        ranks = np.argsort(np.argsort(score[members], kind="stable"))
        place[members] = (ranks + rng.uniform(size=len(members))) / max(len(members), 1)
    start = _start(variable, mean, sd)
    curve = _solve(variable, codes, place, start, mean, sd) if fit else start
    values = _quantiles(variable, codes, place, *curve)
    return _to_step(variable, values)


def assign_between_quartiles(
    variable: Variable,
    score: Floats,
    rng: np.random.Generator,
    *,
    first: float,
    median: float,
    third: float,
) -> Floats:
    """Give every case a value that grows with its score, with these quartiles; shape (n,).

    Each quarter of the cases is spread over its part of a normal (or log-normal) curve with that
    median and interquartile range, so that the quartiles hold within the variable's step.
    """
    place = 4 * (np.argsort(np.argsort(score, kind="stable")) + rng.uniform(size=len(score)))
    place /= len(score)
    quarter = np.minimum(place.astype(np.intp), 3)
    quarters = variable.model_copy(update={"edges": (first, median, third)})
    ends = np.log([first, median, third]) if variable.family == "lognormal" else quarters.edges
    scale = (ends[2] - ends[0]) / (2 * ndtri(0.75))
    values = _quantiles(quarters, quarter, place - quarter, float(ends[1]), float(scale))
    return np.round(np.round(values / variable.step) * variable.step, 6)


def _start(variable: Variable, mean: float, sd: float) -> tuple[float, float]:
    """Location and scale of the untruncated curve with this mean and SD."""
    if variable.family == "normal":
        return mean, sd
    variance = np.log1p((sd / mean) ** 2)
    return float(np.log(mean) - variance / 2), float(np.sqrt(variance))


def _solve(
    variable: Variable,
    codes: Ints,
    place: Floats,
    start: tuple[float, float],
    mean: float,
    sd: float,
) -> tuple[float, float]:
    if len(codes) > _FIT_POINTS:
        thin = np.lexsort((place, codes))[:: len(codes) // _FIT_POINTS]
        codes, place = codes[thin], place[thin]

    def miss(parameters: Floats) -> list[float]:
        values = _quantiles(variable, codes, place, parameters[0], np.exp(parameters[1]))
        shift = _rounding_shift(variable)
        return [(values.mean() + shift - mean) / sd, (values.std(ddof=1) - sd) / sd]

    found = optimize.least_squares(miss, [start[0], np.log(start[1])], xtol=1e-9, max_nfev=60)
    return float(found.x[0]), float(np.exp(found.x[1]))


def _quantiles(
    variable: Variable, codes: Ints, place: Floats, location: float, scale: float
) -> Floats:
    """Values at places in [0, 1) of their class's part of the curve."""
    bounds = np.array(variable.bounds)
    ends = np.log(bounds) if variable.family == "lognormal" else bounds
    standard = (ends - location) / scale
    values = location + scale * _truncated_normal(place, standard[codes], standard[codes + 1])
    values = np.clip(values, ends[codes], ends[codes + 1])
    return np.exp(values) if variable.family == "lognormal" else values


def _truncated_normal(place: Floats, lo: Floats, hi: Floats) -> Floats:
    """Quantiles of standard normals cut to (lo, hi).

    What lies above 0 is mirrored, since probabilities near 1 keep no digits. (scipy's truncnorm
    gives the same and takes ten times as long, which the fit would feel.)
    """
    mirrored = lo > 0
    low, high = np.where(mirrored, -hi, lo), np.where(mirrored, -lo, hi)
    below, above = ndtr(low), ndtr(high)
    quantile = ndtri(below + np.where(mirrored, 1 - place, place) * (above - below))
    return np.where(mirrored, -quantile, quantile)


def _rounding_shift(variable: Variable) -> float:
    """Mean change by rounding to the step: down where classes are closed on the left, else up."""
    return variable.step * (0.5 if variable.closed == "right" else -0.5)


def _to_step(variable: Variable, values: Floats) -> Floats:
    """Round to the variable's resolution, in the direction that keeps every value in its class."""
    if not variable.step:
        return values
    steps = values / variable.step
    whole = np.ceil(steps - 1e-9) if variable.closed == "right" else np.floor(steps + 1e-9)
    return np.round(whole * variable.step, 6)
