import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from torch import nn

from lnm_kit.errors import InputError
from lnm_kit.explain import grad_cam
from lnm_kit.explain.class_activation import deepest_stage
from lnm_kit.networks import NETWORKS, build_network
from lnm_kit.networks.stages import output_shapes


class TopLeft(nn.Module):
    """Its logit is `sign` times the mean of the top left quarter, so the true map is known."""

    def __init__(self, sign=1.0):
        super().__init__()
        self.convolution = nn.Conv2d(1, 1, 1, bias=False)
        nn.init.constant_(self.convolution.weight, sign)

    def forward(self, images):
        height, width = images.shape[-2:]
        return self.convolution(images)[:, 0, : height // 2, : width // 2].mean((1, 2))


def test_map_of_a_linear_network_is_its_image():
    # one channel with a positive mean gradient: the map is the image over its maximum
    images = torch.rand(2, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    expected = images[:, 0] / images.amax((1, 2, 3), keepdim=True)[:, 0]
    assert np.allclose(grad_cam(TopLeft(), images), expected, atol=1e-6)


def test_map_is_where_the_evidence_is():
    class TwoChannels(nn.Module):
        """Channel 0 is the image in the top left corner; channel 1, unused, the rest."""

        def __init__(self):
            super().__init__()
            self.stage = nn.Identity()

        def forward(self, images):
            mask = torch.zeros(2, *images.shape[-2:])
            mask[0, :8, :8] = 1
            mask[1] = 1 - mask[0]
            return self.stage(images * mask)[:, 0].mean((1, 2))

    network = TwoChannels()
    heat = grad_cam(network, torch.ones(3, 1, 32, 32), layer=network.stage)
    assert (heat[:, :8, :8] == 1).all()
    assert heat.sum() == 3 * 64


def test_evidence_against_the_positive_class_is_not_shown():
    assert (grad_cam(TopLeft(sign=-1.0), torch.rand(2, 1, 12, 12)) == 0).all()


@pytest.mark.parametrize("size", [64, 96])
def test_maps_of_a_backbone_have_the_size_of_the_image_and_reach_one(size):
    network = build_network("resnet10t", in_channels=1, weights="none", seed=0).train()
    heat = grad_cam(network, torch.rand(4, 1, size, size))
    assert heat.shape == (4, size, size)
    assert heat.dtype == np.float32
    assert heat.min() >= 0
    assert set(np.round(heat.max((1, 2)), 6)) <= {0.0, 1.0}
    assert network.training


def test_stage_is_the_deepest_with_a_map_of_seven_places_or_more():
    network = build_network("resnet10t", in_channels=1, weights="none", seed=0)
    backbone = network.backbone
    assert deepest_stage(network, 224) is backbone.layer4
    assert deepest_stage(network, 112) is backbone.layer3
    assert deepest_stage(network, 64) is backbone.layer2
    first = backbone.feature_info[0]["module"]
    assert deepest_stage(network, 8) is backbone.get_submodule(first)


def seeded_images(n, side, seed=0):
    return torch.rand(n, 1, side, side, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_of_the_studies_has_maps_even_of_small_images(name):
    network = build_network(name, in_channels=1, weights="none", seed=0)
    stage = deepest_stage(network, 64)
    found = next(key for key, module in network.named_modules() if module is stage)
    _, height, width = output_shapes(network, [found], side_px=64)[found]
    # patches of 16 px leave 4 x 4 places, wherever one looks
    assert height == width
    assert height >= (4 if name.startswith("vit") else 7)
    images = seeded_images(2, 64)
    # what speaks against one class speaks for the other, so one of the two maps shows something
    heat = grad_cam(network, images)
    nn.init.constant_(network.head.bias, 0.0)
    network.head.weight.data.neg_()
    opposite = grad_cam(network, images)
    assert heat.shape == opposite.shape == (2, 64, 64)
    assert np.isfinite(heat).all()
    assert np.maximum(heat, opposite).max((1, 2)).tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize("name", ["resnet10t", "alexnet", "tresnet"])
def test_maps_are_those_of_captum(name):
    network = build_network(name, in_channels=1, weights="none", seed=0).eval()
    images = seeded_images(2, 96)
    stage = deepest_stage(network, 96)
    coarse = LayerGradCam(network, stage).attribute(images, relu_attributions=True)
    expected = nn.functional.interpolate(coarse, (96, 96), mode="bilinear")[:, 0].detach().numpy()
    expected /= np.maximum(expected.max((1, 2), keepdims=True), 1e-30)
    assert np.allclose(grad_cam(network, images), expected, atol=1e-4)


class Tokens(nn.Module):
    """Patches of one pixel behind a class token; the logit is the mean over the top left ones."""

    num_prefix_tokens = 1

    def __init__(self):
        super().__init__()
        self.stage = nn.Identity()

    def forward(self, images):
        tokens = images.flatten(2).transpose(1, 2)
        tokens = self.stage(torch.cat([100 * torch.ones_like(tokens[:, :1]), tokens], dim=1))
        return tokens[:, 1:].unflatten(1, images.shape[-2:])[:, :4, :4, 0].mean((1, 2))


def test_map_of_tokens_is_that_of_their_patches_without_the_class_token():
    network = Tokens()
    images = seeded_images(2, 8)
    heat = grad_cam(network, images, layer=network.stage)
    assert np.allclose(heat, (images / images.amax((2, 3), keepdim=True))[:, 0], atol=1e-6)


def test_vision_transformer_needs_square_images():
    network = build_network("vit_small_patch16_224", in_channels=1, weights="none", seed=0)
    with pytest.raises(InputError, match="6 tokens do not fill a square"):
        grad_cam(network, torch.rand(1, 1, 32, 48))


def test_frozen_networks_have_the_same_maps_and_gather_no_gradients():
    network = build_network("resnet10t", in_channels=1, weights="none", seed=0)
    images = seeded_images(2, 64)
    expected = grad_cam(network, images)
    assert all(parameter.grad is None for parameter in network.parameters())
    with torch.no_grad():
        heat = grad_cam(network.requires_grad_(False), images)
    assert np.allclose(heat, expected, atol=1e-6)
    assert not images.requires_grad


def test_images_too_small_for_the_network_are_refused():
    network = build_network("alexnet", in_channels=1, weights="none", seed=0)
    with pytest.raises(InputError, match="48 x 48 px"):
        grad_cam(network, torch.rand(1, 1, 48, 48))


def test_maps_do_not_depend_on_the_other_images_of_the_batch():
    network = build_network("resnet10t", in_channels=1, weights="none", seed=0)
    images = torch.rand(3, 1, 64, 64)
    assert np.allclose(grad_cam(network, images)[:1], grad_cam(network, images[:1]), atol=1e-4)


def test_network_without_a_convolution_is_refused():
    with pytest.raises(InputError, match="Flatten has no convolution"):
        grad_cam(nn.Flatten(), torch.rand(1, 1, 4, 4))


def test_images_of_three_axes_are_refused():
    with pytest.raises(InputError, match=r"shape \(1, 4, 4\)"):
        grad_cam(TopLeft(), torch.rand(1, 4, 4))
