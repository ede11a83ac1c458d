import numpy as np
import pytest
import torch
from torch import nn

from lnm_kit.errors import InputError
from lnm_kit.networks.fusion import FusionNetwork
from lnm_kit.networks.multitask import (
    MARKED_SHARE,
    Branch,
    Decoder,
    MultitaskNetwork,
    UpsampleBlock,
)


def unimodal(encoder="resnet10t", seed=0):
    return MultitaskNetwork(encoder, in_channels=1, weights="none", seed=seed)


def images(n, side, seed=0):
    return torch.rand(n, 1, side, side, generator=torch.Generator().manual_seed(seed))


def fusion_network(fusion="diverse_granularity", **arguments):
    return FusionNetwork(fusion, encoder="resnet10t", weights="none", seed=0, **arguments)


@pytest.mark.parametrize("encoder", ["resnet18", "resnet34"])
def test_the_printed_encoders_give_512_features(encoder):
    network = unimodal(encoder)
    assert network.branch.n_features == 512
    assert network.classifier[0].in_features == 512
    answer = network.eval()(images(1, 64))
    assert answer.logit.shape == (1,)
    assert answer.segmentations[0].shape == (1, 2, 64, 64)


def test_a_decoder_has_five_blocks_of_the_printed_layers_and_skips():
    decoder = Decoder([64, 64, 128, 256, 512], dropout=0.1)
    assert len(decoder.blocks) == 5
    inputs = [block.convolution[0].in_channels for block in decoder.blocks]
    assert inputs == [512 + 256, 256 + 128, 128 + 64, 64 + 64, 32]
    for block in decoder.blocks:
        kinds = [type(layer) for layer in block.convolution]
        assert kinds == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Dropout]
        assert block.convolution[0].kernel_size == (3, 3)


def test_in_a_new_decoder_every_channel_speaks_for_a_mark_and_few_pixels_are_marked():
    # of channels that are never negative, a map can be marked only by those with weights above 0
    with torch.random.fork_rng():
        torch.manual_seed(0)
        decoder = Decoder([8, 8, 8, 8, 8], dropout=0.0, channels=8)
        maps = [torch.rand(4, 8, side, side) for side in (32, 16, 8, 4, 2)]
    assert (decoder.last.weight > 0).all()
    with torch.no_grad():
        logits = decoder(maps, (64, 64))
    assert logits.mean().item() == pytest.approx(np.log(MARKED_SHARE / (1 - MARKED_SHARE)), abs=0.4)


def test_a_block_enlarges_bilinearly_before_it_convolves():
    block = UpsampleBlock(1, 0, 1, dropout=0.0).eval()
    nn.init.zeros_(block.convolution[0].weight)
    block.convolution[0].weight.data[0, 0, 1, 1] = 1
    maps = torch.rand(1, 1, 3, 3)
    expected = nn.functional.interpolate(maps, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(block(maps, None, (6, 6)), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("side", [33, 48, 65])
def test_segmentations_have_the_size_of_the_image_whatever_it_is(side):
    answer = unimodal().eval()(images(1, side))
    assert answer.segmentations[0].shape[-2:] == (side, side)


def test_maps_are_where_the_image_is():
    branch = Branch("resnet10t", in_channels=1, weights="none", seed=0).eval()
    picture = torch.zeros(1, 1, 128, 128)
    changed = picture.clone()
    changed[..., 100:110, 20:30] = 1
    # the features of the smallest map reach far: only the decoders' last skips tell places
    with torch.no_grad():
        difference = (branch(changed)[1] - branch(picture)[1]).abs().sum(dim=1)[0]
    row, column = divmod(int(difference.argmax()), 128)
    assert abs(row - 105) < 24
    assert abs(column - 25) < 24


def test_each_task_reaches_the_encoder_and_its_own_part_only():
    network = unimodal()
    parts = {
        "logit": list(network.classifier.parameters()),
        0: list(network.branch.decoders[0].parameters()),
        1: list(network.branch.decoders[1].parameters()),
    }
    for task in parts:
        network.zero_grad()
        answer = network(images(2, 48))
        output = answer.logit if task == "logit" else answer.segmentations[0][:, task]
        output.square().sum().backward()
        assert network.branch.backbone.conv1[0].weight.grad.abs().max() > 0
        for other, parameters in parts.items():
            reached = all(
                parameter.grad is not None and parameter.grad.abs().max() > 0
                for parameter in parameters
            )
            assert reached == (other == task)


def test_all_tasks_together_reach_every_weight():
    for network, given in (
        (unimodal(), (images(3, 48),)),
        (fusion_network(), (images(3, 64), images(3, 48, 1))),
    ):
        # residual blocks begin as identities: their last scale is 0 and stops the gradient
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.ones_(module.weight)
        answer = network(*given)
        loss = answer.logit.square().sum() + sum(
            maps.square().mean() for maps in answer.segmentations
        )
        loss.backward()
        unreached = [
            name
            for name, weight in network.named_parameters()
            if weight.grad is None or not weight.grad.abs().max() > 0
        ]
        assert unreached == []


def test_logits_without_decoders_are_the_same():
    network = fusion_network("sum").eval()
    given = images(2, 64), images(2, 48, 1)
    torch.testing.assert_close(network.predict_logits(*given), network(*given).logit)
    one = unimodal().eval()
    torch.testing.assert_close(one.predict_logits(given[0]), one(given[0]).logit)


@pytest.mark.parametrize("fusion", ["concatenation", "sum", "product", "diverse_granularity"])
def test_predictions_do_not_depend_on_batch_mates(fusion):
    network = fusion_network(fusion, n_reference=3)
    network.set_reference(images(3, 48, 5), images(3, 48, 6))
    assert network.training
    network.eval()
    us, ct = images(4, 48), images(4, 48, 1)
    with torch.no_grad():
        together = network.predict_logits(us, ct)
        torch.testing.assert_close(
            network.predict_logits(us[:1], ct[:1]), together[:1], rtol=1e-4, atol=1e-5
        )


def test_ultrasound_and_ct_are_not_exchanged():
    network = fusion_network("concatenation").eval()
    us, ct = images(2, 48), images(2, 48, 1)
    difference = network.predict_logits(us, ct) - network.predict_logits(ct, us)
    assert difference.abs().max() > 1e-4
    assert network.branches == (network.us, network.ct)


def test_normalization_is_applied_and_saved():
    network = unimodal().eval()
    picture = images(2, 48)
    plain = network(picture).logit
    network.branch.set_normalization(torch.tensor([0.5]), torch.tensor([0.25]))
    scaled = network((picture * 0.25) + 0.5).logit
    torch.testing.assert_close(scaled, plain, rtol=1e-3, atol=1e-4)
    other = unimodal(seed=3)
    other.load_state_dict(network.state_dict())
    assert other.branch.mean.item() == 0.5


def test_the_seed_decides_and_branches_differ():
    state = torch.random.get_rng_state()
    first, same, other = unimodal(), unimodal(), unimodal(seed=1)
    bits = [list(network.state_dict().values()) for network in (first, same, other)]
    assert all(torch.equal(a, b) for a, b in zip(bits[0], bits[1], strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(bits[0], bits[2], strict=True))
    both = fusion_network("sum")
    assert not torch.equal(both.us.backbone.conv1[0].weight, both.ct.backbone.conv1[0].weight)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_what_cannot_be_read_is_named():
    with pytest.raises(InputError, match="encoder is 'vgg11'"):
        unimodal("vgg11")
    for wrong in (torch.rand(2, 3, 48, 48), torch.rand(2, 1, 32, 32), torch.rand(2, 48, 48)):
        with pytest.raises(InputError, match="images have shape"):
            unimodal()(wrong)
