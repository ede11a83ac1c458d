"""One network, trained once: what was fitted before is loaded, what was broken off goes on."""

from collections.abc import Sequence

from lightning_fabric import Fabric

from lnm_kit.networks.backbones import ImageNetwork, build_network
from lnm_kit.training.bank import ImageBank
from lnm_kit.training.cached_module import fit_given_network
from lnm_kit.training.history import History
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
    its precision, and the code of the package. An interrupted training goes on from its checkpoint.

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
    history = fit_given_network(
        network, bank, training_cases, held_out_cases, settings, fabric=fabric, seed=seed
    )
    return network, history
