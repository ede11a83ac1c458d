"""Drawing a cut of a nodule into a scene: outline, inner texture, cysts, calcifications, halo."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import zoom

from lnm_kit.simulate.anatomy import Layout, Scene, Tissue
from lnm_kit.simulate.body import Body
from lnm_kit.simulate.fields import bright_skewed, gaussian_field
from lnm_kit.simulate.nodule import Nodule

Array = npt.NDArray[Any]
Generator = np.random.Generator

#: Gain of echo under fluid, per pixel of path through it (dB).
ENHANCEMENT_DB_PER_PX = 0.04


@dataclass(frozen=True)
class Cut:
    """A nodule's cut on the pixel grid of a window around it.

    Attributes
    ----------
    window
        Rows and columns of the scene that it covers.
    depth_px
        Signed distance to the outline, px, positive inside (h, w).
    angle
        Polar angle around the center, 0 lateral, a quarter turn deep (h, w).
    lateral_mm, deep_mm
        Place of the window's columns (w,) and rows (h,) against the center.
    """

    window: tuple[slice, slice]
    depth_px: Array
    angle: Array
    lateral_mm: Array
    deep_mm: Array


def cut_body(body: Body, layout: Layout) -> Cut:
    """Cut the body in the layout's plane and lay the outline on the pixel grid."""
    outline = body.outline(layout.plane) / layout.spacing_mm
    if layout.side < 0 and layout.plane == "transverse":
        outline = np.roll(outline[::-1], outline.size // 2 + 1)
    row, column = layout.center
    reach = outline.max() + 12
    height, width = layout.shape
    r0, r1 = max(0, int(row - reach)), min(height, int(row + reach) + 1)
    c0, c1 = max(0, int(column - reach)), min(width, int(column + reach) + 1)
    dy = (np.arange(r0, r1) - row)[:, None]
    dx = (np.arange(c0, c1) - column)[None, :]
    angle = np.arctan2(dy, dx)
    position = (angle % (2 * np.pi)) * outline.size / (2 * np.pi)
    surface = np.interp(position, np.arange(outline.size + 1), np.append(outline, outline[0]))
    # Radial distance times the cosine of the surface's lean approximates the true distance.
    slope = np.gradient(np.append(outline, outline[:2]))[1:-1] * outline.size / (2 * np.pi)
    lean = 1 / np.sqrt(1 + (slope / outline) ** 2)
    cosine = np.interp(position, np.arange(outline.size), np.roll(lean, 1))
    depth = (surface - np.hypot(dy, dx)) * cosine
    mirror = layout.side if layout.plane == "transverse" else 1
    return Cut(
        (slice(r0, r1), slice(c0, c1)), depth, angle,
        mirror * dx[0] * layout.spacing_mm, dy[:, 0] * layout.spacing_mm,
    )  # fmt: skip


def draw_nodule(
    scene: Scene, layout: Layout, nodule: Nodule, body: Body, gland: Array, rng: Generator
) -> None:
    """Draw the nodule into the scene, in place; `scene.mask` becomes its cut."""
    cut = cut_body(body, layout)
    patient = np.random.default_rng([0x1E5, nodule.seed])
    mask = cut.depth_px > 0
    softness = 0.6 * np.exp(np.log(1.8) + 0.5 * np.clip(patient.standard_normal(), -2, 2))
    softness *= nodule.softness * np.clip(nodule.irregularity, 0.6, 2.0) ** 0.4
    share = 1 / (1 + np.exp(-np.clip(cut.depth_px / softness, -30, 30)))
    inside = nodule.echo_db + _texture(nodule, cut.depth_px.shape, rng)
    inside += (0.5 * gland[cut.window]).astype(np.float32)
    inside += 1.25 * nodule.heterogeneity * _slow_field(body, layout, cut, scale_mm=2.0)
    fluid, fluid_db = _fluid(nodule, body, layout, cut, patient)
    fluid = fluid * np.clip(cut.depth_px / 3, 0, 1)
    inside += fluid * np.minimum(fluid_db - inside, 0)

    echo = scene.echo_db[cut.window]
    echo += (share * (inside - echo)).astype(np.float32)
    echo += _rim(nodule, cut, patient)
    attenuation = scene.attenuation_db[cut.window]
    attenuation -= (ENHANCEMENT_DB_PER_PX * fluid * mask).astype(np.float32)
    if nodule.composition == "solid":
        # Solid cancers absorb more than the gland; a few darken what lies behind.
        attenuation += (max(0.0, patient.normal(0.0, 0.03)) * mask).astype(np.float32)
    _edge_shadows(scene, layout, cut, patient)
    scene.mask[cut.window] = mask
    scene.tissue[scene.mask] = Tissue.NODULE
    _calcify(scene, layout, nodule, body, cut, patient)


def draw_foci(scene: Scene, layout: Layout, nodule: Nodule, rng: Generator) -> None:
    """Draw small further foci of a multifocal tumor where this plane happens to meet them."""
    rows = np.arange(layout.shape[0])[:, None]
    columns = np.arange(layout.shape[1])[None, :]
    for _ in range(nodule.foci - 1):
        if rng.random() > 0.3:
            continue
        column = int(rng.uniform(0.1, 0.9) * layout.shape[1])
        row = rng.uniform(layout.top[column], layout.bottom[column])
        radius = rng.uniform(1.0, 2.5) / layout.spacing_mm
        inside = np.hypot((columns - column) / radius, (rows - row) / (radius * 0.85))
        if scene.tissue[int(min(row, layout.shape[0] - 1)), column] == Tissue.THYROID:
            scene.echo_db -= rng.uniform(2, 6) * np.clip((1 - inside) * 3, 0, 1)


def _texture(nodule: Nodule, shape: tuple[int, int], rng: Generator) -> Array:
    fine = gaussian_field(rng, shape, 1.2, rng.uniform(3.5, 6))
    middle = gaussian_field(rng, shape, 4, 6)
    grain = 0.7 * fine + 0.8 * bright_skewed(fine) + 0.7 * middle + 0.9 * bright_skewed(middle)
    texture: Array = nodule.heterogeneity * grain
    return texture


def _slow_field(body: Body, layout: Layout, cut: Cut, scale_mm: float) -> Array:
    """Unit field of the body on the cut, computed coarsely and stretched: it is smooth."""
    step = max(1, int(0.5 * scale_mm / layout.spacing_mm))
    lateral, deep = cut.lateral_mm[::step], cut.deep_mm[::step]
    coarse = body.field(layout.plane, lateral[None, :], deep[:, None], scale_mm=scale_mm)
    shape = cut.depth_px.shape
    factors = (step * (len(deep) + 1) / len(deep), step * (len(lateral) + 1) / len(lateral))
    fine: Array = zoom(coarse, factors, order=1, mode="nearest", grid_mode=False)
    return fine[: shape[0], : shape[1]]


def _fluid(
    nodule: Nodule, body: Body, layout: Layout, cut: Cut, patient: Generator
) -> tuple[Array, float]:
    """Share of fluid per pixel of the cut, 0-1, and the echo level of the fluid in dB."""
    if nodule.composition == "solid":
        return np.zeros(cut.depth_px.shape), 0.0
    if nodule.composition == "cystic":
        debris = 0.12 * _slow_field(body, layout, cut, scale_mm=1.5)
        return np.clip(1 - np.maximum(debris, 0), 0, 1), -22.0
    if patient.random() < 0.5:
        # Spongiform: many small spaces, too small to show their full darkness.
        fine = _slow_field(body, layout, cut, scale_mm=float(patient.uniform(0.5, 0.8)))
        clusters = _slow_field(body, layout, cut, scale_mm=0.2 * nodule.diameter_mm)
        share = np.clip((fine + 0.6 * clusters - patient.uniform(0.5, 1.1)) / 0.6, 0, 1)
        return share, nodule.echo_db - float(patient.uniform(4, 10))
    field = _slow_field(body, layout, cut, scale_mm=0.24 * nodule.diameter_mm)
    share = np.clip(0.5 + (field - patient.uniform(0.1, 0.9)) / 0.3, 0, 1)
    return share, nodule.echo_db - float(patient.uniform(7, 15))


def _rim(nodule: Nodule, cut: Cut, patient: Generator) -> Array:
    """Halo and capsule of a well-defined nodule, dB; invasive ones seldom have either."""
    defined = 1.0 if nodule.irregularity < 1.3 else 0.4
    rim = np.zeros(cut.depth_px.shape, dtype=np.float32)
    if patient.random() < 0.35 * defined:
        rim -= patient.uniform(1.5, 5) * np.exp(-0.5 * ((cut.depth_px - 2.5) / 2.2) ** 2)
    if patient.random() < 0.5 * defined:
        facing = np.abs(np.sin(cut.angle)) ** 3
        rim += patient.uniform(2, 6) * facing * np.exp(-0.5 * (cut.depth_px / 1.4) ** 2)
    return rim


def _edge_shadows(scene: Scene, layout: Layout, cut: Cut, patient: Generator) -> None:
    """Refraction darkens two columns behind the lateral edges."""
    if patient.random() > 0.5:
        return
    columns = np.arange(layout.shape[1])
    inside = np.flatnonzero((cut.depth_px > 0).any(axis=0)) + cut.window[1].start
    loss = patient.uniform(0.5, 3.5, 2)
    start = int(layout.center[0])
    for edge, amount in zip((inside[0] + 2, inside[-1] - 2), loss, strict=True):
        band = np.exp(-0.5 * ((columns - edge) / 3.5) ** 2)
        scene.attenuation_db[start : start + 10] += (amount / 10 * band).astype(np.float32)


def _calcify(
    scene: Scene, layout: Layout, nodule: Nodule, body: Body, cut: Cut, patient: Generator
) -> None:
    """Add the calcifications that the plane's beam meets, with their shadows."""
    if nodule.calcification == "peripheral":
        _shell(scene, layout, body, cut, patient)
        return
    points, weights = body.seen_points(layout.plane)
    mirror = layout.side if layout.plane == "transverse" else 1
    rows = np.arange(layout.shape[0], dtype=np.float32)[:, None]
    columns = np.arange(layout.shape[1], dtype=np.float32)[None, :]
    for number, ((lateral, deep), weight) in enumerate(zip(points, weights, strict=True)):
        # the first of mixed calcifications, which every plane meets, is the large one
        macro = nodule.calcification == "macro" or (nodule.calcification == "mixed" and number == 0)
        column = layout.center[1] + mirror * lateral / layout.spacing_mm
        row = layout.center[0] + deep / layout.spacing_mm
        bright, half_width, half_height, shadow = _grain(macro, patient)
        if weight < 0.2:
            continue
        r0, r1 = int(max(row - 12, 0)), int(min(row + 13, layout.shape[0]))
        profile = np.exp(-0.5 * ((columns - column) / half_width) ** 2)
        spot = profile * np.exp(-0.5 * ((rows[r0:r1] - row) / half_height) ** 2)
        scene.echo_db[r0:r1] += (bright * weight * spot).astype(np.float32)
        band = 1 / (1 + np.exp((np.abs(columns - column) - half_width) / 1.8))
        lossy = np.abs(rows[r0:r1] - row - half_height) < 2
        scene.attenuation_db[r0:r1] += (weight * shadow / 4 * band * lossy).astype(np.float32)


def _grain(macro: bool, patient: Generator) -> tuple[float, float, float, float]:
    """Brightness dB, half width and height px, shadow dB of one calcification."""
    if macro:
        bright, width, height, shadow = patient.uniform((10, 3.5, 1.2, 7), (17, 9, 2.5, 16))
        return bright, width, height, shadow
    bright, width, height, shadow = patient.uniform((7, 1.0, 0.6, 0.5), (14, 2.2, 1.2, 2.0))
    bright += patient.exponential(2.5)
    return bright, width, height, shadow * float(patient.random() < 0.3)


def _shell(scene: Scene, layout: Layout, body: Body, cut: Cut, patient: Generator) -> None:
    """Draw an eggshell: arcs of the rim, broken where the body's field says so in every plane."""
    field = body.field(
        layout.plane, cut.lateral_mm[None, ::2], cut.deep_mm[::2, None],
        scale_mm=0.3 * float(body.semi_axes_mm.max()),
    )  # fmt: skip
    rows, columns = cut.depth_px.shape
    field = np.repeat(np.repeat(field, 2, 0), 2, 1)[:rows, :columns]
    calcified = np.clip((field + 0.6) * 3, 0, 1)
    facing = 0.35 + 0.65 * np.abs(np.sin(cut.angle))
    rim = calcified * facing * np.exp(-0.5 * ((cut.depth_px - 1.5) / 1.5) ** 2)
    scene.echo_db[cut.window] += (patient.uniform(9, 15) * rim).astype(np.float32)
    loss = patient.uniform(0.8, 2.0) * rim * (np.sin(cut.angle) < 0.3)
    scene.attenuation_db[cut.window] += loss.astype(np.float32)
