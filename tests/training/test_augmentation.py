import pytest
import torch

from lnm_kit.errors import InputError
from lnm_kit.training import NO_AUGMENTATION, Augmentation, augment
from lnm_kit.training.augmentation import apply_variation, draw_variation

IDENTITY = torch.tensor([1.0, 0, 0, 0, 1, 0, 1, 0, 0, 0])


def images(n=4, channels=2, height=16, width=16, seed=0):
    return torch.rand(n, channels, height, width, generator=generator(seed))


def generator(seed):
    return torch.Generator().manual_seed(seed)


def test_switched_off_it_returns_the_image():
    batch = images(height=15, width=22)
    assert torch.allclose(augment(batch, NO_AUGMENTATION, generator(0)), batch, atol=1e-6)


def test_certain_flip_is_torch_flip():
    batch = images(height=15, width=22)
    always = Augmentation(0, 1, 1, 0, 0)
    assert torch.allclose(augment(batch, always, generator(0)), batch.flip(3), atol=1e-5)


def test_flip_probability_is_met():
    drawn = draw_variation(4000, Augmentation(0, 0.3, 1, 0, 0), generator(0))
    assert (drawn[:, 0] < 0).float().mean().item() == pytest.approx(0.3, abs=0.03)


def quarter_turn(sign, n=1):
    row = IDENTITY.clone()
    row[:6] = torch.tensor([0.0, -sign, 0, sign, 0, 0])
    return row.repeat(n, 1)


@pytest.mark.parametrize("turns", [1, -1])
def test_quarter_turn_is_torch_rot90(turns):
    batch = images(n=1)
    turned = apply_variation(batch, quarter_turn(float(turns)))
    assert torch.allclose(turned, batch.rot90(turns, (2, 3)), atol=1e-5)


def test_drawn_angles_fill_the_range_to_both_sides():
    drawn = draw_variation(2000, Augmentation(20, 0, 1, 0, 0), generator(0))
    degrees = torch.rad2deg(torch.atan2(drawn[:, 3], drawn[:, 0]))
    assert -20 <= degrees.min() < -19
    assert 19 < degrees.max() <= 20
    assert abs(degrees.mean()) < 1


def test_rotation_keeps_a_disc_round_on_an_image_that_is_not_square():
    row, column = torch.meshgrid(torch.arange(40.0), torch.arange(80.0), indexing="ij")
    disc = ((row - 19.5) ** 2 + (column - 39.5) ** 2 < 12**2).float()[None, None]
    turned = apply_variation(disc, quarter_turn(1.0))
    # beyond the middle square, the turned image is filled by reflection
    assert (turned - disc)[..., 20:60].abs().mean() < 1e-4


def test_crops_lie_within_the_image():
    drawn = draw_variation(2000, Augmentation(0, 0, 0.6, 0, 0), generator(0))
    side, x, y = drawn[:, 0], drawn[:, 2], drawn[:, 5]
    assert side.min() >= 0.6
    assert side.max() <= 1
    assert ((x.abs() + side) <= 1 + 1e-6).all()
    assert ((y.abs() + side) <= 1 + 1e-6).all()
    assert x.std() > 0.1


def test_half_side_crop_of_a_corner_is_the_enlarged_corner():
    batch = images(n=1, height=32, width=32)
    row = IDENTITY.clone()
    row[:6] = torch.tensor([0.5, 0, -0.5, 0, 0.5, -0.5])
    corner = torch.nn.functional.interpolate(batch[..., :16, :16], (32, 32), mode="bilinear")
    cropped = apply_variation(batch, row[None])
    assert torch.allclose(cropped[..., 1:-1, 1:-1], corner[..., 1:-1, 1:-1], atol=1e-5)


def test_brightness_and_contrast_change_mean_and_spread_alone():
    batch = images()
    toned = augment(batch, Augmentation(0, 0, 1, 0.1, 0.3), generator(0))
    shift = toned.mean((2, 3)) - batch.mean((2, 3))
    ratio = toned.std((2, 3)) / batch.std((2, 3))
    assert shift.abs().max() <= 0.1 + 1e-5
    assert (ratio - 1).abs().max() <= 0.3 + 1e-5
    assert shift.std() > 0.01
    assert ratio.std() > 0.01
    standard = [(x - x.mean((2, 3), True)) / x.std((2, 3), keepdim=True) for x in (batch, toned)]
    assert torch.allclose(*standard, atol=1e-4)


def test_shear_tilts_upright_edges_and_keeps_level_ones():
    only_shear = Augmentation(0, 0, 1, 0, 0, shear_degrees=30)
    drawn = draw_variation(500, only_shear, generator(0))
    tilt = torch.rad2deg(drawn[:, 1].atan())
    assert -30 <= tilt.min() < -28
    assert 28 < tilt.max() <= 30
    level = torch.zeros(1, 1, 32, 32)
    level[:, :, 16:] = 1
    upright = level.transpose(2, 3)
    assert torch.allclose(augment(level, only_shear, generator(1)), level, atol=1e-5)
    assert (augment(upright, only_shear, generator(1)) - upright).abs().max() > 0.5


def test_noise_has_its_spread_and_differs_between_images():
    batch = torch.full((6, 1, 64, 64), 0.5)
    noisy = augment(batch, Augmentation(0, 0, 1, 0, 0, noise_sd=0.1), generator(0))
    added = (noisy - batch).flatten(1)
    assert added.std(dim=1) == pytest.approx(0.1, rel=0.05)
    assert torch.corrcoef(added).fill_diagonal_(0).abs().max() < 0.1
    again = augment(batch, Augmentation(0, 0, 1, 0, 0, noise_sd=0.1), generator(0))
    assert torch.equal(noisy, again)


def test_same_generator_state_gives_the_same_variation_and_global_state_does_not_matter():
    batch = images()
    torch.manual_seed(1)
    first = augment(batch, Augmentation(), generator(5))
    torch.manual_seed(2)
    assert torch.equal(augment(batch, Augmentation(), generator(5)), first)
    assert not torch.equal(augment(batch, Augmentation(), generator(6)), first)


def test_every_image_is_varied_in_its_own_way_and_channels_together():
    batch = images(n=1, channels=1).repeat(8, 2, 1, 1)
    varied = augment(batch, Augmentation(), generator(0))
    distances = torch.cdist(varied.flatten(1), varied.flatten(1)) + torch.eye(8) * 99
    assert distances.min() > 0.1
    assert torch.equal(varied[:, 0], varied[:, 1])


def test_no_black_corners_after_a_rotation():
    varied = augment(torch.ones(8, 1, 32, 32), Augmentation(45, 0, 1, 0, 0), generator(0))
    assert torch.allclose(varied, torch.ones_like(varied), atol=1e-5)


def test_settings_out_of_range_are_listed_together():
    with pytest.raises(InputError, match=r"flip_probability is 1.5.*crop_scale is 0;.*contrast"):
        Augmentation(flip_probability=1.5, crop_scale=0, contrast=-1)
    with pytest.raises(InputError, match=r"shear_degrees is 90.*noise_sd is -1"):
        Augmentation(shear_degrees=90, noise_sd=-1)
