import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.figures.cam_modalities import modalities_cam_figure

RNG = np.random.default_rng(0)
IMAGES = {
    "B-mode": RNG.integers(0, 255, (3, 12, 12), dtype=np.uint8),
    "CEUS": RNG.integers(0, 255, (3, 12, 12, 3), dtype=np.uint8),
}
MAPS = {name: RNG.random((3, 12, 12)) for name in IMAGES}
MASKS = np.zeros((3, 2, 12, 12), bool)
MASKS[:, :, 4:8, 4:8] = True


def test_each_row_has_both_images_and_each_map_lies_on_its_own():
    figure = modalities_cam_figure(IMAGES, MAPS, MASKS, titles=["a", "b", "c"])
    *panels, _bar = figure.axes
    assert len(panels) == 12
    row = panels[4:8]
    assert row[0].get_ylabel() == "b"
    drawn = [[np.asarray(image.get_array()) for image in axes.get_images()] for axes in row]
    assert (drawn[0][0] == IMAGES["B-mode"][1]).all()
    assert (drawn[2][0] == IMAGES["CEUS"][1]).all()
    for name, panel in (("B-mode", drawn[1]), ("CEUS", drawn[3])):
        assert panel[0].ndim == 2
        assert (panel[1] == MAPS[name][1]).all()


def test_what_does_not_fit_is_listed():
    with pytest.raises(InputError, match="needed: the same"):
        modalities_cam_figure(IMAGES, {"CEUS": MAPS["CEUS"]}, MASKS)
    with pytest.raises(InputError, match=r"CEUS: image .* and map \(3, 6, 6\)"):
        modalities_cam_figure(IMAGES, MAPS | {"CEUS": MAPS["CEUS"][:, :6, :6]}, MASKS)
    with pytest.raises(InputError, match="1 titles for 3 cases"):
        modalities_cam_figure(IMAGES, MAPS, MASKS, titles=["a"])
    with pytest.raises(InputError, match=r"maps of B-mode leave \[0, 1\]"):
        modalities_cam_figure(IMAGES, MAPS | {"B-mode": 2 * MAPS["B-mode"]}, MASKS)
