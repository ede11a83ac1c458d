"""Probabilities of cases from a trained network."""

from collections.abc import Sequence

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from lnm_kit.training.bank import ImageBank

IMAGES_AT_ONCE = 128


def predict(
    network: nn.Module, bank: ImageBank, cases: Sequence[str], *, fabric: Fabric
) -> np.ndarray:
    """Probability of the positive class of each case: the mean over the case's images.

    Parameters
    ----------
    network
        Gives one logit per image; it is left in the mode (training or evaluation) it was in.
    bank
        Holds the images.
    cases
        Which cases, in the order of the result.

    Returns
    -------
    float32 (len(cases),) in [0, 1].

    Raises
    ------
    InputError
        A case that the bank does not hold.
    """
    rows = bank.rows(cases)
    logits = predict_logits(network, bank, rows, fabric=fabric)
    return mean_by_case(logits.sigmoid(), bank, rows, cases)


def predict_logits(network: nn.Module, bank: ImageBank, rows: Tensor, *, fabric: Fabric) -> Tensor:
    """Logits of some rows of the bank, float32 (len(rows),), without augmentation or gradients."""
    fabric.to_device(network)
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad(), fabric.autocast():
            parts = [network(bank.batch(part)).float() for part in rows.split(IMAGES_AT_ONCE)]
    finally:
        network.train(was_training)
    return torch.cat(parts)


def mean_by_case(values: Tensor, bank: ImageBank, rows: Tensor, cases: Sequence[str]) -> np.ndarray:
    """Mean of a value of images, (len(rows),), over the images of each case, float32."""
    number = {case: index for index, case in enumerate(cases)}
    owner = np.array([number[bank.case_ids[row]] for row in rows.tolist()])
    total = np.bincount(owner, weights=values.double().cpu().numpy(), minlength=len(cases))
    return (total / np.bincount(owner, minlength=len(cases))).astype(np.float32)
