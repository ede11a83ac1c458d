"""Trainings at the same time give what they give alone, and end with the one that waits."""

import os
import threading
import time
from functools import partial

import numpy as np
import pytest
import torch

from lnm_kit.errors import InputError
from lnm_kit.training import ImageBank, TrainingSettings, fit_network, open_fabric
from lnm_kit.training.simultaneous import WORTH_IT, _end_with, side_by_side
from lnm_kit.training.train_once import is_trained


@pytest.fixture
def fabric():
    return open_fabric("cpu")


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def trainings(fabric, epochs=1):
    images = np.random.default_rng(0).integers(0, 255, (24, 32, 32), dtype=np.uint8)
    cases = [f"c{i}" for i in range(24)]
    bank = ImageBank.of(images, [0, 1] * 12, cases)
    fixed = {"weights": "none", "fabric": fabric}
    recipe = TrainingSettings(epochs=epochs, batch_size=8)
    return [
        partial(fit_network, "resnet10t", bank, cases[:16], cases[16:], recipe, seed=seed, **fixed)
        for seed in (0, 1)
    ]


def test_two_processes_give_the_networks_of_one(fabric, one_thread, tmp_path, monkeypatch):
    states = {}
    for name, n_jobs in (("one", 1), ("two", 2)):
        monkeypatch.setenv("LNM_CACHE", str(tmp_path / name))
        found = side_by_side(trainings(fabric), passes=WORTH_IT, fabric=fabric, n_jobs=n_jobs)
        states[name] = [network.state_dict() for network, _ in found]
    for alone, beside in zip(states["one"], states["two"], strict=True):
        assert all(torch.equal(alone[key], beside[key]) for key in alone)
    first, second = states["two"]
    assert not torch.equal(first["backbone.conv1.0.weight"], second["backbone.conv1.0.weight"])


def test_asking_whether_it_is_trained_trains_nothing(fabric, tmp_path, monkeypatch):
    monkeypatch.setenv("LNM_CACHE", str(tmp_path))
    first, second = trainings(fabric)
    assert not is_trained(first)
    assert not list(tmp_path.rglob("network.safetensors"))
    first()
    assert is_trained(first)
    assert not is_trained(second)


def test_wrong_input_of_a_training_is_its_own_message(fabric, tmp_path, monkeypatch):
    monkeypatch.setenv("LNM_CACHE", str(tmp_path))
    wrong = [partial(training, settings=None) for training in trainings(fabric)]
    with pytest.raises(TypeError):
        side_by_side(wrong, passes=WORTH_IT, fabric=fabric, n_jobs=2)
    images = np.zeros((8, 32, 32), np.uint8)
    bank = ImageBank.of(images, [0, 1] * 4, [f"c{i}" for i in range(8)])
    unknown = partial(
        fit_network, "resnet10t", bank, ["c0", "c1", "nobody"], ["c2", "c3"],
        TrainingSettings(epochs=1, batch_size=2), weights="none", fabric=fabric, seed=0,
    )  # fmt: skip
    with pytest.raises(InputError, match="nobody"):
        side_by_side([unknown, unknown], passes=WORTH_IT, fabric=fabric, n_jobs=2)


def test_a_training_ends_when_the_process_that_waits_for_it_is_gone(monkeypatch):
    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)
    over = threading.Event()
    watch = threading.Thread(target=_end_with, args=(os.getppid(), over, 0.01))
    watch.start()
    time.sleep(0.1)
    assert not ended
    monkeypatch.setattr(os, "getppid", lambda: 1)  # whoever takes in orphans
    watch.join(timeout=10)
    assert ended == [1]


def test_a_training_that_is_over_is_not_watched(monkeypatch):
    over = threading.Event()
    over.set()
    monkeypatch.setattr(os, "_exit", lambda _: pytest.fail("ended"))
    _end_with(-1, over, 0.01)
