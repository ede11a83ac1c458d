"""Deep features of networks that were trained on different folds, in one system of axes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import orthogonal_procrustes
from sklearn.decomposition import PCA

from lnm_kit.errors import InputError

OUTSIDE = -1
"""Fold number of a case that took no part in training."""


@dataclass(frozen=True, eq=False)
class CompressedFeatures:
    """Few deep features of every case, none of them from a network that saw the case.

    Parameters
    ----------
    values
        float64 (N, C); a case outside of training has the mean over the networks.
    explained
        Share of the variance of the first network's features that the C components hold.
    agreement
        float64 (C,), correlation of each component between the first network and the others over
        the cases outside of training, mean over the networks; NaN with one network or fewer than
        three such cases.
    agreement_before
        The same before the rotation.
    """

    values: np.ndarray
    explained: float
    agreement: np.ndarray
    agreement_before: np.ndarray


def compress_deep_features(
    features: Sequence[np.ndarray], fold_of_case: np.ndarray, *, components: int = 64
) -> CompressedFeatures:
    """Compress the features of cross-fitted networks and turn them into common axes.

    Feature 17 of one network is not feature 17 of another: training starts and ends elsewhere, and
    any rotation of a layer is as good as it was. So three steps, all of them blind to the labels:

    1. PCA of each network's features, over the training cases that this network was fitted on.
    2. A rotation of these components onto those of the first network (orthogonal Procrustes), over
       the same cases. A rotation (with a shift) can neither shrink nor stretch.
    3. Each training case takes its values from the network that held it out, each other case the
       mean over the networks.

    Parameters
    ----------
    features
        One (N, F) table a network, all of the same N cases in the same order.
    fold_of_case
        int (N,), number of the network that held the case out, `OUTSIDE` (-1) for a case that took
        no part in training.
    components
        At most this many; fewer where F or the number of cases fitted on is smaller.

    Raises
    ------
    InputError
        When tables differ in shape or are not finite, a fold has no network or no case, or fewer
        than two cases are left to fit on; all are listed.

    Notes
    -----
    *Source*: M. Li 2026 compresses 2,048 deep features to 64 and does not print how; a PCA is our
    choice. Rotation: Schönemann, Psychometrika 1966;31:1-10.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> first = rng.normal(size=(40, 5)) * [5, 4, 3, 2, 1]
    >>> turned = first[:, ::-1]
    >>> fold = np.array([0, 1] * 15 + [OUTSIDE] * 10)
    >>> found = compress_deep_features([first, turned], fold, components=5)
    >>> found.values.shape, bool(found.agreement.min() > 0.999)
    ((40, 5), True)
    """
    tables = [np.asarray(table, dtype=np.float64) for table in features]
    folds = np.asarray(fold_of_case)
    _check(tables, folds)
    outside = folds == OUTSIDE
    fitted_on = [np.flatnonzero(~outside & (folds != number)) for number in range(len(tables))]
    n_components = min(components, tables[0].shape[1], *(len(rows) - 1 for rows in fitted_on))
    projections = [
        PCA(n_components, svd_solver="full").fit(table[rows])
        for table, rows in zip(tables, fitted_on, strict=True)
    ]
    unturned = [
        projection.transform(table) for projection, table in zip(projections, tables, strict=True)
    ]
    first = unturned[0]
    turned = [first]
    for own, rows in zip(unturned[1:], fitted_on[1:], strict=True):
        # The first network's axes are centered over other cases than these.
        center = first[rows].mean(axis=0)
        rotation, _ = orthogonal_procrustes(own[rows], first[rows] - center)
        turned.append(own @ rotation + center)
    stack = np.stack(turned)
    values = stack.mean(axis=0)
    inside = np.flatnonzero(~outside)
    values[inside] = stack[folds[inside], inside]
    return CompressedFeatures(
        values,
        float(projections[0].explained_variance_ratio_.sum()),
        _agreement(turned, outside),
        _agreement(unturned, outside),
    )


def _agreement(tables: Sequence[np.ndarray], rows: np.ndarray) -> np.ndarray:
    """Mean correlation of each column with that of the first table, over some rows."""
    if len(tables) < 2 or rows.sum() < 3:
        return np.full(tables[0].shape[1], np.nan)
    standard = [_standardized(table[rows]) for table in tables]
    return np.mean([(standard[0] * other).mean(axis=0) for other in standard[1:]], axis=0)


def _standardized(table: np.ndarray) -> np.ndarray:
    centered = table - table.mean(axis=0)
    spread = centered.std(axis=0)
    return centered / np.where(spread > 0, spread, 1.0)


def _check(tables: Sequence[np.ndarray], folds: np.ndarray) -> None:
    problems = []
    shapes = {table.shape for table in tables}
    if not tables or folds.ndim != 1 or any(t.ndim != 2 or len(t) != len(folds) for t in tables):
        problems.append(
            f"the tables have the shapes {sorted(shapes)} and fold_of_case {folds.shape}; needed: "
            "one (N, F) table or more, and (N,)"
        )
    elif len({table.shape[1] for table in tables}) > 1:
        problems.append(f"the networks have {sorted({t.shape[1] for t in tables})} features")
    if not problems:
        used = set(folds[folds != OUTSIDE].tolist())
        if used != set(range(len(tables))):
            problems.append(
                f"fold_of_case names the folds {sorted(used)}; needed: 0 to {len(tables) - 1}, one "
                f"for each network, and {OUTSIDE} for cases outside of training"
            )
        fitted = [int(((folds != OUTSIDE) & (folds != k)).sum()) for k in range(len(tables))]
        if min(fitted) < 2:
            problems.append(f"a network was fitted on {min(fitted)} cases; needed: 2 or more")
        bad = [k for k, table in enumerate(tables) if not np.isfinite(table).all()]
        if bad:
            problems.append(f"the features of the networks {bad} are not all finite")
    if problems:
        raise InputError("deep features: " + "; ".join(problems) + ".")
