"""How far repeated measurements agree: intraclass correlation coefficients with intervals."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import f as f_distribution

from lnm_kit.errors import InputError, one_of
from lnm_kit.evaluation.estimate import LEVEL, Estimate

ICC_FORMS = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")
"""Forms of Shrout and Fleiss: one-way, two-way random (absolute agreement) and two-way fixed
(consistency) raters; of one rating, then of the mean of k ratings."""

_METHOD = "analysis of variance, F"
_NO_SPREAD = "the ratings have no spread"
_NEGATIVE = "the estimated variance of the ratings is not positive"


def icc(ratings: np.ndarray | pd.DataFrame) -> dict[str, Estimate]:
    r"""All six intraclass correlation coefficients of one measurement, with 95 % intervals.

    With the mean squares of subjects (R), raters (C), error (E) of the two-way and within subjects
    (W) of the one-way analysis of variance of n subjects and k raters:

    - ICC(1,1) = (R - W) / (R + (k - 1) W), ICC(1,k) = (R - W) / R
    - ICC(2,1) = (R - E) / (R + (k - 1) E + k (C - E) / n), ICC(2,k) = (R - E) / (R + (C - E) / n)
    - ICC(3,1) = (R - E) / (R + (k - 1) E), ICC(3,k) = (R - E) / R

    The intervals come from the F distribution; those of ICC(2, .) use Satterthwaite's degrees of
    freedom, in which a negative ICC counts as 0. The lower end of the average forms has no bound.

    Parameters
    ----------
    ratings
        (subjects, raters), finite; every rater has rated every subject.

    Returns
    -------
    dict
        Form (see `ICC_FORMS`) to its Estimate; undefined, with the reason in `method`, when the
        ratings have no spread or their estimated variance, the denominator, is not positive.

    Raises
    ------
    InputError
        When there are fewer than two subjects or raters, or a rating is missing or not finite.

    Notes
    -----
    *Source*: Shrout and Fleiss, Psychol Bull 1979;86:420-428; McGraw and Wong, Psychol Methods
    1996;1:30-46.

    Examples
    --------
    >>> ratings = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8],
    ...     [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    >>> print(icc(ratings)["ICC(2,1)"])
    0.290 (0.019 to 0.761)
    """
    values = _checked(np.asarray(ratings, dtype=np.float64)[None])
    found = {}
    for form in ICC_FORMS:
        value, lo, hi, reason = _icc(values, form)
        found[form] = (
            Estimate.undefined(reason[0])
            if reason[0]
            else Estimate(float(value[0]), float(lo[0]), float(hi[0]), _METHOD)
        )
    return found


def icc_features(measurements: Sequence[pd.DataFrame], *, form: str = "ICC(2,1)") -> pd.DataFrame:
    """One intraclass correlation coefficient of each of many features, with 95 % intervals.

    Parameters
    ----------
    measurements
        One table per rater or repetition, all of the same subjects (rows) and features (columns),
        finite. The order of rows and columns may differ.
    form
        One of `ICC_FORMS`; the default asks for absolute agreement of single measurements.

    Returns
    -------
    pandas.DataFrame
        Index: the features in the order of the first table; columns `icc`, `lo`, `hi` and
        `method`, which says why where the coefficient is undefined (NaN).

    Raises
    ------
    InputError
        When the form is unknown, there are fewer than two tables or subjects, the tables differ in
        subjects or features or name one twice, or a value is not finite.

    Notes
    -----
    *Source*: as of :func:`icc`.

    Examples
    --------
    >>> first = pd.DataFrame({"area": [1.0, 2.0, 4.0], "constant": 1.0}, index=["a", "b", "c"])
    >>> icc_features([first, first + [0.1, 0.0]])[["icc", "method"]].round(3)
                icc                                 method
    area      0.998                analysis of variance, F
    constant    NaN  undefined: the ratings have no spread
    """
    one_of("form", form, ICC_FORMS)
    if len(measurements) < 2:
        raise InputError(
            f"{len(measurements)} table of measurements was given; agreement needs at least two."
        )
    first = measurements[0]
    for number, table in enumerate(measurements, start=1):
        for name, found, wanted in (
            ("subjects", table.index, first.index),
            ("features", table.columns, first.columns),
        ):
            if found.has_duplicates or set(found) != set(wanted):
                odd = [*found[found.duplicated()], *found.symmetric_difference(wanted)]
                raise InputError(
                    f"table {number} of the measurements does not hold the {name} of table 1 once "
                    f"each; twice or not in both: {odd[:5]}. Give every rater the same {name}."
                )
    tables = [table.loc[first.index, first.columns] for table in measurements]
    # (features, subjects, raters)
    values = np.stack([table.to_numpy(np.float64).T for table in tables], axis=2)
    value, lo, hi, reason = _icc(_checked(values), form)
    method = [f"undefined: {text}" if text else _METHOD for text in reason]
    return pd.DataFrame(
        {"icc": value, "lo": lo, "hi": hi, "method": method}, index=first.columns.rename("feature")
    ).rename_axis(None)


def _checked(values: np.ndarray) -> np.ndarray:
    """Return the ratings (features, subjects, raters), or say what is wrong with them."""
    if values.ndim != 3 or min(values.shape[1:]) < 2:
        raise InputError(
            f"ratings have the shape {values.shape[1:]}; they must be (subjects, raters) with at "
            "least two of each."
        )
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        raise InputError(
            f"ratings are not finite at {len(bad)} positions, first subject {bad[0][1]}, rater "
            f"{bad[0][2]} (counted from 0); leave these subjects out and say so."
        )
    return values


def _icc(values: np.ndarray, form: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Coefficient, its ends and why it is undefined ("" when it is not), one per feature."""
    _, n, k = values.shape
    # A constant shift changes no coefficient and keeps rounding small.
    centered = values - values.mean(axis=(1, 2), keepdims=True)
    by_subject, by_rater = centered.mean(axis=2), centered.mean(axis=1)
    rest = centered - by_subject[:, :, None] - by_rater[:, None, :]
    rows = k * (by_subject**2).sum(axis=1) / (n - 1)
    columns = n * (by_rater**2).sum(axis=1) / (k - 1)
    error = (rest**2).sum(axis=(1, 2)) / ((n - 1) * (k - 1))
    # Mean squares of rounding alone must not pass for a spread.
    rounding = (1e-12 * np.abs(values).max(axis=(1, 2))) ** 2
    for square in (rows, columns, error):
        square[square <= rounding] = 0
    within = ((k - 1) * columns + (n - 1) * (k - 1) * error) / (n * (k - 1))

    high = (1 + LEVEL) / 2
    average = form.endswith("k)")
    if form.startswith("ICC(2"):
        freedom = _satterthwaite(rows, columns, error, n, k)
        noise, offset = error, (columns - error) / n
    else:
        one_way = form.startswith("ICC(1")
        noise = within if one_way else error
        offset = np.zeros_like(noise)
        freedom = np.full_like(noise, n * (k - 1) if one_way else (n - 1) * (k - 1))
    down = f_distribution.ppf(high, n - 1, freedom)
    up = f_distribution.ppf(high, freedom, n - 1)

    def share(subjects: np.ndarray, factor: np.ndarray) -> np.ndarray:
        """The coefficient were the subjects' mean square `subjects` and the others' larger."""
        below = subjects + factor * offset
        if not average:
            below = below + (k - 1) * factor * (noise + offset)
        # Below 0 the mean of k ratings has no variance left: the coefficient runs to -infinity.
        return np.divide(
            subjects - factor * noise, below, out=np.full_like(below, -np.inf), where=below > 0
        )

    one = np.ones_like(rows)
    value, lo, hi = share(rows, one), share(rows, down), share(up * rows, one)
    flat = rows + columns + error == 0
    reason = np.where(flat, _NO_SPREAD, np.where(np.isinf(value), _NEGATIVE, ""))
    for column in (value, lo, hi):
        column[reason != ""] = np.nan
    return value, lo, hi, reason.tolist()


def _satterthwaite(
    rows: np.ndarray, columns: np.ndarray, error: np.ndarray, n: int, k: int
) -> np.ndarray:
    """Degrees of freedom of the error of ICC(2, .), McGraw and Wong's v."""
    below = rows + (k - 1) * error + k * (columns - error) / n
    raw = np.divide(rows - error, below, out=np.zeros_like(rows), where=below > 0)
    # With a negative ICC the weights would turn negative and v could vanish.
    share = np.maximum(raw, 0)
    a = k * share / n * columns
    b = (1 - share + k * share * (n - 1) / n) * error
    spread = a**2 / (k - 1) + b**2 / ((n - 1) * (k - 1))
    return np.divide(
        (a + b) ** 2, spread, out=np.full_like(a, (n - 1.0) * (k - 1)), where=spread > 0
    )
