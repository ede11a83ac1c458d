"""The neck of one patient at the level of the thyroid, in axial slices."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lnm_kit.simulate.attenuation import Attenuation
from lnm_kit.simulate.body import Body
from lnm_kit.simulate.fields import gaussian_field
from lnm_kit.simulate.nodule import Nodule

Array = npt.NDArray[Any]
Generator = np.random.Generator

#: Attenuation of what takes up little or no contrast, in Hounsfield units.
AIR_HU, FAT_HU, MUSCLE_HU, SKIN_HU = -1000.0, -95.0, 66.0, 45.0
CORTEX_HU, MARROW_HU, CORD_HU = 700.0, 240.0, 35.0


@dataclass(frozen=True)
class Neck:
    """Where things lie, in mm: x to the patient's left, y back from the skin, z to the feet.

    `mirror` is 1 where the nodule lies in the left lobe or the isthmus, -1 in the right lobe.
    `lobe` are the half axes of the lobes (x, y, z) and `level` the place of the nodule's center
    along the lobe, in half axes; `reach` is how far the nodule goes from its center.
    """

    mirror: int
    nodule: tuple[float, float]
    trachea: tuple[float, float]
    tracheal_radius: float
    lobe: tuple[float, float, float]
    lobes: tuple[tuple[float, float], tuple[float, float]]
    level: float
    isthmus_mm: float
    fat_mm: float
    carotid: tuple[float, float, float]
    jugulars: tuple[float, float]
    spine_y: float
    half_width: float
    isthmic: bool
    reach: float


@dataclass
class Canvas:
    """Hounsfield units on a grid: `x` (W,) and `y` (H,) in mm, `hu` (H, W)."""

    x: Array
    y: Array
    hu: Array
    spacing: float

    @classmethod
    def around(cls, neck: Neck, shape: tuple[int, int], spacing: float) -> "Canvas":
        """Lay the grid on the middle of the neck, but so that the nodule has room around it."""
        rows, columns = shape
        room = max(0.5 * columns * spacing - neck.reach - 9.0, 0.0)
        middle = float(np.clip(0.0, neck.nodule[0] - room, neck.nodule[0] + room))
        x = middle + (np.arange(columns) - (columns - 1) / 2) * spacing
        room = max(0.5 * rows * spacing - neck.reach - 4.0, 0.0)
        middle = 0.5 * rows * spacing - 5.0
        middle = float(np.clip(middle, neck.nodule[1] - room, neck.nodule[1] + room))
        y = middle + (np.arange(rows) - (rows - 1) / 2) * spacing
        return cls(x, y, np.full(shape, FAT_HU), spacing)

    def fill(self, distance: Array, hu: float | Array) -> None:
        """Fill where a signed distance in mm is negative, with a border of one pixel."""
        share = np.clip(0.5 - distance / self.spacing, 0, 1)
        self.hu += share * (hu - self.hu)

    def ellipse(self, center: tuple[float, float], axes: tuple[float, float], turn: float = 0.0,
                power: float = 2.0) -> Array:  # fmt: skip
        """Signed distance to an ellipse of half axes in mm, about true near its border."""
        dx, dy = self.x - center[0], self.y[:, None] - center[1]
        u = (np.cos(turn) * dx + np.sin(turn) * dy) / axes[0]
        v = (np.cos(turn) * dy - np.sin(turn) * dx) / axes[1]
        if power == 2.0:
            radius = np.sqrt(u * u + v * v)
        else:
            radius = (np.abs(u) ** power + np.abs(v) ** power) ** (1 / power)
        distance: Array = (radius - 1) * min(axes)
        return distance


def lay_out(nodule: Nodule, body: Body, patient: Generator) -> Neck:
    """Draw a patient's neck around the nodule."""
    isthmic = nodule.location == "isthmus"
    mirror = (nodule.side or (1 if patient.random() < 0.5 else -1)) if not isthmic else 1
    radius = patient.uniform(7.5, 10.0)
    fat, straps = patient.uniform((3.0, 4.0), (9.0, 6.0))
    isthmus = patient.uniform(2.5, 5.0)
    outline = body.outline("transverse")
    angle = 2 * np.pi * np.arange(outline.size) / outline.size
    half_x = float(np.abs(outline * np.cos(angle)).max())
    half_y = float(np.abs(outline * np.sin(angle)).max())
    lobe = np.array(patient.uniform((6.5, 9.0, 20.0), (9.5, 13.0, 27.0)))
    lobe[0] = max(lobe[0], 0.75 * half_x + 2.0)
    lobe[1] = max(lobe[1], 0.85 * half_y + 2.0)
    deep, inner, sideways, tall = patient.uniform((-1, -0.4, -0.35, -0.3), (3, 0.6, 0.35, 0.3))
    thick = max(isthmus, 2 * half_y * 0.9) if isthmic else isthmus
    behind_skin = 2.0 + fat + straps + thick + radius
    if not isthmic:
        behind_skin = max(behind_skin, 2.0 + fat + 1.15 * half_y)
    # a large mass pushes the trachea aside
    pushed = -mirror * 0.25 * max(half_x - 12.0, 0.0) * (not isthmic)
    trachea = (float(patient.normal(0, 0.8)) + pushed, behind_skin)
    beside = radius + lobe[0] * 0.86 + 1.2
    behind = trachea[1] + deep + 0.1 * lobe[1]
    centers = (
        (trachea[0] - (beside - inner), behind),
        (trachea[0] + (beside - inner), behind),
    )
    level = {"upper": -0.45, "middle": 0.0, "lower": 0.45}.get(nodule.location, 0.0)
    place = np.array(centers[1 if mirror > 0 else 0])
    free = np.maximum(np.array([lobe[0] - half_x, lobe[1] - half_y]), 0)
    at = place + np.array([sideways, tall]) * free
    if nodule.contact > 0:
        # to the front or the back of the lobe, beyond its surface
        front = -1 if patient.random() < 0.6 else 1
        at[1] = place[1] + front * (lobe[1] - half_y * np.cos(np.pi * nodule.contact))
        at[1] = max(at[1], half_y + fat)
    if isthmic:
        at = np.array([trachea[0] + 2.0 * sideways, trachea[1] - radius - 0.5 - half_y * 0.95])
    carotid_radius = patient.uniform(2.8, 3.8)
    outward = beside - inner + max(lobe[0], 0.0) + carotid_radius + patient.uniform(0.3, 2.5)
    carotid = (outward, centers[0][1] + 0.45 * lobe[1], carotid_radius)
    jugulars = tuple(patient.uniform((4.5, 3.5), (8.0, 6.5)).tolist())
    spine = trachea[1] + radius + patient.uniform(19, 23)
    half_width = max(patient.uniform(52, 62), outward + jugulars[0] + 0.55 * half_x + 14.0)
    return Neck(
        mirror, (float(at[0]), float(at[1])), trachea, radius,
        (float(lobe[0]), float(lobe[1]), float(lobe[2])), centers, level, isthmus, fat, carotid,
        jugulars, spine, half_width, isthmic, float(outline.max()),
    )  # fmt: skip


def draw_neck(
    canvas: Canvas, neck: Neck, attenuation: Attenuation, offset_mm: float, rng: Generator
) -> None:
    """Paint everything but the thyroid: from the back to the front."""
    shape = canvas.hu.shape
    mottle = gaussian_field(rng, shape, 5, 5)
    streak = gaussian_field(rng, shape, 2.0, 9.0)
    muscle = MUSCLE_HU + 6 * mottle - 35 * np.clip(streak - 1.5, 0, 1.5)
    canvas.hu += 7 * mottle
    _deep_muscles(canvas, neck, muscle)
    _spine(canvas, neck, mottle)
    for sign in (-1, 1):
        _vessels(canvas, neck, attenuation, sign, offset_mm)
        sterno = (neck.trachea[0] + sign * 0.52 * neck.half_width, neck.trachea[1] - 1.0)
        canvas.fill(canvas.ellipse(sterno, (14.5, 6.5), sign * 0.55), muscle)
        front = 2.0 + neck.fat_mm
        strap = (neck.trachea[0] + sign * 11.0, front + 2.4)
        canvas.fill(canvas.ellipse(strap, (10.0, 2.3), sign * 0.2, 2.4), muscle)
    _trachea(canvas, neck, muscle)
    _skin(canvas, neck)


def _deep_muscles(canvas: Canvas, neck: Neck, muscle: Array) -> None:
    x0, spine = neck.trachea[0], neck.spine_y
    for sign in (-1, 1):
        canvas.fill(
            canvas.ellipse((x0 + sign * 26, spine + 1), (11.5, 9.5), sign * 0.5, 2.6), muscle
        )
        canvas.fill(canvas.ellipse((x0 + sign * 42, spine + 17), (13, 15), sign * 0.5), muscle)
        canvas.fill(canvas.ellipse((x0 + sign * 16, spine + 38), (14, 15), 0.0, 2.6), muscle)
        canvas.fill(canvas.ellipse((x0 + sign * 8.5, spine - 10), (8.5, 4.6), sign * 0.3), muscle)


def _spine(canvas: Canvas, neck: Neck, mottle: Array) -> None:
    x0, y0 = neck.trachea[0], neck.spine_y
    body = canvas.ellipse((x0, y0 + 2.5), (13.0, 9.0), 0.0, 2.7)
    for sign in (-1, 1):
        process = canvas.ellipse((x0 + sign * 19, y0 + 8.5), (7.5, 3.4), sign * 0.25)
        canvas.fill(process, CORTEX_HU)
        canvas.fill(process + 1.3, MARROW_HU)
        canvas.fill(canvas.ellipse((x0 + sign * 17.5, y0 + 8), (2.6, 2.6)), 40.0)
        lamina = canvas.ellipse((x0 + sign * 10, y0 + 22), (3.4, 9.0), sign * 0.75)
        canvas.fill(lamina, CORTEX_HU)
        canvas.fill(lamina + 1.4, MARROW_HU)
    canvas.fill(body, CORTEX_HU)
    canvas.fill(body + 1.5, MARROW_HU + 45 * mottle)
    canal = canvas.ellipse((x0, y0 + 18.5), (11.0, 7.0), 0.0, 2.4)
    canvas.fill(canal, 10.0)
    canvas.fill(canvas.ellipse((x0, y0 + 18), (6.5, 4.0)), CORD_HU)


def _vessels(
    canvas: Canvas, neck: Neck, attenuation: Attenuation, sign: int, offset_mm: float
) -> None:
    out, deep, radius = neck.carotid
    shift = 0.03 * offset_mm * sign
    at = (neck.trachea[0] + sign * out + shift, deep)
    wall = canvas.ellipse(at, (radius + 0.7, radius + 0.7))
    canvas.fill(wall, 70.0)
    canvas.fill(wall + 0.7, attenuation.vessel_hu)
    width = neck.jugulars[0 if sign < 0 else 1]
    vein = (at[0] + sign * (0.75 * radius + 0.6 * width), at[1] - 0.45 * radius - 1.0)
    lumen = canvas.ellipse(vein, (width, 0.62 * width), sign * 0.7)
    # blood that has come back mixes with blood without contrast
    layered = attenuation.vessel_hu * (0.72 + 0.010 * (canvas.y[:, None] - vein[1]))
    canvas.fill(lumen, layered)
    artery = (neck.trachea[0] + sign * (out + 1.5), neck.spine_y + 3.5)
    canvas.fill(canvas.ellipse(artery, (1.5, 1.5)), attenuation.vessel_hu)


def _trachea(canvas: Canvas, neck: Neck, muscle: Array) -> None:
    x0, y0 = neck.trachea
    r = neck.tracheal_radius
    gullet = (x0 + 4.0, y0 + r + 4.2)
    canvas.fill(canvas.ellipse(gullet, (7.0, 3.7), 0.1), 62.0)
    canvas.fill(canvas.ellipse(gullet, (3.2, 0.8), 0.1), 25.0)
    tube = canvas.ellipse((x0, y0), (r, r * 1.06))
    # flat behind, where no cartilage is
    back = canvas.y[:, None] - (y0 + 0.72 * r)
    outer = np.maximum(tube, back)
    canvas.fill(outer, np.where(back > -1.8, 60.0, 120.0))
    canvas.fill(outer + 1.7, AIR_HU)


def _skin(canvas: Canvas, neck: Neck) -> None:
    """Cut the neck's outline: subcutaneous fat, skin, and air in front."""
    x = np.clip((canvas.x - neck.trachea[0]) / neck.half_width, -0.999, 0.999)
    surface = 46.0 * (1 - np.sqrt(1 - x**2))
    depth = canvas.y[:, None] - surface[None, :]
    canvas.fill(np.abs(depth - (2.0 + 0.3 * neck.fat_mm)) - 0.3 * neck.fat_mm, FAT_HU)
    platysma = np.abs(depth - (1.2 + 0.85 * neck.fat_mm)) - 0.5
    canvas.fill(platysma, np.full(canvas.hu.shape, 25.0))
    canvas.fill(np.abs(depth - 0.8) - 0.8, SKIN_HU)
    canvas.fill(depth, AIR_HU)


def draw_thyroid(
    canvas: Canvas,
    neck: Neck,
    attenuation: Attenuation,
    offset_mm: float,
    nodule_depth: Array,
    rng: Generator,
) -> None:
    """Paint lobes and isthmus; the gland bulges where the nodule is."""
    level = neck.level + offset_mm / neck.lobe[2]
    texture = attenuation.gland_hu + 7.0 * gaussian_field(rng, canvas.hu.shape, 2.5, 2.5)
    kept = canvas.hu.copy()
    width, depth, _ = neck.lobe
    for number, center in enumerate(neck.lobes):
        own = number == (1 if neck.mirror > 0 else 0)
        full = np.sqrt(max(1 - level**2, 0.04)) if abs(level) < 1 else 0.2
        size = (width if own else 0.85 * min(width, 9.0)) * full
        tall = (depth if own else min(depth, 13.0)) * full
        sign = 1 if number else -1
        shape = canvas.ellipse(center, (size, tall), -sign * 0.18, 2.3)
        canvas.fill(shape, texture)
    if abs(level) < 0.6 or neck.isthmic:
        x0, y0 = neck.trachea
        r = neck.tracheal_radius
        bridge = np.abs(canvas.ellipse((x0, y0), (r + 1.0, r + 1.0)) - 0.5 * neck.isthmus_mm)
        bridge = bridge - 0.5 * neck.isthmus_mm
        front = canvas.y[:, None] - (y0 - 0.25 * r)
        canvas.fill(np.maximum(bridge, front), texture)
    rind = 1.2 if not neck.isthmic else 0.8
    canvas.fill(np.maximum(-nodule_depth - rind, canvas.ellipse(
        neck.nodule, (60.0, 60.0))), np.where(kept < -500, kept, texture))  # fmt: skip
    # air stays air, vessels stay vessels
    hollow = kept < -600
    canvas.hu[hollow] = kept[hollow]
