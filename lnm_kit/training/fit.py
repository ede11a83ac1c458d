"""The training loop."""

import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from lnm_kit.errors import InputError
from lnm_kit.networks.backbones import ImageNetwork
from lnm_kit.progress import track
from lnm_kit.training.augmentation import apply_variation, draw_variation
from lnm_kit.training.bank import ImageBank
from lnm_kit.training.checkpoint import Checkpoint, copy_of_state, is_due
from lnm_kit.training.history import History
from lnm_kit.training.prediction import mean_by_case, predict_logits
from lnm_kit.training.settings import TrainingSettings


def fit(
    network: ImageNetwork,
    bank: ImageBank,
    training_cases: Sequence[str],
    validation_cases: Sequence[str],
    settings: TrainingSettings,
    *,
    fabric: Fabric,
    seed: int,
    checkpoint: Path | None = None,
) -> History:
    """Train a network in place by weighted binary cross-entropy.

    With w the positive weight and p the sigmoid of the logit, the loss of an image is
    ``-(w y log p + (1 - y) log(1 - p))``, averaged over the batch. The last, incomplete batch of
    an epoch is left out. The network's normalization is set from the training cases.

    Parameters
    ----------
    network
        From `build_network`; trained in place and moved to the device of `fabric`.
    bank
        Images of at least the training and validation cases.
    training_cases, validation_cases
        Disjoint. Validation cases only fill the history, unless ``keep`` chooses an epoch by them.
    settings
        What to do.
    fabric
        From `open_fabric`. With several processes, each computes its share of every batch.
    seed
        Order and variation of the images. Initial weights come from `build_network`.
    checkpoint
        A file to write after an epoch (by the first process; not again for ten seconds) and to
        resume from when it exists. On a CPU, a training that was killed and resumed ends in the
        same bits as one that was not.

    Returns
    -------
    History
        One row an epoch.

    Raises
    ------
    InputError
        Overlapping or unknown cases, too few of a class, a batch that the processes cannot share,
        or a checkpoint of another training.
    FloatingPointError
        The loss is no longer finite.

    Notes
    -----
    *Source*: the loss and the schedule are those of Feng 2025, section 2.5.

    Examples
    --------
    >>> from lnm_kit.networks import build_network
    >>> from lnm_kit.training.device import open_fabric
    >>> images = np.random.default_rng(0).integers(0, 255, (12, 32, 32), dtype=np.uint8)
    >>> cases = [f"case_{i}" for i in range(12)]
    >>> bank = ImageBank.of(images, [0, 1] * 6, cases)
    >>> network = build_network("resnet10t", in_channels=1, weights="none", seed=0)
    >>> settings = TrainingSettings(epochs=1, batch_size=4)
    >>> fabric = open_fabric("cpu")
    >>> fit(network, bank, cases[:8], cases[8:], settings, fabric=fabric, seed=0).kept_epoch
    1
    """
    _check_cases(bank, training_cases, validation_cases)
    training, validation = bank.rows(training_cases), bank.rows(validation_cases)
    size = _batch_size(len(training), settings, fabric)
    network.set_normalization(*bank.gray_statistics(training))
    optimizer = _optimizer(network, settings)
    module, optimizer = fabric.setup(network, optimizer)
    weight = _positive_weight(bank.labels[training], settings)

    rows: list[dict[str, float]] = []
    kept_epoch, kept_network = 0, None
    identity: dict[str, str] = {}
    if checkpoint is not None:
        identity = _identity(
            network, bank, training_cases, validation_cases, settings, seed, fabric
        )
    if checkpoint is not None and checkpoint.exists():
        state = Checkpoint.read(checkpoint, identity, fabric.device)
        network.load_state_dict(state.network)
        optimizer.load_state_dict(state.optimizer)
        rows, kept_epoch, kept_network = state.rows, state.kept_epoch, state.kept_network

    written = time.monotonic()
    epochs = range(len(rows) + 1, settings.epochs + 1)
    for epoch in track(epochs, label="train network") if fabric.is_global_zero else epochs:
        start = time.perf_counter()
        rate = learning_rate(settings, epoch, [row["validation_loss"] for row in rows])
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = _train_epoch(
            module, optimizer, bank, training, weight, size, settings, fabric, seed, epoch
        )
        _share_buffers(network, fabric)
        row = {"learning_rate": rate, "training_loss": loss}
        row |= _validate(network, bank, validation, validation_cases, weight, fabric)
        row["seconds"] = time.perf_counter() - start
        row = fabric.broadcast(row)
        kept_epoch, kept_network = _keep(network, rows, row, settings, kept_epoch, kept_network)
        rows.append(row)
        if checkpoint is not None and fabric.is_global_zero and is_due(written):
            state = Checkpoint(
                identity,
                network.state_dict(),
                optimizer.state_dict(),
                rows,
                kept_epoch,
                kept_network,
            )
            state.write(checkpoint)
            written = time.monotonic()
    if kept_network is not None:
        network.load_state_dict(kept_network)
    return History.of(rows, kept_epoch)


def learning_rate(
    settings: TrainingSettings, epoch: int, validation_losses: Sequence[float] = ()
) -> float:
    """Learning rate of an epoch, counted from 1.

    `validation_losses` are those of the epochs before; only the ``plateau`` schedule asks for them.
    It is replayed from them in every epoch, so that a resumed training needs no other state.

    Examples
    --------
    >>> paper = TrainingSettings(epochs=500, learning_rate=0.003, schedule="step")
    >>> [round(learning_rate(paper, epoch), 6) for epoch in (1, 100, 101, 500)]
    [0.003, 0.003, 0.0003, 0.0]
    >>> waits = TrainingSettings(epochs=9, schedule="plateau", patience_epochs=1)
    >>> learning_rate(waits, 4, [0.7, 0.8, 0.8])  # two epochs without a lower loss
    0.0001
    """
    if settings.schedule == "plateau":
        return _rate_on_plateau(settings, validation_losses)
    done = epoch - 1
    if settings.schedule == "step":
        factor = settings.decay_factor ** (done // settings.decay_every_epochs)
    else:
        factor = (1 + math.cos(math.pi * done / settings.epochs)) / 2
    return settings.learning_rate * factor


def _rate_on_plateau(settings: TrainingSettings, validation_losses: Sequence[float]) -> float:
    holder = torch.optim.SGD([torch.zeros(1)], lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        holder, factor=settings.decay_factor, patience=settings.patience_epochs
    )
    for loss in validation_losses:
        schedule.step(loss)
    rate: float = holder.param_groups[0]["lr"]
    return rate


def _train_epoch(
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    bank: ImageBank,
    training: Tensor,
    weight: Tensor,
    size: int,
    settings: TrainingSettings,
    fabric: Fabric,
    seed: int,
    epoch: int,
) -> float:
    """Take one pass over the training rows; every process draws the same order and variation."""
    epoch_seed = int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0])
    generator = torch.Generator().manual_seed(epoch_seed)
    order = torch.randperm(len(training), generator=generator).to(bank.images.device)
    variation = draw_variation(len(training), settings.augmentation, generator)
    variation = variation.to(bank.images.device)
    module.train()
    total = torch.zeros((), device=fabric.device)
    n_steps = len(training) // size
    gpus = [fabric.device] if fabric.device.type == "cuda" else []
    # layers with dropout draw from torch's global generator: it is seeded here and given back
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed((epoch_seed + fabric.global_rank) % 2**63)
        for step in range(n_steps):
            own = slice(step * size + fabric.global_rank, (step + 1) * size, fabric.world_size)
            rows = training[order[own]]
            images = apply_variation(bank.batch(rows), variation[own])
            logits = module(images)
            loss = weighted_loss(logits, bank.labels[rows], weight)
            optimizer.zero_grad()
            fabric.backward(loss)
            optimizer.step()
            total += loss.detach()
    mean = float(fabric.all_reduce(total, reduce_op="mean")) / n_steps
    if not math.isfinite(mean):
        raise FloatingPointError(
            f"the training loss became {mean} in epoch {epoch} at learning rate "
            f"{optimizer.param_groups[0]['lr']:g}; try a lower one"
        )
    return mean


def weighted_loss(logits: Tensor, labels: Tensor, positive_weight: Tensor) -> Tensor:
    """Mean weighted binary cross-entropy of logits (N,) and labels (N,) of 0 and 1.

    Examples
    --------
    >>> logits, labels = torch.zeros(2), torch.tensor([0.0, 1.0])
    >>> round(weighted_loss(logits, labels, torch.tensor(3.0)).item(), 4)  # (1 + 3) log(2) / 2
    1.3863
    """
    return functional.binary_cross_entropy_with_logits(
        logits.float(), labels, pos_weight=positive_weight
    )


def _validate(
    network: nn.Module,
    bank: ImageBank,
    rows: Tensor,
    cases: Sequence[str],
    weight: Tensor,
    fabric: Fabric,
) -> dict[str, float]:
    logits = predict_logits(network, bank, rows, fabric=fabric)
    loss = weighted_loss(logits, bank.labels[rows], weight)
    label = mean_by_case(bank.labels[rows], bank, rows, cases)
    score = mean_by_case(logits.sigmoid(), bank, rows, cases)
    return {"validation_loss": float(loss), "validation_auc": float(roc_auc_score(label, score))}


def _keep(
    network: nn.Module,
    rows: list[dict[str, float]],
    row: dict[str, float],
    settings: TrainingSettings,
    kept_epoch: int,
    kept_network: dict[str, Tensor] | None,
) -> tuple[int, dict[str, Tensor] | None]:
    """Epoch to keep after this one, with a copy of its weights unless it is always the last."""
    epoch = len(rows) + 1
    if settings.keep == "last":
        return epoch, None
    if kept_epoch and row["validation_auc"] <= rows[kept_epoch - 1]["validation_auc"]:
        return kept_epoch, kept_network
    return epoch, copy_of_state(network)


def _share_buffers(network: nn.Module, fabric: Fabric) -> None:
    """Give all processes the first one's running statistics of batch normalization."""
    if fabric.world_size == 1:
        return
    shared = fabric.broadcast([buffer.cpu() for buffer in network.buffers()])
    for buffer, value in zip(network.buffers(), shared, strict=True):
        buffer.copy_(value)


def _optimizer(network: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return kind(
        network.parameters(),
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        # one pass over the weights a step: with small images the optimizer takes a tenth of it
        fused=True,
    )


def _positive_weight(labels: Tensor, settings: TrainingSettings) -> Tensor:
    if settings.positive_weight is not None:
        return torch.tensor(float(settings.positive_weight), device=labels.device)
    return (labels == 0).sum().float() / (labels == 1).sum().float()


def _batch_size(n_images: int, settings: TrainingSettings, fabric: Fabric) -> int:
    n_processes = fabric.world_size
    if settings.batch_size % n_processes or settings.batch_size < 2 * n_processes:
        raise InputError(
            f"training: batch_size is {settings.batch_size} on {n_processes} processes; allowed: "
            f"multiples of {n_processes}, at least {2 * n_processes}."
        )
    return min(settings.batch_size, n_images // n_processes * n_processes)


def _check_cases(bank: ImageBank, training: Sequence[str], validation: Sequence[str]) -> None:
    label = bank.cases
    problems = []
    both = sorted(set(training) & set(validation))
    if both:
        problems.append(f"{len(both)} cases are in both: {', '.join(both[:5])}")
    for name, cases, needed in (("training", training, 2), ("validation", validation, 1)):
        known = [label[case] for case in cases if case in label]
        negative, positive = known.count(0), known.count(1)
        if min(negative, positive) < needed:
            problems.append(
                f"{name} has {positive} positive and {negative} negative cases; needed: at least "
                f"{needed} of each"
            )
    if problems:
        raise InputError(f"training and validation cases: {'. '.join(problems)}.")


def _identity(
    network: nn.Module,
    bank: ImageBank,
    training: Sequence[str],
    validation: Sequence[str],
    settings: TrainingSettings,
    seed: int,
    fabric: Fabric,
) -> dict[str, str]:
    """What must be the same for a checkpoint to be resumed."""
    shapes = [(key, list(value.shape)) for key, value in network.state_dict().items()]
    images = bank.images[bank.rows([*training, *validation])].cpu().numpy()
    return {
        **{f"settings.{key}": str(value) for key, value in asdict(settings).items()},
        "seed": str(seed),
        "n_processes": str(fabric.world_size),
        "precision": str(fabric._precision.precision),
        "network": _digest(json.dumps(shapes).encode()),
        "training cases": _digest(json.dumps(list(training)).encode()),
        "validation cases": _digest(json.dumps(list(validation)).encode()),
        "images": _digest(images.tobytes()),
        "labels": _digest(json.dumps(sorted(bank.cases.items())).encode()),
    }


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
