import io
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from matplotlib.patches import PathPatch, Rectangle
from sklearn.metrics import confusion_matrix

from lnm_kit.errors import InputError
from lnm_kit.figures.sankey import OUTCOMES, outcome_category, sankey_figure

FLOWS = {("TP", "TP"): 5, ("TP", "FN"): 1, ("FN", "TP"): 3, ("FP", "TN"): 9, ("TN", "TN"): 30}
TABLE = pd.DataFrame(
    [pair for pair, count in FLOWS.items() for _ in range(count)], columns=["SVM", "integrated"]
)


def drawn(figure):
    axes = figure.axes[0]
    ribbons = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
    nodes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    return ribbons, nodes, [text.get_text() for text in axes.texts]


@given(arrays.arrays(np.int64, st.integers(1, 40), elements=st.integers(0, 1)), st.randoms())
def test_outcomes_count_what_the_confusion_matrix_counts(label, random):
    decision = np.array([random.randint(0, 1) for _ in label])
    (tn, fp), (fn, tp) = confusion_matrix(label, decision, labels=[0, 1])
    named = outcome_category(label, decision).tolist()
    assert [named.count(name) for name in ("TN", "FP", "FN", "TP")] == [tn, fp, fn, tp]


def test_a_ribbon_is_as_thick_as_its_flow_at_both_ends():
    ribbons, _, _ = drawn(sankey_figure(TABLE, order=OUTCOMES))
    for ribbon in ribbons:
        corners = ribbon.get_path().vertices
        assert corners[7, 1] - corners[0, 1] == pytest.approx(corners[4, 1] - corners[3, 1])
    thickness = sorted(
        ribbon.get_path().vertices[7, 1] - ribbon.get_path().vertices[0, 1] for ribbon in ribbons
    )
    assert thickness == pytest.approx(sorted(FLOWS.values()))


def test_nodes_are_as_tall_as_their_counts_and_are_filled_by_their_ribbons():
    ribbons, nodes, texts = drawn(sankey_figure(TABLE, order=OUTCOMES))
    heights = [node.get_height() for node in nodes]
    assert heights == [6, 3, 9, 30, 8, 1, 0, 39]
    assert texts == ["TP: 6", "FN: 3", "FP: 9", "TN: 30", "TP: 8", "FN: 1", "FP: 0", "TN: 39"]
    for node in nodes[:4]:
        inside = [
            ribbon.get_path().vertices[[0, 7], 1]
            for ribbon in ribbons
            if node.get_y() - 1e-9 <= ribbon.get_path().vertices[0, 1]
            and ribbon.get_path().vertices[7, 1] <= node.get_y() + node.get_height() + 1e-9
        ]
        ends = sorted(map(tuple, inside))
        assert ends[0][0] == pytest.approx(node.get_y())
        assert ends[-1][1] == pytest.approx(node.get_y() + node.get_height())
        for (_, above), (below, _) in pairwise(ends):
            assert above == pytest.approx(below)


@pytest.mark.parametrize("stages", [2, 4])
@pytest.mark.parametrize("kind", ["one category only", "rare ones", "equal"])
def test_labels_never_overlap_and_lie_inside_of_the_figure(stages, kind):
    shares = {
        "one category only": [0, 0, 0, 0, 1],
        "rare ones": [0.01, 0.0, 0.02, 0.01, 0.96],
        "equal": [0.2] * 5,
    }[kind]
    rng = np.random.default_rng(0)
    draws = {f"model {i}": rng.choice([1, 2, 3, 4, 5], size=348, p=shares) for i in range(stages)}
    figure = sankey_figure(pd.DataFrame(draws), order=[5, 4, 3, 2, 1], title="confidence")
    figure.savefig(io.BytesIO())
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == 5 * stages
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width for box in boxes)


def test_every_category_has_its_own_hatch_so_that_gray_is_enough():
    _, nodes, _ = drawn(sankey_figure(TABLE, order=OUTCOMES))
    assert len({node.get_hatch() for node in nodes[:4]}) == 4
    assert [node.get_hatch() for node in nodes[:4]] == [node.get_hatch() for node in nodes[4:]]


def test_given_colors_are_used():
    colors = {"TP": "#111111", "FN": "#222222", "FP": "#333333", "TN": "#444444"}
    _, nodes, _ = drawn(sankey_figure(TABLE, order=OUTCOMES, colors=colors))
    assert nodes[1].get_facecolor()[:3] == pytest.approx((0x22 / 255,) * 3)


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (TABLE[["SVM"]], {"order": OUTCOMES}, "two or more columns"),
        (TABLE.iloc[:0], {"order": OUTCOMES}, "0 rows"),
        (TABLE, {"order": ["TP", "FN", "TN"]}, "column 'SVM' holds .'FP'., which are not in"),
        (TABLE, {"order": [*OUTCOMES, "TP"]}, "each category may stand there once"),
        (TABLE, {"order": OUTCOMES, "colors": {"TP": "red"}}, "no color for .'FN', 'FP', 'TN'."),
        (TABLE.where(TABLE != "FN"), {"order": OUTCOMES}, "holds .nan., which"),
    ],
)
def test_bad_tables_are_named(table, options, message):
    with pytest.raises(InputError, match=message):
        sankey_figure(table, **options)


def test_decisions_that_are_none_are_refused():
    with pytest.raises(InputError, match=r"decision holds \[0.4\]; allowed: 0 and 1"):
        outcome_category([0, 1], [0.4, 1])
    with pytest.raises(InputError, match=r"label has shape \(2,\) and decision \(1,\)"):
        outcome_category([0, 1], [1])
