"""The neck around a nodule: layers of tissue, their echo level in dB and their labels."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d, minimum_filter1d

from lnm_kit.simulate.body import Body, Plane
from lnm_kit.simulate.fields import (
    bright_skewed,
    gaussian_field,
    random_curve,
    shear_columns,
)
from lnm_kit.simulate.nodule import Nodule

Array = npt.NDArray[Any]
Generator = np.random.Generator

#: Depth of the frame that textures in pixels refer to.
ROWS = 300
_DEPTHS_MM = (40.0, 45.0, 45.0, 50.0)
_WIDTHS = (385, 390, 395, 430)


class Tissue(IntEnum):
    """What a pixel of the echo map is made of."""

    SKIN = 1
    FAT = 2
    MUSCLE = 3
    THYROID = 4
    DEEP = 5
    TRACHEA = 6
    VESSEL = 7
    NODULE = 8


@dataclass
class Scene:
    """Everything about one frame before the scanner sees it; all maps are (H, W).

    Attributes
    ----------
    echo_db
        Echo level against the median thyroid, dB, float32.
    attenuation_db
        Loss per row in excess of the thyroid's, dB, float32; negative under fluid.
    artifact_db
        Echoes that arrive late and look deeper than they are (reverberation), dB, float32.
    tissue
        `Tissue` labels, uint8.
    mask
        The drawn nodule, bool.
    spacing_mm
        Size of a pixel, rows and columns alike.
    """

    echo_db: Array
    attenuation_db: Array
    artifact_db: Array
    tissue: Array
    mask: Array
    spacing_mm: float


@dataclass(frozen=True)
class Layout:
    """Where the layers of one frame lie, in pixels: numbers, and curves of shape (W,).

    The depth of the nodule and the layers above it belong to the patient, so every plane of one
    nodule shows them alike; how the layers undulate away from it belongs to the frame.
    """

    plane: Plane
    shape: tuple[int, int]
    spacing_mm: float
    center: tuple[float, float]
    side: int
    skin: Array
    fat: Array
    top: Array
    bottom: Array
    gland: Array
    contact_side: int


def plan(nodule: Nodule, body: Body, plane: Plane, rng: Generator) -> Layout:
    """Lay out the layers of one frame around the nodule."""
    patient = np.random.default_rng([0x9A7, nodule.seed])
    height_mm, reach_mm = _extent(body, plane)
    spacing = _depth_setting(body, patient) / ROWS
    columns = int(rng.choice(_WIDTHS))
    px = 1 / spacing

    skin_mm, fat_mm, muscle_mm = patient.uniform((0.75, 1.4, 2.2), (1.35, 4.0, 4.8))
    slack, fraction, depth = patient.uniform((1.04, 0.1, 11.0), (1.35, 0.7, 22.0))
    thickness_mm = max(height_mm * slack, depth)
    if nodule.location == "isthmus":
        thickness_mm = height_mm * slack
    contact_side = 0
    top_mm = skin_mm + fat_mm + muscle_mm
    center_mm = top_mm + height_mm / 2 + fraction * (thickness_mm - height_mm)
    if nodule.contact > 0:
        # A line at the height cos(pi c) of an ellipse cuts off the share c of its outline's angle.
        contact_side = -1 if patient.random() < 0.65 else 1
        inset = height_mm / 2 * np.cos(np.pi * nodule.contact)
        center_mm = top_mm + (inset if contact_side < 0 else thickness_mm - inset)
    center_mm = max(center_mm, height_mm / 2 + 1.5)

    reach = reach_mm * px
    middle = columns / 2 + 0.09 * columns * float(np.clip(rng.standard_normal(), -2, 2))
    margin = min(reach + 8, columns / 2)
    column = float(np.clip(middle, margin, columns - margin))
    drawn = 1 if patient.random() < 0.5 else -1
    side = nodule.side or drawn

    x = np.arange(columns, dtype=np.float32)
    top, bottom = _gland_surfaces(x, column, top_mm * px, thickness_mm * px, rng)
    top, bottom, gland = _shape_gland(nodule, plane, x, column, side, reach, top, bottom, rng)
    upper, lower = _edges(body, plane, side, (center_mm * px, column), columns, px)
    if contact_side >= 0:
        top = _bulge(top, upper - patient.uniform(2, 6))
    if contact_side <= 0:
        bottom = -_bulge(-bottom, -lower - patient.uniform(2, 6))
    skin = skin_mm * px + 0.6 * random_curve(rng, columns, 40)
    fat = (skin_mm + fat_mm) * px + 2.8 * random_curve(rng, columns, 50)
    fat = np.minimum(fat + 0.4 * (top - top_mm * px), top - 5)
    return Layout(
        plane, (ROWS, columns), spacing, (center_mm * px, column), side, skin,
        np.maximum(fat, skin + 3), top, bottom, gland, contact_side,
    )  # fmt: skip


def _extent(body: Body, plane: Plane) -> tuple[float, float]:
    """Height of the body along the beam and its lateral reach in a plane, mm."""
    outline = body.outline("transverse")
    angle = 2 * np.pi * np.arange(outline.size) / outline.size
    deep = outline * np.sin(angle)
    lateral = np.abs(body.outline(plane) * np.cos(angle)).max()
    return float(deep.max() - deep.min()), float(lateral)


def _depth_setting(body: Body, patient: Generator) -> float:
    """Depth on the screen in mm: the sonographer opens it until the nodule fits."""
    depth = float(patient.choice(_DEPTHS_MM))
    height, _ = _extent(body, "transverse")
    width = max(_extent(body, plane)[1] for plane in ("transverse", "longitudinal")) * 2
    return max(depth, (height + 12) / 0.85, width / 1.25)


def _gland_surfaces(
    x: Array, column: float, top: float, thickness: float, rng: Generator
) -> tuple[Array, Array]:
    """Anterior and posterior capsule, passing the nodule's column at the patient's depths."""
    at = int(np.clip(round(column), 0, x.size - 1))

    def wave(sigma: float, amplitude: float) -> Array:
        curve = random_curve(rng, x.size, sigma)
        return amplitude * (curve - curve[at])

    tilt = 0.03 * float(rng.standard_normal()) * (x - column)
    upper = top + tilt + wave(70, 4.0) + wave(22, 0.9)
    lower = top + thickness + 0.5 * tilt + wave(80, 7.0) + wave(25, 1.6)
    return upper, np.maximum(lower, upper + 12)


def _shape_gland(
    nodule: Nodule,
    plane: Plane,
    x: Array,
    column: float,
    side: int,
    reach: float,
    top: Array,
    bottom: Array,
    rng: Generator,
) -> tuple[Array, Array, Array]:
    """Taper the gland: to a lateral edge and an isthmus (transverse) or to a pole (longitudinal).

    Returns the two surfaces and how much of the gland is there per column, 0-1.
    """
    full = bottom - top
    away = (x - column) * side  # positive toward the side of the carotid
    gland = np.ones_like(x)
    if plane == "transverse":
        if nodule.location == "isthmus":
            return top, bottom, gland
        if rng.random() < 0.65:
            start, length = 0.6 * reach + rng.uniform(4, 40), rng.uniform(60, 130)
            gland = _taper((away - start) / length)
        isthmus = np.clip(rng.uniform(16, 34) / full, 0.1, 1)
        start, length = reach + rng.uniform(10, 60), rng.uniform(25, 60)
        t = np.clip((-away - start) / length, 0, 1)
        medial = 1 - (1 - isthmus) * t * t * (3 - 2 * t)
        # The isthmus stays at the front; the lateral edge draws back from both surfaces.
        bottom = top + full * medial
    elif rng.random() < 0.7:
        toward = {"upper": -1, "lower": 1}.get(nodule.location, int(rng.choice((-1, 1))))
        near = nodule.location in ("upper", "lower")
        start = 0.7 * reach + (rng.uniform(2, 30) if near else rng.uniform(40, 110))
        gland = _taper((toward * (x - column) - start) / rng.uniform(80, 170))
    lost = (bottom - top) * (1 - gland)
    front = rng.uniform(0.25, 0.5)
    top = top + front * lost
    return top, np.maximum(bottom - (1 - front) * lost, top), gland


def _taper(t: Array) -> Array:
    """Full before 0, closed after 1, rounded between."""
    return np.power(np.clip(1 - np.clip(t, 0, 1) ** 2, 0, 1), 0.7)


def _edges(
    body: Body, plane: Plane, side: int, center: tuple[float, float], columns: int, px: float
) -> tuple[Array, Array]:
    """Upper and lower row of the nodule per column; far below and above where there is none."""
    outline = body.outline(plane) * px
    angle = 2 * np.pi * np.arange(outline.size) / outline.size
    mirror = side if plane == "transverse" else 1
    at = np.clip(np.rint(center[1] + mirror * outline * np.cos(angle)), 0, columns - 1)
    rows = center[0] + outline * np.sin(angle)
    upper, lower = np.full(columns, 1e4), np.full(columns, -1e4)
    np.minimum.at(upper, at.astype(np.int64), rows)
    np.maximum.at(lower, at.astype(np.int64), rows)
    return upper, lower


def _bulge(capsule: Array, limit: Array) -> Array:
    """Lift an anterior capsule smoothly over what lies inside it."""
    lift = np.clip(capsule - minimum_filter1d(limit, 9), 0, 60)
    return capsule - gaussian_filter1d(lift, 3)


class Textures:
    """The bank of unit fields that the tissues of one frame share."""

    def __init__(self, shape: tuple[int, int], rng: Generator) -> None:
        width = shape[1]

        def streaks(axial: float, lateral: float, bend: float) -> Array:
            field = gaussian_field(rng, shape, axial, lateral)
            return shear_columns(field, bend * random_curve(rng, width, 70))

        self.fine = streaks(1.1, rng.uniform(4, 7), rng.uniform(2, 12))
        self.middle = gaussian_field(rng, shape, 3.0, rng.uniform(7, 11))
        self.coarse = gaussian_field(rng, shape, 10, 18)
        self.fibers = streaks(1.1, 22, rng.uniform(2, 8))
        self.broad = gaussian_field(rng, shape, 40, 60)
        self.deep_fibers = streaks(1.6, 16, rng.uniform(3, 12))


def gland_texture(texture: Textures, nodule: Nodule) -> Array:
    """Echo level of one gland around its mean, dB: grains, lobules, septa.

    How coarse the gland is belongs to the patient, where its grains lie to the frame.
    """
    rng = np.random.default_rng([0x61A, nodule.seed])
    a, b, c, d, e = rng.uniform((0.4, 1.0, 0.5, 0.6, 0.6), (1.2, 3.6, 1.6, 2.3, 2.6))
    grain = a * texture.fine + b * bright_skewed(texture.fine) + c * texture.middle
    lobules = d * texture.coarse + e * bright_skewed(texture.fibers)
    depth = 0.95 * np.exp(0.4 * np.clip(rng.standard_normal(), -2, 2))
    gland: Array = depth * (grain + lobules) + 2.4 * texture.broad
    return gland


def draw_layers(layout: Layout, texture: Textures, gland: Array, rng: Generator) -> Scene:
    """Paint skin, fat, muscle, thyroid and the deep muscles, and the fascias between them."""
    rows = np.arange(layout.shape[0], dtype=np.float32)[:, None]
    fiber, middle, coarse = bright_skewed(texture.fibers), texture.middle, texture.coarse
    deep_fiber = bright_skewed(texture.deep_fibers)
    skin = rng.uniform(-2, 5) + 3 * texture.fibers
    fat = rng.uniform(-3, 3) + 6 * fiber + 1.5 * coarse
    muscle = rng.uniform(-7, 0) + 5 * fiber + 1.3 * texture.fine + 1.5 * coarse
    deep = rng.uniform(-9, -1) + 5 * deep_fiber + 2.5 * coarse + 1.5 * middle + 2.5 * texture.broad

    echo = skin.astype(np.float32)
    tissue = np.full(layout.shape, Tissue.SKIN, dtype=np.uint8)
    for curve, level, label in (
        (layout.skin, fat, Tissue.FAT),
        (layout.fat, muscle, Tissue.MUSCLE),
        (layout.top, gland, Tissue.THYROID),
        (layout.bottom, deep, Tissue.DEEP),
    ):
        below = rows - curve[None, :]
        share = np.clip(below / rng.uniform(1.2, 2.4) + 0.5, 0, 1).astype(np.float32)
        echo += share * (level - echo)
        tissue[below >= 0] = label
    for amount, curve in _interfaces(layout, rng):
        _draw_fascia(echo, curve, amount, rng)
    _diffuse_bands(echo, rows, layout, rng)
    # Fat and fibers on the way absorb unevenly and leave columns of shade in the deep half.
    absorption = rng.uniform(0.0, 0.016) * gaussian_field(rng, layout.shape, 45, 9)
    return Scene(
        echo, absorption, np.full_like(absorption, -80), tissue,
        np.zeros(layout.shape, dtype=bool), layout.spacing_mm,
    )  # fmt: skip


def _interfaces(layout: Layout, rng: Generator) -> list[tuple[float, Array]]:
    """Height in dB and course of the bright lines: each may be missing in a frame."""
    width = layout.shape[1]
    between = layout.top - layout.fat
    wiggle = random_curve(rng, width, 60)
    deep = layout.bottom + rng.uniform(10, 30) + 8 * random_curve(rng, width, 60)
    deeper = deep + rng.uniform(12, 40) + 8 * random_curve(rng, width, 60)
    lines = (
        (7, layout.skin, 0.9),
        (10, layout.fat, 0.8),
        (7, layout.fat + between * (0.35 + 0.05 * wiggle), 0.6),
        (6, layout.fat + between * (0.70 - 0.05 * wiggle), 0.5),
        (11, layout.top, 0.9),
        (13, np.where(layout.gland > 0.15, layout.bottom, -50.0), 0.85),
        (11, deep, 0.6),
        (10, deeper, 0.5),
    )
    return [
        (0.85 * rng.uniform(0.4, 1.4) * height, curve)
        for height, curve, probability in lines
        if rng.random() < probability
    ]


def _draw_fascia(echo: Array, curve: Array, amount: float, rng: Generator) -> None:
    """Add one bright line in dB: patchy along its course, faint where it leans from the beam."""
    width = curve.size
    slope = gaussian_filter1d(np.gradient(curve), 3)
    patchy = 1 + 0.55 * random_curve(rng, width, rng.uniform(10, 30))
    patchy = np.clip(patchy + 0.25 * random_curve(rng, width, 4), 0, 2)
    strength = amount * patchy / (1 + 9 * slope**2)
    sigma = rng.uniform(0.9, 3.2)
    # nine standard deviations away nothing is left that float32 could add
    near = rows_between(curve.min() - 9 * sigma, curve.max() + 9 * sigma, echo.shape[0])
    rows = np.arange(echo.shape[0], dtype=np.float32)[near, None]
    line = strength * np.exp(-0.5 * ((rows - curve) / sigma) ** 2)
    echo[near] += line.astype(np.float32)


def _diffuse_bands(echo: Array, rows: Array, layout: Layout, rng: Generator) -> None:
    """Bright bands under the fascias, thickest behind the gland."""
    for curve, low, high in (
        (layout.fat, 2, 6), (layout.top, 2, 6), (layout.bottom, 4, 12),
    ):  # fmt: skip
        amount = float(np.clip(rng.normal(3, 2.5), 0, 9))
        thick = rng.uniform(low, high)
        band = rows_between(curve.min(), curve.max() + thick, echo.shape[0])
        below = (rows[band] - curve) / thick
        echo[band] += amount * ((below > 0) & (below < 1)) * np.sqrt(np.clip(1 - below, 0, 1))


def rows_between(first: float, last: float, height: int) -> slice:
    """Rows of an image of `height` rows from `first` to `last`, both included.

    Examples
    --------
    >>> rows_between(-3.0, 4.2, 100), rows_between(80.5, 120.0, 100)
    (slice(0, 6, None), slice(80, 100, None))
    """
    begin, end = np.clip((np.floor(first), np.ceil(last) + 1), 0, height)
    return slice(int(begin), int(end))
