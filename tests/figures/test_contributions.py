import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy.special import logit

from lnm_kit.errors import InputError
from lnm_kit.explain.contributions import Contributions, mean_absolute_shap
from lnm_kit.figures.contributions import (
    shap_bar_figure,
    shap_beeswarm_figure,
    shap_case_figure,
)

RNG = np.random.default_rng(0)
CASES = [f"case-{number}" for number in range(60)]
FEATURES = pd.DataFrame(
    {
        "svm": RNG.normal(size=60),
        "age_years": RNG.integers(20, 80, size=60).astype(float),
        "location": RNG.choice(["upper", "middle", "lower"], size=60).astype(object),
        "clt": RNG.integers(0, 2, size=60),
    },
    index=CASES,
)
VALUES = pd.DataFrame(
    {
        "svm": 0.2 * FEATURES.svm,
        "age_years": (FEATURES.age_years - 50) / 10,
        "location": FEATURES.location.map({"upper": 1.0, "middle": 0.1, "lower": -0.7}),
        "clt": 0.03 * FEATURES.clt,
    },
    index=CASES,
)
FOUND = Contributions(VALUES, -2.0, FEATURES)
ORDER = ["age_years", "location", "svm", "clt"]


def row_names(figure):
    return [text.get_text() for text in figure.axes[0].get_yticklabels()]


def dots(axes, row):
    """Positions and collections of one row's dots."""
    drawn = [
        collection
        for collection in axes.collections
        if len(collection.get_offsets()) and abs(collection.get_offsets()[0][1] - row) < 0.5
    ]
    return np.concatenate([np.asarray(one.get_offsets()) for one in drawn]), drawn


def assert_no_text_is_cut(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    for axes in figure.axes:
        for text in [*axes.get_yticklabels(), *axes.texts, axes.xaxis.label]:
            box = text.get_window_extent(renderer)
            assert box.x0 >= 0
            assert box.x1 <= figure.bbox.x1, text.get_text()


def test_every_case_is_a_dot_in_the_row_of_each_column():
    figure = shap_beeswarm_figure(FOUND)
    names = row_names(figure)
    assert [name.split("\n")[0] for name in names] == ORDER
    for row, name in enumerate(ORDER):
        places, _ = dots(figure.axes[0], row)
        np.testing.assert_allclose(np.sort(places[:, 0]), np.sort(VALUES[name]))
        assert (np.abs(places[:, 1] - row) <= 0.42).all()


def test_dots_of_a_number_do_not_share_a_place_and_their_color_is_their_rank():
    axes = shap_beeswarm_figure(FOUND).axes[0]
    places, (collection, *_) = dots(axes, 0)
    assert len(np.unique(places.round(9), axis=0)) == 60
    levels = FEATURES.age_years.rank()
    np.testing.assert_allclose(
        collection.get_array(), (levels - levels.min()) / (levels.max() - levels.min())
    )


def test_categories_have_markers_and_grays_of_their_own_that_the_text_explains():
    figure = shap_beeswarm_figure(FOUND)
    counts = FEATURES.location.value_counts()
    assert row_names(figure)[1] == (
        f"location\n● lower ({counts.lower})  ■ middle ({counts.middle})\n▲ upper ({counts.upper})"
    )
    _, drawn = dots(figure.axes[0], 1)
    assert len({one.get_paths()[0].vertices.tobytes() for one in drawn}) == 3
    grays = {tuple(one.get_facecolor()[0]) for one in drawn}
    assert len(grays) == 3
    assert all(red == green == blue for red, green, blue, _ in grays)


def test_a_number_of_single_precision_is_written_as_short_as_one_of_double_precision():
    features = FEATURES.assign(svm=FEATURES.svm.astype(np.float32))
    single = shap_case_figure(Contributions(VALUES, -2.0, features), CASES[0])
    assert row_names(single) == row_names(shap_case_figure(FOUND, CASES[0]))


def test_the_same_contributions_give_the_same_picture():
    first, second = io.BytesIO(), io.BytesIO()
    shap_beeswarm_figure(FOUND).savefig(first)
    shap_beeswarm_figure(FOUND).savefig(second)
    assert first.getvalue() == second.getvalue()


def test_many_categories_and_missing_values_can_be_drawn():
    features = FEATURES.assign(location=[f"place {number % 9}" for number in range(60)])
    features.loc[CASES[0], "location"] = None
    features.loc[CASES[:5], "age_years"] = np.nan
    figure = shap_beeswarm_figure(Contributions(VALUES, 0.0, features))
    assert row_names(figure)[1].count("place") == 6
    assert "others" in row_names(figure)[1]
    _, (ranked, unknown) = dots(figure.axes[0], 0)
    assert (len(ranked.get_offsets()), len(unknown.get_offsets())) == (55, 5)
    np.testing.assert_array_equal(unknown.get_facecolor(), [[1, 1, 1, 1]])


def test_columns_left_out_are_counted():
    figure = shap_beeswarm_figure(FOUND, max_features=1)
    assert row_names(figure) == ["age_years"]
    assert "3 smaller columns are not shown" in figure.axes[0].get_xlabel()
    bars = shap_bar_figure(FOUND, max_features=3)
    assert row_names(bars) == ORDER[:3]
    assert "1 smaller not shown" in bars.axes[0].get_xlabel()


def test_bars_and_their_lines_are_the_means_and_intervals():
    axes = shap_bar_figure(FOUND, seed=3).axes[0]
    table = mean_absolute_shap(FOUND, seed=3)
    np.testing.assert_allclose([bar.get_width() for bar in axes.patches], table["mean"])
    np.testing.assert_allclose([line.get_xdata() for line in axes.lines], table[["lo", "hi"]])
    assert axes.texts[0].get_text() == f"{table['mean'].iloc[0]:.2f}"


def test_steps_of_a_case_lead_from_the_base_to_its_log_odds():
    case = CASES[7]
    figure = shap_case_figure(FOUND, case)
    bars = figure.axes[0].patches
    steps = np.array([bar.get_width() for bar in bars])
    values = VALUES.loc[case]
    np.testing.assert_allclose(steps, values[values.abs().sort_values(ascending=False).index])
    starts = [bar.get_x() for bar in bars]
    np.testing.assert_allclose(starts, -2.0 + np.cumsum([0, *steps[:-1]]))
    written = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert "base −2.00 (probability 11.9 %)" in written
    assert f"this case {FOUND.log_odds[case]:.2f}".replace("-", "−") in written
    assert f"location = {FEATURES.location[case]}" in row_names(figure)
    assert f"age_years = {FEATURES.age_years[case]:.0f}" in row_names(figure)


def test_steps_for_and_against_differ_without_color():
    for case in CASES[:5]:
        for bar in shap_case_figure(FOUND, case).axes[0].patches:
            assert bool(bar.get_hatch()) == (bar.get_width() < 0)


def test_the_top_axis_tells_probabilities_at_their_log_odds():
    figure = shap_case_figure(FOUND, CASES[7])
    (top,) = figure.axes[0].child_axes
    texts = [float(text.get_text().removesuffix(" %")) for text in top.get_xticklabels()]
    assert len(texts) >= 2
    np.testing.assert_allclose(top.get_xticks(), logit(np.array(texts) / 100), atol=1e-9)


def test_small_steps_are_joined_and_nothing_is_lost():
    case = CASES[3]
    figure = shap_case_figure(FOUND, case, max_features=2)
    assert row_names(figure)[-1] == "2 other columns"
    total = sum(bar.get_width() for bar in figure.axes[0].patches)
    assert total == pytest.approx(VALUES.loc[case].sum())
    # A single one needs no summary.
    assert len(row_names(shap_case_figure(FOUND, case, max_features=3))) == 4


@pytest.mark.parametrize("base", [-30.0, -2.0, 0.0, 9.0])
def test_no_text_is_cut(base):
    found = Contributions(VALUES, base, FEATURES)
    for figure in (
        shap_beeswarm_figure(found, title="simulated"),
        shap_bar_figure(found, title="simulated"),
        shap_case_figure(found, CASES[0]),
        shap_case_figure(found, CASES[1], title="simulated"),
    ):
        assert_no_text_is_cut(figure)


def test_a_model_that_uses_nothing_can_be_drawn():
    found = Contributions(VALUES * 0, 0.0, FEATURES)
    for figure in (
        shap_beeswarm_figure(found),
        shap_bar_figure(found),
        shap_case_figure(found, CASES[0]),
    ):
        figure.savefig(io.BytesIO())


def test_wrong_input_is_named():
    with pytest.raises(InputError, match="case_id is 'nobody', which is none of the 60 cases"):
        shap_case_figure(FOUND, "nobody")
    for draw in (
        lambda: shap_beeswarm_figure(FOUND, max_features=0),
        lambda: shap_bar_figure(FOUND, max_features=0),
        lambda: shap_case_figure(FOUND, CASES[0], max_features=0),
    ):
        with pytest.raises(InputError, match="max_features is 0; needed: 1 or more"):
            draw()
