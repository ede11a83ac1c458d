import numpy as np
import pytest
import torch
from torch import nn

from lnm_kit.errors import InputError
from lnm_kit.explain.integrated_gradients import (
    Attributions,
    gray_candidates,
    half_probability_baseline,
    integrated_gradients,
)
from lnm_kit.networks import build_network
from lnm_kit.networks.fusion import FusionNetwork


class TwoModalities(nn.Module):
    """Logit = tanh of a weighted sum of ultrasound, plus a weighted sum of CT, plus a bias."""

    def __init__(self, us=1.0, ct=1.0, bias=-1.0, seed=0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.us = nn.Parameter(us * torch.rand(6, 6, generator=generator))
        self.ct = nn.Parameter(ct * torch.rand(4, 4, generator=generator))
        self.bias = bias

    def forward(self, us, ct):
        first = torch.tanh((us[:, 0] * self.us).sum(dim=(1, 2)) / 10)
        return first + (ct[:, 0] * self.ct).sum(dim=(1, 2)) / 10 + self.bias


def pairs(n=5, seed=0, sides=(6, 4)):
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(n, 1, side, side, generator=generator) for side in sides]


def zeros(sides=(6, 4)):
    return [torch.zeros(1, 1, side, side) for side in sides]


def test_attributions_are_those_of_the_formula():
    network, (us, ct) = TwoModalities(), pairs()
    found = integrated_gradients(network, (us, ct), zeros())
    # linear in CT: weight times value; ultrasound by a sum of 4,000 steps along the line
    expected = (network.ct / 10 * ct[:, 0]).detach().numpy()
    np.testing.assert_allclose(found.pixels[1][:, 0], expected, rtol=1e-5)
    total = (us[:, 0] * network.us).sum(dim=(1, 2)).detach().numpy() / 10
    share = (np.arange(4000) + 0.5) / 4000
    slope = (1 - np.tanh(share * total[:, None]) ** 2).mean(axis=1)
    expected = (us[:, 0] * network.us / 10).detach().numpy() * slope[:, None, None]
    np.testing.assert_allclose(found.pixels[0][:, 0], expected, rtol=1e-4)


def test_attributions_add_up_to_the_difference_of_logits():
    network = build_network("resnet10t", in_channels=1, weights="none", seed=0)
    with torch.no_grad():
        # so that the logit moves by much more than rounding
        network.head.weight.mul_(20)
    images = torch.rand(2, 1, 40, 40, generator=torch.Generator().manual_seed(0))
    baseline = torch.full((1, 1, 40, 40), 0.4)
    coarse, fine = (
        integrated_gradients(network, [images], [baseline], n_steps=steps) for steps in (4, 128)
    )
    difference = np.abs(fine.logits - fine.baseline_logit)
    assert (np.abs(fine.gap) < 0.02 * difference + 1e-3).all()
    assert np.abs(fine.gap).max() <= np.abs(coarse.gap).max()
    assert network.training


def test_both_modalities_of_a_fusion_add_up_together():
    network = FusionNetwork(
        "diverse_granularity", encoder="resnet10t", weights="none", seed=0, n_reference=3
    )
    network.set_reference(*pairs(3, 1, (40, 34)))
    with torch.no_grad():
        network.classifier[2].weight.mul_(1e4)
    images = pairs(2, 2, (40, 34))
    start = [torch.full((1, 1, side, side), 0.5) for side in (40, 34)]
    found = integrated_gradients(network, images, start, n_steps=24)
    difference = np.abs(found.logits - found.baseline_logit)
    assert difference.min() > 0
    assert (np.abs(found.gap) < 0.05 * difference.max()).all()
    alone = integrated_gradients(network, [part[1:] for part in images], start, n_steps=24)
    for together, own in zip(found.pixels, alone.pixels, strict=True):
        np.testing.assert_allclose(own[0], together[1], atol=1e-3 * np.abs(together).max())


def test_from_a_baseline_between_two_nodules_a_fusion_adds_up_and_more_steps_bring_it_closer():
    network = FusionNetwork(
        "diverse_granularity", encoder="resnet10t", weights="none", seed=0, n_reference=3
    )
    network.set_reference(*pairs(3, 1, (40, 34)))
    images = pairs(3, 2, (40, 34))
    with torch.no_grad():
        network.classifier[2].weight.mul_(1e4)
        logits = network.eval().predict_logits(*images)
        # two of the three on one side of 0.5
        network.classifier[2].bias -= logits.sort().values[:2].mean()
        logits = network.predict_logits(*images)
    ends = [int(logits.argmin()), int(logits.argmax())]
    start = half_probability_baseline(network, [part[ends] for part in images])
    coarse, fine = (
        integrated_gradients(network, images, start, n_steps=steps) for steps in (2, 48)
    )
    difference = np.abs(fine.logits - fine.baseline_logit)
    assert np.abs(fine.gap).mean() < 0.05 * difference.mean()
    assert np.abs(fine.gap).mean() < np.abs(coarse.gap).mean()


def test_chunks_do_not_matter():
    network, images = TwoModalities(), pairs(5)
    whole, chunked = (
        integrated_gradients(network, images, zeros(), at_once=size) for size in (32, 2)
    )
    for first, second in zip(whole.pixels, chunked.pixels, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(whole.logits, chunked.logits, rtol=1e-6)


def test_the_image_that_is_the_baseline_has_no_attributions():
    start = pairs(1)
    found = integrated_gradients(TwoModalities(), start, start)
    assert all((part == 0).all() for part in found.pixels)
    table = found.contributions(["us", "ct"], [1])
    assert table.loc[0, ["us_share", "ct_share"]].tolist() == [0.5, 0.5]


@pytest.mark.parametrize(("us", "ct", "favored"), [(1.0, 0.0, "us"), (0.0, 1.0, "ct")])
def test_a_modality_that_is_not_used_has_no_share(us, ct, favored):
    found = integrated_gradients(TwoModalities(us, ct), pairs(), zeros())
    table = found.contributions(["us", "ct"], [1, 0, 1, 0, 1])
    assert np.allclose(table[f"{favored}_share"], 1)
    assert np.allclose(table["us_share"] + table["ct_share"], 1)


def test_contributions_are_sums_turned_toward_the_truth_and_shares_of_absolute_values():
    us = np.array([[[[1.0, -3.0]]], [[[2.0, 2.0]]]])
    ct = np.array([[[[4.0]]], [[[-4.0]]]])
    found = Attributions((us, ct), 0.0, np.array([2.0, 0.0]))
    np.testing.assert_allclose(found.gap, 0)
    table = found.contributions(["us", "ct"], [1, 0])
    assert table["us_toward_label"].tolist() == [-2.0, -4.0]
    assert table["ct_toward_label"].tolist() == [4.0, 4.0]
    assert table["us_share"].tolist() == [0.5, 0.5]
    with pytest.raises(InputError, match="1 names and 2 labels"):
        found.contributions(["us"], [1, 0])


@pytest.mark.parametrize("bias", [-1.5, -1.0, -0.3])
def test_the_baseline_answers_one_half(bias):
    network = TwoModalities(bias=bias)
    baseline = half_probability_baseline(network, gray_candidates(pairs()))
    probability = network(*baseline).sigmoid().item()
    assert abs(probability - 0.5) <= 0.005
    assert [tuple(part.shape) for part in baseline] == [(1, 1, 6, 6), (1, 1, 4, 4)]
    # gray candidates give a gray baseline, the same in both
    levels = torch.cat([part.flatten() for part in baseline])
    assert levels.std() < 1e-6


def test_the_baseline_lies_between_two_images_of_either_side():
    network = TwoModalities()
    low, high = [0.05 * part[:1] for part in pairs()], [part[:1] * 0 + 1 for part in pairs()]
    for first, second in ((low, high), (high, low)):
        candidates = [torch.cat(ends) for ends in zip(first, second, strict=True)]
        baseline = half_probability_baseline(network, candidates, tolerance=1e-4)
        assert abs(network(*baseline).sigmoid().item() - 0.5) <= 1e-4


def test_no_baseline_is_said_with_what_was_found():
    with pytest.raises(InputError, match=r"runs from 0\.\d+ to 0\.\d+ along the 33 candidates"):
        half_probability_baseline(TwoModalities(bias=-20.0), gray_candidates(pairs()))


def test_images_and_baselines_must_fit():
    for wrong in (zeros()[:1], zeros((6, 5)), pairs(2)):
        with pytest.raises(InputError, match="needed: one baseline"):
            integrated_gradients(TwoModalities(), pairs(), wrong)
