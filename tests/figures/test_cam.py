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


def test_maps_of_random_weights_stand_in_a_column_of_their_own():
    figure = grad_cam_figure(CROPS, MAPS, MASKS, untrained=1 - MAPS)
    headings = [axes.get_title() for axes in figure.axes[:4]]
    assert headings == ["region", "Grad-CAM", "map and outline", "map, random weights"]
    np.testing.assert_array_equal(figure.axes[3].get_images()[-1].get_array(), 1 - MAPS[0])


@pytest.mark.parametrize(
    ("untrained", "message"), [(MAPS[:1], "shapes must be equal"), (MAPS * 3, r"lie in \[0, 1\]")]
)
def test_maps_of_random_weights_are_checked_too(untrained, message):
    with pytest.raises(InputError, match=message):
        grad_cam_figure(CROPS, MAPS, MASKS, untrained=untrained)
