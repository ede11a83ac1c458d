import io

import numpy as np
import pandas as pd
import pytest

from lnm_kit.errors import InputError
from lnm_kit.figures.selection import lasso_figure, volcano_figure
from lnm_kit.radiomics import lasso_path, volcano

LABEL = np.repeat([0, 1], [50, 20])


def features(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.lognormal(size=(70, 8)), columns=[f"f{i}" for i in range(8)])
    table["f0"] *= np.where(LABEL == 1, 6, 1)
    table["f1"] -= 2
    return table


def test_every_feature_with_a_fold_change_is_drawn_and_the_others_are_counted():
    table = volcano(features(), LABEL)
    figure = volcano_figure(table, title="training")
    passing, others = figure.axes[0].collections
    assert len(passing.get_offsets()) == table["passes"].sum() > 0
    assert len(passing.get_offsets()) + len(others.get_offsets()) == 7
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert "fold change undefined (1), not drawn" in texts
    figure.savefig(io.BytesIO())


def test_a_p_value_of_zero_and_nothing_to_draw_are_drawn():
    table = volcano(features(), LABEL)
    table["p_value"] = 0.0
    volcano_figure(table).savefig(io.BytesIO())
    table["log2_fold_change"] = np.nan
    volcano_figure(table.assign(passes=False)).savefig(io.BytesIO())


def test_the_lasso_figure_names_what_is_kept_and_marks_the_penalty():
    path = lasso_path(features(), LABEL, seed=0)
    figure = lasso_figure(path, labeled=2)
    _, errors = figure.axes
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == path.kept().index[:2].tolist()
    assert list(errors.get_lines()[-1].get_xdata()) == [path.alpha] * 2
    assert f"{len(path.kept())} of 8 kept" in errors.get_title(loc="left")
    figure.savefig(io.BytesIO())


def test_a_lasso_that_keeps_nothing_can_be_drawn():
    path = lasso_path(features(), LABEL, seed=0)
    path.coefficients.loc[:] = 0.0
    lasso_figure(path).savefig(io.BytesIO())


def test_a_table_without_its_columns_is_refused():
    with pytest.raises(InputError, match="needs at least one row and the columns"):
        volcano_figure(pd.DataFrame({"p_value": [0.1]}))
