"""How often each feature is selected when other patients are drawn."""

from collections.abc import Callable, Collection

import joblib
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from lnm_kit.errors import InputError
from lnm_kit.progress import track

Select = Callable[[pd.DataFrame, np.ndarray, np.ndarray], Collection[str]]
"""Takes features (n, F), labels (n,) and patients (n,) of a resample; names what it keeps."""


def selection_frequency(
    features: pd.DataFrame,
    label: ArrayLike,
    groups: ArrayLike,
    select: Select,
    *,
    resamples: int,
    seed: int,
    n_jobs: int = 1,
) -> pd.Series:
    """Share of bootstrap resamples of patients in which each feature is selected.

    Patients are drawn with replacement within each class, so that every resample has as many
    positive patients as the data. All rows of a drawn patient come along, as often as the patient
    was drawn. A rule that cross-validates inside (a LASSO) must keep the rows of a patient in one
    fold, or copies of a row stand on both sides and it keeps too many features.

    Parameters
    ----------
    features
        (N, F), of training cases only; columns named once.
    label
        (N,), 0 or 1; all rows of a patient have the same.
    groups
        (N,), patient of every row.
    select
        The selection, called with the features, labels and patients of each resample; it gives the
        names of the columns that it keeps.
    resamples
        How many.
    seed
        Of the draws.
    n_jobs
        Processes, one resample each; it does not change the result.

    Returns
    -------
    pandas.Series
        `frequency` in [0, 1], one per feature in their order.

    Raises
    ------
    InputError
        When lengths differ, a column is named twice, a label is not 0 or 1, a patient has both
        labels, a class is missing, there is no resample, or `select` names a feature that it was
        not given.

    Notes
    -----
    *Source*: Sauerbrei and Schumacher, Stat Med 1992;11:2093-2109 (bootstrap inclusion frequency).

    Examples
    --------
    >>> features = pd.DataFrame({"a": [0.0, 1, 2, 3], "b": [5.0, 5, 5, 5]})
    >>> frequency = selection_frequency(
    ...     features, [0, 0, 1, 1], [1, 2, 3, 4],
    ...     lambda table, label, patients: table.columns[table.std() > 0], resamples=50, seed=0)
    >>> bool(frequency["a"] > 0.9), float(frequency["b"])
    (True, 0.0)
    """
    labels, patients = np.asarray(label), np.asarray(groups)
    rows_of = _rows_of_patients(features, labels, patients, resamples)
    rng = np.random.default_rng(seed)
    times = pd.Series(0, index=features.columns)
    draws = [
        np.concatenate(
            [
                of_class[place]
                for of_class in rows_of
                for place in rng.integers(len(of_class), size=len(of_class))
            ]
        )
        for _ in range(resamples)
    ]
    results = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(
        joblib.delayed(_selected)(select, features, labels, patients, rows) for rows in draws
    )
    for kept in track(results, label="resample patients", total=resamples):
        unknown = [name for name in kept if name not in times.index]
        if unknown:
            raise InputError(
                f"the selection names {unknown[:3]}, which are no columns of the features; it must "
                "give names of the columns of the table that it gets."
            )
        times[kept] += 1
    return (times / resamples).rename("frequency").rename_axis("feature")


def selection_stability(frequency: pd.Series, *, resamples: int) -> float:
    r"""One number for how stable a selection is: 1 = always the same set, 0 = a set by chance.

    .. math:: 1 - \frac{\frac{1}{F} \sum_f \frac{M}{M - 1} p_f (1 - p_f)}
                       {\frac{k}{F} \left(1 - \frac{k}{F}\right)}

    with the frequency :math:`p_f` of F features over M resamples and the mean number of selected
    features :math:`k = \sum_f p_f`. It may fall slightly below 0.

    Parameters
    ----------
    frequency
        From :func:`selection_frequency`.
    resamples
        M, from which it was computed.

    Raises
    ------
    InputError
        When there are fewer than two resamples, a frequency is outside of [0, 1], or always all or
        none of the features were selected, where the number has no meaning.

    Notes
    -----
    *Source*: Nogueira, Sechidis and Brown, J Mach Learn Res 2018;18(174):1-54, equation 4.

    Examples
    --------
    >>> selection_stability(pd.Series([1.0, 1.0, 0.0, 0.0]), resamples=50)
    1.0
    """
    shares = frequency.to_numpy(np.float64)
    if resamples < 2 or not ((shares >= 0) & (shares <= 1)).all():
        raise InputError(
            f"resamples is {resamples} and frequencies go from {shares.min():g} to "
            f"{shares.max():g}; allowed: 2 or more, and 0 to 1."
        )
    kept = shares.mean()
    if kept in (0.0, 1.0):
        raise InputError(
            f"{'no feature was ever' if kept == 0 else 'every feature was always'} selected; the "
            "stability of such a selection is undefined."
        )
    spread = (shares * (1 - shares)).mean() * resamples / (resamples - 1)
    return float(1 - spread / (kept * (1 - kept)))


def _selected(
    select: Select,
    features: pd.DataFrame,
    labels: np.ndarray,
    patients: np.ndarray,
    rows: np.ndarray,
) -> list[str]:
    return list(select(features.iloc[rows].reset_index(drop=True), labels[rows], patients[rows]))


def _rows_of_patients(
    features: pd.DataFrame, labels: np.ndarray, patients: np.ndarray, resamples: int
) -> list[list[np.ndarray]]:
    """Rows of each patient, by class; or what is wrong."""
    n = len(features)
    if labels.shape != (n,) or patients.shape != (n,):
        raise InputError(
            f"features have {n} rows, label has shape {labels.shape} and groups {patients.shape}; "
            "all must have one entry per row."
        )
    problems = []
    if features.columns.has_duplicates:
        twice = features.columns[features.columns.duplicated()]
        problems.append(f"columns are named twice: {list(twice[:3])}")
    if set(np.unique(labels).tolist()) != {0, 1}:
        problems.append(f"label holds {np.unique(labels)[:5].tolist()}; both 0 and 1 are needed")
    by_patient = pd.Series(labels).groupby(patients).nunique()
    both = by_patient.index[by_patient > 1]
    if len(both):
        problems.append(f"{len(both)} patients have both labels, first {list(both[:3])}")
    if resamples < 1:
        problems.append(f"resamples is {resamples}; allowed: 1 or more")
    if problems:
        raise InputError("selection frequency: " + "; ".join(problems) + ".")
    return [
        [np.flatnonzero((patients == p) & (labels == y)) for p in np.unique(patients[labels == y])]
        for y in (0, 1)
    ]
