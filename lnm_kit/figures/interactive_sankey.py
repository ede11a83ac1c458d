"""Sankey figures that tell counts and shares of each flow under the pointer."""

import textwrap
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lnm_kit.figures.interactive import InteractiveFigure, interactive
from lnm_kit.figures.sankey import _colors, sankey_figure

_PAD_SHARE = 0.04


def interactive_sankey(
    table: pd.DataFrame,
    *,
    order: Sequence[Hashable],
    colors: Mapping[Hashable, str] | None = None,
    alt: str = "",
) -> InteractiveFigure:
    """Show the flows of cases between categories, each flow with its count under the pointer.

    The static twin is :func:`lnm_kit.figures.sankey_figure` of the same table. A category without
    a case at a stage has no node here; the static twin keeps its label.

    Parameters
    ----------
    table
        One row per case, one column per stage (a model, or a time).
    order
        The categories from top to bottom, e.g. `lnm_kit.figures.sankey.OUTCOMES`.
    colors
        Color of each category; as in the static twin by default.
    alt
        The figure in words; by default the counts of every stage.

    Raises
    ------
    InputError
        As in :func:`lnm_kit.figures.sankey_figure`.

    Examples
    --------
    >>> table = pd.DataFrame({"before": ["FN", "TP", "TN"], "after": ["TP", "TP", "TN"]})
    >>> shown = interactive_sankey(table, order=["TP", "FN", "FP", "TN"])
    >>> shown.alt
    'Flows of 3 cases. before: 1 TP, 1 FN, 1 TN. after: 2 TP, 1 TN.'
    """
    static = sankey_figure(table, order=order, colors=colors)
    painted = _colors(order, colors)
    nodes = _nodes(table, order)
    links = _links(table, nodes)
    headings = [textwrap.wrap(str(stage), 12) or [""] for stage in table.columns]
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            valueformat="d",
            node={
                "label": [f"{row.category} {row.n}" for row in nodes.itertuples()],
                "color": [painted[category] for category in nodes["category"]],
                "x": nodes["x"].tolist(),
                "y": nodes["y"].tolist(),
                "pad": 14,
                "thickness": 16,
                "line": {"width": 0},
                "customdata": [
                    f"{row.stage}: {row.n} of {len(table)} cases are {row.category}"
                    for row in nodes.itertuples()
                ],
                "hovertemplate": "%{customdata}<extra></extra>",
            },
            link={
                "source": links["source"].tolist(),
                "target": links["target"].tolist(),
                "value": links["n"].tolist(),
                "color": [
                    _translucent(painted[nodes["category"][source]], 0.35 if stays else 0.65)
                    for source, stays in zip(links["source"], links["stays"], strict=True)
                ],
                "customdata": links["words"].tolist(),
                "hovertemplate": "%{customdata}<extra></extra>",
            },
        )
    )
    figure.update_layout(
        annotations=[_heading(lines, at, table) for at, lines in enumerate(headings)],
        height=430,
        margin={
            "l": 24,
            "r": 24,
            "t": 22 + 18 * max(map(len, headings)),
            "b": 16,
        },
        font={"size": 13},
    )
    return interactive(
        figure,
        static=static,
        alt=alt or _words(table, order),
        narrow={"font.size": 11 if len(table.columns) < 4 else 9},
    )


def _nodes(table: pd.DataFrame, order: Sequence[Hashable]) -> pd.DataFrame:
    """One row per stage and category with a case: how many, and where its middle is drawn."""
    stages = len(table.columns)
    rows = []
    for at, stage in enumerate(table.columns):
        counts: dict[Hashable, int] = table[stage].value_counts().to_dict()
        present = [category for category in order if category in counts]
        free = 1 - _PAD_SHARE * (len(order) - 1)
        top = 0.0
        for category in present:
            height = free * counts[category] / len(table)
            rows.append(
                {
                    "stage": stage,
                    "at": at,
                    "category": category,
                    "n": int(counts[category]),
                    # plotly takes a 0 for "not given"
                    "x": float(np.clip(at / (stages - 1), 0.001, 0.999)),
                    "y": float(np.clip(top + height / 2, 0.001, 0.999)),
                }
            )
            top += height + _PAD_SHARE
    return pd.DataFrame(rows)


def _links(table: pd.DataFrame, nodes: pd.DataFrame) -> pd.DataFrame:
    """One row per flow between neighboring stages, named by the numbers of its nodes."""
    number = {(row.at, row.category): row.Index for row in nodes.itertuples()}
    rows = []
    for at, (before, after) in enumerate(zip(table.columns[:-1], table.columns[1:], strict=True)):
        flows = pd.crosstab(table[before], table[after])
        for row, column in np.argwhere(flows.to_numpy() > 0):
            source, target = flows.index[row], flows.columns[column]
            n, leaving = flows.to_numpy()[row, column], flows.to_numpy()[row].sum()
            rows.append(
                {
                    "source": number[at, source],
                    "target": number[at + 1, target],
                    "n": int(n),
                    "stays": source == target,
                    "words": f"{before} {source} to {after} {target}:<br>{n} of {leaving} cases",
                }
            )
    return pd.DataFrame(rows)


def _heading(lines: Sequence[str], at: int, table: pd.DataFrame) -> dict[str, object]:
    last = len(table.columns) - 1
    return {
        "text": "<br>".join(lines),
        "x": at / last,
        "y": 1.02,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left" if at == 0 else "right" if at == last else "center",
        "yanchor": "bottom",
        "showarrow": False,
    }


def _translucent(color: str, opacity: float) -> str:
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _words(table: pd.DataFrame, order: Sequence[Hashable]) -> str:
    stages = []
    for stage in table.columns:
        counts: dict[Hashable, int] = table[stage].value_counts().to_dict()
        present = [f"{counts[each]} {each}" for each in order if each in counts]
        stages.append(f"{stage}: {', '.join(present)}.")
    return f"Flows of {len(table)} cases. {' '.join(stages)}"
