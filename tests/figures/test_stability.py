import io

import numpy as np
import pandas as pd
import pytest

from lnm_kit.errors import InputError
from lnm_kit.figures.stability import stability_figure

NAMES = [f"original_glcm_f{i}" for i in range(4)] + ["wavelet-LLL_glszm_g"]
ICC = pd.DataFrame(
    {"same": [0.9, 0.8, 0.5, 0.95, 0.2], "second": [0.7, np.nan, 0.4, 0.9, 0.1]}, NAMES
)


def share_above(line, value):
    """What a reader sees at an ICC: the height of the step there."""
    x, y = line.get_xdata(), line.get_ydata()
    return y[np.searchsorted(x, value)]


@pytest.mark.parametrize("value", [0.3, 0.6, 0.85, 0.93])
def test_the_height_is_the_share_of_features_above(value):
    axes = stability_figure(ICC).axes[0]
    glcm = axes.get_lines()[0]
    assert glcm.get_label() == "glcm (4)"
    assert share_above(glcm, value) == np.mean(ICC["same"][:4] > value)


def test_features_without_an_icc_are_counted_and_not_drawn():
    figure = stability_figure(ICC)
    assert figure.axes[1].get_title(loc="left") == "second (1 without ICC)"
    assert figure.axes[1].get_lines()[0].get_label() == "glcm (3)"
    figure.savefig(io.BytesIO())


def test_the_limit_is_marked_and_negative_values_are_inside():
    axes = stability_figure(ICC - 0.5, limit=0.6).axes[0]
    assert list(axes.get_lines()[-1].get_xdata()) == [0.6, 0.6]
    assert axes.get_xlim()[0] < -0.3


@pytest.mark.parametrize(
    ("icc", "message"),
    [
        (ICC.iloc[:0], "needs an operator and one ICC"),
        (ICC * np.nan, "needs an operator and one ICC"),
        (ICC.set_axis([*NAMES[:4], "Contrast"]), r"\['Contrast'\] are no names"),
        (ICC + 1, "an ICC is 1.95; allowed: up to 1"),
    ],
)
def test_bad_tables_are_named(icc, message):
    with pytest.raises(InputError, match=message):
        stability_figure(icc)
