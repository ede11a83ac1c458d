import numpy as np
import pytest
import torch
from torch import nn

from lnm_kit.errors import InputError
from lnm_kit.explain import grad_cam
from lnm_kit.explain.grad_cam import deepest_stage
from lnm_kit.networks import build_network


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
