import io

import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.figures.embedding import embedding_figure

PLACES = np.random.default_rng(0).normal(size=(30, 2))
LABEL = np.repeat([0, 1], [25, 5])


def test_every_case_is_drawn_once_with_the_marker_of_its_label():
    figure = embedding_figure({"training": (PLACES, LABEL), "validation": (-PLACES, LABEL[::-1])})
    figure.savefig(io.BytesIO())
    first, second = figure.axes
    negative, positive = first.collections
    np.testing.assert_allclose(negative.get_offsets(), PLACES[:25])
    np.testing.assert_allclose(positive.get_offsets(), PLACES[25:])
    np.testing.assert_allclose(second.collections[1].get_offsets(), -PLACES[:5])
    assert len(negative.get_facecolor()) == 0
    assert negative.get_paths()[0].vertices.shape != positive.get_paths()[0].vertices.shape
    assert second.get_title(loc="left") == "validation\n30 cases, 5 positive"


def test_the_labels_are_named_once_for_all_panels():
    panels = {"training": (PLACES, LABEL), "validation": (PLACES, LABEL)}
    figure = embedding_figure(panels, names=("without", "with LLNM"), title="TresNet")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["without", "with LLNM"]


def test_a_split_of_one_class_can_be_drawn():
    figure = embedding_figure({"training": (PLACES, np.zeros(30, int))})
    figure.savefig(io.BytesIO())
    assert "0 positive" in figure.axes[0].get_title(loc="left")


@pytest.mark.parametrize(
    ("places", "label", "message"),
    [
        (PLACES[:, :1], LABEL, r"validation: positions have shape \(30, 1\)"),
        (PLACES[1:], LABEL, r"positions have shape \(29, 2\) and label \(30,\)"),
        (PLACES[:0], LABEL[:0], "at least one case"),
        (PLACES * np.nan, LABEL, "not finite"),
        (PLACES, LABEL + 1, r"label holds \[2\]; allowed: 0 and 1"),
    ],
)
def test_bad_panels_are_named(places, label, message):
    with pytest.raises(InputError, match=message):
        embedding_figure({"training": (PLACES, LABEL), "validation": (places, label)})


def test_no_panel_is_refused():
    with pytest.raises(InputError, match="panels is empty"):
        embedding_figure({})
