import io

import numpy as np
import pandas as pd
import pytest

from lnm_kit.errors import InputError
from lnm_kit.figures import forest_figure

TABLE = pd.DataFrame(
    {
        "group": ["A", "A", "B", "B"],
        "source": ["paper", "run", "paper", "run"],
        "value": [0.9, 0.7, 0.8, 0.6],
        "lo": [0.85, 0.6, np.nan, 0.5],
        "hi": [0.95, 0.8, np.nan, 0.7],
    }
)


def test_every_value_is_drawn_in_the_band_of_its_group():
    figure = forest_figure(TABLE, label="AUC", reference=0.5)
    axes = figure.axes[0]
    points = [
        (x, y)
        for line in axes.get_lines()[1:]
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    ]
    assert sorted(x for x, _ in points) == [0.6, 0.7, 0.8, 0.9]
    assert all(abs(y - (0 if x in (0.9, 0.7) else 1)) < 0.5 for x, y in points)
    figure.savefig(io.BytesIO())


def test_a_value_without_an_interval_is_open_and_has_no_bar():
    axes = forest_figure(TABLE, label="AUC", reference=0.5).axes[0]
    bars = [segment for lines in axes.collections for segment in lines.get_segments()]
    assert sorted(segment[0][0] for segment in bars) == [0.5, 0.6, 0.85]
    (hollow,) = [
        line
        for line in axes.get_lines()
        if line.get_markerfacecolor() == "white" and len(line.get_xdata())
    ]
    assert hollow.get_xdata().tolist() == [0.8]


def test_nothing_to_draw_is_said():
    with pytest.raises(InputError, match="no value to draw"):
        forest_figure(TABLE.iloc[:0], label="AUC", reference=0.5)
    with pytest.raises(InputError, match="not finite"):
        forest_figure(TABLE.assign(value=np.nan), label="AUC", reference=0.5)
