"""Folds of a cross-validation: stratified by label, never splitting a patient."""

from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from lnm_kit.errors import InputError


def patient_folds(
    label: Sequence[int] | np.ndarray,
    patients: Sequence[str] | np.ndarray,
    *,
    folds: int,
    seed: int,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split rows into folds so that no patient stands on both sides.

    Parameters
    ----------
    label
        0 or 1 per row, shape (n,).
    patients
        Patient of each row, shape (n,); the rows of one patient stay together.
    folds
        Number of folds, 2 or more.
    seed
        Of the shuffle of patients.

    Returns
    -------
    list of (numpy.ndarray, numpy.ndarray)
        Row numbers to fit on and row numbers held out, for each fold; every row is held out once.

    Raises
    ------
    InputError
        When there are fewer than two folds, or a class has fewer patients than there are folds.

    Examples
    --------
    >>> split = patient_folds([0, 0, 1, 1], ["a", "b", "c", "d"], folds=2, seed=0)
    >>> sorted(row for _, held_out in split for row in held_out.tolist())
    [0, 1, 2, 3]
    """
    labels, groups = np.asarray(label), np.asarray(patients)
    if folds < 2:
        raise InputError(f"folds is {folds}; allowed: 2 or more.")
    counts = {value: len(np.unique(groups[labels == value])) for value in (0, 1)}
    if min(counts.values()) < folds:
        raise InputError(
            f"{folds} folds need at least {folds} patients of each class; found {counts[1]} "
            f"positive and {counts[0]} negative. Use fewer folds or more cases."
        )
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    split = [(fit, held_out) for fit, held_out in splitter.split(labels, labels, groups)]
    poor = [number for number, (_, rows) in enumerate(split, 1) if len(set(labels[rows])) < 2]
    if poor:
        raise InputError(
            f"fold {', '.join(map(str, poor))} of {folds} holds one class only: the patients are "
            "too unequal in their number of rows. Use fewer folds or another seed."
        )
    return split
