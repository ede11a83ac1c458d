"""One network, trained once: what was fitted before is loaded, what was broken off goes on."""

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
from lnm_kit.networks.backbones import ImageNetwork, build_network
from lnm_kit.sources import code_digest
from lnm_kit.training.bank import ImageBank
from lnm_kit.training.fit import fit
from lnm_kit.training.history import COLUMNS, History
from lnm_kit.training.settings import TrainingSettings


def fit_network(
    name: str,
    bank: ImageBank,
    training_cases: Sequence[str],
    held_out_cases: Sequence[str],
    settings: TrainingSettings,
    *,
    weights: str,
    fabric: Fabric,
    seed: int,
) -> tuple[ImageNetwork, History]:
    """Build a network and train it, cached by everything that the result depends on.

    That is the start weights, the images and labels, the settings, the seed, the kind of device,
    its precision, and the code of the package. An interrupted training goes on from its last epoch.

    Parameters
    ----------
    name, weights
        See :func:`lnm_kit.networks.build_network`.
    bank
        Images of at least the cases named.
    training_cases, held_out_cases
        Case identifiers; the held-out ones are only measured, in every epoch.
    settings, fabric
        See :func:`lnm_kit.training.fit`.
    seed
        Of initial weights, order and variation.

    Returns
    -------
    tuple
        The trained network and the history of its epochs.

    Raises
    ------
    InputError
        From the weights or the training.

    Examples
    --------
    >>> network, history = fit_network(  # doctest: +SKIP
    ...     "resnet18", bank, fitted, held_out, TrainingSettings(epochs=10),
    ...     weights="none", fabric=open_fabric(), seed=0,
    ... )
    """
    network = build_network(name, in_channels=bank.images.shape[1], weights=weights, seed=seed)
    code = [sys.modules[__name__]]
    cases = [*training_cases, *held_out_cases]
    inputs = {
        "start": _digest_of_state(network),
        "images": _digest_of_images(bank, cases),
        "labels": [bank.cases[case] for case in cases],
        "n_training": len(training_cases),
        "settings": asdict(settings),
        "seed": seed,
        "device": fabric.device.type,
        "precision": fabric._precision.precision,
    }

    def compute(folder: Path) -> None:
        key = hashlib.sha256((json.dumps(inputs) + code_digest(code)).encode()).hexdigest()[:32]
        checkpoint = cache_root() / "unfinished-training" / f"{key}.ckpt"
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        history = fit(
            network,
            bank,
            training_cases,
            held_out_cases,
            settings,
            fabric=fabric,
            seed=seed,
            checkpoint=checkpoint,
        )
        save_file(_contiguous_state(network), folder / "network.safetensors")
        history.epochs.to_parquet(folder / "history.parquet")
        (folder / "kept_epoch.json").write_text(json.dumps(history.kept_epoch))
        checkpoint.unlink(missing_ok=True)

    folder = cached("training", compute, inputs=inputs, code=code)
    network.load_state_dict(load_file(folder / "network.safetensors"))
    epochs = pd.read_parquet(folder / "history.parquet")[list(COLUMNS)]
    return network, History(epochs, json.loads((folder / "kept_epoch.json").read_text()))


def _contiguous_state(network: ImageNetwork) -> dict:
    # safetensors stores tensors row-major; channels-last weights are not
    return {key: value.detach().contiguous() for key, value in network.state_dict().items()}


def _digest_of_state(network: ImageNetwork) -> str:
    whole = hashlib.sha256()
    for key, value in sorted(_contiguous_state(network).items()):
        whole.update(key.encode())
        whole.update(value.cpu().numpy().tobytes())
    return whole.hexdigest()


def _digest_of_images(bank: ImageBank, cases: Sequence[str]) -> str:
    rows = bank.rows(cases)
    return hashlib.sha256(bank.images[rows].cpu().numpy().tobytes()).hexdigest()
