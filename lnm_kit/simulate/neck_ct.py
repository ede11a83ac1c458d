"""Simulated contrast CT of the neck: axial slices through the nodule of the ultrasound frames."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.ndimage import gaussian_filter

from lnm_kit.simulate.attenuation import Attenuation
from lnm_kit.simulate.body import Body, build_body
from lnm_kit.simulate.fields import gaussian_field
from lnm_kit.simulate.neck_anatomy import Canvas, Neck, draw_neck, draw_thyroid, lay_out
from lnm_kit.simulate.nodule import Nodule

Array = npt.NDArray[Any]
Generator = np.random.Generator

#: Rows and columns of a slice: the middle of the neck, not all of it.
PIXELS = 168
#: Range of spacings that readers choose, in mm, by the field of view.
SPACING_MM = (0.44, 0.56)
#: Thickness of a slice; what lies within it is averaged.
THICKNESS_MM = 1.25


@dataclass(frozen=True)
class Reconstruction:
    """How a center reconstructs its slices.

    Attributes
    ----------
    blur_mm
        Standard deviation of the point spread.
    noise_hu
        Standard deviation of the noise in the middle of the neck.
    peak_per_mm
        Spatial frequency at which the noise is strongest: low for soft kernels.
    """

    blur_mm: float
    noise_hu: float
    peak_per_mm: float


#: By center; the external hospital has a sharper, noisier kernel.
RECONSTRUCTIONS = {
    "center_1": Reconstruction(0.50, 9.0, 0.32),
    "center_2": Reconstruction(0.58, 8.0, 0.26),
    "center_3": Reconstruction(0.40, 13.0, 0.42),
}


@dataclass(frozen=True)
class Slice:
    """One axial slice.

    Attributes
    ----------
    hu
        Hounsfield units, (H, W) int16; row 0 is the front, the patient's left is on the right.
    mask
        The nodule as drawn, (H, W) bool.
    spacing_mm
        Size of a pixel, (row, column).
    """

    hu: npt.NDArray[np.int16]
    mask: npt.NDArray[np.bool_]
    spacing_mm: tuple[float, float]


def extent_mm(nodule: Nodule) -> tuple[float, float]:
    """How far a nodule reaches from its center to the head and to the feet, in mm.

    Examples
    --------
    >>> nodule = Nodule(12.0, 0.8, 1.0, 0.0, -3.0, 1.6, "solid", "none", 0, "middle", 3)
    >>> head, feet = extent_mm(nodule)
    >>> 8 < head + feet < 15
    True
    """
    outline = build_body(nodule).outline("longitudinal")
    along = outline * np.cos(2 * np.pi * np.arange(outline.size) / outline.size)
    return float(-along.min()), float(along.max())


def render_slice(
    nodule: Nodule,
    attenuation: Attenuation,
    reconstruction: Reconstruction,
    *,
    offset_mm: float,
    seed: int,
) -> Slice:
    """Render one axial slice; the same arguments give the same pixels.

    Neck and nodule are those of the patient: further slices of a nodule cut the same body, the
    one that the ultrasound frames show. Only the noise comes from `seed`. The image is simulated
    and shows no patient.

    Parameters
    ----------
    nodule, attenuation
        What to draw, from `describe_case` and `describe_attenuation`.
    reconstruction
        One of `RECONSTRUCTIONS`.
    offset_mm
        Place of the slice against the nodule's center, positive to the feet.
    seed
        Random stream of the noise.

    Examples
    --------
    >>> from lnm_kit.simulate.attenuation import describe_attenuation
    >>> nodule = Nodule(12.0, 0.8, 1.0, 0.0, -3.0, 1.6, "solid", "none", 0, "middle", 3)
    >>> one = render_slice(nodule, describe_attenuation(nodule, 0.0, 3),
    ...                    RECONSTRUCTIONS["center_1"], offset_mm=0.0, seed=1)
    >>> one.hu.dtype, one.hu.shape == one.mask.shape, bool(one.mask.any())
    (dtype('int16'), True, True)
    """
    body = build_body(nodule)
    patient = np.random.default_rng([0xC7A, nodule.seed])
    spacing = float(patient.uniform(*SPACING_MM))
    neck = lay_out(nodule, body, patient)
    canvas = Canvas.around(neck, (PIXELS, PIXELS), spacing)
    here = np.random.default_rng([0xC7B, nodule.seed, round(100 * (offset_mm + 500))])
    texture = np.random.default_rng([0xC7C, nodule.seed])
    draw_neck(canvas, neck, attenuation, offset_mm, texture)
    cut = _cut(body, neck, canvas, offset_mm)
    draw_thyroid(canvas, neck, attenuation, offset_mm, cut.max(axis=0), texture)
    mask = _draw_nodule(canvas, neck, nodule, body, attenuation, cut, offset_mm, texture)
    noise = np.random.default_rng([0xC7D, nodule.seed, seed])
    hu = _reconstruct(canvas.hu, reconstruction, spacing, noise, here)
    return Slice(hu, mask, (spacing, spacing))


def _cut(body: Body, neck: Neck, canvas: Canvas, offset_mm: float) -> Array:
    """Signed distance to the nodule's surface in mm, positive inside, in two layers of the slice.

    Shape (2, H, W); far outside it only says that it is outside.
    """
    x = neck.mirror * (canvas.x - neck.nodule[0])
    y = canvas.y - neck.nodule[1]
    reach = 1.5 * float(body.semi_axes_mm.max())
    columns = np.flatnonzero(np.abs(x) < reach)
    rows = np.flatnonzero(np.abs(y) < reach)
    depth = np.full((2, y.size, x.size), -50.0)
    window = np.ix_(rows, columns)
    for layer, z in enumerate((offset_mm - THICKNESS_MM / 4, offset_mm + THICKNESS_MM / 4)):
        points = np.empty((rows.size, columns.size, 3))
        points[..., 0], points[..., 1] = x[columns], y[rows, None]
        points[..., 2] = z
        scaled = (points @ body.rotation) / body.semi_axes_mm
        length = np.maximum(np.linalg.norm(scaled, axis=-1), 1e-6)
        near = length < 1.6
        surface = np.full(length.shape, 0.9)
        surface[near] = body.radius(scaled[near] / length[near][:, None])
        distance = np.maximum(np.linalg.norm(points, axis=-1), 1e-6)
        # from relative to absolute along the ray; the ray leans from the surface's normal
        depth[layer][window] = 0.9 * (surface - length) / length * distance
    return depth


def _draw_nodule(
    canvas: Canvas,
    neck: Neck,
    nodule: Nodule,
    body: Body,
    attenuation: Attenuation,
    cut: Array,
    offset_mm: float,
    texture: Generator,
) -> npt.NDArray[np.bool_]:
    """Draw the nodule and its calcifications; returns its mask."""
    mean = cut.mean(axis=0)
    mask: npt.NDArray[np.bool_] = mean > 0
    if not mask.any():
        mask = mean == mean.max()
    share = (1 / (1 + np.exp(-np.clip(cut / (0.5 * attenuation.edge_mm), -30, 30)))).mean(axis=0)
    strand = attenuation.stranding * np.exp(-np.maximum(-mean, 0) / 1.6) * (mean < 0)
    canvas.hu += strand * np.clip(55 - canvas.hu, 0, None)
    uneven = gaussian_field(texture, mask.shape, 3.0, 3.0)
    uneven -= uneven[mask].mean()
    inside = attenuation.nodule_hu + attenuation.heterogeneity_hu * uneven
    canvas.hu += share * (inside - canvas.hu)
    _calcify(canvas, neck, nodule, body, mean, offset_mm)
    return mask


def _calcify(
    canvas: Canvas, neck: Neck, nodule: Nodule, body: Body, depth: Array, offset_mm: float
) -> None:
    patient = np.random.default_rng([0xCA1C, nodule.seed])
    if nodule.calcification == "peripheral":
        arc = np.cos(2 * np.arctan2(canvas.y[:, None] - neck.nodule[1], canvas.x - neck.nodule[0]))
        shell = np.exp(-0.5 * ((depth - 0.6) / 0.5) ** 2) * np.clip(0.6 + arc, 0, 1)
        canvas.hu += 420 * shell
        return
    for number, (x, y, z) in enumerate(body.points_mm):
        macro = nodule.calcification == "macro" or (nodule.calcification == "mixed" and number == 0)
        if macro:
            size = min(patient.uniform(1.0, 2.0), 0.10 * nodule.diameter_mm)
            peak = patient.uniform(450, 1000)
        else:
            size, peak = patient.uniform((0.25, 40.0), (0.40, 300.0))
            # most grains that ultrasound shows are too small for CT
            peak *= patient.random() < 0.4
        # a small grain fills only a part of the slice
        weight = np.exp(-0.5 * ((z - offset_mm) / np.hypot(size, 0.45)) ** 2)
        weight *= min(1.0, size / 0.6)
        if weight > 0.05:
            dx = canvas.x - (neck.nodule[0] + neck.mirror * x)
            dy = canvas.y[:, None] - (neck.nodule[1] + y)
            canvas.hu += weight * peak * np.exp(-0.5 * (dx**2 + dy**2) / size**2)


def _reconstruct(
    hu: Array, reconstruction: Reconstruction, spacing: float, noise: Generator, here: Generator
) -> npt.NDArray[np.int16]:
    """Blur by the point spread and add noise with the spectrum of a kernel; int16 HU.

    The noise power grows with frequency, as filtered back-projection makes it, up to the kernel's
    roll-off. *Source*: Riederer et al., Phys. Med. Biol. 23 (1978) 446-454.
    """
    smooth = gaussian_filter(hu, reconstruction.blur_mm / spacing, mode="nearest")
    rows, columns = hu.shape
    fr = fft.fftfreq(rows, spacing)[:, None]
    fc = fft.rfftfreq(columns, spacing)[None, :]
    f = np.hypot(fr, fc)
    transfer = np.sqrt(f) * np.exp(-0.25 * (f / reconstruction.peak_per_mm) ** 2)
    white = fft.rfft2(noise.standard_normal((rows, columns), dtype=np.float32))
    grain = fft.irfft2(white * transfer, s=(rows, columns))
    grain *= reconstruction.noise_hu * float(np.exp(0.12 * here.standard_normal())) / grain.std()
    # shoulders and spine take photons: noisier behind, and in faint streaks from side to side
    depth = np.linspace(0.85, 1.25, rows)[:, None]
    streaks = 2.5 * gaussian_field(noise, (rows, columns), 1.0, 40)
    return np.clip(np.rint(smooth + depth * grain + streaks), -1024, 3071).astype(np.int16)
