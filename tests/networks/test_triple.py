import numpy as np
import pytest
import torch
from torch import nn

from lnm_kit.errors import InputError
from lnm_kit.explain.class_activation import deepest_stage, grad_cam
from lnm_kit.networks.triple import (
    MODALITIES,
    ModalityNetwork,
    pack_modalities,
    without_modality,
)
from lnm_kit.training import ImageBank, TrainingSettings, fit, open_fabric, predict

FABRIC = open_fabric("cpu")


def network(modalities=MODALITIES, seed=0, **arguments):
    return ModalityNetwork(modalities, backbone="resnet10t", weights="none", seed=seed, **arguments)


def cases(n=6, side=40, seed=0):
    """Packed uint8 images of which every modality is there."""
    rng = np.random.default_rng(seed)
    b_mode = rng.integers(0, 256, (n, side, side), dtype=np.uint8)
    ceus = rng.integers(0, 256, (n, side, side, 3), dtype=np.uint8)
    return pack_modalities(b_mode, ceus, [bool(i % 2) for i in range(n)])


def as_input(packed):
    return torch.from_numpy(packed).float() / 255


def test_packing_keeps_every_value_in_its_channel():
    rng = np.random.default_rng(0)
    gray = rng.integers(0, 256, (3, 5, 7), dtype=np.uint8)
    color = rng.integers(0, 256, (3, 5, 7, 3), dtype=np.uint8)
    packed = pack_modalities(gray, color, [False, True, None])
    assert packed.shape == (3, 7, 5, 7)
    assert all(np.array_equal(packed[:, channel], gray) for channel in range(3))
    assert np.array_equal(packed[:, 3:6].transpose(0, 2, 3, 1), color)
    assert [np.unique(plane).tolist() for plane in packed[:, 6]] == [[0], [255], [128]]
    assert np.array_equal(pack_modalities(color, color, [True] * 3)[:, :3], packed[:, 3:6])


def test_packing_lists_all_that_is_wrong():
    gray = np.zeros((2, 5, 5), np.uint8)
    with pytest.raises(InputError, match=r"ceus is uint8 \(2, 5, 5\).*3 flags for 2 images"):
        pack_modalities(gray, gray, [True] * 3)
    with pytest.raises(InputError, match="b_mode is float64"):
        pack_modalities(gray / 2, np.zeros((2, 5, 5, 3), np.uint8), [True] * 2)


def test_resnet50_branches_and_the_flag_are_the_printed_4097_features():
    triple = ModalityNetwork(backbone="resnet50", weights="none", seed=0)
    assert triple.n_features == 4097
    assert triple.head.in_features == 4097
    assert triple.head.out_features == 1


@pytest.mark.parametrize(
    ("modalities", "width"),
    [
        (["us_lnm"], 1),
        (["b_mode"], 512),
        (["ceus"], 512),
        (["b_mode", "ceus"], 1024),
        (MODALITIES, 1025),
    ],
)
def test_each_form_reads_its_own_modalities_alone(modalities, width):
    form = network(modalities).eval()
    assert form.n_features == width
    packed = cases()
    before = form(as_input(packed))
    assert before.shape == (6,)
    other = cases(seed=1)
    for name, channels in (("b_mode", slice(3)), ("ceus", slice(3, 6)), ("us_lnm", slice(6, 7))):
        changed = packed.copy()
        changed[:, channels] = other[::-1, channels] if name == "us_lnm" else other[:, channels]
        moved = (form(as_input(changed)) - before).abs().max() > 1e-5
        assert bool(moved) == (name in modalities)


def test_the_flag_is_the_last_feature_and_withstands_brightness():
    form = network().eval()
    images = as_input(cases())
    expected = torch.tensor([0.0, 1.0] * 3)
    for shift in (-0.2, 0.0, 0.2):
        shifted = images.clone()
        shifted[:, 6] += shift
        assert torch.equal(form.embed(shifted)[:, -1], expected)
        assert form.present(shifted).all()


@pytest.mark.parametrize("missing", ["learned", "mean"])
def test_a_missing_modality_is_replaced_by_its_stand_in(missing):
    form = network(missing=missing).eval()
    for place, name in enumerate(MODALITIES):
        stand_in = form.learned[name] if missing == "learned" else form.get_buffer(f"mean_{name}")
        stand_in.data.fill_(7.0)
        packed = cases()
        images = as_input(packed)
        part = form.embed(images)
        mask = torch.ones(6, 3, dtype=torch.bool)
        mask[2, place] = False
        hidden = form.embed(images, mask)
        changed = (hidden != part).any(dim=0).nonzero()[:, 0]
        columns = slice(512 * place, 512 * place + (1 if name == "us_lnm" else 512))
        assert (hidden[2, columns] == 7).all()
        assert changed.min() >= columns.start
        assert changed.max() < columns.stop
        others = [0, 1, 3, 4, 5]
        assert torch.equal(hidden[others], part[others])
        # blank images say the same as a mask
        blank = as_input(without_modality(packed, name))
        assert not form.present(blank)[:, place].any()
        torch.testing.assert_close(form(blank)[2], form(images, mask)[2], rtol=1e-4, atol=1e-5)


def test_what_a_missing_image_holds_does_not_matter():
    form = network().eval()
    images = as_input(cases())
    mask = torch.tensor([[True, False, True]]).repeat(6, 1)
    changed = images.clone()
    changed[:, 3:6] = torch.rand(6, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    assert torch.equal(form(changed, mask), form(images, mask))


def test_dropout_hides_with_its_probability_and_never_everything():
    form = network(["b_mode", "us_lnm"], dropout=0.3)
    present = torch.tensor([[True, True]] * 3000 + [[True, False]] * 1000)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        shown = form._hide(present)
    assert shown.any(dim=1).all()
    assert not (shown & ~present).any()
    assert torch.equal(shown[3000:], present[3000:])
    # a modality of two is hidden unless it stays as the last one: 0.3 - 0.3^2 / 2
    hidden = 1 - shown[:3000].float().mean(dim=0)
    assert (hidden - 0.255).abs().max() < 4 * (0.255 * 0.745 / 3000) ** 0.5


def test_dropout_is_for_training_only():
    form = network(dropout=0.9)
    images = as_input(cases())
    form.eval()
    assert torch.equal(form(images), form(images))


def test_the_mean_stand_in_follows_the_features_of_cases_that_have_the_modality():
    form = network(missing="mean").train()
    packed = cases()
    packed[3:, 3:6] = 0
    images = as_input(packed)
    with torch.no_grad():
        features = [form.embed(images)[:3, 512:1024].mean(dim=0) for _ in range(3)]
    # each step goes a tenth of the way
    expected = 0.1 * features[2] + 0.09 * features[1] + 0.081 * features[0]
    torch.testing.assert_close(form.get_buffer("mean_ceus"), expected, rtol=1e-4, atol=1e-5)
    assert form.get_buffer("mean_us_lnm").item() == pytest.approx(0.5 * (1 - 0.9**3))


def test_gradients_reach_every_weight():
    form = network(dropout=0.4)
    for module in form.modules():
        # residual blocks begin as identities: their last scale is 0 and stops the gradient
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        form(as_input(cases(8))).square().sum().backward()
    unreached = [
        name
        for name, weight in form.named_parameters()
        if weight.grad is None or not weight.grad.abs().max() > 0
    ]
    assert unreached == []


def test_normalization_is_per_modality_and_channel_and_saved():
    form = network()
    mean, sd = torch.arange(7) / 10, torch.arange(1, 8) / 10
    form.set_normalization(mean, sd)
    other = network(seed=3)
    other.load_state_dict(form.state_dict())
    assert torch.equal(other.branches["b_mode"].mean, mean[:3])
    assert torch.equal(other.branches["ceus"].sd, sd[3:6])


def test_a_balanced_reading_is_as_large_as_a_branch_and_says_the_same():
    packed = cases(8)
    mean, sd = torch.rand(7), torch.rand(7) + 0.5
    mean[6], sd[6] = 0.25, 0.4
    plain, balanced = network().eval(), network(reading="balanced").eval()
    for form in (plain, balanced):
        form.set_normalization(mean, sd)
    flag = balanced.embed(as_input(packed))[:, -1]
    # standardized, times the square root of the 512 features of a branch
    expected = (torch.arange(8) % 2 - 0.25) / 0.4 * 512**0.5
    torch.testing.assert_close(flag, expected)
    assert plain.embed(as_input(packed))[:, -1].tolist() == [0, 1] * 4
    assert balanced.flag_log_odds == 0
    # other weights of the last unit make the same function of it
    with torch.no_grad():
        balanced.head.weight[0, -1] = 0.03
        slope = 512**0.5 / 0.4
        plain.head.weight[0, -1] = slope * balanced.head.weight[0, -1]
        plain.head.bias -= 0.25 * slope * balanced.head.weight[0, -1]
    torch.testing.assert_close(
        plain(as_input(packed)), balanced(as_input(packed)), rtol=1e-4, atol=1e-4
    )
    assert plain.flag_log_odds == pytest.approx(balanced.flag_log_odds)


@pytest.mark.parametrize("reading", ["plain", "balanced"])
def test_the_log_odds_of_the_reading_are_the_step_of_the_logit(reading):
    form = network(reading=reading).eval()
    nn.init.constant_(form.head.weight, 0.02)
    form.set_normalization(torch.full((7,), 0.3), torch.full((7,), 0.5))
    negative, positive = cases(2), cases(2)
    negative[:, 6], positive[:, 6] = 0, 255
    step = form(as_input(positive)) - form(as_input(negative))
    assert step.tolist() == pytest.approx([form.flag_log_odds] * 2, abs=1e-3)


def test_a_short_training_hears_the_balanced_reading_only():
    rng = np.random.default_rng(1)
    label = np.arange(40) % 2
    noise = rng.integers(60, 120, (2, 40, 16, 16, 3)).astype(np.uint8)
    names = [f"case_{i}" for i in range(40)]
    bank = ImageBank.of(pack_modalities(*noise, list(label == 1)), label, names)
    settings = TrainingSettings(epochs=3, batch_size=8, learning_rate=1e-3)
    heard = {}
    for reading in ("plain", "balanced"):
        form = network(reading=reading)
        before = form.flag_log_odds
        fit(form, bank, names[:32], names[32:], settings, fabric=FABRIC, seed=0)
        heard[reading] = form.flag_log_odds - before
    # twelve steps of the learning rate are as far as a plain weight comes
    assert abs(heard["plain"]) < 0.02
    assert heard["balanced"] > 0.1


def test_batch_mates_do_not_matter_in_evaluation():
    form = network().eval()
    images = as_input(cases())
    torch.testing.assert_close(form(images[:1]), form(images)[:1], rtol=1e-4, atol=1e-5)


def test_the_loop_trains_it_on_packed_images_and_it_predicts_with_one_missing():
    rng = np.random.default_rng(0)
    label = np.arange(36) % 2
    noise = rng.integers(60, 120, (2, 36, 32, 32, 3)).astype(np.uint8)
    noise[1, label == 1, 6:26, 6:26] += 100
    flags = [bool(value) if rng.random() < 0.7 else None for value in label]
    names = [f"case_{i}" for i in range(36)]
    packed = pack_modalities(noise[0], noise[1], flags)
    bank = ImageBank.of(packed, label, names)
    settings = TrainingSettings(epochs=4, batch_size=8, learning_rate=2e-3)
    form = network(dropout=0.3)
    history = fit(form, bank, names[:24], names[24:], settings, fabric=FABRIC, seed=0)
    assert history.epochs["training_loss"].iloc[-1] < 0.8 * history.epochs["training_loss"].iloc[0]
    assert history.epochs["validation_auc"].iloc[-1] > 0.9
    rows = bank.rows(names[:24])
    torch.testing.assert_close(form.branches["ceus"].mean, bank.gray_statistics(rows)[0][3:6])
    blank = ImageBank.of(without_modality(packed, "us_lnm"), label, names)
    score = predict(form, blank, names[24:], fabric=FABRIC)
    assert score[1::2].mean() > score[::2].mean()


def test_grad_cam_looks_at_either_image():
    form = network()
    images = as_input(cases(2, side=64))
    for name in ("b_mode", "ceus"):
        stage = deepest_stage(form.branches[name].backbone, 64)
        assert grad_cam(form, images, layer=stage).shape == (2, 64, 64)


def test_bad_choices_are_refused():
    with pytest.raises(InputError, match=r"modality is 'bmode'.*Did you mean 'b_mode'"):
        network(["bmode"])
    for wrong in ([], ["ceus", "ceus"]):
        with pytest.raises(InputError, match="one or more, each once"):
            network(wrong)
    with pytest.raises(InputError, match="dropout is 1"):
        network(dropout=1)
    with pytest.raises(InputError, match="reading is 'loud'"):
        network(reading="loud")
    with pytest.raises(InputError, match="has no reading"):
        _ = network(["ceus"]).flag_log_odds
    with pytest.raises(InputError, match=r"allowed: \(N, 7, H, W\)"):
        network()(torch.rand(2, 3, 40, 40))
    with pytest.raises(InputError, match="present has shape"):
        network()(as_input(cases(2)), torch.ones(2, 2, dtype=torch.bool))
    with pytest.raises(InputError, match="modality is 'ct'"):
        without_modality(cases(2), "ct")
