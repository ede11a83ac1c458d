import io

import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.figures.cam import grad_cam_figure

CROPS = np.full((2, 16, 16), 90, np.uint8)
MAPS = np.tile(np.linspace(0, 1, 16), (2, 16, 1))
MASKS = np.zeros(CROPS.shape, bool)
MASKS[:, 4:12, 4:12] = True


def test_where_the_map_is_zero_the_image_is_seen_as_it_is():
    figure = grad_cam_figure(CROPS, MAPS, MASKS, titles=["positive", "negative"])
    overlay = figure.axes[1].get_images()[1]
    assert overlay.get_alpha()[0, 0] == 0
    assert overlay.get_alpha()[0, -1] > 0.5
    assert figure.axes[3].get_ylabel() == "negative"
    figure.savefig(io.BytesIO())


def test_maps_share_one_scale():
    figure = grad_cam_figure(CROPS, MAPS * 0.5, MASKS)
    assert all(axes.get_images()[-1].get_clim() == (0, 1) for axes in figure.axes[1:3])


@pytest.mark.parametrize(
    ("maps", "titles", "message"),
    [
        (MAPS * 2, (), r"lie in \[0, 1\]"),
        (MAPS * np.nan, (), r"lie in \[0, 1\]"),
        (MAPS[:1], (), "shapes must be equal"),
        (MAPS, ("one",), "1 titles"),
    ],
)
def test_bad_input_is_named(maps, titles, message):
    with pytest.raises(InputError, match=message):
        grad_cam_figure(CROPS, maps, MASKS, titles=titles)
