"""Probabilities and segmentations of nodules, each from its images of the largest area."""

from collections.abc import Sequence

import numpy as np
import torch
from lightning_fabric import Fabric
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from lnm_kit.errors import InputError
from lnm_kit.networks.dgf import DiverseGranularityFusion
from lnm_kit.networks.fusion import FusionNetwork
from lnm_kit.networks.multitask import MultitaskNetwork
from lnm_kit.training.pairing import NoduleBank
from lnm_kit.training.segmentation_losses import dice, segmentation_loss

NODULES_AT_ONCE = 64


def predict_nodules(
    network: MultitaskNetwork | FusionNetwork,
    bank: NoduleBank,
    nodules: Sequence[str],
    *,
    fabric: Fabric,
) -> np.ndarray:
    """Probability of metastasis of each nodule, from its images of the largest area.

    Returns
    -------
    float32 (len(nodules),) in [0, 1].

    Raises
    ------
    InputError
        An unknown nodule, or a fusion without reference nodules.
    """
    check_known(bank, nodules)
    fabric.to_device(network)
    rows = bank.largest_rows(nodules)
    was_training = network.training
    network.eval()
    parts = []
    try:
        with torch.no_grad(), fabric.autocast():
            for start in range(0, len(nodules), NODULES_AT_ONCE):
                images, _ = batch_of_pairs(bank, rows, slice(start, start + NODULES_AT_ONCE))
                parts.append(network.predict_logits(*images).sigmoid())
    finally:
        network.train(was_training)
    return torch.cat(parts).cpu().numpy()


def set_reference_nodules(
    network: MultitaskNetwork | FusionNetwork,
    bank: NoduleBank,
    training: Sequence[str],
    *,
    seed: int,
    fabric: Fabric,
) -> list[str]:
    """Give a diverse-granularity fusion its reference: training nodules drawn once by the seed.

    Returns
    -------
    The nodules, in the order of the reference; none for any other network.
    """
    if not isinstance(network, FusionNetwork) or not isinstance(
        network.fusion, DiverseGranularityFusion
    ):
        return []
    drawn = np.random.default_rng(seed).permutation(len(training))[: network.fusion.n_reference]
    nodules = [training[place] for place in drawn]
    images, _ = batch_of_pairs(bank, bank.largest_rows(nodules), slice(None))
    with fabric.autocast():
        network.set_reference(*images)
    return nodules


def validate_nodules(
    network: MultitaskNetwork | FusionNetwork,
    bank: NoduleBank,
    nodules: Sequence[str],
    stage: float,
    fabric: Fabric,
) -> dict[str, float]:
    """Losses, AUC and Dice of nodules by their images of the largest area."""
    rows, label = bank.largest_rows(nodules), bank.label(nodules)
    logits: list[Tensor] = []
    overlap: list[list[Tensor]] = [[] for _ in rows]
    segmentation = 0.0
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad(), fabric.autocast():
            for start in range(0, len(nodules), NODULES_AT_ONCE):
                images, targets = batch_of_pairs(bank, rows, slice(start, start + NODULES_AT_ONCE))
                answer = network(*images)
                logits.append(answer.logit)
                # a plain network draws no maps
                drawn = zip(answer.segmentations, targets, strict=bool(answer.segmentations))
                for place, (maps, target) in enumerate(drawn):
                    overlap[place].append(dice(maps, target))
                    share = len(target) / len(nodules)
                    segmentation += share * float(segmentation_loss(maps, target))
    finally:
        network.train(was_training)
    score = torch.cat(logits)
    classification = float(functional.binary_cross_entropy_with_logits(score, label))
    row = {
        "validation_loss": segmentation + (classification if stage > 1 else 0.0),
        "validation_auc": float(roc_auc_score(label.cpu(), score.cpu())),
    }
    for name, parts in zip(bank.modalities, overlap, strict=True):
        if not parts:
            continue
        nodule, edge = torch.cat(parts).mean(dim=0).tolist()
        row |= {f"dice_nodule_{name}": nodule, f"dice_edge_{name}": edge}
    return row


def batch_of_pairs(
    bank: NoduleBank, rows: Sequence[Tensor], part: slice
) -> tuple[list[Tensor], list[Tensor]]:
    """Images and targets of a part of the rows of each modality."""
    batches = [
        images.batch(own[part]) for images, own in zip(bank.modalities.values(), rows, strict=True)
    ]
    return [image for image, _ in batches], [target for _, target in batches]


def check_known(bank: NoduleBank, nodules: Sequence[str]) -> None:
    """Refuse nodules that the bank does not hold."""
    unknown = sorted(set(nodules) - set(bank.labels))
    if unknown:
        raise InputError(f"{len(unknown)} nodules are not in the bank: {', '.join(unknown[:5])}.")
