"""What stands beside the thyroid is drawn only where it is, and nothing of it is cut off."""

import numpy as np
import pytest

from lnm_kit.simulate import structures
from lnm_kit.simulate.body import build_body
from lnm_kit.simulate.nodule import Nodule
from lnm_kit.simulate.scanner import SCANNERS
from lnm_kit.simulate.ultrasound import render

NODULE = Nodule(12.0, 0.8, 1.0, 0.0, -3.0, 1.6, "solid", "none", 0, "middle", 3)


def frames():
    scanner = SCANNERS["center_1"]
    return [render(NODULE, scanner, plane="transverse", seed=seed).pixels for seed in range(8)]


def test_walls_drawn_near_themselves_are_those_drawn_over_the_whole_image(monkeypatch):
    near = frames()
    monkeypatch.setattr(structures, "_WALL_REACH_PX", 10_000)
    for drawn, whole in zip(near, frames(), strict=True):
        np.testing.assert_array_equal(drawn, whole)


@pytest.mark.parametrize("plane", ["transverse", "longitudinal"])
def test_the_field_of_a_grid_is_that_of_its_points(plane):
    body = build_body(NODULE)
    lateral, deep = np.linspace(-9, 9, 13), np.linspace(-6, 6, 11)
    points = body.field(plane, *np.meshgrid(lateral, deep), 2.0)
    np.testing.assert_allclose(body.field(plane, lateral[None], deep[:, None], 2.0), points)
    wave = body.waves[:, [0 if plane == "transverse" else 2, 1]] / 2.0
    waves = np.cos(wave @ [lateral[4], deep[7]] + body.phases)
    assert points[7, 4] == pytest.approx(waves.sum() * np.sqrt(2 / len(waves)))
