"""Training in two stages: segmentation first, then metastasis joins."""

import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from torch import nn
from torch.nn import functional

from lnm_kit.errors import InputError
from lnm_kit.networks.dgf import DiverseGranularityFusion
from lnm_kit.networks.fusion import FusionNetwork
from lnm_kit.networks.multitask import Branch, MultitaskNetwork
from lnm_kit.progress import track
from lnm_kit.training.checkpoint import Checkpoint, is_due
from lnm_kit.training.history import History
from lnm_kit.training.masked_augmentation import draw_masked_variation, vary_with_maps
from lnm_kit.training.multitask_prediction import (
    batch_of_pairs,
    check_known,
    set_reference_nodules,
    validate_nodules,
)
from lnm_kit.training.multitask_settings import MultitaskSettings
from lnm_kit.training.pairing import NoduleBank
from lnm_kit.training.segmentation_losses import segmentation_loss


def fit_multitask(
    network: MultitaskNetwork | FusionNetwork,
    bank: NoduleBank,
    training: Sequence[str],
    validation: Sequence[str],
    settings: MultitaskSettings,
    *,
    fabric: Fabric,
    seed: int,
    checkpoint: Path | None = None,
) -> History:
    """Train a network of several tasks in place.

    In every epoch one image of each nodule and modality is drawn and varied. The loss is the sum
    of the segmentation losses of all modalities and, in the second stage, the binary cross-entropy
    of metastasis. Until then the classifier and the fusion stay at their initial weights.

    Parameters
    ----------
    network
        One branch for each modality of `bank`, in its order; moved to the device of `fabric`.
    bank
        Images of at least these nodules.
    training, validation
        Nodules, disjoint, no patient in both. Give `training` balanced by `undersample`;
        validation nodules only fill the history.
    settings
        What to do.
    fabric
        From `open_fabric`. With several processes, each computes its share of every batch, and the
        batch mates of nodule attention are those of the same share.
    seed
        Of pairs, order, variation, and the reference nodules.
    checkpoint
        A file to write after an epoch (by the first process; not again for ten seconds) and to
        resume from when it exists. On a CPU, a training that was killed and resumed ends in the
        same bits as one that was not.

    Returns
    -------
    One row an epoch: those of `History`, of which both losses are the sums of the tasks learned in
    that epoch, and ``stage`` (1 or 2), ``segmentation_loss``, ``classification_loss`` (both of the
    training images), and for each modality ``dice_nodule_us`` and ``dice_edge_us`` (``_ct``), means
    over the validation nodules, if the network draws maps. The last epoch is kept.

    Raises
    ------
    InputError
        Unknown nodules, overlapping nodules or patients, too few of a class or for a batch or for
        the reference, other modalities than the network has, or a checkpoint of another training.
    FloatingPointError
        The loss is no longer finite.

    Notes
    -----
    *Source*: G. Li (DGFNet), section "Training Configuration". A diverse-granularity fusion gets
    its reference nodules after every epoch from the current encoders, always the same ones.

    Examples
    --------
    >>> history = fit_multitask(  # doctest: +SKIP
    ...     FusionNetwork("sum", encoder="resnet18", weights="imagenet", seed=0),
    ...     bank, training, validation, MultitaskSettings(), fabric=open_fabric(), seed=0,
    ... )
    """
    _check(network, bank, training, validation, settings, fabric)
    size = min(settings.batch_size, len(training) // fabric.world_size * fabric.world_size)
    _normalize(network, bank, training)
    # one pass over the weights a step; with small images the optimizer costs as much as a network
    adam = torch.optim.Adam(
        network.parameters(),
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        fused=True,
    )
    module, optimizer = fabric.setup(network, adam)
    rows: list[dict[str, float]] = []
    identity: dict[str, str] = {}
    if checkpoint is not None:
        identity = _identity(network, bank, training, validation, settings, seed, fabric)
    if checkpoint is not None and checkpoint.exists():
        state = Checkpoint.read(checkpoint, identity, fabric.device)
        network.load_state_dict(state.network)
        optimizer.load_state_dict(state.optimizer)
        rows = state.rows

    written = time.monotonic()
    epochs = range(len(rows) + 1, settings.epochs + 1)
    for epoch in track(epochs, label="train network") if fabric.is_global_zero else epochs:
        start = time.perf_counter()
        rate = settings.learning_rate * (1 + math.cos(math.pi * (epoch - 1) / settings.epochs)) / 2
        for group in optimizer.param_groups:
            group["lr"] = rate
        row = {
            "learning_rate": rate,
            "stage": 1.0 if epoch <= settings.segmentation_epochs else 2.0,
        }
        row |= _train_epoch(
            network, module, optimizer, bank, training, size, settings, fabric, seed, epoch
        )
        _share_buffers(network, fabric)
        set_reference_nodules(network, bank, training, seed=seed, fabric=fabric)
        row |= validate_nodules(network, bank, validation, row["stage"], fabric)
        row["seconds"] = time.perf_counter() - start
        rows.append(fabric.broadcast(row))
        if checkpoint is not None and fabric.is_global_zero and is_due(written):
            state = Checkpoint(
                identity, network.state_dict(), optimizer.state_dict(), rows, epoch, None
            )
            state.write(checkpoint)
            written = time.monotonic()
    index = pd.RangeIndex(1, len(rows) + 1, name="epoch")
    return History(pd.DataFrame(rows, index=index).astype({"stage": int}), len(rows))


def _train_epoch(
    network: MultitaskNetwork | FusionNetwork,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    bank: NoduleBank,
    training: Sequence[str],
    size: int,
    settings: MultitaskSettings,
    fabric: Fabric,
    seed: int,
    epoch: int,
) -> dict[str, float]:
    """Take one pass over the training nodules; every process draws the same pairs and order."""
    epoch_seed = int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0])
    generator = torch.Generator().manual_seed(epoch_seed)
    order = torch.randperm(len(training), generator=generator).tolist()
    nodules = [training[place] for place in order]
    pairs, label = bank.random_rows(nodules, generator), bank.label(nodules)
    variations = [
        draw_masked_variation(len(nodules), settings.augmentation, generator) for _ in pairs
    ]
    joint = epoch > settings.segmentation_epochs
    module.train()
    total = torch.zeros(2, device=fabric.device)
    n_steps = len(training) // size
    gpus = [fabric.device] if fabric.device.type == "cuda" else []
    # dropout draws from torch's global generator: it is seeded here and given back
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed((epoch_seed + fabric.global_rank) % 2**63)
        for step in range(n_steps):
            own = slice(step * size + fabric.global_rank, (step + 1) * size, fabric.world_size)
            images, targets = batch_of_pairs(bank, pairs, own)
            varied = [
                vary_with_maps(image, target, variation[own])
                for image, target, variation in zip(images, targets, variations, strict=True)
            ]
            answer = module(*(image for image, _ in varied))
            # a plain network draws no maps
            drawn = list(zip(answer.segmentations, varied, strict=bool(answer.segmentations)))
            losses = [segmentation_loss(logits, target) for logits, (_, target) in drawn]
            segmentation = torch.stack(losses).sum() if losses else total.new_zeros(())
            classification = functional.binary_cross_entropy_with_logits(answer.logit, label[own])
            # times 0 and not left out: all parameters must take part where processes share them
            loss = segmentation + (classification if joint else 0 * answer.logit.sum())
            optimizer.zero_grad()
            fabric.backward(loss)
            if not joint:
                # Adam turns even a gradient of weight decay alone into full steps towards zero
                for parameter in network.classification_parameters():
                    parameter.grad = None
            optimizer.step()
            total += torch.stack([segmentation.detach(), classification.detach()])
    segmented, classified = (fabric.all_reduce(total, reduce_op="mean") / n_steps).tolist()
    loss_value = segmented + classified if joint else segmented
    if not math.isfinite(loss_value):
        raise FloatingPointError(
            f"the training loss became {loss_value} in epoch {epoch}; try a lower learning rate"
        )
    return {
        "training_loss": loss_value,
        "segmentation_loss": segmented,
        "classification_loss": classified,
    }


def _normalize(
    network: MultitaskNetwork | FusionNetwork, bank: NoduleBank, training: Sequence[str]
) -> None:
    """Set mean and SD of each modality from all images of the training nodules."""
    for branch, images in zip(network.branches, bank.modalities.values(), strict=True):
        rows = [row for rows in images.rows_of(training) for row in rows]
        # 8-bit values: sums in float64 are exact
        pixels = images.images[rows].double() / 255
        sd = pixels.std(dim=(0, 2, 3), correction=0)
        branch.set_normalization(
            pixels.mean(dim=(0, 2, 3)).float(), torch.where(sd > 0, sd, 1.0).float()
        )


def _share_buffers(network: nn.Module, fabric: Fabric) -> None:
    """Give all processes the first one's running statistics of batch normalization."""
    if fabric.world_size == 1:
        return
    shared = fabric.broadcast([buffer.cpu() for buffer in network.buffers()])
    for buffer, value in zip(network.buffers(), shared, strict=True):
        buffer.copy_(value)


def _check(
    network: MultitaskNetwork | FusionNetwork,
    bank: NoduleBank,
    training: Sequence[str],
    validation: Sequence[str],
    settings: MultitaskSettings,
    fabric: Fabric,
) -> None:
    check_known(bank, [*training, *validation])
    problems = []
    if len(network.branches) != len(bank.modalities):
        problems.append(
            f"the network has {len(network.branches)} branches, the bank {len(bank.modalities)} "
            f"modalities ({', '.join(bank.modalities)})"
        )
    if settings.segmentation_epochs and not _segments(network):
        problems.append(
            f"segmentation_epochs is {settings.segmentation_epochs} and the network has no "
            "decoders; give 0"
        )
    patients = [{bank.patients[nodule] for nodule in part} for part in (training, validation)]
    shared = sorted(patients[0] & patients[1])
    if shared:
        problems.append(
            f"{len(shared)} patients are in training and validation: {', '.join(shared[:5])}"
        )
    for name, part, needed in (("training", training, 2), ("validation", validation, 1)):
        labels = [bank.labels[nodule] for nodule in part]
        if min(labels.count(0), labels.count(1)) < needed:
            problems.append(
                f"{name} has {labels.count(1)} positive and {labels.count(0)} negative nodules; "
                f"needed: at least {needed} of each"
            )
    n = fabric.world_size
    if settings.batch_size % n or settings.batch_size < 2 * n:
        problems.append(f"batch_size is {settings.batch_size}; allowed: multiples of {n}, 2 each")
    fusion = getattr(network, "fusion", None)
    if isinstance(fusion, DiverseGranularityFusion) and fusion.n_reference > len(training):
        problems.append(
            f"the fusion wants {fusion.n_reference} reference nodules and training has "
            f"{len(training)}; build the network with a smaller n_reference"
        )
    if problems:
        raise InputError(f"training of several tasks: {'. '.join(problems)}.")


def _segments(network: nn.Module) -> bool:
    """Whether a network draws maps."""
    branches = [part for part in network.modules() if isinstance(part, Branch)]
    return not branches or any(len(branch.decoders) for branch in branches)


def _identity(
    network: nn.Module,
    bank: NoduleBank,
    training: Sequence[str],
    validation: Sequence[str],
    settings: MultitaskSettings,
    seed: int,
    fabric: Fabric,
) -> dict[str, str]:
    """What must be the same for a checkpoint to be resumed."""
    shapes = [(key, list(value.shape)) for key, value in network.state_dict().items()]
    nodules = [*training, *validation]
    content: Mapping[str, str] = {
        name: _digest(images.images.cpu().numpy().tobytes(), images.targets.cpu().numpy().tobytes())
        for name, images in bank.modalities.items()
    }
    return {
        **{f"settings.{key}": str(value) for key, value in asdict(settings).items()},
        **{f"images.{name}": digest for name, digest in content.items()},
        "seed": str(seed),
        "n_processes": str(fabric.world_size),
        "precision": str(fabric._precision.precision),
        "network": _digest(json.dumps(shapes).encode()),
        "training nodules": _digest(json.dumps(list(training)).encode()),
        "validation nodules": _digest(json.dumps(list(validation)).encode()),
        "labels": _digest(json.dumps([bank.labels[nodule] for nodule in nodules]).encode()),
    }


def _digest(*content: bytes) -> str:
    whole = hashlib.sha256()
    for part in content:
        whole.update(part)
    return whole.hexdigest()[:16]
