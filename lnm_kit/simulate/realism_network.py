"""A second, stricter yardstick: a small network that tells simulated patches from real ones."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from joblib import Parallel, delayed
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from torch import nn

from lnm_kit.simulate.ddti_frames import RealFrame, read_frames
from lnm_kit.simulate.ddti_like import simulated_frame
from lnm_kit.simulate.realism import JUDGE_IMAGES, image_seeds
from lnm_kit.simulate.texture_features import homogeneous_patches

Array = npt.NDArray[Any]

EPOCHS, BATCH, FOLDS, LEARNING_RATE = 8, 32, 5, 1e-3


def network_realism(
    source: str | Path, *, n_images: int = JUDGE_IMAGES, seed: int = 0, n_jobs: int = 1
) -> float:
    """AUC of the network on the held-out half of a DDTI folder; see `network_auc`."""
    real = list(read_frames(source, "held_out"))
    jobs = (delayed(simulated_frame)(number) for number in image_seeds(n_images, seed=seed))
    return network_auc(real, Parallel(n_jobs=n_jobs)(jobs), seed=seed)


def network_auc(real: list[RealFrame], simulated: list[RealFrame], *, seed: int = 0) -> float:
    """AUC of a three-layer network on even patches, out of fold, grouped by patient.

    Layers of 16, 32 and 64 filters, 8 epochs. It looks at the pixels, not at features, and tells
    two scanners apart almost perfectly; expect the same of simulated and real frames.

    Parameters
    ----------
    real, simulated
        Frames of both sides; the patches are picked by the rule of `homogeneous_patches`.
    seed
        Of the folds and of the weights.
    """
    real_patches, real_groups = _patches(real)
    simulated_patches, simulated_groups = _patches(simulated)
    patches = np.concatenate([real_patches, simulated_patches])
    label = np.repeat([0, 1], [len(real_patches), len(simulated_patches)])
    groups = np.concatenate([real_groups, simulated_groups + real_groups.max() + 1])
    score = np.zeros(len(label))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for number, (train, test) in enumerate(folds.split(label, label, groups)):
        score[test] = _fit_and_score(patches[train], label[train], patches[test], seed + number)
    return float(roc_auc_score(label, score))


def _patches(frames: list[RealFrame]) -> tuple[Array, Array]:
    found, groups = [], []
    for frame in frames:
        for patch in homogeneous_patches(frame.pixels, frame.masks, frame.seams):
            found.append(patch)
            groups.append(frame.case)
    return np.stack(found)[:, None].astype(np.float32) / 64 - 1.5, np.array(groups)


def _fit_and_score(train: Array, label: Array, test: Array, seed: int) -> Array:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _network()
    rng = np.random.default_rng(seed)
    images = torch.from_numpy(train)
    target = torch.from_numpy(label.astype(np.float32))
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    weight = torch.tensor(float((label == 0).sum() / max(1, (label == 1).sum())))
    loss = nn.BCEWithLogitsLoss(pos_weight=weight)
    network.train()
    for _ in range(EPOCHS):
        for batch in np.array_split(rng.permutation(len(label)), max(1, len(label) // BATCH)):
            optimizer.zero_grad()
            logits = network(images[batch])[:, 0]
            loss(logits, target[batch]).backward()
            optimizer.step()
    network.eval()
    with torch.inference_mode():
        logits = network(torch.from_numpy(test))[:, 0]
    scores: Array = logits.numpy()
    return scores


def _network() -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in ((1, 16), (16, 32), (32, 64)):
        convolution = nn.Conv2d(before, after, 3, padding=1)
        layers += [convolution, nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 1))
