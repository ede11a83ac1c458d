import pytest
import torch

from lnm_kit.errors import InputError
from lnm_kit.networks import build_network


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
