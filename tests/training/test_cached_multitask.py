import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from lnm_kit.networks.fusion import FusionNetwork
from lnm_kit.networks.multitask import MultitaskOutput
from lnm_kit.training import cached_multitask, open_fabric, train_once
from lnm_kit.training.cached_multitask import fit_multitask_network
from lnm_kit.training.multitask_settings import MultitaskSettings
from lnm_kit.training.pairing import ModalityImages, NoduleBank

FABRIC = open_fabric("cpu")
IDS = [f"n{i}" for i in range(8)]


class OneConvolution(nn.Module):
    """The interface of a network of several tasks; it is its own branch."""

    def __init__(self, seed=0, raise_in_step=None):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.maps = nn.Conv2d(1, 2, 3, padding=1)
            self.classifier = nn.Linear(2, 1)
        # not a plain attribute: it is no part of what the network computes
        self.counted = {"steps": 0, "raise in": raise_in_step}

    @property
    def branches(self):
        return (self,)

    def set_normalization(self, mean, sd):
        pass

    def forward(self, images):
        self.counted["steps"] += self.training
        if self.training and self.counted["steps"] == self.counted["raise in"]:
            raise KeyboardInterrupt
        maps = self.maps(images).float()
        return MultitaskOutput(self.classifier(maps.mean(dim=(2, 3)))[:, 0].float(), (maps,))

    def classification_parameters(self):
        return self.classifier.parameters()


def bank(seed=0):
    images = np.random.default_rng(seed).integers(0, 256, (8, 12, 12), dtype=np.uint8)
    targets = np.stack([images > 128, images > 200], axis=1)
    modality = ModalityImages.of(images, targets, IDS, np.ones(8))
    labels = {nodule: i % 2 for i, nodule in enumerate(IDS)}
    return NoduleBank({"us": modality}, labels, {nodule: nodule for nodule in IDS})


def train(given, seed=0, network=None, epochs=2):
    network = network or OneConvolution()
    history = fit_multitask_network(
        network,
        given,
        IDS[:4],
        IDS[4:],
        MultitaskSettings(1, epochs - 1, batch_size=4),
        fabric=FABRIC,
        seed=seed,
    )
    return network, history


def same_bits(first, second):
    other = second.state_dict()
    return all(torch.equal(value, other[key]) for key, value in first.state_dict().items())


def test_a_finished_training_is_loaded_and_another_one_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("LNM_CACHE", str(tmp_path))
    first, history = train(bank())
    assert first.counted["steps"] == 2
    again, same = train(bank())
    assert again.counted["steps"] == 0
    assert same_bits(first, again)
    pd.testing.assert_frame_equal(same.epochs, history.epochs, check_exact=True)
    assert same.kept_epoch == 2
    others = [train(bank(seed=1)), train(bank(), network=OneConvolution(seed=1))]
    assert [network.counted["steps"] for network, _ in others] == [2, 2]
    assert list((tmp_path / "unfinished-training").iterdir()) == []


def test_an_interrupted_training_goes_on_from_its_last_epoch(tmp_path, monkeypatch):
    monkeypatch.setenv("LNM_CACHE", str(tmp_path / "whole"))
    expected, _ = train(bank(), epochs=4)
    monkeypatch.setenv("LNM_CACHE", str(tmp_path / "broken"))
    with pytest.raises(KeyboardInterrupt):
        train(bank(), network=OneConvolution(raise_in_step=4), epochs=4)
    resumed, history = train(bank(), epochs=4)
    assert resumed.counted["steps"] == 1
    assert len(history.epochs) == 4
    assert same_bits(expected, resumed)


def test_the_key_covers_the_code_of_the_training(monkeypatch):
    seen = {}

    def note(stage, compute, *, inputs, code):
        seen.update(inputs=inputs, code=code)
        raise StopIteration

    monkeypatch.setattr(train_once, "cached", note)
    with pytest.raises(StopIteration):
        train(bank())
    assert seen["code"] == [cached_multitask]
    assert {"start", "images", "nodules", "settings", "seed", "precision"} <= set(seen["inputs"])


class ToAPower(OneConvolution):
    """The same layers and weights as any other of its kind; what it does with them differs."""

    def __init__(self, power):
        super().__init__()
        self.power = power

    def forward(self, images):
        return super().forward(images**self.power)


def test_networks_that_differ_in_an_attribute_alone_are_trained_apart():
    given = bank()
    first, _ = train(given, network=ToAPower(1.0))
    second, _ = train(given, network=ToAPower(2.0))
    assert str(first) == str(second)
    assert not same_bits(first, second)


@pytest.mark.parametrize("pair", [("sum", "product"), ("concatenation", "sum")])
def test_fusions_of_equal_weights_are_not_taken_for_each_other(pair):
    described = [
        train_once.describe_network(
            FusionNetwork(name, encoder="resnet10t", weights="none", seed=0)
        )
        for name in pair
    ]
    assert described[0] != described[1]


def test_modes_and_weights_are_no_part_of_a_description():
    network = OneConvolution(seed=0)
    assert train_once.describe_network(network) == train_once.describe_network(network.eval())
    assert train_once.describe_network(OneConvolution(seed=1)) == train_once.describe_network(
        OneConvolution(seed=0)
    )
