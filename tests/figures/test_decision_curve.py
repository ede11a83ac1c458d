import io

import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.evaluation.decision_curve import decision_curve
from lnm_kit.figures.decision_curve import decision_curve_figure, decision_curve_panels


def test_it_shows_every_model_beside_treating_all_and_nobody():
    label = np.arange(40) % 2
    limits = np.arange(0.05, 0.9, 0.05)
    curves = {
        name: decision_curve(label, np.clip(0.5 + s * (label - 0.5), 0, 1), limits, resamples=10)
        for name, s in (("good", 0.8), ("poor", 0.2))
    }
    figure = decision_curve_figure(curves)
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert texts == ["good", "poor", "treat all", "treat nobody"]
    drawn = figure.axes[0].get_lines()[0].get_ydata()
    assert drawn == pytest.approx(curves["good"].net_benefit)
    figure.savefig(io.BytesIO())


def test_without_a_curve_it_says_so():
    with pytest.raises(InputError, match="no decision curve"):
        decision_curve_figure({})


def test_panels_share_their_lines_and_each_has_its_own_height():
    limits = np.arange(0.05, 0.6, 0.05)
    panels = {
        title: {
            name: decision_curve(label, np.full(len(label), p), limits, resamples=10)
            for name, p in (("one", 0.3), ("other", 0.5))
        }
        for title, label in (("rare", np.arange(40) % 10 == 0), ("common", np.arange(40) % 2))
    }
    figure = decision_curve_panels(panels)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["rare", "common"]
    assert figure.axes[0].get_ylim()[1] < figure.axes[1].get_ylim()[1]
    for axes, curves in zip(figure.axes, panels.values(), strict=True):
        assert axes.get_lines()[0].get_ydata() == pytest.approx(curves["one"].net_benefit)
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["one", "other", "treat all", "treat nobody"]
    with pytest.raises(InputError, match="every panel"):
        decision_curve_panels({"rare": {}})
