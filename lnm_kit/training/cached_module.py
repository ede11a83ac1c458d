"""A training of a network that is given, rather than named, done once."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from lightning_fabric import Fabric

from lnm_kit.networks.backbones import ImageNetwork
from lnm_kit.networks.triple import ModalityNetwork
from lnm_kit.training.bank import ImageBank
from lnm_kit.training.fit import fit
from lnm_kit.training.history import History
from lnm_kit.training.settings import TrainingSettings
from lnm_kit.training.tensors import digest_of_tensors
from lnm_kit.training.train_once import train_once


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
    cases = [*training_cases, *held_out_cases]
    parts = ("modalities", "dropout", "missing", "reading")
    choices = [getattr(network, name, None) for name in parts]
    inputs = {
        "choices": str(choices),
        "images": digest_of_tensors({"images": bank.images[bank.rows(cases)]}),
        "labels": [[case, bank.cases[case]] for case in cases],
        "n_training": len(training_cases),
        "settings": asdict(settings),
        "seed": seed,
    }

    def train(checkpoint: Path) -> History:
        return fit(
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

    return train_once(network, train, inputs=inputs, fabric=fabric, code=[sys.modules[__name__]])
