import numpy as np
import torch

from lnm_kit.networks.triple import ModalityNetwork
from lnm_kit.training import ImageBank, TrainingSettings, cached_module, open_fabric
from lnm_kit.training.cached_module import fit_given_network

FABRIC = open_fabric("cpu")


def train(seed=0, **choices):
    """Learn from the flag alone, which takes no time."""
    flag = np.array([0, 255] * 6, np.uint8)
    images = np.broadcast_to(flag[:, None, None, None], (12, 7, 4, 4))
    names = [f"case_{i}" for i in range(12)]
    bank = ImageBank.of(images, [0, 1] * 6, names)
    network = ModalityNetwork(["us_lnm"], backbone="resnet10t", weights="none", seed=0, **choices)
    settings = TrainingSettings(epochs=3, batch_size=4, learning_rate=1.0)
    history = fit_given_network(
        network, bank, names[:8], names[8:], settings, fabric=FABRIC, seed=seed
    )
    return network, history


def test_it_is_trained_once_for_each_network_and_seed(tmp_path, monkeypatch):
    monkeypatch.setenv("LNM_CACHE", str(tmp_path))
    calls = []
    original = cached_module.fit
    monkeypatch.setattr(
        cached_module,
        "fit",
        lambda *given, **settings: calls.append(1) or original(*given, **settings),
    )
    first, history = train()
    again, same = train()
    assert len(calls) == 1
    assert torch.equal(first.head.weight, again.head.weight)
    assert same.epochs.equals(history.epochs)
    assert same.kept_epoch == history.kept_epoch == 3
    assert history.epochs["validation_auc"].iloc[-1] == 1.0
    # such choices are in no initial weight, and still another training
    train(dropout=0.5)
    train(reading="balanced")
    train(seed=1)
    assert len(calls) == 4
    assert list((tmp_path / "unfinished-training").iterdir()) == []
