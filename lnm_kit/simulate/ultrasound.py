"""Simulated B-mode frames of a thyroid nodule with the mask of what was drawn."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lnm_kit.errors import one_of
from lnm_kit.simulate.anatomy import Scene, Textures, draw_layers, gland_texture, plan
from lnm_kit.simulate.body import Plane, build_body
from lnm_kit.simulate.lesion import draw_foci, draw_nodule
from lnm_kit.simulate.nodule import Nodule
from lnm_kit.simulate.scanner import Scanner
from lnm_kit.simulate.speckle import console_gain, display, envelope, shadow
from lnm_kit.simulate.structures import draw_structures

#: Echoes above this level are cut, as the receiver saturates.
CEILING_DB = 14.0


@dataclass(frozen=True)
class Frame:
    """One simulated image.

    Attributes
    ----------
    pixels
        Gray levels, (H, W) uint8; row 0 lies at the probe.
    mask
        The nodule as drawn, (H, W) bool.
    spacing_mm
        Size of a pixel, (row, column).
    """

    pixels: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.bool_]
    spacing_mm: tuple[float, float]


def build_scene(nodule: Nodule, *, plane: Plane, seed: int) -> Scene:
    """Lay out the neck around a nodule in one plane, before any scanner."""
    one_of("plane", plane, ("transverse", "longitudinal"))
    rng = np.random.default_rng([0x5CE, nodule.seed, seed, plane == "transverse"])
    body = build_body(nodule)
    layout = plan(nodule, body, plane, rng)
    texture = Textures(layout.shape, rng)
    gland = gland_texture(texture, nodule)
    scene = draw_layers(layout, texture, gland, rng)
    reach = float(body.outline(plane).max() / layout.spacing_mm)
    draw_structures(scene, layout, nodule.location, reach, texture, rng)
    draw_foci(scene, layout, nodule, rng)
    draw_nodule(scene, layout, nodule, body, gland, rng)
    return scene


def render(nodule: Nodule, scanner: Scanner, *, plane: Plane, seed: int) -> Frame:
    """Render one frame of a nodule; the same arguments give the same pixels.

    The shape, the depth and the calcifications belong to `nodule` and stay the same in every
    frame of it; speckle, the undulation of the layers and the knobs of the scanner come from
    `seed`. The image is simulated and shows no patient.

    Parameters
    ----------
    nodule
        What to draw, from `describe_nodule`.
    scanner
        One of `SCANNERS`.
    plane
        transverse or longitudinal.
    seed
        Random stream of this frame.

    Raises
    ------
    InputError
        When `plane` is neither of the two.

    Examples
    --------
    >>> from lnm_kit.simulate.scanner import SCANNERS
    >>> nodule = Nodule(10.0, 1.2, 1.0, 0.0, -4.0, 1.6, "solid", "none", 0, "middle", 5)
    >>> frame = render(nodule, SCANNERS["center_1"], plane="transverse", seed=1)
    >>> frame.pixels.dtype, frame.pixels.shape == frame.mask.shape, bool(frame.mask.any())
    (dtype('uint8'), True, True)
    """
    scene = build_scene(nodule, plane=plane, seed=seed)
    rng = np.random.default_rng([0x5CA, nodule.seed, seed, plane == "transverse"])
    knobs = scanner.jittered(rng)
    echo = np.minimum(scene.echo_db, CEILING_DB) + shadow(scene.attenuation_db)
    echo = np.maximum(echo, scene.artifact_db) + console_gain(echo.shape, rng)
    level = envelope(_oversample(echo), knobs, rng)
    pixels = display(level, knobs, rng)
    return Frame(pixels, scene.mask, (scene.spacing_mm, scene.spacing_mm))


def _oversample(echo: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Double the rows linearly; the pair 2i, 2i+1 has its middle on row i."""
    up = np.concatenate([echo[:1], echo[:-1]])
    down = np.concatenate([echo[1:], echo[-1:]])
    fine = np.empty((2 * echo.shape[0], echo.shape[1]), dtype=np.float32)
    fine[0::2] = 0.75 * echo + 0.25 * up
    fine[1::2] = 0.75 * echo + 0.25 * down
    return fine
