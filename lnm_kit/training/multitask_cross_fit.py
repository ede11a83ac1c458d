"""One network of several tasks per fold of nodules: scores that no network had seen."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from lightning_fabric import Fabric

from lnm_kit.cache import CACHE_VARIABLE, cache_root
from lnm_kit.networks.fusion import FusionNetwork
from lnm_kit.networks.multitask import MultitaskNetwork
from lnm_kit.training.cached_multitask import fit_multitask_network
from lnm_kit.training.device import open_fabric
from lnm_kit.training.history import History
from lnm_kit.training.multitask_prediction import predict_nodules
from lnm_kit.training.multitask_settings import MultitaskSettings
from lnm_kit.training.pairing import NoduleBank

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
        Folds that are trained at the same time on a CPU, each on one core; -1 = one a core. For
        small images that is faster than one fold on all cores. On a GPU it is not looked at.

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
    if n_jobs != 1 and fabric.device.type == "cpu" and fabric.world_size == 1:
        # what they train is loaded from the cache below
        Parallel(n_jobs=n_jobs)(
            delayed(_fit_apart)(
                build(number),
                bank,
                training,
                _first_of_each_class(bank, held_out, watched),
                settings,
                seed + number,
                cache_root().absolute(),
            )
            for number, (training, held_out) in enumerate(folds)
        )
    networks, histories, parts = [], [], []
    for number, (training, held_out) in enumerate(folds):
        network = build(number)
        seen = _first_of_each_class(bank, held_out, watched)
        history = fit_multitask_network(
            network, bank, training, seen, settings, fabric=fabric, seed=seed + number
        )
        score = predict_nodules(network, bank, held_out, fabric=fabric).astype(np.float64)
        networks.append(network)
        histories.append(history)
        parts.append(pd.Series(score, held_out))
    together = pd.concat(parts)
    in_order = [nodule for nodule in bank.labels if nodule in together.index]
    return NoduleCrossFit(tuple(networks), tuple(histories), together[in_order])


def _fit_apart(
    network: MultitaskNetwork | FusionNetwork,
    bank: NoduleBank,
    training: list[str],
    seen: list[str],
    settings: MultitaskSettings,
    seed: int,
    cache: Path,
) -> None:
    """Train a fold in a process of its own, for the cache."""
    # a process that was kept from before may know another cache
    os.environ[CACHE_VARIABLE] = str(cache)
    fit_multitask_network(
        network, bank, training, seen, settings, fabric=open_fabric("cpu"), seed=seed
    )


def _first_of_each_class(bank: NoduleBank, nodules: list[str], n: int | None) -> list[str]:
    chosen = {
        nodule
        for value in (0, 1)
        for nodule in [each for each in nodules if bank.labels[each] == value][:n]
    }
    return [nodule for nodule in nodules if nodule in chosen]
