import io

import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.evaluation.auc import auc
from lnm_kit.figures.roc import roc_figure


def test_the_legend_names_each_curve_with_its_auc_and_the_diagonal_is_there():
    rng = np.random.default_rng(0)
    label = np.arange(60) % 2
    curves = {f"model {i}": (label, rng.normal(i * label)) for i in range(9)}
    figure = roc_figure(curves, title="Test set A")
    axes = figure.axes[0]
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == [f"{name}: {auc(*given)}" for name, given in curves.items()]
    assert axes.get_title(loc="left") == "Test set A"
    lines = axes.get_lines()
    assert lines[0].get_xydata().tolist() == [[0, 0], [1, 1]]
    assert len(lines) == 10
    figure.savefig(io.BytesIO())


def test_the_area_under_the_drawn_line_is_the_auc():
    label, score = [0, 0, 1, 1, 0, 1], [1, 2, 2, 3, 3, 4]
    line = roc_figure({"a": (label, score)}).axes[0].get_lines()[1]
    x, y = line.get_data()
    assert np.trapezoid(y, x) == pytest.approx(auc(label, score).value)


def test_no_curve_is_refused():
    with pytest.raises(InputError, match="curves is empty"):
        roc_figure({})
