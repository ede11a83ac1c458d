"""What a positive and a negative call mean where the disease is rarer or more common."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from matplotlib.figure import Figure

from lnm_kit.errors import InputError
from lnm_kit.evaluation.confusion import Confusion
from lnm_kit.evaluation.prevalence import predictive_values
from lnm_kit.figures.interactive import NEUTRAL, InteractiveFigure, interactive
from lnm_kit.figures.style import GRAY, PALETTE, new_figure, styled

PATIENTS = 1000
"""How many patients the expected confusion matrix is for."""

_GRID = np.linspace(0.005, 0.995, 199)
_CURVES = (("ppv", "PPV", PALETTE[0], "solid", "-"), ("npv", "NPV", PALETTE[1], "dash", "--"))


def interactive_prevalence(
    counts: Confusion, *, marked: Mapping[str, float] | None = None, alt: str = ""
) -> InteractiveFigure:
    """Show PPV and NPV against the prevalence, with sliders for what they depend on.

    The curves and their 95 % bands are those of :func:`lnm_kit.evaluation.predictive_values`. The
    sliders set sensitivity, specificity and prevalence; the page then shows the two values and the
    expected counts among 1,000 patients. Bands are shown as long as sensitivity and specificity
    are the measured ones. The sliders start at the sample's own values.

    Parameters
    ----------
    counts
        Decisions in the sample, from :func:`lnm_kit.evaluation.confusion`.
    marked
        Prevalences worth a line, by name, e.g. ``{"screening": 0.05}``; each inside of (0, 1).
    alt
        The figure in words; by default PPV and NPV at the sample's prevalence and the marked ones.

    Raises
    ------
    InputError
        As in :func:`lnm_kit.evaluation.predictive_values`, and where a name is "this cohort".

    Examples
    --------
    >>> shown = interactive_prevalence(Confusion(tp=90, fp=40, fn=10, tn=160))
    >>> shown.alt
    'Predictive values against prevalence. this cohort (33.3 %): PPV 0.692, NPV 0.941.'
    """
    table = predictive_values(counts, _GRID)
    positive, negative = counts.tp + counts.fn, counts.tn + counts.fp
    cohort = positive / (positive + negative)
    if "this cohort" in (marked or {}):
        raise InputError("marked names 'this cohort', which is marked anyway; take another name.")
    points = {"this cohort": cohort, **(marked or {})}
    at_points = predictive_values(counts, list(points.values()))
    at_points.index = pd.Index(points)
    measured = [counts.tp / positive, counts.tn / negative, cohort]
    linked = {
        "kind": "prevalence",
        "start": measured,
        "ranges": {name: [0.005, 0.995, 0.005] for name in _SLIDERS},
        "grid": _GRID.round(4).tolist(),
        "patients": PATIENTS,
    }
    return interactive(
        _plotly(table, points, at_points),
        static=_static(table, points, at_points),
        alt=alt or _words(at_points),
        linked=linked,
    )


_SLIDERS = ("sensitivity", "specificity", "prevalence")


def _plotly(table: pd.DataFrame, points: Mapping[str, float], at: pd.DataFrame) -> go.Figure:
    """Bands (lower, upper) of PPV and NPV, the two curves, the two points: traces 0 to 7."""
    figure = go.Figure()
    x = table["prevalence"].round(4).tolist()
    for key, _, color, _, _ in _CURVES:
        band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        figure.add_scatter(x=x, y=table[f"{key}_lo"].round(4).tolist(), **band)
        fill = {"fill": "tonexty", "fillcolor": f"rgba({_rgb(color)},0.22)"}
        figure.add_scatter(x=x, y=table[f"{key}_hi"].round(4).tolist(), **band, **fill)
    for key, name, color, dash, _ in _CURVES:
        figure.add_scatter(
            x=x,
            y=table[key].round(4).tolist(),
            name=name,
            mode="lines",
            line={"color": color, "dash": dash, "width": 2.5},
            hovertemplate="prevalence %{x:.1%}: %{y:.1%}",
        )
    for key, name, color, _, _ in _CURVES:
        figure.add_scatter(
            x=[points["this cohort"]],
            y=[at[key]["this cohort"]],
            name=name,
            mode="markers",
            marker={"color": color, "size": 12},
            showlegend=False,
            hovertemplate="prevalence %{x:.1%}: %{y:.1%}",
        )
    for name, share in points.items():
        figure.add_vline(
            x=share,
            line={"color": NEUTRAL, "dash": "dot", "width": 1},
            annotation={"text": name, "textangle": -90, "yanchor": "bottom", "y": 0.02},
            annotation_position="bottom right",
        )
    figure.update_layout(
        xaxis={
            "title": {"text": "prevalence"},
            "range": [0, 1],
            "tickformat": ".0%",
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
        },
        yaxis={"title": {"text": "predictive value"}, "range": [0, 1.02], "tickformat": ".0%"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        margin={"l": 64, "r": 20, "t": 36, "b": 52},
        height=420,
    )
    return figure


def _static(table: pd.DataFrame, points: Mapping[str, float], at: pd.DataFrame) -> Figure:
    with styled():
        figure = new_figure(6.4, 4.2)
        axes = figure.subplots()
        for key, name, color, _, line in _CURVES:
            axes.fill_between(
                table["prevalence"], table[f"{key}_lo"], table[f"{key}_hi"], color=color, alpha=0.2
            )
            axes.plot(table["prevalence"], table[key], color=color, linestyle=line, label=name)
            axes.plot(list(points.values()), at[key], "o", color=color, markersize=5)
        for name, share in points.items():
            axes.axvline(share, color=GRAY, linestyle=":", linewidth=1)
            axes.annotate(
                f" {name}", (share, 0.02), rotation=90, fontsize="small", ha="left", va="bottom"
            )
        axes.set(xlabel="prevalence", ylabel="predictive value", xlim=(0, 1), ylim=(0, 1.02))
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=2)
    return figure


def _rgb(color: str) -> str:
    return ",".join(str(int(color[at : at + 2], 16)) for at in (1, 3, 5))


def _words(at_points: pd.DataFrame) -> str:
    parts = [
        f"{row.Index} ({row.prevalence:.1%}".replace("%", " %")
        + f"): PPV {row.ppv:.3f}, NPV {row.npv:.3f}"
        for row in at_points.itertuples()
    ]
    return f"Predictive values against prevalence. {'; '.join(parts)}."
