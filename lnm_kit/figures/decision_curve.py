"""Decision curves."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lnm_kit.errors import InputError
from lnm_kit.figures.style import GRAY, line_styles, new_figure, styled


def decision_curve_figure(curves: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw net benefit against threshold for some models, beside treating all and nobody.

    Parameters
    ----------
    curves
        Name of the model to its frame of :func:`lnm_kit.evaluation.decision_curve.decision_curve`,
        all over the same cases and thresholds. The band of the first one is drawn.

    Raises
    ------
    InputError
        Without a curve.

    Examples
    --------
    >>> from lnm_kit.evaluation.decision_curve import decision_curve
    >>> curve = decision_curve([0, 0, 0, 1], [0.1, 0.2, 0.6, 0.9], [0.1, 0.5], resamples=20)
    >>> figure = decision_curve_figure({"model": curve})
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['model', 'treat all', 'treat nobody']
    """
    if not curves:
        raise InputError("there is no decision curve to draw; give at least one.")
    with styled():
        figure = new_figure(5.6, 3.8)
        axes = figure.subplots()
        _draw(axes, curves)
        axes.set_xlabel("threshold probability")
        axes.set_ylabel("net benefit")
        axes.legend(loc="upper right")
    return figure


def decision_curve_panels(panels: Mapping[str, Mapping[str, pd.DataFrame]]) -> Figure:
    """Draw the decision curves of several cohorts, a panel each, with one legend.

    Parameters
    ----------
    panels
        Title of the panel to its curves, as in :func:`decision_curve_figure`. The same names in
        every panel are the same lines.

    Raises
    ------
    InputError
        Without a panel, or with one that has no curve.

    Examples
    --------
    >>> from lnm_kit.evaluation.decision_curve import decision_curve
    >>> curve = decision_curve([0, 0, 0, 1], [0.1, 0.2, 0.6, 0.9], [0.1, 0.5], resamples=20)
    >>> figure = decision_curve_panels({"A": {"model": curve}, "B": {"model": curve}})
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['A', 'B']
    """
    if not panels or not all(panels.values()):
        raise InputError("there is no decision curve to draw; give at least one to every panel.")
    columns = min(len(panels), 2)
    rows = -(-len(panels) // columns)
    with styled():
        figure = new_figure(3.7 * columns, 0.5 + 2.5 * rows)
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, (title, curves) in zip(grid, panels.items(), strict=False):
            _draw(axes, curves)
            axes.set_title(title)
        for axes in grid[len(panels) :]:
            axes.remove()
        figure.supxlabel("threshold probability", fontsize="medium")
        figure.supylabel("net benefit", fontsize="medium")
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def _draw(axes: Axes, curves: Mapping[str, pd.DataFrame]) -> None:
    for place, ((name, curve), style) in enumerate(
        zip(curves.items(), line_styles(), strict=False)
    ):
        axes.plot(curve["threshold"], curve["net_benefit"], label=name, **{**style, "marker": ""})
        if place == 0:
            axes.fill_between(
                curve["threshold"], curve["lo"], curve["hi"], color=style["color"], alpha=0.15
            )
    axes.plot(curve["threshold"], curve["treat_all"], color=GRAY, ls=":", label="treat all")
    axes.axhline(0, color=GRAY, ls="-", lw=0.8, label="treat nobody")
    prevalence = max(float(curve["treat_all"].max()), 0.02)
    axes.set_ylim(-0.25 * prevalence, 1.15 * prevalence)
