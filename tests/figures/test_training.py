import io

import pandas as pd
import pytest

from lnm_kit.errors import InputError
from lnm_kit.figures.training import learning_curves_figure, training_curve

EPOCHS = pd.DataFrame(
    {
        "training_loss": [0.9, 0.5, 0.3],
        "validation_loss": [0.9, 0.7, 0.8],
        "validation_auc": [0.3, 0.7, 0.99],
    },
    index=[1, 2, 3],
)


def test_the_curves_are_the_table_and_the_kept_epoch_is_marked():
    losses, areas = training_curve(EPOCHS, kept_epoch=2).axes
    assert losses.get_lines()[0].get_ydata().tolist() == [0.9, 0.5, 0.3]
    assert losses.get_lines()[1].get_ydata().tolist() == [0.9, 0.7, 0.8]
    assert areas.get_lines()[0].get_ydata().tolist() == [0.3, 0.7, 0.99]
    assert list(areas.get_lines()[-1].get_xdata()) == [2, 2]


def test_every_auc_is_inside_of_the_axes():
    low, high = training_curve(EPOCHS).axes[1].get_ylim()
    assert low < 0.3
    assert high > 0.99


def test_a_single_epoch_can_be_drawn():
    training_curve(EPOCHS.head(1)).savefig(io.BytesIO())


@pytest.mark.parametrize("epochs", [EPOCHS.head(0), EPOCHS.drop(columns="validation_auc")])
def test_a_history_without_what_is_drawn_is_refused(epochs):
    with pytest.raises(InputError, match="at least one epoch and the columns"):
        training_curve(epochs)


def test_every_network_has_its_line_in_both_panels_and_one_legend():
    figure = learning_curves_figure({"a": EPOCHS, "b": EPOCHS * 0.5})
    losses, areas = figure.axes
    assert losses.get_lines()[1].get_ydata().tolist() == [0.45, 0.25, 0.15]
    assert areas.get_lines()[0].get_ydata().tolist() == [0.3, 0.7, 0.99]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]
    figure.savefig(io.BytesIO())


def test_networks_of_one_epoch_stand_side_by_side_by_name():
    figure = learning_curves_figure({"a": EPOCHS.head(1), "b": EPOCHS.head(1) * 0.5})
    losses, areas = figure.axes
    for axes, ends in ((losses, (0.9, 0.45)), (areas, (0.3, 0.15))):
        points = [line.get_xydata().tolist() for line in axes.get_lines()[:2]]
        assert points == [[[0, ends[0]]], [[1, ends[1]]]]
        assert [tick.get_text() for tick in axes.get_xticklabels()] == ["a", "b"]
    assert not figure.legends
    figure.savefig(io.BytesIO())


@pytest.mark.parametrize("histories", [{}, {"a": EPOCHS.head(0)}])
def test_networks_without_a_history_are_refused(histories):
    with pytest.raises(InputError, match=r"at least one (network|epoch)"):
        learning_curves_figure(histories)
