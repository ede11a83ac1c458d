import pytest
import torch
import torchvision
from timm.layers import BlurPool2d, SEModule
from torch import nn

from lnm_kit.errors import InputError
from lnm_kit.explain.class_activation import deepest_stage, grad_cam
from lnm_kit.networks import ImageNetwork, build_network
from lnm_kit.networks.tresnet import build_tresnet

STAGES = ("layer1", "layer2", "layer3", "layer4")


def seeded_tresnet(seed=0, **arguments):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build_tresnet(in_channels=1, **arguments)


def random_images(n, side, seed=0):
    return torch.rand(n, 1, side, side, generator=torch.Generator().manual_seed(seed))


def sizes_after(backbone, names, side):
    """Channels and height of what each named module answers."""
    found = {}
    hooks = [
        backbone.get_submodule(name).register_forward_hook(
            lambda _module, _given, answer, name=name: found.update({name: tuple(answer.shape[1:])})
        )
        for name in names
    ]
    with torch.no_grad():
        backbone.eval()(random_images(1, side))
    for hook in hooks:
        hook.remove()
    return found


def test_sizes_are_those_of_table_s2():
    assert sizes_after(seeded_tresnet(), ["act1", "maxpool", *STAGES], 224) == {
        "act1": (64, 112, 112),
        "maxpool": (64, 112, 112),
        "layer1": (64, 112, 112),
        "layer2": (128, 56, 56),
        "layer3": (256, 28, 28),
        "layer4": (512, 14, 14),
    }


def test_a_pooling_of_stride_2_halves_every_stage():
    found = sizes_after(seeded_tresnet(pool_stride=2), STAGES, 224)
    assert [size for _, _, size in found.values()] == [56, 28, 14, 7]


@pytest.mark.parametrize("pool_stride", [1, 2])
def test_what_it_says_about_its_stages_is_what_they_are(pool_stride):
    backbone = seeded_tresnet(pool_stride=pool_stride)
    stages = backbone.feature_info
    found = sizes_after(backbone, [stage["module"] for stage in stages], 96)
    for stage in stages:
        side = 96 // stage["reduction"]
        assert found[stage["module"]] == (stage["num_chs"], side, side)


def test_every_block_has_two_3x3_convolutions_and_squeeze_and_excitation():
    backbone = seeded_tresnet()
    assert [len(backbone.get_submodule(stage)) for stage in STAGES] == [3, 4, 6, 3]
    for stage in STAGES:
        for block in backbone.get_submodule(stage):
            kernels = [m.kernel_size for m in (block.conv1, block.conv2)]
            assert kernels == [(3, 3), (3, 3)]
            assert sum(isinstance(module, SEModule) for module in block.modules()) == 1


def test_parameters_are_those_of_resnet34_and_of_sixteen_gates():
    resnet34 = torchvision.models.resnet34()
    expected = sum(p.numel() for name, p in resnet34.named_parameters() if name[:3] != "fc.")
    expected -= 2 * 64 * 7 * 7  # one input channel, not three
    for blocks, channels, hidden in ((3, 64, 8), (4, 128, 8), (6, 256, 16), (3, 512, 32)):
        expected += blocks * (2 * channels * hidden + hidden + channels)
    assert sum(p.numel() for p in seeded_tresnet().parameters()) == expected


def test_the_root_is_a_convolution_after_space_to_depth():
    # moving 2 x 2 blocks into channels makes of 7 x 7, stride 2, a kernel of 4 x 4, stride 1
    root = seeded_tresnet().conv1.double()
    images = random_images(2, 32).double()
    kernel = nn.functional.pixel_unshuffle(nn.functional.pad(root.weight, (1, 0, 1, 0)), 2)
    deep = nn.functional.pad(nn.functional.pixel_unshuffle(images, 2), (2, 1, 2, 1))
    assert torch.allclose(nn.functional.conv2d(deep, kernel), root(images), atol=1e-12)


class EverySecond(nn.Module):
    """Thinning out without a blur."""

    def forward(self, maps):
        return maps[:, :, ::2, ::2]


def test_blur_makes_the_answer_depend_less_on_a_shift_by_one_pixel():
    def dependence(backbone):
        images = torch.zeros(6, 1, 64, 64)
        images[:, :, 12:52, 12:52] = random_images(6, 40)
        with torch.no_grad():
            here = backbone(images)
            there = backbone(images.roll((1, 1), dims=(2, 3)))
        return float((here - there).norm() / here.norm())

    blurred = open_branches(seeded_tresnet())
    sharp = open_branches(seeded_tresnet())
    for stage in STAGES[1:]:
        assert isinstance(blurred.get_submodule(stage)[0].aa, BlurPool2d)
        sharp.get_submodule(stage)[0].aa = EverySecond()
        sharp.get_submodule(stage)[0].downsample[0] = EverySecond()
    assert isinstance(blurred.maxpool[1], BlurPool2d)
    sharp.maxpool[1] = nn.Identity()
    assert dependence(blurred) < 0.7 * dependence(sharp)


def open_branches(backbone):
    """Give the residual branches a say, which start at zero, and batch statistics that fit."""
    for module in backbone.modules():
        if hasattr(module, "zero_init_last"):
            nn.init.ones_(module.bn2.weight)
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        backbone.train()(random_images(6, 64, seed=9))
    return backbone.eval()


def test_gradient_reaches_every_parameter():
    network = ImageNetwork(open_branches(seeded_tresnet()), n_features=512, in_channels=1).train()
    network(random_images(4, 64)).square().sum().backward()
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


def test_the_generator_decides_the_weights():
    first, again, other = (seeded_tresnet(seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])


@pytest.mark.parametrize("in_channels", [1, 2])
def test_small_images_give_one_logit_each(in_channels):
    backbone = build_tresnet(in_channels=in_channels)
    network = ImageNetwork(backbone, n_features=backbone.num_features, in_channels=in_channels)
    assert network.eval()(torch.rand(3, in_channels, 64, 64)).shape == (3,)


def test_grad_cam_looks_at_the_deepest_stage_that_can_still_tell_places_apart():
    network = build_network("tresnet", in_channels=1, weights="none", seed=0)
    backbone = network.backbone
    assert deepest_stage(network, 224) is backbone.layer4
    assert deepest_stage(network, 64) is backbone.layer3
    # all channels of the last stage, which are not negative, speak for the positive class
    nn.init.ones_(network.head.weight)
    heat = grad_cam(network, random_images(2, 64))
    assert heat.shape == (2, 64, 64)
    assert heat.max() == 1


def test_everything_wrong_is_named():
    with pytest.raises(InputError, match=r"in_channels is 0.*; pool_stride is 3; allowed: 1 or 2"):
        build_tresnet(in_channels=0, pool_stride=3)


def test_build_network_knows_it_by_name_and_has_no_weights_of_imagenet():
    network = build_network("tresnet", in_channels=1, weights="none", seed=0)
    assert network(torch.rand(2, 1, 64, 64)).shape == (2,)
    with pytest.raises(InputError, match="no ImageNet weights for tresnet"):
        build_network("tresnet", in_channels=1, weights="imagenet", seed=0)
