"""A ROC curve and the two distributions behind it, tied together by a threshold."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from lnm_kit.errors import InputError
from lnm_kit.evaluation.auc import auc, roc_points
from lnm_kit.evaluation.confusion import Confusion, confusion
from lnm_kit.evaluation.estimate import Numbers, labels_and_scores
from lnm_kit.figures.interactive import NEUTRAL, InteractiveFigure, interactive
from lnm_kit.figures.style import GRAY, PALETTE, line_styles, new_figure, styled

_BINS = 24
_STOPS = 200
_POSITIVE, _NEGATIVE = PALETTE[1], PALETTE[0]
_DASHES = ("solid", "dash", "dashdot", "dot", "longdash", "longdashdot")


def interactive_roc(
    label: Numbers,
    scores: Mapping[str, Numbers],
    *,
    threshold: Mapping[str, float] | None = None,
    alt: str = "",
) -> InteractiveFigure:
    """Show ROC curves with a threshold to move, and what it does to the cases behind them.

    A slider moves the point on the curve, the line in the distributions of the scores (positive
    cases up, negative ones down), and the confusion matrix with sensitivity and specificity;
    another control chooses the model. The static twin has the curves of all models and one pair of
    distributions for each, at the given thresholds.

    Parameters
    ----------
    label
        (N,), 0 or 1.
    scores
        Name of a model to its (N,) scores of the same cases.
    threshold
        Name of every model to the threshold chosen on other cases, where the slider starts. A
        case is called positive when its score is at least the threshold. Without it nothing is
        marked, and the slider starts in the middle.
    alt
        The figure in words; by default each model's AUC and its counts at its threshold.

    Raises
    ------
    InputError
        When there is no model, thresholds and models have different names, a threshold is not
        finite, or as in :func:`lnm_kit.evaluation.auc`.

    Examples
    --------
    >>> shown = interactive_roc([0, 0, 1, 1], {"SVM": [1, 3, 2, 4]}, threshold={"SVM": 2})
    >>> shown.alt
    'ROC curves and distributions of scores. SVM: AUC 0.750; at 2: TP 2, FP 1, FN 0, TN 1.'
    """
    if not scores:
        raise InputError("scores is empty; give at least one model with its scores.")
    if threshold is not None and set(threshold) != set(scores):
        raise InputError(
            f"threshold is for {sorted(threshold)} and scores for {sorted(scores)}; give one "
            "threshold for each model, or none at all."
        )
    checked = {name: labels_and_scores(label, score) for name, score in scores.items()}
    labels = next(iter(checked.values()))[0]
    values = {name: score for name, (_, score) in checked.items()}
    chosen: dict[str, float | None] = {
        name: None if threshold is None else float(threshold[name]) for name in values
    }
    counts = {
        name: None if cut is None else confusion(labels, values[name], cut)
        for name, cut in chosen.items()
    }
    models = [_model(name, labels, values[name], chosen[name]) for name in values]
    linked = {
        "kind": "roc",
        "n_positive": int(labels.sum()),
        "n_negative": int((~labels).sum()),
        "models": models,
    }
    return interactive(
        _plotly(labels, values, linked),
        static=_static(labels, values, chosen, counts),
        alt=alt or _words(labels, values, chosen, counts),
        narrow={
            "height": 760,
            "xaxis.domain": [0, 1],
            "yaxis.domain": [0.5, 1],
            "xaxis2.domain": [0, 1],
            "yaxis2.domain": [0, 0.34],
            "legend.x": 1,
            "legend.y": 0.5,
            "legend2.x": 0,
            "legend2.y": 0.35,
        },
        linked=linked,
    )


def _model(
    name: str, labels: np.ndarray, score: np.ndarray, chosen: float | None
) -> dict[str, Any]:
    """What the page needs of one model: counts at each stop of the slider, and the histograms."""
    stops = _stops(score, chosen)
    called = score[None, :] >= stops[:, None]
    edges = _edges(score)
    positive = np.histogram(score[labels], edges)[0]
    negative = np.histogram(score[~labels], edges)[0]
    at = None if chosen is None else int(np.flatnonzero(stops == chosen)[0])
    width = float(edges[1] - edges[0])
    # every stop lies inside of the axis, the one above all scores too
    range_ = [min(edges[0], stops[0]) - width / 2, max(edges[-1], stops[-1]) + width / 2]
    reach = [-1.12 * float(negative.max()), 1.12 * float(positive.max())]
    return {
        "name": name,
        "threshold": stops.tolist(),
        "shown": [f"{stop:.4g}" for stop in stops],
        "tp": (called & labels).sum(axis=1).tolist(),
        "fp": (called & ~labels).sum(axis=1).tolist(),
        "chosen": at,
        "start": len(stops) // 2 if at is None else at,
        "middle": ((edges[:-1] + edges[1:]) / 2).tolist(),
        "width": width,
        "positive": positive.tolist(),
        "negative": negative.tolist(),
        "range": [float(end) for end in range_],
        "count_range": reach,
        "ticks": [int(tick) for tick in MaxNLocator(6, integer=True).tick_values(*reach)],
    }


def _stops(score: np.ndarray, chosen: float | None) -> np.ndarray:
    """Where the slider can stand, ascending: the scores, thinned evenly, and one above all."""
    distinct = np.unique(score)
    if distinct.size > _STOPS:
        distinct = distinct[np.linspace(0, distinct.size - 1, _STOPS).round().astype(int)]
    above = distinct[-1] + max((distinct[-1] - distinct[0]) / _BINS, 1e-3 * abs(distinct[-1]), 1e-6)
    return np.unique([*distinct, above, *([] if chosen is None else [chosen])])


def _edges(score: np.ndarray) -> np.ndarray:
    return np.histogram_bin_edges(score, _BINS)


def _plotly(
    labels: np.ndarray, values: Mapping[str, np.ndarray], linked: Mapping[str, Any]
) -> go.Figure:
    """Traces: a curve for each model, the point, the chosen point, positives, negatives."""
    figure = go.Figure()
    for at, (name, score) in enumerate(values.items()):
        points = roc_points(labels, score)
        figure.add_scatter(
            x=points["false_positive_rate"].round(5).tolist(),
            y=points["true_positive_rate"].round(5).tolist(),
            name=f"{name}: {auc(labels, score).value:.3f}",
            mode="lines",
            line={"color": PALETTE[at % 6], "dash": _DASHES[at % 6], "width": 2.2},
            hovertemplate="1 - specificity %{x:.3f}<br>sensitivity %{y:.3f}",
        )
    first = linked["models"][0]
    k, chosen = first["start"], first["chosen"]
    for stop, mark, name in (
        (k, {"color": NEUTRAL, "size": 15, "symbol": "circle-open", "line": {"width": 3}}, "here"),
        (chosen, {"color": NEUTRAL, "size": 8, "symbol": "diamond"}, "chosen before"),
    ):
        figure.add_scatter(
            x=[] if stop is None else [first["fp"][stop] / linked["n_negative"]],
            y=[] if stop is None else [first["tp"][stop] / linked["n_positive"]],
            name=name,
            mode="markers",
            marker=mark,
            showlegend=False,
            hovertemplate="1 - specificity %{x:.3f}<br>sensitivity %{y:.3f}",
        )
    for name, counts, color in (
        ("positive cases", first["positive"], _POSITIVE),
        ("negative cases", [-count for count in first["negative"]], _NEGATIVE),
    ):
        figure.add_bar(
            x=first["middle"],
            y=counts,
            width=first["width"],
            name=name,
            marker={"color": color},
            xaxis="x2",
            yaxis="y2",
            legend="legend2",
            hovertemplate="score %{x:.3g}: %{y}",
        )
    line = {"color": NEUTRAL, "width": 2}
    cut = first["threshold"][k]
    grow = {"automargin": False}
    figure.update_layout(
        shapes=[
            {"type": "line", "name": "ink", "xref": "x2", "yref": "y2 domain", "x0": cut, "x1": cut,
             "y0": 0, "y1": 1, "line": line},
            {"type": "line", "xref": "x", "yref": "y", "x0": 0, "x1": 1, "y0": 0, "y1": 1,
             "line": {"color": NEUTRAL, "width": 1, "dash": "dot"}},
        ],
        xaxis={"title": {"text": "1 - specificity"}, "range": [-0.02, 1.02],
               "domain": [0, 0.46], **grow},
        yaxis={"title": {"text": "sensitivity"}, "range": [-0.02, 1.02], **grow},
        xaxis2={"title": {"text": "score"}, "anchor": "y2", "domain": [0.56, 1],
                "range": first["range"], **grow},
        yaxis2={"title": {"text": "cases, negative ones down"}, "anchor": "x2",
                "range": first["count_range"], "tickvals": first["ticks"],
                "ticktext": [str(abs(tick)) for tick in first["ticks"]], **grow},
        barmode="overlay",
        legend={"title": {"text": "AUC"}, "x": 0.46, "xanchor": "right", "y": 0.01,
                "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)", "font": {"size": 11}},
        legend2={"x": 0.56, "y": 1.01, "yanchor": "bottom", "orientation": "h"},
        margin={"l": 56, "r": 12, "t": 36, "b": 52},
        height=440,
    )  # fmt: skip
    return figure


def _static(
    labels: np.ndarray,
    values: Mapping[str, np.ndarray],
    chosen: Mapping[str, float | None],
    counts: Mapping[str, Confusion | None],
) -> Figure:
    with styled():
        figure = new_figure(9.0, max(4.4, 1.7 * len(values)))
        left, right = _halves(figure)
        axes = left.subplots()
        axes.plot([0, 1], [0, 1], color=GRAY, linestyle=(0, (1, 2)), linewidth=1.2)
        rows = right.subplots(len(values), 1, squeeze=False)[:, 0]
        for (name, score), style, row in zip(values.items(), line_styles(), rows, strict=False):
            points = roc_points(labels, score)
            x, y = points["false_positive_rate"], points["true_positive_rate"]
            axes.plot(x, y, **{**style, "marker": ""}, label=f"{name}: {auc(labels, score)}")
            edges = _edges(score)
            up, down = np.histogram(score[labels], edges)[0], np.histogram(score[~labels], edges)[0]
            row.bar(edges[:-1], up, np.diff(edges), align="edge", color=_POSITIVE)
            row.bar(
                edges[:-1], -down, np.diff(edges), align="edge", color=_NEGATIVE, hatch="////",
                edgecolor="white", linewidth=0,
            )  # fmt: skip
            row.axhline(0, color="#333333", linewidth=0.8)
            row.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
            cut, found = chosen[name], counts[name]
            title = name
            if cut is not None and found is not None:
                row.axvline(cut, color="#000000", linewidth=1.6)
                axes.plot(
                    found.fp / (found.fp + found.tn), found.tp / (found.tp + found.fn),
                    marker=style["marker"], color=style["color"], markersize=8,
                    markeredgecolor="black",
                )  # fmt: skip
                title += f" at {cut:.3g}: {_counts(found)}"
            row.set_title(title, fontsize="small")
        rows[-1].set_xlabel("score")
        right.supylabel("cases: positive up, negative down", fontsize="medium")
        axes.set(
            xlabel="1 - specificity (false positive rate)",
            ylabel="sensitivity (true positive rate)",
            xlim=(-0.02, 1.02),
            ylim=(-0.02, 1.02),
            aspect="equal",
        )
        axes.legend(title="AUC (95 % interval)", loc="upper center", bbox_to_anchor=(0.5, -0.16))
    return figure


def _halves(figure: Figure) -> tuple[SubFigure, SubFigure]:
    """Left for the curves, right for the distributions."""
    grid = figure.add_gridspec(1, 2, width_ratios=(1, 1.05))
    return figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])


def _counts(found: Confusion) -> str:
    return f"TP {found.tp}, FP {found.fp}, FN {found.fn}, TN {found.tn}"


def _words(
    labels: np.ndarray,
    values: Mapping[str, np.ndarray],
    chosen: Mapping[str, float | None],
    counts: Mapping[str, Confusion | None],
) -> str:
    parts = []
    for name, score in values.items():
        part = f"{name}: AUC {auc(labels, score).value:.3f}"
        found = counts[name]
        if found is not None:
            part += f"; at {chosen[name]:.3g}: {_counts(found)}"
        parts.append(part)
    return f"ROC curves and distributions of scores. {'. '.join(parts)}."
