import numpy as np
import pandas as pd
import pytest

from lnm_kit.errors import InputError
from lnm_kit.figures.habitats import habitat_figure, habitat_number_figure


def nodule(number: int = 3) -> tuple[np.ndarray, np.ndarray]:
    habitats = np.zeros((12, 16), int)
    habitats[2:10, 2:14] = 1 + np.arange(12) % number
    return np.linspace(0, 1, habitats.size).reshape(habitats.shape), habitats


def test_each_nodule_is_shown_plain_and_colored_with_one_legend():
    gray, habitats = nodule()
    figure = habitat_figure(
        [gray, gray[:10]], [habitats, habitats[:10]], titles=["a", "b"], mm_per_pixel=[0.25, None]
    )
    assert len(figure.axes) == 4
    assert [axes.get_title() for axes in figure.axes[:2]] == ["a", "b"]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["habitat 1", "habitat 2", "habitat 3"]
    with_bar = [bool(axes.lines) for axes in figure.axes[:2]]
    assert with_bar == [True, False]


def test_colors_belong_to_habitats_and_nothing_is_drawn_outside():
    gray, habitats = nodule()
    shown = habitat_figure([gray], [habitats]).axes[1].images[1].get_array()
    assert (shown.mask == (habitats == 0)).all()
    assert (shown.compressed() == habitats[habitats > 0] - 1).all()


def test_what_does_not_fit_is_named():
    gray, habitats = nodule()
    with pytest.raises(InputError, match="0 images"):
        habitat_figure([], [])
    with pytest.raises(InputError, match="differ in shape"):
        habitat_figure([gray[:3]], [habitats])
    with pytest.raises(InputError, match="1 titles"):
        habitat_figure([gray, gray], [habitats, habitats], titles=["one"])
    with pytest.raises(InputError, match="9 habitats; allowed: 1 to 6"):
        habitat_figure([gray], [np.minimum(nodule(9)[1], 9)])


def test_the_chosen_number_is_marked():
    table = pd.DataFrame(
        {
            "number": [2, 3, 4],
            "silhouette": [0.2, 0.4, 0.3],
            "calinski_harabasz": [9.0, 8.0, 7.0],
            "chosen": [False, True, False],
        }
    )
    figure = habitat_number_figure(table)
    assert [axes.lines[0].get_xdata()[0] for axes in figure.axes] == [3, 3]
    assert figure.axes[0].lines[1].get_ydata().tolist() == [0.2, 0.4, 0.3]
    with pytest.raises(InputError, match="one row chosen"):
        habitat_number_figure(table.assign(chosen=False))
    with pytest.raises(InputError, match="needed"):
        habitat_number_figure(table.drop(columns="silhouette"))
