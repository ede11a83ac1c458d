from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from lnm_kit.errors import InputError
from lnm_kit.networks.fusion import FusionNetwork
from lnm_kit.networks.multitask import MultitaskOutput
from lnm_kit.training import open_fabric
from lnm_kit.training.masked_augmentation import MaskedAugmentation
from lnm_kit.training.multitask_fit import fit_multitask
from lnm_kit.training.multitask_prediction import predict_nodules, set_reference_nodules
from lnm_kit.training.multitask_settings import MultitaskSettings
from lnm_kit.training.pairing import ModalityImages, NoduleBank

FABRIC = open_fabric("cpu")
IDS = [f"n{i:02d}" for i in range(30)]
LABELS = {nodule: i % 2 for i, nodule in enumerate(IDS)}
PATIENTS = {nodule: f"p{i // 2}" for i, nodule in enumerate(IDS)}
TRAINING, VALIDATION = IDS[:20], IDS[20:]


def discs(side, seed, signal):
    """Two noisy images a nodule of a dark disc; that of positive nodules has a bright rim."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:side, :side]
    images, targets = [], []
    for nodule in IDS:
        for _ in range(2):
            center = side * rng.uniform(0.4, 0.6, 2)
            radius = side * rng.uniform(0.2, 0.3)
            distance = np.hypot(row - center[0], column - center[1])
            inside, rim = distance < radius, np.abs(distance - radius) < 2
            gray = rng.normal(120, 15, (side, side)) - 60 * inside
            images.append(gray + signal * 80 * LABELS[nodule] * rim)
            targets.append(np.stack([inside, rim]))
    targets = np.array(targets)
    return ModalityImages.of(
        np.clip(images, 0, 255).astype(np.uint8),
        targets,
        [nodule for nodule in IDS for _ in range(2)],
        targets[:, 0].sum(axis=(1, 2)),
    )


def bank(*names, side=24, signal=1):
    images = {name: discs(side, seed, signal) for seed, name in enumerate(names)}
    return NoduleBank(images, LABELS, PATIENTS)


class SmallBranch(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 8, 5, padding=2), nn.BatchNorm2d(8), nn.ReLU())
        self.last = nn.Sequential(nn.Dropout(0.1), nn.Conv2d(8, 2, 5, padding=2))
        self.register_buffer("mean", torch.zeros(1))
        self.register_buffer("sd", torch.ones(1))

    def set_normalization(self, mean, sd):
        self.mean.copy_(mean)
        self.sd.copy_(sd)

    def forward(self, images):
        maps = self.first((images - self.mean) / self.sd)
        return maps.amax(dim=(2, 3)), self.last(maps).float()


class SmallNetwork(nn.Module):
    """The interface of the networks of several tasks in a few hundred weights."""

    def __init__(self, n_branches=1, seed=0):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.all = nn.ModuleList(SmallBranch() for _ in range(n_branches))
            self.classifier = nn.Linear(8 * n_branches, 1)

    @property
    def branches(self):
        return tuple(self.all)

    def forward(self, *images):
        answers = [branch(part) for branch, part in zip(self.all, images, strict=True)]
        features = torch.cat([features for features, _ in answers], dim=1)
        return MultitaskOutput(
            self.classifier(features)[:, 0].float(), tuple(maps for _, maps in answers)
        )

    def predict_logits(self, *images):
        return self(*images).logit

    def classification_parameters(self):
        return self.classifier.parameters()


SETTINGS = MultitaskSettings(2, 3, batch_size=5, learning_rate=0.01)


def run(network, given, settings=SETTINGS, checkpoint=None, seed=0, training=TRAINING):
    return fit_multitask(
        network,
        given,
        training,
        VALIDATION,
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


def test_it_learns_masks_and_then_metastasis():
    network = SmallNetwork()
    settings = replace(SETTINGS, segmentation_epochs=8, joint_epochs=20, learning_rate=0.03)
    epochs = run(network, bank("us"), settings).epochs
    first = epochs.loc[:8]
    assert first["segmentation_loss"].iloc[-1] < 0.8 * first["segmentation_loss"].iloc[0]
    assert epochs["dice_nodule_us"].iloc[-1] > 0.8
    joint = epochs.loc[9:]
    assert joint["classification_loss"].iloc[-1] < 0.7 * joint["classification_loss"].iloc[0]
    assert epochs["validation_auc"].iloc[-1] > 0.9


def test_the_table_says_what_was_learned_when():
    history = run(SmallNetwork(2), bank("us", "ct"))
    epochs = history.epochs
    assert epochs["stage"].tolist() == [1, 1, 2, 2, 2]
    assert history.kept_epoch == 5
    loss = epochs["segmentation_loss"] + epochs["classification_loss"] * (epochs["stage"] == 2)
    pd.testing.assert_series_equal(epochs["training_loss"], loss, check_names=False)
    cosine = [0.01 * (1 + np.cos(np.pi * done / 5)) / 2 for done in range(5)]
    np.testing.assert_allclose(epochs["learning_rate"], cosine)
    assert {"dice_nodule_us", "dice_edge_us", "dice_nodule_ct", "dice_edge_ct"} <= set(epochs)


def test_the_classifier_does_not_move_in_the_first_stage_not_even_by_weight_decay():
    seen = {}

    class Watched(SmallNetwork):
        def forward(self, *images):
            if self.training:
                seen.setdefault(self.classifier.weight.detach().clone().numpy().tobytes())
            return super().forward(*images)

    strong = replace(SETTINGS, segmentation_epochs=3, joint_epochs=1, weight_decay=0.5)
    run(Watched(), bank("us"), strong)
    # 12 steps of the first stage and the first of the second see the same weights, then 3 others
    assert len(seen) == 4


def test_same_seed_same_bits_and_another_seed_another_result():
    networks = [SmallNetwork() for _ in range(3)]
    given = bank("us")
    tables = [
        without_time(run(network, given, seed=seed))
        for network, seed in zip(networks, (1, 1, 2), strict=True)
    ]
    pd.testing.assert_frame_equal(tables[0], tables[1], check_exact=True)
    assert same_bits(bits(networks[0]), bits(networks[1]))
    assert not same_bits(bits(networks[0]), bits(networks[2]))


def test_global_random_state_neither_matters_nor_changes():
    given, results = bank("us"), []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.random.get_rng_state()
        network = SmallNetwork()
        run(network, given)
        assert torch.equal(torch.random.get_rng_state(), before)
        results.append(bits(network))
    assert same_bits(*results)


@pytest.mark.parametrize("epoch", [2, 3, 4])
def test_killed_and_resumed_ends_in_the_same_bits(tmp_path, epoch):
    """In the first stage, in the first epoch of the second, and after it."""
    given = bank("us")
    straight = SmallNetwork()
    expected = run(straight, given)
    steps = {"done": 0}

    def count(module, inputs):
        steps["done"] += module.training
        if steps["done"] == (epoch - 1) * 4 + 2:
            raise KeyboardInterrupt

    killed = SmallNetwork()
    killed.register_forward_pre_hook(count)
    path = tmp_path / "state.pt"
    with pytest.raises(KeyboardInterrupt):
        run(killed, given, checkpoint=path)
    resumed = SmallNetwork(seed=5)
    history = run(resumed, given, checkpoint=path)
    assert same_bits(bits(straight), bits(resumed))
    pd.testing.assert_frame_equal(without_time(history), without_time(expected), check_exact=True)
    again = run(SmallNetwork(seed=6), given, checkpoint=path)
    pd.testing.assert_frame_equal(again.epochs, history.epochs, check_exact=True)


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    path, given = tmp_path / "state.pt", bank("us")
    run(SmallNetwork(), given, checkpoint=path)
    with pytest.raises(InputError, match=r"settings.joint_epochs is 4, there 3"):
        run(SmallNetwork(), given, replace(SETTINGS, joint_epochs=4), path)
    with pytest.raises(InputError, match=r"images.us is"):
        run(SmallNetwork(), bank("us", signal=0), checkpoint=path)
    with pytest.raises(InputError, match=r"training nodules is"):
        run(SmallNetwork(), given, checkpoint=path, training=TRAINING[2:])


def test_an_epoch_shows_every_training_nodule_once():
    given, seen = bank("us"), []
    nodule_of = {
        image.numpy().tobytes(): nodule
        for image, nodule in zip(
            given.modalities["us"].images, given.modalities["us"].nodule_ids, strict=True
        )
    }

    def record(module, inputs):
        if module.training:
            shown = (inputs[0] * 255).round().to(torch.uint8)
            seen.extend(nodule_of[image.contiguous().numpy().tobytes()] for image in shown)

    network = SmallNetwork()
    network.register_forward_pre_hook(record)
    settings = MultitaskSettings(
        0, 2, batch_size=5, augmentation=MaskedAugmentation(probability=0.0)
    )
    run(network, given, settings)
    assert sorted(seen[:20]) == sorted(seen[20:]) == TRAINING
    assert seen[:20] != seen[20:]


def test_normalization_comes_from_training_nodules_alone():
    given = bank("us")
    images = given.modalities["us"]
    network = SmallNetwork()
    run(network, given)
    own = images.images[:40].double() / 255
    assert network.all[0].mean.item() == pytest.approx(own.mean().item(), abs=1e-6)
    assert network.all[0].sd.item() == pytest.approx(own.std(correction=0).item(), abs=1e-6)


def test_both_branches_of_a_fusion_learn_and_predictions_stand_alone():
    network = FusionNetwork(
        "diverse_granularity", encoder="resnet10t", weights="none", seed=0, n_reference=4
    )
    given = bank("us", "ct", side=34)
    settings = MultitaskSettings(1, 1, batch_size=10, learning_rate=2e-3)
    before = bits(network)
    epochs = run(network, given, settings).epochs
    assert epochs["segmentation_loss"].iloc[-1] < epochs["segmentation_loss"].iloc[0]
    after = bits(network)
    for part in ("us.backbone.conv1", "ct.backbone.conv1", "us.decoders.1", "fusion.nodule"):
        moved = [key for key in before if key.startswith(part) and key.endswith("weight")]
        assert any(not torch.equal(before[key], after[key]) for key in moved), part
    every = predict_nodules(network, given, VALIDATION, fabric=FABRIC)
    assert every.dtype == np.float32
    alone = predict_nodules(network, given, VALIDATION[3:4], fabric=FABRIC)
    np.testing.assert_allclose(alone, every[3:4], atol=1e-2)
    chosen = set_reference_nodules(network, given, TRAINING, seed=0, fabric=FABRIC)
    assert len(chosen) == 4
    assert set(chosen) <= set(TRAINING)
    again = predict_nodules(network, given, VALIDATION, fabric=FABRIC)
    np.testing.assert_array_equal(again, every)


def test_a_network_without_nodule_attention_needs_no_reference():
    assert set_reference_nodules(SmallNetwork(), bank("us"), TRAINING, seed=0, fabric=FABRIC) == []


def test_a_loss_that_is_not_finite_stops_with_a_reason():
    network = SmallNetwork()
    nn.init.constant_(network.all[0].last[1].bias, torch.nan)
    with pytest.raises(FloatingPointError, match="training loss became nan in epoch 1"):
        run(network, bank("us"))


def test_what_cannot_be_trained_is_listed():
    given = bank("us")
    with pytest.raises(InputError, match="1 nodules are not in the bank: x"):
        run(SmallNetwork(), given, training=[*TRAINING, "x"])
    with pytest.raises(
        InputError,
        match=r"2 branches, the bank 1 modalities \(us\)\. 1 patients are in training and "
        r"validation: p10\. training has 1 positive and 1 negative",
    ):
        run(SmallNetwork(2), given, training=IDS[20:22])
    large = FusionNetwork("diverse_granularity", encoder="resnet10t", weights="none", seed=0)
    with pytest.raises(InputError, match="wants 29 reference nodules and training has 20"):
        run(large, bank("us", "ct"))
    with pytest.raises(InputError, match=r"joint_epochs is 0.*weight_decay is 2"):
        MultitaskSettings(joint_epochs=0, weight_decay=2)
