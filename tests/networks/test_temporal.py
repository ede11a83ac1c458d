import math

import pytest
import torch

from lnm_kit.errors import InputError
from lnm_kit.networks.temporal import PERIODS_S, TemporalHead, encode_time


def clips(n=3, frames=12, width=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn(n, frames, width, generator=generator),
        torch.rand(n, frames, generator=generator).cumsum(dim=1) * 10,
    )


def test_a_time_is_described_by_its_waves():
    code = encode_time(torch.tensor([[3.0]]))[0, 0]
    expected = [
        wave(2 * math.pi * 3 / period) for period in PERIODS_S for wave in (math.sin, math.cos)
    ]
    torch.testing.assert_close(code, torch.tensor(expected), rtol=1e-5, atol=1e-6)


def test_the_logit_is_the_printed_formula():
    head = TemporalHead(5, width=4, n_heads=2, seed=0).double()
    frames, time_s = (part.double() for part in clips())
    for clip in range(3):
        x = torch.cat([frames[clip], encode_time(time_s[clip]).double()], dim=1)
        h = (x @ head.values[0].weight.T + head.values[0].bias).relu()
        u = (x @ head.scores[0].weight.T + head.scores[0].bias).tanh() @ head.scores[2].weight.T
        pooled = []
        for row in range(2):
            a = u[:, row].exp() / u[:, row].exp().sum()
            pooled.append(sum(a[t] * h[t] for t in range(len(h))))
        logit = torch.cat(pooled) @ head.head.weight[0] + head.head.bias[0]
        torch.testing.assert_close(head(frames, time_s)[clip], logit)


def test_frames_have_no_order_but_their_time():
    head = TemporalHead(5, seed=0)
    frames, time_s = clips()
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    expected = head(frames, time_s)
    torch.testing.assert_close(head(frames[:, order], time_s[:, order]), expected)
    assert (head(frames[:, order], time_s) - expected).abs().max() > 1e-3


def test_padding_takes_no_part_whatever_it_holds():
    head = TemporalHead(5, seed=0)
    frames, time_s = clips()
    expected = head(frames[:, :7], time_s[:, :7])
    present = torch.arange(12).expand(3, 12) < 7
    frames[:, 7:], time_s[:, 7:] = math.nan, math.inf
    torch.testing.assert_close(head(frames, time_s, present), expected)
    _, attention = head.attend(frames, time_s, present)
    assert (attention[:, :, 7:] == 0).all()
    torch.testing.assert_close(attention.sum(dim=2), torch.ones(3, 4))


def test_padding_has_no_gradient_and_frames_have():
    head = TemporalHead(5, seed=0)
    frames, time_s = clips()
    frames.requires_grad_()
    present = torch.arange(12).expand(3, 12) < 7
    head(frames, time_s, present).square().sum().backward()
    assert (frames.grad[:, 7:] == 0).all()
    assert frames.grad[:, :7].abs().amax(dim=2).min() > 0
    assert all(weight.grad.abs().max() > 0 for weight in head.parameters())


@pytest.mark.parametrize("frames", [1, 2, 40])
def test_any_number_of_frames_and_clips_apart(frames):
    head = TemporalHead(5, seed=0)
    given = clips(frames=frames)
    together = head(*given)
    assert together.shape == (3,)
    torch.testing.assert_close(head(*(part[:1] for part in given)), together[:1])


def test_it_learns_when_the_peak_is_and_not_from_one_frame():
    """Two features as of nodule and parenchyma; positive clips peak at 15 s, others at 30 s."""
    generator = torch.Generator().manual_seed(0)
    label = torch.arange(80) % 2
    time_s = torch.arange(0, 60, 4.0).repeat(80, 1)
    peak = torch.where(label == 1, 15.0, 30.0)[:, None]
    curve = torch.exp(-((time_s - peak) ** 2) / 200)
    frames = torch.stack([curve, torch.ones_like(curve)], dim=2)
    frames = frames + 0.1 * torch.randn(frames.shape, generator=generator)
    head = TemporalHead(2, width=16, seed=0)
    head.set_normalization(frames[:60])
    optimizer = torch.optim.Adam(head.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        logits = head(frames[:60], time_s[:60])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, label[:60].float())
        loss.backward()
        optimizer.step()
    assert ((head(frames[60:], time_s[60:]) > 0) == (label[60:] == 1)).float().mean() > 0.9


def test_normalization_leaves_padding_out_and_constant_features_finite():
    head = TemporalHead(5, seed=0)
    frames, _ = clips()
    frames[..., 2] = 4.0
    present = torch.arange(12).expand(3, 12) < 7
    padded = frames.clone()
    padded[:, 7:] = 1e6
    head.set_normalization(padded, present)
    flat = frames[:, :7].flatten(0, 1)
    torch.testing.assert_close(head.mean, flat.mean(dim=0))
    assert head.sd[2] == 1
    torch.testing.assert_close(head.sd[0], flat[:, 0].std(correction=0))


def test_seed_and_global_generator():
    state = torch.random.get_rng_state()
    weights = [TemporalHead(5, seed=seed).head.weight for seed in (0, 0, 1)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.random.get_rng_state(), state)


def test_bad_input_is_named():
    head = TemporalHead(5, seed=0)
    frames, time_s = clips()
    with pytest.raises(InputError, match=r"frames have shape \(3, 12, 4\)"):
        head(frames[..., :4], time_s)
    with pytest.raises(InputError, match=r"times \(3, 11\)"):
        head(frames, time_s[:, :11])
    with pytest.raises(InputError, match="a frame in every clip"):
        head(frames, time_s, torch.zeros(3, 12, dtype=torch.bool))
    with pytest.raises(InputError, match="allowed: 1 or more"):
        TemporalHead(0, seed=0)
