"""Sankey figures: how cases move between categories, from model to model or before to after."""

from collections.abc import Hashable, Mapping, Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from lnm_kit.errors import InputError
from lnm_kit.evaluation.estimate import Numbers
from lnm_kit.figures.style import new_figure, styled

OUTCOMES = ("TP", "FN", "FP", "TN")
"""What a decision turned out to be, in the order that a figure shows from top to bottom."""

OUTCOME_COLORS = {"TP": "#0072B2", "FN": "#D55E00", "FP": "#E69F00", "TN": "#56B4E9"}
"""Right decisions blue, wrong ones orange and vermilion."""

_HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "||||", "----", "oo")
_NODE_WIDTH = 0.09
_TEXT_INCH = 0.24
_STAGE_INCH = 2.3


def outcome_category(label: Numbers, decision: Numbers) -> np.ndarray:
    """Name each decision by what it turned out to be: TP, FP, FN or TN.

    Parameters
    ----------
    label
        (N,), 0 or 1; 1 is the positive class.
    decision
        (N,), 0 or 1; 1 where the case was called positive.

    Returns
    -------
    Text (N,).

    Raises
    ------
    InputError
        When the lengths differ or a value is not 0 or 1.

    Examples
    --------
    >>> outcome_category([1, 1, 0, 0], [1, 0, 1, 0]).tolist()
    ['TP', 'FN', 'FP', 'TN']
    """
    labels, decisions = np.asarray(label), np.asarray(decision)
    if labels.ndim != 1 or labels.shape != decisions.shape:
        raise InputError(
            f"label has shape {labels.shape} and decision {decisions.shape}; "
            "both must be one-dimensional and of the same length."
        )
    for name, values in (("label", labels), ("decision", decisions)):
        wrong = set(np.unique(values).tolist()) - {0, 1}
        if wrong:
            raise InputError(f"{name} holds {sorted(wrong, key=str)[:5]}; allowed: 0 and 1.")
    return np.array([["TN", "FP"], ["FN", "TP"]])[labels.astype(int), decisions.astype(int)]


def sankey_figure(
    table: pd.DataFrame,
    *,
    order: Sequence[Hashable],
    colors: Mapping[Hashable, str] | None = None,
    title: str = "",
) -> Figure:
    """Draw the flows of cases between categories over two or more stages, left to right.

    Heights are proportional to counts. A ribbon has the color of the category it leaves; a
    category's name and count stand beside its node (left of the first, right of the others), and
    each has its own hatch, so that nothing depends on color. A category without a case keeps its
    place and its label.

    Parameters
    ----------
    table
        One row per case, one column per stage; the column names are the stages' headings.
    order
        The categories from top to bottom.
    colors
        Color of each category; by default blues and oranges for TP, FN, FP and TN, and for
        anything else dark to light along `order`.
    title
        Above the figure.

    Raises
    ------
    InputError
        When there are fewer than two stages or no case, a category of the table is not in the
        order, the order repeats one, or a category has no color.

    Examples
    --------
    >>> table = pd.DataFrame({"before": ["FN", "TP", "TN"], "after": ["TP", "TP", "TN"]})
    >>> figure = sankey_figure(table, order=OUTCOMES)
    >>> [text.get_text() for text in figure.axes[0].texts if text.get_text().startswith("TP")]
    ['TP: 1', 'TP: 2']
    """
    painted = _colors(order, colors)
    _check(table, order, painted)
    rows = np.array(order, dtype=object)
    counts = {stage: table[stage].value_counts().reindex(rows, fill_value=0) for stage in table}
    height_inch = 3.6 + _TEXT_INCH * max(0, len(order) - 4)
    # So far apart that the labels of two empty neighbors do not touch.
    gap = len(table) * _TEXT_INCH / (height_inch - _TEXT_INCH * (len(order) + 1))
    with styled():
        figure = new_figure(0.9 + _STAGE_INCH * len(table.columns), height_inch + 0.7)
        axes = figure.subplots()
        for at, stage in enumerate(table.columns):
            if at:
                before = table.columns[at - 1]
                flows = pd.crosstab(table[before], table[stage])
                flows = flows.reindex(index=rows, columns=rows, fill_value=0)
                tops = _tops(counts, before, gap), _tops(counts, stage, gap)
                _draw_ribbons(axes, at - 1, flows.to_numpy(), *tops, list(painted.values()))
            _draw_nodes(axes, at, counts[stage], _tops(counts, stage, gap), painted)
        axes.set_xlim(-0.4, len(table.columns) - 1 + 0.4)
        axes.set_ylim(len(table) + gap * (len(order) - 0.4), -gap * 0.6)
        axes.set_xticks(range(len(table.columns)), [str(stage) for stage in table.columns])
        axes.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
        axes.set_yticks([])
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.set_title(title)
    return figure


def _colors(
    order: Sequence[Hashable], colors: Mapping[Hashable, str] | None
) -> dict[Hashable, str]:
    if colors is not None:
        return {category: colors[category] for category in order if category in colors}
    if set(order) <= set(OUTCOME_COLORS):
        return {category: OUTCOME_COLORS[str(category)] for category in order}
    shades = matplotlib.colormaps["cividis"](np.linspace(0.0, 0.88, len(order)))
    return {category: to_hex(shade) for category, shade in zip(order, shades, strict=True)}


def _check(table: pd.DataFrame, order: Sequence[Hashable], painted: Mapping[Hashable, str]) -> None:
    problems = []
    if table.shape[1] < 2 or table.empty or not table.columns.is_unique:
        problems.append(
            f"the table has {len(table)} rows and the columns {list(table.columns)}; needed: one "
            "row per case, at least one, and two or more columns of different names"
        )
    if len(set(order)) < len(order):
        problems.append(f"order is {list(order)}; each category may stand there once")
    for position, stage in enumerate(table.columns):
        values = table.iloc[:, position]
        unknown = [value for value in values.unique() if value not in set(order)]
        if unknown:
            problems.append(
                f"column {stage!r} holds {unknown[:5]}, which are not in the order {list(order)}"
            )
    uncolored = [category for category in order if category not in painted]
    if uncolored:
        problems.append(f"colors has no color for {uncolored}")
    if problems:
        raise InputError("Sankey figure: " + "; ".join(problems) + ".")


def _tops(counts: Mapping[Hashable, pd.Series], stage: Hashable, gap: float) -> np.ndarray:
    """Upper ends of a stage's nodes, in cases from the top."""
    heights = counts[stage].to_numpy(dtype=float)
    return np.concatenate([[0.0], np.cumsum(heights)[:-1]]) + gap * np.arange(len(heights))


def _draw_nodes(
    axes: Axes, at: float, counts: pd.Series, tops: np.ndarray, painted: Mapping[Hashable, str]
) -> None:
    for place, (category, count) in enumerate(counts.items()):
        axes.add_patch(
            Rectangle(
                (at - _NODE_WIDTH / 2, tops[place]),
                _NODE_WIDTH,
                count,
                facecolor=painted[category],
                hatch=_HATCHES[place % len(_HATCHES)],
                edgecolor="white",
                linewidth=0,
                zorder=3,
            )
        )
        side = -1 if at == 0 else 1
        axes.text(
            at + side * (_NODE_WIDTH / 2 + 0.03),
            tops[place] + count / 2,
            f"{category}: {count}",
            ha="right" if side < 0 else "left",
            va="center",
            fontsize="small",
            zorder=4,
            bbox={
                "boxstyle": "round,pad=0.12",
                "facecolor": "white",
                "alpha": 0.8,
                "edgecolor": "none",
            },
        )


def _draw_ribbons(
    axes: Axes,
    at: int,
    flows: np.ndarray,
    left_tops: np.ndarray,
    right_tops: np.ndarray,
    colors: Sequence[str],
) -> None:
    """Ribbons leave and arrive in the order of the categories, so they cross least."""
    left = at + _NODE_WIDTH / 2
    right = at + 1 - _NODE_WIDTH / 2
    leaving = left_tops[:, None] + np.cumsum(flows, axis=1) - flows
    arriving = right_tops[None, :] + np.cumsum(flows, axis=0) - flows
    for source, target in np.argwhere(flows > 0):
        width = float(flows[source, target])
        ribbon = _ribbon(left, right, leaving[source, target], arriving[source, target], width)
        axes.add_patch(
            PathPatch(
                ribbon,
                facecolor=colors[source],
                edgecolor=colors[source],
                alpha=0.45 if source == target else 0.7,
                linewidth=0.4,
                zorder=1 if source == target else 2,
            )
        )


def _ribbon(left: float, right: float, start: float, end: float, width: float) -> Path:
    """Band between two cubic curves that leave and arrive horizontally."""
    middle = (left + right) / 2
    points = [
        (left, start),
        (middle, start),
        (middle, end),
        (right, end),
        (right, end + width),
        (middle, end + width),
        (middle, start + width),
        (left, start + width),
        (left, start),
    ]
    curve = [Path.CURVE4] * 3
    return Path(points, [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY])
