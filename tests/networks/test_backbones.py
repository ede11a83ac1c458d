import re

import pytest
import torch
from torch import nn

from lnm_kit.errors import InputError
from lnm_kit.networks import NETWORKS, build_network
from lnm_kit.networks.backbones import LEAST_PX


@pytest.fixture(scope="module", params=list(NETWORKS))
def named(request):
    """Name and network of two channels, of every network of the studies in turn."""
    return request.param, build_network(request.param, in_channels=2, weights="none", seed=5)


def test_every_network_gives_float32_logits_that_its_head_makes_of_its_features(named):
    network = named[1].eval()
    images = torch.rand(2, 2, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        logits, features = network(images), network.embed(images)
        made = network.head(features)[:, 0]
    assert logits.shape == (2,)
    assert logits.dtype == torch.float32
    assert features.shape == (2, network.n_features)
    assert torch.allclose(made, logits, atol=1e-5)
    assert logits[0] != logits[1]


def test_gradient_reaches_every_parameter_of_every_network(named):
    network = named[1].train()
    branches = [module for module in network.modules() if hasattr(module, "zero_init_last")]
    for branch in branches:  # they start at zero and let no gradient through
        nn.init.ones_(getattr(branch, "bn3", branch.bn2).weight)
    images = torch.rand(2, 2, 64, 64, generator=torch.Generator().manual_seed(0))
    network(images).square().sum().backward()
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    network.zero_grad(set_to_none=True)
    assert still == []


def test_the_seed_alone_decides_the_weights_of_every_network(named):
    name, network = named
    before = torch.random.get_rng_state()
    again = build_network(name, in_channels=2, weights="none", seed=5)
    assert torch.equal(torch.random.get_rng_state(), before)
    own, same = (dict(n.named_parameters()) for n in (network, again))
    kernels = [key for key, value in own.items() if value.ndim > 1]
    assert all(torch.equal(own[key], same[key]) for key in kernels)


def test_the_description_names_the_parameters_that_one_channel_needs(named):
    name, network = named
    backbone = network.backbone
    first = next(module for module in backbone.modules() if isinstance(module, nn.Conv2d))
    needed = sum(p.numel() for p in backbone.parameters()) - first.weight.numel() // 2
    printed = re.search(r"([\d.]+) M parameters", NETWORKS[name])
    assert float(printed[1]) == pytest.approx(needed / 1e6, abs=0.05)


def test_images_below_the_least_size_are_refused_and_no_others(named):
    name, network = named
    network.eval()
    least = LEAST_PX.get(name, 1)
    with torch.no_grad():
        assert network(torch.rand(1, 2, least, least)).isfinite().all()
        with pytest.raises(InputError, match=rf"{least - 1} x {least} px.*allowed: {least} px"):
            network(torch.rand(1, 2, least - 1, least))
        # the limit is not stricter than the network itself
        with pytest.raises((RuntimeError, AssertionError, ZeroDivisionError)):
            network.backbone(torch.rand(1, 2, least - 1, least - 1))


def test_inception_sees_small_images_enlarged_to_its_least_size():
    network = build_network("inception_v3", in_channels=1, weights="none", seed=0).eval()
    small = torch.rand(2, 1, 64, 80)
    enlarged = nn.functional.interpolate(small, size=(75, 94), mode="bilinear")
    with torch.no_grad():
        assert torch.allclose(network(small), network(enlarged), atol=1e-5)
        with pytest.raises(RuntimeError):
            network.backbone.forward(small)  # without what comes before it


def test_vision_transformer_reads_multiples_of_its_patches():
    network = build_network("vit_small_patch16_224", in_channels=1, weights="none", seed=0).eval()
    with torch.no_grad():
        for side in (64, 96, 224):
            assert network(torch.rand(1, 1, side, side)).shape == (1,)
    with pytest.raises(InputError, match=r"64 x 72 px.*multiples of 16 px.*Crop the regions"):
        network(torch.rand(1, 1, 64, 72))


def test_images_of_other_channels_are_refused():
    network = build_network("resnet10t", in_channels=2, weights="none", seed=0)
    with pytest.raises(InputError, match=r"shape \(1, 1, 64, 64\); allowed: \(N, 2, H, W\)"):
        network(torch.rand(1, 1, 64, 64))


def test_any_other_network_of_timm_can_be_built():
    network = build_network("resnet14t", in_channels=1, weights="none", seed=0).eval()
    assert network(torch.rand(2, 1, 64, 64)).shape == (2,)


@pytest.mark.parametrize("in_channels", [1, 2, 3])
def test_any_number_of_channels_gives_one_float32_logit_per_image(in_channels):
    network = build_network("resnet10t", in_channels=in_channels, weights="none", seed=0).eval()
    logits = network(torch.rand(3, in_channels, 64, 64))
    assert logits.shape == (3,)
    assert logits.dtype == torch.float32


def test_seed_decides_the_initial_weights_and_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    first, again, other = (
        build_network("resnet10t", in_channels=1, weights="none", seed=seed).state_dict()
        for seed in (1, 1, 2)
    )
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_normalization_makes_the_answer_independent_of_gray_scale_and_offset():
    network = build_network("resnet10t", in_channels=1, weights="none", seed=0).eval()
    images = torch.rand(2, 1, 64, 64)
    network.set_normalization(torch.tensor([0.5]), torch.tensor([0.2]))
    original = network(images)
    network.set_normalization(torch.tensor([0.5 * 0.3 + 0.1]), torch.tensor([0.2 * 0.3]))
    assert torch.allclose(network(images * 0.3 + 0.1), original, atol=1e-4)


def test_features_are_what_the_head_sees():
    network = build_network("resnet10t", in_channels=1, weights="none", seed=0).eval()
    images = torch.rand(2, 1, 64, 64)
    assert torch.allclose(network.head(network.embed(images))[:, 0], network(images))


def test_logits_keep_their_precision_under_bfloat16():
    network = build_network("resnet10t", in_channels=1, weights="none", seed=0).eval()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(torch.rand(4, 1, 64, 64))
    assert logits.dtype == torch.float32
    assert not torch.equal(logits, logits.bfloat16().float())


def test_unknown_network_is_refused_with_a_suggestion():
    with pytest.raises(InputError, match=r"network is 'resnet-18'.*Did you mean 'resnet18'"):
        build_network("resnet-18", in_channels=1, weights="none", seed=0)


def test_no_channels_are_refused():
    with pytest.raises(InputError, match="in_channels is 0"):
        build_network("resnet10t", in_channels=0, weights="none", seed=0)
