"""The three-dimensional body of a nodule, of which every image plane is a cut."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import eval_legendre

from lnm_kit.simulate.nodule import Nodule

Plane = Literal["transverse", "longitudinal"]
Array = npt.NDArray[Any]

# Degrees of the surface roughness and axes drawn per degree.
_DEGREES = np.arange(2, 15)
_AXES_PER_DEGREE = 5
# Standard deviation of the beam's thickness across the image plane: what a plane "sees" of points.
BEAM_MM = 1.2


@dataclass(frozen=True)
class Body:
    """A rough, slightly rotated ellipsoid with points and a scalar field inside it.

    Coordinates in mm from the center: x to the patient's left, y deep (along the beam), z to the
    feet. A transverse plane is z = 0, a longitudinal one x = 0, so both contain the whole y axis.

    Attributes
    ----------
    semi_axes_mm
        (3,) semi-axes before rotation, in the order x, y, z.
    rotation
        (3, 3) from body to patient coordinates.
    roughness
        Amplitudes (D, A) of the degrees' zonal harmonics about `axes` (D, A, 3).
    points_mm
        (N, 3) places of calcifications.
    waves, phases
        (M, 3) wave vectors and (M,) phases of the unit field inside the body.
    """

    semi_axes_mm: Array
    rotation: Array
    roughness: Array
    axes: Array
    points_mm: Array
    waves: Array
    phases: Array
    # an image asks for the same outline many times
    _outlines: dict[tuple[Plane, int], Array] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def radius(self, directions: Array) -> Array:
        r"""Relative radius of the surface along unit directions (..., 3) of the body frame.

        :math:`r(u) = \exp \sum_l \sum_j a_{lj} P_l(u \cdot d_{lj})`: sums of zonal harmonics about
        random axes fill the spherical harmonics of degree l (addition theorem), so the roughness
        has no preferred place and both planes cut the same surface. *Source*: NIST Digital Library
        of Mathematical Functions, eq. 14.30.9.
        """
        exponent = np.zeros(directions.shape[:-1])
        for degree, amplitudes, axes in zip(_DEGREES, self.roughness, self.axes, strict=True):
            cosines = np.clip(directions @ axes.T, -1, 1)
            exponent += eval_legendre(int(degree), cosines) @ amplitudes
        return np.exp(np.clip(exponent, -0.6, 0.5))

    def outline(self, plane: Plane, n: int = 720) -> Array:
        """Distance in mm from the center to the surface at `n` even angles of a plane, (n,).

        Angle 0 points along the plane's lateral axis (x or z), a quarter turn points deep. The
        array is kept for the next call and can't be written to.
        """
        if (plane, n) not in self._outlines:
            distance = self._distance(plane, n)
            distance.setflags(write=False)
            self._outlines[plane, n] = distance
        return self._outlines[plane, n]

    def _distance(self, plane: Plane, n: int) -> Array:
        angle = 2 * np.pi * np.arange(n) / n
        directions = np.zeros((n, 3))
        directions[:, _lateral(plane)] = np.cos(angle)
        directions[:, 1] = np.sin(angle)
        scaled = (directions @ self.rotation) / self.semi_axes_mm
        length = np.linalg.norm(scaled, axis=1)
        distance: Array = self.radius(scaled / length[:, None]) / length
        return distance

    def seen_points(self, plane: Plane) -> tuple[Array, Array]:
        """Points that the beam of a plane meets: (N, 2) as (lateral, deep) mm, (N,) weights 0-1."""
        across = self.points_mm[:, 2 if plane == "transverse" else 0]
        weight = np.exp(-0.5 * (across / BEAM_MM) ** 2)
        return self.points_mm[:, [_lateral(plane), 1]], weight

    def field(self, plane: Plane, lateral_mm: Array, deep_mm: Array, scale_mm: float) -> Array:
        """Unit-variance smooth field at points of a plane, with correlation scale `scale_mm`.

        The same body gives the same field, so a cystic part that one plane shows is met by the
        other where they cross. The two coordinates broadcast: a row and a column make a grid. A sum
        of random cosines (Shinozuka & Jan 1972, J. Sound Vib. 25:111, eq. 1).
        """
        wave = self.waves / scale_mm
        across = np.multiply.outer(lateral_mm, wave[:, _lateral(plane)]) + self.phases
        along = np.multiply.outer(deep_mm, wave[:, 1])
        # cos(a + b) taken apart: on a grid, cosines of its columns and rows instead of its points
        summed: Array = np.einsum("...m,...m->...", np.cos(across), np.cos(along))
        summed -= np.einsum("...m,...m->...", np.sin(across), np.sin(along))
        return summed * np.sqrt(2 / len(self.phases))


def build_body(nodule: Nodule) -> Body:
    """Build the one body of a nodule from its description and seed.

    Examples
    --------
    >>> nodule = Nodule(12.0, 0.8, 1.0, 0.0, -3.0, 1.6, "solid", "none", 0, "middle", 3)
    >>> body = build_body(nodule)
    >>> transverse, longitudinal = body.outline("transverse"), body.outline("longitudinal")
    >>> bool(np.isclose(transverse[180], longitudinal[180]))  # both hold the deep axis
    True
    """
    rng = np.random.default_rng([0xB0D1, nodule.seed])
    elongation = float(np.exp(0.10 + 0.14 * np.clip(rng.standard_normal(), -2, 2)))
    shape = np.array([1.0, nodule.aspect, elongation])
    semi_axes = 0.5 * nodule.diameter_mm * shape / shape.max()
    roughness, axes = _roughness(nodule.irregularity, rng)
    rotation = _rotation(0.15 * rng.standard_normal(2))
    waves = rng.standard_normal((56, 3))
    phases = rng.uniform(0, 2 * np.pi, 56)
    points = _points(nodule, semi_axes, rng) @ rotation.T
    return Body(semi_axes, rotation, roughness, axes, points, waves, phases)


def _roughness(irregularity: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Amplitudes that fall as degree^-2.2, the fall of the outlines of real nodules."""
    axes = rng.standard_normal((len(_DEGREES), _AXES_PER_DEGREE, 3))
    axes /= np.linalg.norm(axes, axis=-1, keepdims=True)
    scale = 0.055 * (_DEGREES / 3.0) ** -2.2 * np.sqrt((2 * _DEGREES + 1) / 2)
    # The second degree only turns the ellipsoid into another; irregularity is what lies above.
    scale = scale * np.where(_DEGREES >= 4, irregularity, 1.0)
    scale[0] *= 0.25
    draws = rng.standard_normal((len(_DEGREES), _AXES_PER_DEGREE))
    return scale[:, None] * draws / np.sqrt(_AXES_PER_DEGREE), axes


def _rotation(angles: Array) -> Array:
    (c1, c2), (s1, s2) = np.cos(angles), np.sin(angles)
    about_z = np.array([[c1, -s1, 0], [s1, c1, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, c2, -s2], [0, s2, c2]])
    return about_z @ about_x


def _points(nodule: Nodule, semi_axes: Array, rng: np.random.Generator) -> Array:
    """Places of the calcifications; the first lies where the two planes meet, so that both see it.

    Microcalcifications gather in a cluster, macrocalcifications alone lie near the center.
    """
    n = nodule.calcification_count
    directions = rng.standard_normal((n, 3))
    directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-9)
    clustered = nodule.calcification in ("micro", "mixed")
    spread = 0.8 if clustered else 0.5
    unit = directions * spread * rng.random((n, 1)) ** (1 / 3)
    if clustered:
        unit = 0.75 * unit + rng.uniform(-0.2, 0.2, 3)
    points = unit * semi_axes
    if n:
        points[0, [0, 2]] = 0.3 * rng.standard_normal(2)
    return points


def _lateral(plane: Plane) -> int:
    return 0 if plane == "transverse" else 2
