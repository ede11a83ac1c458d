"""Decision curves."""

from collections.abc import Mapping

import pandas as pd
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
        for place, ((name, curve), style) in enumerate(
            zip(curves.items(), line_styles(), strict=False)
        ):
            axes.plot(
                curve["threshold"], curve["net_benefit"], label=name, **{**style, "marker": ""}
            )
            if place == 0:
                axes.fill_between(
                    curve["threshold"], curve["lo"], curve["hi"], color=style["color"], alpha=0.15
                )
        axes.plot(curve["threshold"], curve["treat_all"], color=GRAY, ls=":", label="treat all")
        axes.axhline(0, color=GRAY, ls="-", lw=0.8, label="treat nobody")
        prevalence = max(float(curve["treat_all"].max()), 0.02)
        axes.set_ylim(-0.25 * prevalence, 1.15 * prevalence)
        axes.set_xlabel("threshold probability")
        axes.set_ylabel("net benefit")
        axes.legend(loc="upper right")
    return figure
