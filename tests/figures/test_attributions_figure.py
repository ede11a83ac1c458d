import numpy as np
import pandas as pd
import pytest

from lnm_kit.errors import InputError
from lnm_kit.figures.attributions import (
    AttributionColumn,
    attribution_figure,
    contributions_figure,
)

REGIONS = np.zeros((2, 16, 16), np.uint8)
MASKS = np.zeros((2, 16, 16), bool)
MASKS[:, 4:8, 4:8] = True


def test_a_map_is_shown_on_its_own_symmetric_scale():
    maps = np.zeros((2, 16, 16))
    maps[0, 5, 5], maps[1, 9, 9] = 3.0, -0.01
    figure = attribution_figure(
        [AttributionColumn("US", REGIONS, MASKS), AttributionColumn("map", REGIONS, MASKS, maps)],
        titles=["label 0", "label 1"],
    )
    shown = [axes.images[-1].get_array() for axes in figure.axes[1:4:2]]
    assert shown[0].max() == pytest.approx(1)
    assert shown[1].min() == pytest.approx(-1)
    assert figure.axes[1].images[-1].get_clim() == (-1, 1)
    assert np.unravel_index(shown[0].argmax(), (16, 16)) == (5, 5)


def test_columns_of_other_shapes_are_named():
    with pytest.raises(InputError, match="CT"):
        attribution_figure(
            [
                AttributionColumn("US", REGIONS, MASKS),
                AttributionColumn("CT", REGIONS, MASKS, np.zeros((2, 8, 8))),
            ]
        )
    with pytest.raises(InputError, match="0 columns"):
        attribution_figure([])


def test_bars_are_ordered_by_the_first_modality_and_colored_by_its_answer():
    rows = pd.DataFrame(
        {"us_toward_label": [-1.0, 2.0, 0.5], "ct_toward_label": [0.1, -0.2, 0.3]},
        index=list("abc"),
    )
    right = pd.DataFrame(
        {"us": [False, True, True], "ct": [True, False, True], "fused": [True, True, False]},
        index=list("abc"),
    )
    figure = contributions_figure(rows, right, modalities=["us", "ct"])
    top = figure.axes[0]
    bars = {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in top.patches}
    assert [bars[place] for place in range(3)] == [2.0, 0.5, -1.0]
    colors = {bar.get_height(): bar.get_facecolor() for bar in top.patches}
    assert colors[2.0] == colors[0.5] != colors[-1.0]


def test_missing_columns_are_named():
    rows = pd.DataFrame({"us_toward_label": [1.0]})
    right = pd.DataFrame({"us": [True], "fused": [True]})
    with pytest.raises(InputError, match="ct, ct_toward_label"):
        contributions_figure(rows, right, modalities=["us", "ct"])
