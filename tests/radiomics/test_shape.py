import logging

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from radiomics.shape import RadiomicsShape

from lnm_kit.radiomics.shape import slice_shape_features

masks = arrays(bool, st.tuples(st.integers(2, 16), st.integers(2, 16))).filter(
    lambda mask: mask.sum() > 2
)
spacings = st.tuples(*[st.floats(0.1, 2)] * 3)


def reference(mask: np.ndarray, spacing: tuple[float, float, float]) -> dict[str, float]:
    volume = sitk.GetImageFromArray(mask[None].astype(np.uint8))
    volume.SetSpacing(spacing[::-1])
    shape = RadiomicsShape(volume, volume)
    shape.enableAllFeatures()
    # pyradiomics takes the eigenvalues of a symmetric matrix by the general solver, which now and
    # then gives them an imaginary part of rounding size.
    return {name: float(np.real(value)) for name, value in shape.execute().items()}


@given(masks, spacings)
@settings(max_examples=60, deadline=None)
def test_all_14_features_are_those_of_pyradiomics(mask, spacing):
    logging.getLogger("radiomics").setLevel(logging.ERROR)
    found, expected = slice_shape_features(mask, spacing), reference(mask, spacing)
    assert list(found) == list(expected)
    assert len(found) == 14
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-8, abs=1e-7), name


def test_large_rings_and_scattered_parts_too():
    rows, columns = np.mgrid[:70, :90]
    distance = np.hypot(rows - 30, columns - 40)
    mask = ((distance < 25) & (distance > 12)) | ((rows > 60) & (columns > 80))
    found, expected = slice_shape_features(mask, (1, 0.2, 0.3)), reference(mask, (1, 0.2, 0.3))
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-7)


def test_an_ellipse_has_the_axes_it_was_drawn_with():
    rows, columns = np.mgrid[:300, :400]
    mask = ((rows - 150) / 60) ** 2 + ((columns - 200) / 120) ** 2 < 1
    found = slice_shape_features(mask, (1, 0.1, 0.1))
    assert found["MajorAxisLength"] == pytest.approx(24, rel=0.01)
    assert found["MinorAxisLength"] == pytest.approx(12, rel=0.01)
    assert found["LeastAxisLength"] == 0
    assert found["Maximum2DDiameterSlice"] == pytest.approx(24, rel=0.01)
