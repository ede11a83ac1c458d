"""What stands beside the thyroid: trachea, carotid, jugular vein, the deep neck muscles."""

from typing import Any

import numpy as np
import numpy.typing as npt

from lnm_kit.simulate.anatomy import Layout, Scene, Textures, Tissue, rows_between
from lnm_kit.simulate.fields import random_curve

Array = npt.NDArray[Any]
Generator = np.random.Generator

# Farther from a wall than this nothing of it is left in the last digit of an echo level.
_WALL_REACH_PX = 14


def draw_structures(
    scene: Scene, layout: Layout, location: str, reach: float, texture: Textures, rng: Generator
) -> None:
    """Add the structures that a plane through a nodule at `location` meets, in place."""
    _longus_colli(scene, layout, texture, rng)
    if layout.plane == "transverse":
        _transverse(scene, layout, location, reach, texture, rng)
    elif location == "isthmus":
        _tracheal_rings(scene, layout, texture, rng)
    elif rng.random() < 0.08:
        _long_vessel(scene, layout, rng)
    _small_vessels(scene, layout, rng)


def _transverse(
    scene: Scene, layout: Layout, location: str, reach: float, texture: Textures, rng: Generator
) -> None:
    px = 1 / layout.spacing_mm
    row, column = layout.center
    radius = rng.uniform(7.5, 10.5) * px
    if location == "isthmus":
        at = column + rng.normal(0, 2.5) * px
        _trachea(scene, layout, at, radius, texture, rng)
    elif rng.random() < 0.6:
        at = column - layout.side * (reach + radius * 0.8 + rng.uniform(1, 9) * px)
        _trachea(scene, layout, at, radius, texture, rng)
    if location != "isthmus" and rng.random() < 0.6:
        carotid = rng.uniform(2.6, 4.3) * px
        at = column + layout.side * (reach + carotid + rng.uniform(0.5, 9) * px)
        depth = row + rng.uniform(-0.1, 0.35) * (layout.bottom - layout.top).max()
        _carotid(scene, depth, at, carotid, rng)
        if rng.random() < 0.5:
            beside = at + layout.side * rng.uniform(0.4, 1.6) * carotid
            _jugular(scene, depth - rng.uniform(1.3, 1.8) * carotid, beside, carotid, rng)


def _trachea(
    scene: Scene, layout: Layout, at: float, radius: float, texture: Textures, rng: Generator
) -> None:
    """Draw the horseshoe of cartilage, the bright air behind it, its reverberation and shadow."""
    rows, columns = _grid(scene)
    reach = 1.06 * radius + _WALL_REACH_PX
    begin, end = np.clip((int(at - reach), int(at + reach) + 2), 0, layout.shape[1])
    window = np.s_[:, begin:end]
    columns = columns[window]
    inside = int(np.clip(at, 0, layout.shape[1] - 1))
    flat = rng.uniform(0.75, 0.98)
    center = layout.bottom[inside] + radius * flat + rng.uniform(-1, 3)
    if abs(at - layout.center[1]) > radius:
        center = min(center, layout.top[inside] + rng.uniform(14, 34) + radius * flat)
    dx, dy = (columns - at) / radius, (rows - center) / (radius * flat)
    angle = np.arctan2(dx, -dy)  # 0 at the front
    bumps = 1 + 0.03 * np.cos(3 * angle + rng.uniform(0, 6)) + 0.015 * np.cos(7 * angle)
    wall = (np.hypot(dx, dy) / bumps - 1) * radius  # distance from the outer surface, px
    thick = rng.uniform(1.1, 2.0) / layout.spacing_mm
    front = np.clip((1.45 - np.abs(angle)) / 0.35, 0, 1)
    facing = np.clip(np.cos(angle), 0, 1) ** 1.5

    ring = np.clip(-wall + 0.5, 0, 1)
    cartilage = np.clip(rng.normal(-7, 2), -12, -3) + 1.2 * texture.middle[window]
    echo = scene.echo_db[window]
    echo += ring * (cartilage - echo)
    scene.tissue[window][wall < 0] = Tissue.TRACHEA
    outer = rng.uniform(3, 7) * facing * front * np.exp(-0.5 * (wall / 1.3) ** 2)
    air = wall + thick
    patchy = np.clip(1 + 0.4 * random_curve(rng, layout.shape[1], 9)[begin:end], 0.2, 1.6)
    bright = rng.uniform(14, 22) * patchy * facing * front * np.exp(-0.5 * (air / 1.7) ** 2)
    echo += (outer + bright).astype(np.float32)

    # Behind the air nothing real echoes: what shows are repeats of the front and clutter.
    dark = np.clip((0.97 - np.abs(dx)) * radius / 9 + 0.5, 0, 1) * (dy > 0)
    hidden = np.maximum(np.clip(0.5 - air / 2, 0, 1), dark)
    scene.attenuation_db[window] += (1.2 * hidden).astype(np.float32)
    depth = np.clip(-air, 0, None)
    period = rng.uniform(0.9, 1.8) * thick
    repeats = np.zeros_like(depth)
    for k in range(1, 6):
        repeat = np.exp(-0.5 * ((depth - k * period) / 1.8) ** 2)
        repeats += (rng.uniform(7, 13) * 0.75**k * repeat * facing).astype(np.float32)
    run = np.clip(rows - (center - radius * flat), 0, None) / radius
    haze = rng.normal(-5, 2.5) - rng.uniform(4, 9) * run + 3 * texture.fibers[window]
    haze = haze + repeats * patchy + 2.5 * texture.deep_fibers[window] + 2 * texture.coarse[window]
    haze = haze - 60 * (1 - hidden)
    scene.artifact_db[window] = np.maximum(scene.artifact_db[window], haze)


def _tracheal_rings(scene: Scene, layout: Layout, texture: Textures, rng: Generator) -> None:
    """Draw the midline cut of the trachea: a row of cartilage beads on a line of air."""
    rows, columns = _grid(scene)
    px = 1 / layout.spacing_mm
    pitch = rng.uniform(5.0, 6.5) * px
    line = layout.bottom + rng.uniform(1.0, 1.6) * px
    phase = ((columns + rng.uniform(0, pitch)) / pitch + 0.5) % 1 - 0.5
    bead = np.hypot(phase * pitch / (1.9 * px), (rows - line) / (0.75 * px))
    share = np.clip((1 - bead) * 4, 0, 1)
    scene.echo_db += share * (rng.uniform(-10, -6) - scene.echo_db)
    air = rows - (line + rng.uniform(0.9, 1.3) * px - 2.0 * np.cos(2 * np.pi * phase))
    patchy = np.clip(1 + 0.4 * random_curve(rng, layout.shape[1], 8), 0.2, 1.6)
    scene.echo_db += rng.uniform(9, 15) * patchy * np.exp(-0.5 * (air / 1.6) ** 2)
    scene.tissue[air > -0.75 * px] = Tissue.TRACHEA
    scene.attenuation_db += 4.0 * (air > 1)
    period = rng.uniform(1.5, 2.5) * px
    repeats = np.zeros_like(air)
    for k in range(1, 5):
        echo = np.exp(-0.5 * ((air - k * period) / 2) ** 2)
        repeats += (rng.uniform(6, 10) * 0.7**k * echo).astype(np.float32)
    haze = rng.normal(-11, 3) - 0.07 * air + repeats * patchy + 3 * texture.fibers
    scene.artifact_db = np.where(air > 1, haze, scene.artifact_db).astype(np.float32)


def _carotid(scene: Scene, row: float, column: float, radius: float, rng: Generator) -> None:
    rows, columns = _grid(scene)
    squash = rng.normal(1, 0.06)
    dx, dy = (columns - column) / (radius * squash), (rows - row) * squash / radius
    _lumen(scene, dx, dy, radius, wall_db=rng.uniform(6, 12), fluid_db=-20, rng=rng)


def _jugular(scene: Scene, row: float, column: float, carotid: float, rng: Generator) -> None:
    """Draw a flattened vein: the probe presses it to a slit or an almond."""
    rows, columns = _grid(scene)
    half_width = carotid * rng.uniform(1.0, 1.6)
    half_height = half_width * rng.uniform(0.2, 0.5)
    dx = (columns - column) / half_width
    sag = 0.25 * dx**2 * half_height
    dy = (rows - row - sag) / half_height
    _lumen(scene, dx, dy, half_height, wall_db=rng.uniform(2, 6), fluid_db=-17, rng=rng)


def _lumen(
    scene: Scene, dx: Array, dy: Array, radius: float, *, wall_db: float, fluid_db: float,
    rng: Generator,
) -> None:  # fmt: skip
    """Carve a fluid-filled lumen with walls that are bright where they face the beam.

    `dx` (1, W) and `dy` (H, W) or (H, 1) are distances from its center in multiples of its half
    axes.
    """
    # farther from the wall than this nothing of it is left in the last digit
    reach = 1.06 * (1 + _WALL_REACH_PX / radius)
    dx, dy = np.broadcast_arrays(dx, dy)
    near = (np.abs(dx) < reach) & (np.abs(dy) < reach)
    phases = rng.uniform(0, 6, 2)
    if not near.any():
        return
    met = [np.flatnonzero(near.any(axis=axis)) for axis in (1, 0)]
    window = tuple(slice(part[0], part[-1] + 1) for part in met)
    dx, dy = dx[window], dy[window]
    angle = np.arctan2(dy, dx)
    uneven = 1 + 0.035 * np.cos(2 * angle + phases[0]) + 0.02 * np.cos(3 * angle + phases[1])
    wall = (np.hypot(dx, dy) / uneven - 1) * radius
    inside = np.clip(0.5 - wall / 1.5, 0, 1)
    # Clutter of the near wall leaks into the lumen.
    fluid = fluid_db + 7 * np.exp(-(dy + 1) * radius / 7.0)
    echo = scene.echo_db[window]
    echo += (inside * (fluid - echo)).astype(np.float32)
    facing = np.abs(np.sin(angle)) ** 2
    echo += (wall_db * facing * np.exp(-0.5 * (wall / 1.5) ** 2)).astype(np.float32)
    scene.attenuation_db[window] -= (0.06 * inside).astype(np.float32)
    scene.tissue[window][wall < 0] = Tissue.VESSEL


def _long_vessel(scene: Scene, layout: Layout, rng: Generator) -> None:
    """Draw a carotid or jugular cut along its course, behind the gland."""
    rows, columns = _grid(scene)
    radius = rng.uniform(2.0, 3.2) / layout.spacing_mm
    course = layout.bottom.max() + radius + rng.uniform(3, 20)
    course = course + rng.normal(0, 0.08) * (columns - layout.center[1])
    course = course + 6 * random_curve(rng, layout.shape[1], 90)
    end = layout.shape[1] * rng.uniform(0.3, 1.2) * (1 if rng.random() < 0.5 else -1)
    taper = np.clip((end - columns) * np.sign(end) / 60 + (0 if end > 0 else 1), 0.02, 1)
    dy = (rows - course) / (radius * np.sqrt(taper))
    _lumen(scene, np.zeros_like(dy), dy, radius, wall_db=8, fluid_db=-19, rng=rng)


def _small_vessels(scene: Scene, layout: Layout, rng: Generator) -> None:
    rows, columns = _grid(scene)
    for _ in range(int(rng.poisson(1.5))):
        column = rng.uniform(0, layout.shape[1])
        at = int(column)
        row = rng.uniform(layout.top[at], layout.bottom[at])
        half_width, half_height = rng.uniform((4, 1.5), (14, 4.5))
        lean = rng.normal(0, 0.3)
        depth = rng.uniform(4, 12)
        reach = half_height + abs(lean) * half_width
        window = (
            rows_between(row - reach, row + reach, layout.shape[0]),
            rows_between(column - half_width, column + half_width, layout.shape[1]),
        )
        beside = columns[:, window[1]] - column
        down = rows[window[0]] - row
        inside = np.hypot(beside / half_width, (down - lean * beside) / half_height)
        scene.echo_db[window] -= depth * np.clip((1 - inside) * 2, 0, 1)


def _longus_colli(scene: Scene, layout: Layout, texture: Textures, rng: Generator) -> None:
    """Draw the striped muscle behind the gland and, sometimes, the spine that ends the image."""
    all_rows, columns = _grid(scene)
    px = 1 / layout.spacing_mm
    under = layout.bottom + rng.uniform(0.5, 2.5) * px
    thick = rng.uniform(5, 9) * px * (1 + 0.15 * random_curve(rng, layout.shape[1], 60))
    end = under + thick
    margin = thick.max() / 8  # the soft edge of the muscle
    band = rows_between(under.min() - margin, end.max() + margin, layout.shape[0])
    rows = all_rows[band]
    part = (rows - under) / thick
    if layout.plane == "transverse":
        # An oval belly under the lobe; in the long axis it runs through the whole image.
        belly = (columns - layout.center[1] - layout.side * rng.uniform(-4, 8) * px) / (14 * px)
        part = (part - 0.5) / np.sqrt(np.clip(1 - belly**2, 0.05, 1)) + 0.5
    inside = np.clip(4 * np.minimum(part, 1 - part) + 0.5, 0, 1)
    phase = 2 * np.pi * (rows - under) / (rng.uniform(0.9, 1.5) * px)
    stripes = np.sin(phase + 1.5 * texture.coarse[band])
    fibers = np.maximum(texture.deep_fibers[band], -0.5)
    muscle = rng.uniform(-11, -5) + 2.0 * stripes + 4.5 * fibers
    weight = inside * rng.uniform(0.4, 0.9)
    echo = scene.echo_db[band]
    echo += (weight * (muscle - echo)).astype(np.float32)
    if rng.random() < 0.4:
        spine = end + rng.uniform(0, 5) * px + 5 * random_curve(rng, layout.shape[1], 25)
        facing = 1 / (1 + 9 * np.gradient(spine) ** 2)
        line = rng.uniform(6, 13) * facing * np.exp(-0.5 * ((all_rows - spine) / 2.2) ** 2)
        scene.echo_db += line.astype(np.float32)
        scene.attenuation_db += (0.13 * (all_rows > spine)).astype(np.float32)


def _grid(scene: Scene) -> tuple[Array, Array]:
    height, width = scene.echo_db.shape
    return (
        np.arange(height, dtype=np.float32)[:, None],
        np.arange(width, dtype=np.float32)[None, :],
    )
