from dataclasses import replace

import pytest
import torch

from lnm_kit.errors import InputError
from lnm_kit.training.masked_augmentation import (
    MaskedAugmentation,
    draw_masked_variation,
    vary_with_maps,
)

OFF = MaskedAugmentation(1.0, 0.0, 1.0, 0.0, 0.0, 0.0)
ALWAYS = MaskedAugmentation(probability=1.0)


def discs(n=6, side=48, width=None):
    """Images that are their own first map, so that both must move alike; the second is a ring."""
    width = width or side
    row, column = torch.meshgrid(torch.arange(side), torch.arange(width), indexing="ij")
    distance = ((row - side * 0.4) ** 2 + (column - width * 0.6) ** 2).sqrt()
    maps = torch.stack([distance < side / 5, (distance - side / 5).abs() < 2])
    maps = maps.float().expand(n, 2, side, width).contiguous()
    return maps[:, :1].clone(), maps


def vary(augmentation, n=6, seed=0, **shape):
    images, maps = discs(n, **shape)
    variation = draw_masked_variation(n, augmentation, torch.Generator().manual_seed(seed))
    return images, maps, *vary_with_maps(images, maps, variation)


@pytest.mark.parametrize(
    "setting",
    [{"rotation_degrees": 15.0}, {"crop_area": 0.9}, {"elastic": 0.02}, {}],
)
def test_image_and_maps_move_as_one(setting):
    kinds = replace(OFF, **setting) if setting else ALWAYS
    images, maps, varied, moved = vary(replace(kinds, brightness=0.0, contrast=0.0))
    assert (varied - images).abs().amax(dim=(1, 2, 3)).min() > 0.3
    agree = ((varied[:, 0] > 0.5) == (moved[:, 0] > 0.5)).float().mean(dim=(1, 2))
    assert agree.min() > 0.985
    # and more closely than the map where it was
    left = ((varied[:, 0] > 0.5) == (maps[:, 0] > 0.5)).float().mean(dim=(1, 2))
    assert (agree > left).all()
    assert set(moved.unique().tolist()) == {0.0, 1.0}


def test_the_ring_stays_around_the_disc():
    _, _, _, moved = vary(ALWAYS, n=20)
    for disc, ring in moved:
        inner = torch.nn.functional.max_pool2d(-disc[None], 7, 1, 3)[0] == -1
        outer = torch.nn.functional.max_pool2d(disc[None], 9, 1, 4)[0] == 0
        assert not (ring.bool() & (inner | outer)).any()


def test_nothing_is_nothing():
    images, maps, varied, moved = vary(OFF)
    flipped = draw_masked_variation(6, OFF, torch.Generator()).matrix[:, 0, 0] < 0
    assert flipped.all()  # with probability 1 every image is flipped, and no more than that
    torch.testing.assert_close(varied, images.flip(-1), atol=1e-4, rtol=0)
    assert torch.equal(moved, maps.flip(-1))
    images, maps, varied, moved = vary(MaskedAugmentation(probability=0.0))
    torch.testing.assert_close(varied, images, atol=1e-5, rtol=0)
    assert torch.equal(moved, maps)


def test_each_kind_happens_with_its_probability_and_in_its_range():
    n = 4000
    settings = MaskedAugmentation()
    drawn = draw_masked_variation(n, settings, torch.Generator().manual_seed(0))
    matrix = drawn.matrix
    flip = matrix[:, 0, 0] < 0
    side = (matrix[:, 0, 1] ** 2 + matrix[:, 1, 1] ** 2).sqrt()
    angle = torch.rad2deg(torch.atan2(-matrix[:, 0, 1], matrix[:, 1, 1]))
    happened = {
        "flip": flip,
        "crop": side < 1 - 1e-6,
        "rotation": angle.abs() > 1e-4,
        "elastic": drawn.displacement.abs().amax(dim=(1, 2, 3)) > 0,
        "contrast": drawn.gray[:, 0] != 1,
        "brightness": drawn.gray[:, 1] != 0,
    }
    for name, kind in happened.items():
        assert abs(kind.float().mean().item() - 0.5) < 5 * (0.25 / n) ** 0.5, name
    assert angle.abs().max() <= 15.001
    assert (side**2).min() >= 0.9 - 1e-5
    assert (side[:, None] + matrix[:, :, 2].abs()).max() <= 1 + 1e-5  # the crop is in the image
    assert (drawn.gray[:, 0] - 1).abs().max() <= 0.1
    assert drawn.gray[:, 1].abs().max() <= 0.1
    assert drawn.displacement.std() == pytest.approx(2 * 0.01 * 0.5**0.5, rel=0.03)


def test_brightness_and_contrast_leave_maps_alone():
    images, maps, varied, moved = vary(replace(OFF, brightness=0.1, contrast=0.1))
    assert torch.equal(moved, maps.flip(-1))
    assert (varied - images.flip(-1)).abs().max() > 0.02


def test_a_rotated_circle_is_a_circle_when_the_image_is_not_square():
    augmentation = replace(OFF, rotation_degrees=45.0)
    _, maps, _, moved = vary(augmentation, n=10, side=40, width=80)
    whole = moved[:, 0].sum(dim=(1, 2))
    # reflection adds to discs that reach the edge; none of them shrinks or is stretched much
    assert (whole / maps[:, 0].sum(dim=(1, 2)) - 1).abs().median() < 0.05


def test_a_seed_is_a_variation_and_a_part_of_it_is_that_part():
    first, same, other = (vary(ALWAYS, seed=seed)[2] for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    images, maps = discs()
    variation = draw_masked_variation(6, ALWAYS, torch.Generator().manual_seed(1))
    part = slice(1, 6, 2)
    torch.testing.assert_close(
        vary_with_maps(images[part], maps[part], variation[part])[0], first[part]
    )


def test_settings_out_of_range_are_listed():
    with pytest.raises(InputError, match=r"crop_area is 0.*elastic is 1.*elastic_knots is 1"):
        MaskedAugmentation(crop_area=0, elastic=1, elastic_knots=1)
