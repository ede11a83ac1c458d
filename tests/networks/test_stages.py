import pytest
import torch
from torch import nn
from torchvision import models

from lnm_kit.errors import InputError
from lnm_kit.networks import build_network
from lnm_kit.networks.stages import as_maps, output_shapes, stage_table
from lnm_kit.published import published

PRINTED = {
    "resnet18": models.ResNet18_Weights.IMAGENET1K_V1,
    "resnet34": models.ResNet34_Weights.IMAGENET1K_V1,
    "resnet50": models.ResNet50_Weights.IMAGENET1K_V1,
    "resnet101": models.ResNet101_Weights.IMAGENET1K_V1,
    "densenet121": models.DenseNet121_Weights.IMAGENET1K_V1,
    "vgg11": models.VGG11_Weights.IMAGENET1K_V1,
    "alexnet": models.AlexNet_Weights.IMAGENET1K_V1,
    "inception_v3": models.Inception_V3_Weights.IMAGENET1K_V1,
}
AUXILIARY = 3_326_696
"""Parameters of Inception's second classifier, which torchvision counts."""


def build(name, in_channels=1):
    return build_network(name, in_channels=in_channels, weights="none", seed=0)


@pytest.mark.parametrize("name", PRINTED)
def test_cost_and_parameters_are_those_that_torchvision_publishes(name):
    # published for three channels and 1000 classes, here one logit
    network = build(name, in_channels=3)
    table = stage_table(network, side_px=299 if name == "inception_v3" else 224)
    printed = PRINTED[name].meta
    more_outputs = 999 * network.n_features
    assert table.gmac.sum() + more_outputs / 1e9 == pytest.approx(printed["_ops"], abs=0.002)
    auxiliary = AUXILIARY if name == "inception_v3" else 0
    parameters = table.parameters.sum() + more_outputs + 999 + auxiliary
    assert parameters == printed["num_params"]


def test_a_vision_transformer_costs_what_its_matrix_products_cost():
    table = stage_table(build("vit_small_patch16_224", in_channels=3), side_px=224)
    tokens, width, blocks = 197, 384, 12
    linear = tokens * (3 + 1 + 4 + 4) * width**2
    attention = 2 * tokens**2 * width
    expected = blocks * (linear + attention) + 196 * 768 * width + width
    assert table.gmac.sum() * 1e9 == pytest.approx(expected, rel=1e-9)
    # Touvron et al. 2021 print 22 M parameters and 4.6 billion for this size
    assert round(table.gmac.sum(), 1) == 4.6
    assert table.parameters.sum() + 999 * 385 == 22_050_664
    sizes = table.set_index("module").loc[["backbone.patch_embed", "backbone.blocks"]]
    assert sizes[["channels", "height_px", "width_px"]].to_numpy().tolist() == [[384, 14, 14]] * 2
    loose = table[table.kind == "Parameter"]
    assert loose.module.tolist() == ["backbone.cls_token, backbone.pos_embed"]
    assert loose.height_px.isna().all()


def test_tresnet_has_the_parts_of_table_s2():
    table_s2 = published("llnm")["table_s2"]
    printed = [dict(zip(table_s2["columns"], row, strict=True)) for row in table_s2["rows"]]
    printed = [row for row in printed if row["name"] not in ("Input Layer", "Head Layer")]
    table = stage_table(build("tresnet"), side_px=224)
    parts = table[table.height_px > 1]
    sizes = [f"{row.height_px} × {row.width_px}" for row in parts.itertuples()]
    assert sizes == [row["output_size"] for row in printed]
    assert [str(n) for n in parts.n_blocks] == [row["n_blocks"] for row in printed]
    channels = [f"c{row.channels}," for row in parts.itertuples()]
    assert all(
        c in p["setting"]
        for c, p in zip(channels, printed, strict=True)
        if p["setting"][4:5] == "c"
    )
    assert parts.kind.tolist()[1] == "MaxPool2d + BlurPool2d"
    assert set(parts.kind[-4:]) == {"BasicBlock + SE"}


@pytest.mark.parametrize("name", ["resnet10t", "densenet121", "alexnet", "tresnet"])
def test_rows_add_up_to_the_network(name):
    network = build(name, in_channels=2).train()
    table = stage_table(network, side_px=64)
    assert table.parameters.sum() == sum(p.numel() for p in network.parameters())
    assert table.module.tolist()[-1] == "head"
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())


def test_making_the_table_leaves_weights_and_statistics_alone():
    network = build("resnet10t").train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    stage_table(network, side_px=64)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_tokens_are_laid_out_as_their_patches_lie():
    network = build("vit_small_patch16_224").eval()
    image = torch.zeros(1, 1, 64, 64)
    image[:, :, 16:32, 48:64] = 1  # row 1, column 3 of 4 x 4 patches
    embed = network.backbone.patch_embed
    with torch.no_grad():
        maps = as_maps(embed(image), network, embed)
        tokens = torch.cat([torch.full((1, 1, 384), 9.0), maps.flatten(2).transpose(1, 2)], dim=1)
        differs = (as_maps(tokens, network) - maps[:, :, :1, :1]).abs().amax(1)[0] > 1e-4
    assert differs.nonzero().tolist() == [[1, 3]]


def test_tokens_that_fill_no_square_are_refused():
    with pytest.raises(InputError, match="8 tokens do not fill a square"):
        as_maps(torch.zeros(1, 8, 4), nn.Identity())


def test_modules_that_are_not_used_have_no_shape():
    class Idle(nn.Module):
        def __init__(self):
            super().__init__()
            self.used = nn.Conv2d(1, 3, 3)
            self.idle = nn.Conv2d(3, 3, 3)

        def forward(self, images):
            return self.used(images)

    assert output_shapes(Idle(), ["used", "idle"], side_px=8) == {"used": (3, 6, 6)}


@pytest.mark.parametrize(("side", "found"), [(0, "side_px is 0"), (40, "40 x 40 px")])
def test_sizes_that_cannot_be_read_are_refused(side, found):
    network = build("alexnet")
    with pytest.raises(InputError, match=found):
        stage_table(network, side_px=side)
    assert not any(module._forward_hooks for module in network.modules())
