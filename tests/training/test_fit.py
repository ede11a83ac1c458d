import subprocess
import sys
from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from lnm_kit.errors import InputError
from lnm_kit.networks import ImageNetwork, build_network
from lnm_kit.training import (
    NO_AUGMENTATION,
    ImageBank,
    TrainingSettings,
    checkpoint,
    fit,
    open_fabric,
    predict,
)
from lnm_kit.training.checkpoint import Checkpoint

FABRIC = open_fabric("cpu")


def blobs(n, *, signal=True, size=32, seed=0):
    """Noisy images, a third with a bright disc somewhere; with no signal, labels are shuffled."""
    rng = np.random.default_rng(seed)
    label = (np.arange(n) % 3 == 0).astype(int)
    row, column = np.mgrid[:size, :size]
    gray = rng.normal(90, 25, (n, size, size))
    for image, positive in zip(gray, label, strict=True):
        y, x = rng.uniform(8, size - 8, 2)
        image += 90 * positive * ((row - y) ** 2 + (column - x) ** 2 < 25)
    label = label if signal else rng.permutation(label)
    cases = [f"case_{i:03d}" for i in range(n)]
    return ImageBank.of(gray.clip(0, 255).astype(np.uint8), label, cases), cases


def small_network(seed=0):
    """A network in a few thousand weights, with batch normalization and dropout."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        backbone = nn.Sequential(
            nn.Conv2d(1, 8, 5, stride=2),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3),
            nn.ReLU(),
            nn.AdaptiveMaxPool2d(1),
            nn.Flatten(),
            nn.Dropout(0.2),
        )
        return ImageNetwork(backbone, n_features=16, in_channels=1)


SETTINGS = TrainingSettings(epochs=4, batch_size=16, learning_rate=0.01)


def run(network, bank, cases, settings=SETTINGS, checkpoint=None, seed=0, n_training=None):
    n = n_training or len(cases) * 2 // 3
    return fit(
        network,
        bank,
        cases[:n],
        cases[n:],
        settings,
        fabric=FABRIC,
        seed=seed,
        checkpoint=checkpoint,
    )


def bits(network):
    return {key: value.clone() for key, value in network.state_dict().items()}


def same_bits(first, second):
    return all(torch.equal(first[key], second[key]) for key in first)


def without_time(history):
    return history.epochs.drop(columns="seconds")


def test_it_learns_a_signal():
    bank, cases = blobs(240)
    history = run(small_network(), bank, cases, replace(SETTINGS, epochs=12))
    losses = history.epochs["training_loss"]
    assert losses.iloc[-1] < 0.6 * losses.iloc[0]
    assert history.epochs["validation_auc"].iloc[-1] > 0.8
    assert history.kept_epoch == 12


def test_it_finds_nothing_in_shuffled_labels():
    bank, cases = blobs(240, signal=False)
    history = run(small_network(), bank, cases, replace(SETTINGS, epochs=12))
    # the SD of a null AUC with 27 positives of 80 is 0.07
    assert 0.29 < history.epochs["validation_auc"].iloc[-1] < 0.71


def test_a_backbone_of_timm_learns_too():
    bank, cases = blobs(150, size=48)
    network = build_network("resnet10t", in_channels=1, weights="none", seed=0)
    history = run(network, bank, cases, replace(SETTINGS, epochs=5, learning_rate=2e-3))
    assert history.epochs["validation_auc"].iloc[-1] > 0.8


def test_same_seed_same_bits_and_another_seed_another_result():
    bank, cases = blobs(60)
    networks = [small_network() for _ in range(3)]
    tables = [
        without_time(run(network, bank, cases, seed=seed))
        for network, seed in zip(networks, (1, 1, 2), strict=True)
    ]
    pd.testing.assert_frame_equal(tables[0], tables[1], check_exact=True)
    assert same_bits(bits(networks[0]), bits(networks[1]))
    assert not same_bits(bits(networks[0]), bits(networks[2]))


def test_an_epoch_shows_every_image_once_and_the_next_in_another_order():
    gray = np.arange(32, dtype=np.uint8)[:, None, None] * np.ones((1, 12, 12), np.uint8)
    cases = [str(number) for number in range(32)]
    bank = ImageBank.of(gray, [0, 1] * 16, cases)
    network, seen = small_network(), []

    def record(module, inputs):
        if module.training:
            seen.append((inputs[0][:, 0, 0, 0] * 255).round().int().tolist())

    network.register_forward_pre_hook(record)
    settings = replace(SETTINGS, epochs=2, batch_size=8, augmentation=NO_AUGMENTATION)
    run(network, bank, cases, settings, n_training=24)
    first, second = list(chain(*seen[:3])), list(chain(*seen[3:]))
    assert sorted(first) == sorted(second) == list(range(24))
    assert first != second


def test_global_random_state_neither_matters_nor_changes():
    bank, cases = blobs(60)
    results = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.random.get_rng_state()
        network = small_network()
        run(network, bank, cases)
        assert torch.equal(torch.random.get_rng_state(), before)
        results.append(bits(network))
    assert same_bits(*results)


def killed_in_epoch(network, epoch, steps_an_epoch):
    """Raise in the second step of an epoch, as Ctrl-C would."""
    steps = {"done": 0}

    def count(module, inputs):
        steps["done"] += module.training
        if steps["done"] == (epoch - 1) * steps_an_epoch + 2:
            raise KeyboardInterrupt

    network.register_forward_pre_hook(count)
    return network


@pytest.mark.parametrize("keep", ["last", "best_validation_auc"])
@pytest.mark.parametrize("schedule", ["step", "cosine", "plateau"])
def test_killed_and_resumed_ends_in_the_same_bits(tmp_path, keep, schedule):
    bank, cases = blobs(60)
    settings = replace(SETTINGS, keep=keep, schedule=schedule, decay_every_epochs=2)
    straight = small_network()
    expected = run(straight, bank, cases, settings)

    path = tmp_path / "state.pt"
    with pytest.raises(KeyboardInterrupt):
        run(killed_in_epoch(small_network(), 3, 40 // 16), bank, cases, settings, path)
    resumed = small_network(seed=5)
    history = run(resumed, bank, cases, settings, path)
    assert same_bits(bits(straight), bits(resumed))
    pd.testing.assert_frame_equal(without_time(history), without_time(expected), check_exact=True)
    assert history.kept_epoch == expected.kept_epoch

    finished = small_network(seed=6)
    again = run(finished, bank, cases, settings, path)
    assert same_bits(bits(straight), bits(finished))
    pd.testing.assert_frame_equal(again.epochs, history.epochs, check_exact=True)


def test_short_epochs_are_not_written_down_one_by_one(tmp_path, monkeypatch):
    bank, cases = blobs(60)
    written = []
    monkeypatch.setattr(Checkpoint, "write", lambda self, path: written.append(len(self.rows)))
    for every_s, expected in ((0.0, [1, 2, 3, 4]), (1000.0, [])):
        monkeypatch.setattr(checkpoint, "EVERY_S", every_s)
        written.clear()
        run(small_network(), bank, cases, checkpoint=tmp_path / "state.pt")
        assert written == expected


def test_checkpoint_of_other_settings_cases_images_or_seed_is_refused(tmp_path):
    bank, cases = blobs(60)
    path = tmp_path / "state.pt"
    run(small_network(), bank, cases, checkpoint=path)
    with pytest.raises(InputError, match=r"settings.epochs is 5, there 4"):
        run(small_network(), bank, cases, replace(SETTINGS, epochs=5), path)
    with pytest.raises(InputError, match="seed is 3, there 0"):
        run(small_network(), bank, cases, checkpoint=path, seed=3)
    with pytest.raises(InputError, match=r"training cases is .*validation cases is"):
        run(small_network(), bank, cases, checkpoint=path, n_training=30)
    with pytest.raises(InputError, match="images is"):
        run(small_network(), blobs(60, seed=1)[0], cases, checkpoint=path)


def test_best_validation_epoch_is_kept_when_asked_for():
    bank, cases = blobs(90)
    network = small_network()
    settings = replace(SETTINGS, epochs=6, keep="best_validation_auc", learning_rate=0.03)
    history = run(network, bank, cases, settings)
    best = history.epochs["validation_auc"].max()
    assert history.epochs["validation_auc"].idxmax() == history.kept_epoch
    validation = cases[60:]
    label = [bank.cases[case] for case in validation]
    score = predict(network, bank, validation, fabric=FABRIC)
    assert roc_auc_score(label, score) == pytest.approx(best)


def test_normalization_comes_from_training_cases_alone():
    bank, cases = blobs(60)
    images = bank.images.numpy().copy()
    images[40:] = 255
    changed = ImageBank.of(images, bank.labels.numpy(), cases)
    one, other = small_network(), small_network()
    run(one, bank, cases)
    run(other, changed, cases)
    assert same_bits(bits(one), bits(other))
    assert one.mean.item() == pytest.approx(images[:40].mean() / 255, abs=1e-5)


def test_positive_weight_is_the_ratio_of_the_classes_by_default():
    bank, cases = blobs(60)
    tables = []
    for weight in (None, 26 / 14, 1.0):
        settings = replace(SETTINGS, epochs=1, positive_weight=weight)
        tables.append(without_time(run(small_network(), bank, cases, settings)))
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])


def test_predictions_do_not_depend_on_the_other_cases_and_average_over_images():
    bank, cases = blobs(40)
    doubled = ImageBank.of(bank.images.numpy(), [0] * 40, [f"case_{i // 2}" for i in range(40)])
    network = small_network().train()
    every = predict(network, bank, cases, fabric=FABRIC)
    assert network.training
    assert every.dtype == np.float32
    assert np.allclose(predict(network, bank, cases[7:9], fabric=FABRIC), every[7:9], atol=1e-6)
    pairs = predict(network, doubled, ["case_3", "case_0"], fabric=FABRIC)
    assert np.allclose(pairs, [every[6:8].mean(), every[:2].mean()], atol=1e-6)


def test_too_few_cases_of_a_class_and_shared_cases_are_listed_together():
    bank, cases = blobs(12)
    with pytest.raises(InputError, match=r"in both: case_000.*training has 1 positive and 2 neg"):
        fit(small_network(), bank, cases[:3], cases[:6], SETTINGS, fabric=FABRIC, seed=0)
    with pytest.raises(InputError, match="validation has 0 positive and 2 negative cases"):
        fit(small_network(), bank, cases[:6], cases[7:9], SETTINGS, fabric=FABRIC, seed=0)


def test_a_loss_that_is_not_finite_stops_with_a_reason():
    bank, cases = blobs(60)
    network = small_network()
    with torch.no_grad():
        network.head.bias.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="training loss became nan in epoch 1"):
        run(network, bank, cases)


TWO_PROCESSES = """
import sys
from pathlib import Path
import numpy as np
import torch
from torch import nn
from lnm_kit.networks import ImageNetwork
from lnm_kit.training import (
    NO_AUGMENTATION, ImageBank, TrainingSettings, checkpoint as states, fit, open_fabric
)

states.EVERY_S = 0.0

def train(fabric, checkpoint=None):
    images = np.random.default_rng(0).integers(0, 255, (28, 12, 12), dtype=np.uint8)
    cases = [str(i) for i in range(28)]
    bank = ImageBank.of(images, [0, 1] * 14, cases)
    torch.manual_seed(0)
    backbone = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = ImageNetwork(backbone, n_features=4, in_channels=1)
    settings = TrainingSettings(epochs=2, batch_size=8, learning_rate=0.05)
    history = fit(network, bank, cases[:20], cases[20:], settings, fabric=fabric, seed=0,
                  checkpoint=checkpoint)
    return network, history

# without bfloat16, the same to rounding
torch.cpu.get_capabilities = dict
folder = Path(sys.argv[1])
two = open_fabric("cpu", n_devices=2)
two.launch()
network, history = train(two, folder / "state.pt")
if two.is_global_zero:
    alone, expected = train(open_fabric("cpu"))
    for key, value in alone.state_dict().items():
        torch.testing.assert_close(network.state_dict()[key], value, rtol=0, atol=1e-5)
    losses = history.epochs["training_loss"], expected.epochs["training_loss"]
    np.testing.assert_allclose(*losses, atol=1e-5)
    print("same", sorted(path.name for path in folder.iterdir()))
two.barrier()
"""


def test_two_processes_train_as_one_does(tmp_path):
    (tmp_path / "train.py").write_text(TWO_PROCESSES)
    (tmp_path / "out").mkdir()
    done = subprocess.run(
        [sys.executable, "train.py", "out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "same ['state.pt']" in done.stdout
