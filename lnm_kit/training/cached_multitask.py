"""A training of several tasks, done once: loaded when finished, resumed when broken off."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from lightning_fabric import Fabric

from lnm_kit.networks.fusion import FusionNetwork
from lnm_kit.networks.multitask import MultitaskNetwork
from lnm_kit.training.history import History
from lnm_kit.training.multitask_fit import fit_multitask
from lnm_kit.training.multitask_settings import MultitaskSettings
from lnm_kit.training.pairing import NoduleBank
from lnm_kit.training.tensors import digest_of_tensors
from lnm_kit.training.train_once import train_once


def fit_multitask_network(
    network: MultitaskNetwork | FusionNetwork,
    bank: NoduleBank,
    training: Sequence[str],
    validation: Sequence[str],
    settings: MultitaskSettings,
    *,
    fabric: Fabric,
    seed: int,
) -> History:
    """Train a network in place as `fit_multitask` does, cached by all that the result depends on.

    That is the network's initial weights and parts, the images, targets, areas and labels, the
    settings, the seed, the kind of device, its precision, and the code of the package. A fold that
    was finished is loaded; one that was interrupted goes on from its checkpoint.

    Parameters
    ----------
    network, bank, training, validation, settings, fabric, seed
        See :func:`lnm_kit.training.multitask_fit.fit_multitask`. The key is taken from the network
        as it is given: build it anew for each training.

    Returns
    -------
    The history of the epochs.

    Raises
    ------
    InputError
        From the training.

    Examples
    --------
    >>> history = fit_multitask_network(  # doctest: +SKIP
    ...     MultitaskNetwork("resnet18", in_channels=1, weights="none", seed=0),
    ...     bank, training, validation, MultitaskSettings(), fabric=open_fabric(), seed=0,
    ... )
    """
    nodules = [*training, *validation]
    inputs = {
        "images": {
            name: digest_of_tensors(
                {
                    "images": images.images,
                    "targets": images.targets,
                    "area": images.area,
                }
            )
            for name, images in bank.modalities.items()
        },
        "nodule_ids": {name: list(images.nodule_ids) for name, images in bank.modalities.items()},
        "nodules": [[nodule, int(bank.labels[nodule])] for nodule in nodules],
        "n_training": len(training),
        "settings": asdict(settings),
        "seed": seed,
    }

    def train(checkpoint: Path) -> History:
        return fit_multitask(
            network,
            bank,
            training,
            validation,
            settings,
            fabric=fabric,
            seed=seed,
            checkpoint=checkpoint,
        )

    return train_once(network, train, inputs=inputs, fabric=fabric, code=[sys.modules[__name__]])
