"""A training of a network that is given, rather than named, done once."""

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
from lnm_kit.networks.backbones import ImageNetwork
from lnm_kit.networks.triple import ModalityNetwork
from lnm_kit.sources import code_digest
from lnm_kit.training.bank import ImageBank
from lnm_kit.training.fit import fit
from lnm_kit.training.history import COLUMNS, History
from lnm_kit.training.settings import TrainingSettings
from lnm_kit.training.tensors import contiguous_state, digest_of_tensors


def fit_given_network(
    network: ImageNetwork | ModalityNetwork,
    bank: ImageBank,
    training_cases: Sequence[str],
    held_out_cases: Sequence[str],
    settings: TrainingSettings,
    *,
    fabric: Fabric,
    seed: int,
) -> History:
    """Train a network in place as `fit` does, cached by all that the result depends on.

    For networks that `fit_network` cannot build by a name, such as `ModalityNetwork`. The key holds
    the network's initial weights, its parts and choices, the images and labels, the settings, the
    seed, the kind of device, its precision, and the code of the package.

    Parameters
    ----------
    network
        Not trained before: the key is taken from it as it is given.
    bank, training_cases, held_out_cases, settings, fabric, seed
        See :func:`lnm_kit.training.fit_network`.

    Returns
    -------
    The history of the epochs.

    Raises
    ------
    InputError
        From the training.

    Examples
    --------
    >>> network = ModalityNetwork(backbone="resnet50", weights="none", seed=0)  # doctest: +SKIP
    >>> history = fit_given_network(  # doctest: +SKIP
    ...     network, bank, fitted, held_out, TrainingSettings(epochs=10),
    ...     fabric=open_fabric(), seed=0,
    ... )
    """
    code = [sys.modules[__name__]]
    cases = [*training_cases, *held_out_cases]
    choices = [getattr(network, name, None) for name in ("modalities", "dropout", "missing")]
    inputs = {
        "network": hashlib.sha256(f"{network} {choices}".encode()).hexdigest(),
        "start": digest_of_tensors(network.state_dict()),
        "images": digest_of_tensors({"images": bank.images[bank.rows(cases)]}),
        "labels": [[case, bank.cases[case]] for case in cases],
        "n_training": len(training_cases),
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
        history = fit(
            # what fit asks of a network is a normalization and one logit per image
            network,  # type: ignore[arg-type]
            bank,
            training_cases,
            held_out_cases,
            settings,
            fabric=fabric,
            seed=seed,
            checkpoint=checkpoint,
        )
        save_file(contiguous_state(network.state_dict()), folder / "network.safetensors")
        history.epochs.to_parquet(folder / "history.parquet")
        (folder / "kept_epoch.json").write_text(json.dumps(history.kept_epoch))
        checkpoint.unlink(missing_ok=True)

    folder = cached("training", compute, inputs=inputs, code=code)
    network.load_state_dict(load_file(folder / "network.safetensors"))
    epochs = pd.read_parquet(folder / "history.parquet")[list(COLUMNS)]
    return History(epochs, json.loads((folder / "kept_epoch.json").read_text()))
