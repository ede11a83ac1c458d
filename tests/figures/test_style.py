import colorsys

import matplotlib
import matplotlib.style
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from matplotlib import pyplot

from lnm_kit.figures import style
from lnm_kit.figures.roc import roc_figure
from lnm_kit.figures.style import (
    LINES,
    MARKERS,
    PALETTE,
    STYLE,
    line_styles,
    new_figure,
    styled,
    use_style,
)


def luminance(color: str) -> float:
    channels = np.array(matplotlib.colors.to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_every_curve_differs_in_line_and_marker_and_not_in_color_alone():
    assert len(PALETTE) == len(set(LINES)) == len(set(MARKERS)) == len(set(PALETTE))


def test_no_color_is_lost_on_white():
    for color in PALETTE:
        assert 1.05 / (luminance(color) + 0.05) > 2.0, color


def test_the_colors_are_of_different_hues_or_black():
    hues = [colorsys.rgb_to_hsv(*matplotlib.colors.to_rgb(color)) for color in PALETTE]
    assert hues[-1][2] == 0


def test_the_style_file_has_the_palette():
    with matplotlib.rc_context():
        matplotlib.style.use(STYLE)
        colors = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
    assert colors == list(PALETTE)


def test_styles_go_round_when_there_are_more_curves_than_colors():
    styles = line_styles()
    first = [next(styles) for _ in PALETTE]
    assert next(styles) == first[0]


def settings() -> dict:
    # "backend" is looked up on first access, so reading it is what would change it
    return {k: matplotlib.rcParams[k] for k in matplotlib.rcParams if k != "backend"}


def test_drawing_leaves_matplotlib_as_it_was():
    before = settings()
    figures = pyplot.get_fignums()
    roc_figure({"a": ([0, 1, 0, 1], [1, 2, 3, 4])})
    assert settings() == before
    assert pyplot.get_fignums() == figures


def test_a_failure_inside_leaves_matplotlib_as_it_was():
    before = settings()
    with pytest.raises(RuntimeError), styled():
        raise RuntimeError
    assert settings() == before


def test_use_style_is_the_one_that_stays():
    with matplotlib.rc_context():
        use_style()
        assert matplotlib.rcParams["figure.facecolor"] == "white"
        assert matplotlib.rcParams["axes.spines.top"] is False


def test_the_card_behind_a_figure_is_white_and_opaque():
    with styled():
        figure = new_figure(3, 2)
    assert figure.get_facecolor() == (1, 1, 1, 1)


def test_after_use_style_a_notebook_shows_a_figure_as_a_picture(monkeypatch):
    shell = InteractiveShell()
    monkeypatch.setattr(style, "get_ipython", lambda: shell)
    figure = roc_figure({"a": ([0, 1, 0, 1], [1, 2, 3, 4])})
    with matplotlib.rc_context():
        assert "image/png" not in shell.display_formatter.format(figure)[0]
        use_style()
        assert "image/png" in shell.display_formatter.format(figure)[0]
