"""Forest plots: values with intervals, several sources a group."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lnm_kit.errors import InputError
from lnm_kit.figures.style import GRAY, line_styles, new_figure, styled


def forest_figure(table: pd.DataFrame, *, label: str, reference: float) -> Figure:
    """Draw values with their intervals, one band a group, one marker a source.

    Parameters
    ----------
    table
        Columns `group`, `source`, `value`, `lo`, `hi`; groups and sources are drawn in the order
        in which they first come. A value without an interval (NaN) is an open marker.
    label
        Of the axis.
    reference
        Where a dotted line marks the value of no use.

    Raises
    ------
    InputError
        Without a row, or when a value is not finite.

    Examples
    --------
    >>> table = pd.DataFrame({"group": ["A", "A"], "source": ["paper", "run"],
    ...     "value": [0.9, 0.7], "lo": [float("nan"), 0.6], "hi": [float("nan"), 0.8]})
    >>> figure = forest_figure(table, label="AUC", reference=0.5)
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['A']
    """
    if table.empty:
        raise InputError("there is no value to draw; give at least one row.")
    if not np.isfinite(table["value"]).all():
        raise InputError("a value is not finite; leave its row out and say so.")
    groups = list(dict.fromkeys(table["group"]))
    sources = list(dict.fromkeys(table["source"]))
    step = 0.8 / len(sources)
    with styled():
        figure = new_figure(7.0, 1.1 + 0.17 * (len(sources) + 1) * len(groups))
        axes = figure.subplots()
        axes.axvline(reference, color=GRAY, linestyle=(0, (1, 2)), linewidth=1.2)
        for place in range(1, len(groups), 2):
            axes.axhspan(place - 0.5, place + 0.5, color=GRAY, alpha=0.08, linewidth=0)
        for number, (source, style) in enumerate(zip(sources, line_styles(), strict=False)):
            rows = table[table["source"] == source]
            at = np.array([groups.index(group) for group in rows["group"]])
            at = at + (number - (len(sources) - 1) / 2) * step
            bare = rows["lo"].isna() | rows["hi"].isna()
            axes.hlines(
                at[~bare], rows["lo"][~bare], rows["hi"][~bare], color=style["color"], linewidth=1.5
            )
            for chosen, face in ((~bare, style["color"]), (bare, "white")):
                axes.plot(
                    rows["value"][chosen],
                    at[chosen],
                    linestyle="",
                    marker=style["marker"],
                    markersize=5.5,
                    markerfacecolor=face,
                    markeredgecolor=style["color"],
                )
            axes.plot([], [], style["marker"], color=style["color"], label=source)
        axes.set_yticks(range(len(groups)), groups)
        axes.set_ylim(len(groups) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(label)
        figure.legend(loc="outside upper center", ncols=len(sources))
    return figure
