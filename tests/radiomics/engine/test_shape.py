"""Shape of one slice, without pyradiomics' search among all pairs of vertices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from radiomics import cShape

from lnm_kit.radiomics.engine.shape import NAMES, NAMES_2D, shape_features

LENGTHS = st.sampled_from([0.1, 0.3, 1.0, 2.5])


@settings(max_examples=150, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 14), st.integers(1, 14)),
    share=st.floats(0.05, 1),
    spacing_mm=st.tuples(LENGTHS, LENGTHS, LENGTHS),
    seed=st.integers(0, 9999),
)
def test_mesh_and_diameters_are_those_of_pyradiomics(shape, share, spacing_mm, seed):
    """Any mask: holes, components, single pixels, pixels that touch by a corner only."""
    rng = np.random.default_rng(seed)
    inside = rng.random(shape) < share
    inside.flat[rng.integers(inside.size)] = True
    volume, plane = shape_features(inside, spacing_mm)
    named, named_2d = dict(zip(NAMES, volume, strict=True)), dict(zip(NAMES_2D, plane, strict=True))
    surface, content, diameters = cShape.calculate_coefficients(
        np.pad(inside[None], 1), np.array(spacing_mm)
    )
    assert named["SurfaceArea"] == pytest.approx(surface, rel=1e-9)
    assert named["MeshVolume"] == pytest.approx(content, rel=1e-9)
    along = ("2DDiameterSlice", "2DDiameterColumn", "2DDiameterRow", "3DDiameter")
    found = [named[f"Maximum{name}"] for name in along]
    assert found == pytest.approx(diameters, rel=1e-9)
    outline, area, diameter = cShape.calculate_coefficients2D(
        np.pad(inside, 1), np.array(spacing_mm[1:])
    )
    found = [named_2d[name] for name in ("Perimeter", "MeshSurface", "MaximumDiameter")]
    assert found == pytest.approx([outline, area, diameter], rel=1e-9)


def test_axes_are_those_of_an_ellipse():
    rows, columns = np.mgrid[:201, :201]
    inside = ((rows - 100) / 40) ** 2 + ((columns - 100) / 80) ** 2 < 1
    _, plane = shape_features(inside, (1.0, 0.5, 0.25))
    named = dict(zip(NAMES_2D, plane, strict=True))
    assert named["MajorAxisLength"] == pytest.approx(40, rel=4e-3)  # 2 x 40 x 0.5 = 2 x 80 x 0.25
    assert named["MinorAxisLength"] == pytest.approx(40, rel=4e-3)
    assert named["PixelSurface"] == pytest.approx(np.pi * 40 * 80 * 0.125, rel=4e-3)


def test_a_line_of_pixels_has_no_width():
    _, plane = shape_features(np.eye(57, dtype=bool), (0.3, 0.3, 0.7))
    named = dict(zip(NAMES_2D, plane, strict=True))
    assert (named["MinorAxisLength"], named["Elongation"]) == (0, 0)
