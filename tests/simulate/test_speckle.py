from dataclasses import replace

import numpy as np
import pytest

from lnm_kit.simulate.fields import gaussian_field, random_curve, shear_columns
from lnm_kit.simulate.scanner import SCANNERS
from lnm_kit.simulate.speckle import display, envelope, shadow

QUIET = replace(SCANNERS["center_1"], noise_db=-100.0)


@pytest.fixture(scope="module")
def level():
    rng = np.random.default_rng(0)
    return np.stack([envelope(np.zeros((600, 400)), QUIET, rng) for _ in range(4)])


def test_level_echo_gives_rayleigh_speckle(level):
    # Wagner 1983: mean over standard deviation of fully developed speckle is 1.91.
    assert level.mean() / level.std() == pytest.approx(1.913, abs=0.03)
    intensity = level**2
    for quantile in (0.1, 0.25, 0.5, 0.75, 0.9, 0.99):
        expected = -np.log(1 - quantile)
        assert np.quantile(intensity, quantile) == pytest.approx(expected, rel=0.04)


def test_power_does_not_change_with_depth(level):
    bands = [(band**2).mean() for band in np.array_split(level, 6, axis=1)]
    assert np.allclose(bands, 1.0, atol=0.08)


def test_speckle_widens_away_from_the_focus(level):
    def lateral_correlation(rows):
        part = rows - rows.mean()
        return (part[..., 2:] * part[..., :-2]).mean() / part.var()

    near, far = lateral_correlation(level[:, :150]), lateral_correlation(level[:, -150:])
    assert far > near + 0.05


def test_echo_level_in_db_scales_the_envelope(level):
    louder = envelope(np.full((600, 400), 6.0), QUIET, np.random.default_rng(0))
    assert 20 * np.log10(louder.mean() / level[0].mean()) == pytest.approx(6.0, abs=0.01)


def test_noise_fills_what_echoes_nothing():
    noisy = replace(QUIET, noise_db=-30.0)
    silent = envelope(np.full((600, 300), -200.0), noisy, np.random.default_rng(2))
    top, bottom = (silent[:60] ** 2).mean(), (silent[-60:] ** 2).mean()
    assert bottom > 5 * top > 0
    assert 10 * np.log10((silent[290:310] ** 2).mean()) == pytest.approx(-30, abs=0.5)


def test_gray_map_follows_its_formula():
    plain = replace(
        QUIET, blur_lateral_px=1e-3, blur_axial_px=1e-3, edge_boost=0.0, jpeg_quality=95, gain_db=0
    )
    for db in (-30.0, -10.0, 0.0, 10.0):
        gray = display(np.full((80, 80), 10 ** (db / 20)), plain, np.random.default_rng(0))
        expected = 255 * ((db + 42.6) / 65) ** 2.35
        assert gray.mean() == pytest.approx(expected, abs=1.0)
    assert gray.dtype == np.uint8
    assert gray.shape == (40, 80)


def test_a_lossy_file_is_coarser():
    rng = np.random.default_rng(3)
    speckle = envelope(np.zeros((160, 80)), QUIET, rng)

    def shown(quality):
        return display(speckle, replace(QUIET, jpeg_quality=quality), np.random.default_rng(1))

    fine, coarse = shown(95).astype(float), shown(20).astype(float)
    assert 2 < np.abs(fine - coarse).mean() < 20


def test_shadow_is_the_running_loss_and_enhancement_the_running_gain():
    loss = np.zeros((100, 60), dtype=np.float32)
    loss[20:30, 20:40] = 1.0
    loss[20:30, 50:60] = -0.1
    gain = shadow(loss)
    assert np.allclose(gain[:20], 0, atol=1e-6)
    assert gain[40, 30] == pytest.approx(-10, abs=0.5)
    assert gain[40, 59] == pytest.approx(1.0, abs=0.2)


def test_fields_have_unit_variance_and_the_asked_scale():
    field = gaussian_field(np.random.default_rng(1), (256, 256), 3.0, 8.0)
    assert field.dtype == np.float32
    assert field.std() == pytest.approx(1.0, abs=1e-4)
    # White noise smoothed by a Gaussian of sigma s correlates as exp(-lag^2 / (4 s^2)).
    for axis, sigma in ((0, 3.0), (1, 8.0)):
        lag = round(sigma)
        correlation = (field * np.roll(field, lag, axis)).mean()
        assert correlation == pytest.approx(np.exp(-(lag**2) / (4 * sigma**2)), abs=0.08)


def test_fields_are_as_variable_at_the_border_as_inside():
    rng = np.random.default_rng(2)
    fields = np.stack([gaussian_field(rng, (64, 64), 2, 2) for _ in range(200)])
    spread = fields.std(axis=0)
    assert spread[0].mean() == pytest.approx(spread[32].mean(), rel=0.05)


def test_curves_have_unit_variance_at_every_scale():
    for sigma in (4, 20, 60):
        rng = np.random.default_rng(7)
        curves = np.stack([random_curve(rng, 200, sigma) for _ in range(300)])
        assert curves.std() == pytest.approx(1.0, abs=0.08)


def test_shearing_by_whole_pixels_rolls_columns():
    field = gaussian_field(np.random.default_rng(1), (32, 5), 2, 1)
    shift = np.array([0, 1, -2, 5, 40])
    expected = np.stack([np.roll(field[:, j], shift[j]) for j in range(5)], axis=1)
    assert np.allclose(shear_columns(field, shift), expected)
