import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.figures.cam_views import views_cam_figure

VIEWS = ["longitudinal", "transverse"]
RNG = np.random.default_rng(0)
CROPS = RNG.integers(0, 255, (3, 2, 16, 16)).astype(np.uint8)
OWN = RNG.random((3, 2, 16, 16))
FUSED = RNG.random((3, 16, 16))
MASKS = np.zeros(CROPS.shape, bool)
MASKS[..., 4:10, 5:12] = True


def maps_of(axes):
    """The colored image over a region, if there is one."""
    images = axes.get_images()
    return images[1].get_array() if len(images) > 1 else None


def test_a_row_has_the_views_their_own_maps_and_the_one_fused_map_over_each():
    figure = views_cam_figure(CROPS, OWN, FUSED, MASKS, views=VIEWS, titles=["a", "b", "c"])
    panels = np.array(figure.axes[:18]).reshape(3, 6)
    for case, row in enumerate(panels):
        for column, axes in enumerate(row):
            assert (axes.get_images()[0].get_array() == CROPS[case, column % 2]).all()
        assert maps_of(row[0]) is None
        assert maps_of(row[1]) is None
        assert (maps_of(row[2]) == OWN[case, 0]).all()
        assert (maps_of(row[3]) == OWN[case, 1]).all()
        assert (maps_of(row[4]) == FUSED[case]).all()
        assert (maps_of(row[5]) == FUSED[case]).all()
    assert [axes.get_ylabel() for axes in panels[:, 0]] == ["a", "b", "c"]
    assert panels[0, 1].get_title() == "transverse"
    assert "own" in panels[0, 3].get_title()
    assert "fused" in panels[0, 5].get_title()


@pytest.mark.parametrize(
    "change",
    [
        {"crops": CROPS[:, :1]},
        {"crops": CROPS[:0], "own": OWN[:0], "masks": MASKS[:0], "fused": FUSED[:0]},
        {"fused": FUSED[:2]},
        {"fused": FUSED * 2},
        {"own": np.where(OWN > 0.9, np.nan, OWN)},
        {"views": ["longitudinal"]},
        {"titles": ["a"]},
    ],
)
def test_what_does_not_fit_is_refused(change):
    given = {"crops": CROPS, "own": OWN, "fused": FUSED, "masks": MASKS, "views": VIEWS} | change
    with pytest.raises(InputError, match="maps of views"):
        views_cam_figure(
            given["crops"],
            given["own"],
            given["fused"],
            given["masks"],
            views=given["views"],
            titles=given.get("titles", ()),
        )
