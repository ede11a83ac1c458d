import io

import numpy as np
import pytest
from matplotlib.collections import Collection

from lnm_kit.errors import InputError
from lnm_kit.figures.regions import show_regions

CROPS = np.random.default_rng(0).integers(0, 255, (5, 40, 40)).astype(np.uint8)
MASKS = np.zeros(CROPS.shape, bool)
MASKS[:, 10:30, 12:28] = True


def test_each_region_gets_its_place_its_title_and_its_outline():
    figure = show_regions(CROPS, MASKS, titles=list("abcde"), columns=3)
    assert [axes.get_title() for axes in figure.axes] == list("abcde")
    for number, axes in enumerate(figure.axes):
        assert (axes.get_images()[0].get_array() == CROPS[number]).all()
        assert axes.get_images()[0].get_clim() == (0, 255)
        assert [c for c in axes.collections if isinstance(c, Collection)]
    figure.savefig(io.BytesIO())


def test_a_bar_of_10_mm_is_10_mm_long_and_stands_only_where_the_spacing_is_known():
    figure = show_regions(CROPS, mm_per_pixel=[0.7, np.nan, 0.07, 0.35, 0.2])
    for axes, length_mm, scale in zip(
        figure.axes, [10, None, 1, 5, 2], [0.7, None, 0.07, 0.35, 0.2], strict=True
    ):
        if length_mm is None:
            assert not axes.get_lines()
            assert not axes.texts
        else:
            start, end = axes.get_lines()[0].get_xdata()
            assert (end - start) * scale == pytest.approx(length_mm)
            assert axes.texts[0].get_text() == f"{length_mm} mm"
            assert end < 40


def test_empty_and_full_masks_are_drawn_without_a_warning():
    masks = np.stack([np.zeros((40, 40), bool), np.ones((40, 40), bool)])
    show_regions(CROPS[:2], masks).savefig(io.BytesIO())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"crops": CROPS[:0]}, "at least one region"),
        ({"crops": CROPS, "masks": MASKS[:2]}, "masks has 2"),
        ({"crops": CROPS, "titles": ["a"]}, "titles has 1"),
        ({"crops": CROPS, "mm_per_pixel": [1.0]}, "mm_per_pixel has 1"),
        ({"crops": CROPS, "columns": 0}, "columns is 0"),
    ],
)
def test_bad_input_is_named(given, message):
    with pytest.raises(InputError, match=message):
        show_regions(**given)
