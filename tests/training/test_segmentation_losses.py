import numpy as np
import pytest
import torch

from lnm_kit.errors import InputError
from lnm_kit.training.segmentation_losses import dice, iou_loss, segmentation_loss


def maps(seed=0, shape=(3, 2, 5, 6)):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(shape, generator=generator, dtype=torch.float64)
    return logits, (torch.rand(shape, generator=generator) < 0.4).double()


def test_the_loss_is_the_formula_pixel_by_pixel():
    logits, targets = maps()
    p, t = 1 / (1 + np.exp(-logits.numpy())), targets.numpy()
    cross_entropy, iou = [], []
    for n in range(3):
        for m in range(2):
            shared = union = 0.0
            for a, b in zip(p[n, m].ravel(), t[n, m].ravel(), strict=True):
                cross_entropy.append(-np.log(a if b else 1 - a))
                shared += a * b
                union += a + b - a * b
            iou.append(1 - (shared + 1) / (union + 1))
    found = segmentation_loss(logits, targets).item()
    assert found == pytest.approx(np.mean(cross_entropy) + np.mean(iou), rel=1e-5)


def test_it_is_zero_when_all_is_right_and_largest_when_all_is_wrong():
    _, targets = maps()
    sure = 40 * (targets - 0.5)
    assert segmentation_loss(sure, targets).item() == pytest.approx(0, abs=1e-6)
    assert iou_loss(1 - targets, targets).item() > 0.9
    assert segmentation_loss(-sure, targets) > segmentation_loss(0 * sure, targets)


def test_an_empty_map_left_empty_costs_nothing():
    nothing = torch.zeros(1, 2, 4, 4)
    assert iou_loss(nothing, nothing).item() == 0
    assert torch.equal(dice(nothing - 1, nothing), torch.ones(1, 2))


def test_a_step_down_the_gradient_lowers_it():
    logits, targets = maps()
    logits.requires_grad_()
    loss = segmentation_loss(logits, targets)
    loss.backward()
    assert logits.grad.abs().min() > 0
    assert segmentation_loss(logits - logits.grad, targets) < loss


def test_dice_of_sets():
    logits, targets = maps()
    for n in range(3):
        for m in range(2):
            a = set(np.flatnonzero(logits[n, m].numpy() > 0))
            b = set(np.flatnonzero(targets[n, m].numpy()))
            expected = 2 * len(a & b) / (len(a) + len(b))
            assert dice(logits, targets)[n, m].item() == pytest.approx(expected)


def test_shapes_must_agree():
    with pytest.raises(InputError, match="needed: the same"):
        segmentation_loss(torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4))
