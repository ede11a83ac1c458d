"""A training of several tasks, done once: loaded when finished, resumed when broken off."""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from lightning_fabric import Fabric
from safetensors.torch import load_file, save_file

from lnm_kit.cache import cache_root, cached
from lnm_kit.networks.fusion import FusionNetwork
from lnm_kit.networks.multitask import MultitaskNetwork
from lnm_kit.sources import code_digest
from lnm_kit.training.history import History
from lnm_kit.training.multitask_fit import fit_multitask
from lnm_kit.training.multitask_settings import MultitaskSettings
from lnm_kit.training.pairing import NoduleBank
from lnm_kit.training.tensors import contiguous_state, digest_of_tensors


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
    was finished is loaded; one that was interrupted goes on from its last epoch.

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
    code = [sys.modules[__name__]]
    nodules = [*training, *validation]
    inputs = {
        "network": hashlib.sha256(str(network).encode()).hexdigest(),
        "start": digest_of_tensors(network.state_dict()),
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
        "device": fabric.device.type,
        "n_processes": fabric.world_size,
        "precision": fabric._precision.precision,
    }

    def compute(folder: Path) -> None:
        key = hashlib.sha256((json.dumps(inputs) + code_digest(code)).encode()).hexdigest()[:32]
        checkpoint = cache_root() / "unfinished-training" / f"{key}.ckpt"
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        history = fit_multitask(
            network,
            bank,
            training,
            validation,
            settings,
            fabric=fabric,
            seed=seed,
            checkpoint=checkpoint,
        )
        save_file(contiguous_state(network.state_dict()), folder / "network.safetensors")
        history.epochs.to_parquet(folder / "history.parquet")
        checkpoint.unlink(missing_ok=True)

    folder = cached("training", compute, inputs=inputs, code=code)
    network.load_state_dict(load_file(folder / "network.safetensors"))
    epochs = pd.read_parquet(folder / "history.parquet")
    return History(epochs, len(epochs))
