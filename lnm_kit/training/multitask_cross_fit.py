"""One network of several tasks per fold of nodules: scores that no network had seen."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from lightning_fabric import Fabric

from lnm_kit.networks.fusion import FusionNetwork
from lnm_kit.networks.multitask import MultitaskNetwork
from lnm_kit.training.cached_multitask import fit_multitask_network
from lnm_kit.training.history import History
from lnm_kit.training.multitask_prediction import predict_nodules
from lnm_kit.training.multitask_settings import MultitaskSettings
from lnm_kit.training.pairing import NoduleBank
from lnm_kit.training.simultaneous import side_by_side

Fold = tuple[list[str], list[str]]
"""Nodules to train on, and nodules held out; see `nodule_folds`."""


@dataclass(frozen=True)
class NoduleCrossFit:
    """Networks of all folds and the scores of the nodules that each did not see.

    Parameters
    ----------
    networks, histories
        One per fold; the validation columns are of the fold's held-out nodules.
    out_of_fold
        Probability of each nodule that was held out, by nodule.
    """

    networks: tuple[MultitaskNetwork | FusionNetwork, ...]
    histories: tuple[History, ...]
    out_of_fold: pd.Series

    def predict(self, bank: NoduleBank, nodules: Sequence[str], *, fabric: Fabric) -> pd.Series:
        """Probability of nodules that took no part in training: the mean over the networks."""
        scores = [
            predict_nodules(network, bank, nodules, fabric=fabric) for network in self.networks
        ]
        return pd.Series(np.stack(scores).mean(axis=0, dtype=np.float64), list(nodules))


def cross_fit_nodules(
    build: Callable[[int], MultitaskNetwork | FusionNetwork],
    bank: NoduleBank,
    folds: Sequence[Fold],
    settings: MultitaskSettings,
    *,
    fabric: Fabric,
    seed: int,
    watched: int | None = None,
    n_jobs: int = 1,
) -> NoduleCrossFit:
    """Train one network per fold. A finished fold is loaded, an interrupted one goes on.

    Parameters
    ----------
    build
        Gives the untrained network of a fold, by the fold's number from 0. It must not know the
        fold's held-out nodules.
    bank
        Images and labels of the nodules of all folds.
    folds
        From `nodule_folds`.
    settings, fabric
        See :func:`lnm_kit.training.multitask_fit.fit_multitask`.
    seed
        Of pairs, order and variation; fold k uses `seed` + k.
    watched
        At most so many held-out nodules of each class fill the history; None: all. It has no
        influence on the networks.
    n_jobs
        Processes that train folds at the same time; see :func:`lnm_kit.training.side_by_side`.

    Raises
    ------
    InputError
        From the training.

    Examples
    --------
    >>> fitted = cross_fit_nodules(  # doctest: +SKIP
    ...     lambda fold: MultitaskNetwork("resnet34", in_channels=1, weights="none", seed=fold),
    ...     bank, nodule_folds(bank, folds=8, seed=0), MultitaskSettings(),
    ...     fabric=open_fabric(), seed=0,
    ... )
    """
    trainings = [
        partial(
            _fit_copy,
            build(number),
            bank,
            training,
            _first_of_each_class(bank, held_out, watched),
            settings,
            fabric=fabric,
            seed=seed + number,
        )
        for number, (training, held_out) in enumerate(folds)
    ]
    passes = settings.epochs * sum(len(training) for training, _ in folds)
    results = side_by_side(trainings, passes=passes, fabric=fabric, n_jobs=n_jobs)
    networks, histories = zip(*results, strict=True)
    parts = [
        pd.Series(
            predict_nodules(network, bank, held_out, fabric=fabric).astype(np.float64), held_out
        )
        for network, (_, held_out) in zip(networks, folds, strict=True)
    ]
    together = pd.concat(parts)
    in_order = [nodule for nodule in bank.labels if nodule in together.index]
    return NoduleCrossFit(networks, histories, together[in_order])


def _fit_copy(
    untrained: MultitaskNetwork | FusionNetwork,
    bank: NoduleBank,
    training: Sequence[str],
    validation: Sequence[str],
    settings: MultitaskSettings,
    *,
    fabric: Fabric,
    seed: int,
) -> tuple[MultitaskNetwork | FusionNetwork, History]:
    """Train a copy, so that the same call starts from the same weights again."""
    network = deepcopy(untrained)
    history = fit_multitask_network(
        network, bank, training, validation, settings, fabric=fabric, seed=seed
    )
    return network, history


def _first_of_each_class(bank: NoduleBank, nodules: list[str], n: int | None) -> list[str]:
    chosen = {
        nodule
        for value in (0, 1)
        for nodule in [each for each in nodules if bank.labels[each] == value][:n]
    }
    return [nodule for nodule in nodules if nodule in chosen]
