"""What columns add to a model's log-odds: of many cases, on average, and of one case."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from scipy.special import expit, logit

from lnm_kit.errors import InputError
from lnm_kit.explain.contributions import Contributions, mean_absolute_shap
from lnm_kit.figures.style import GRAY, PALETTE, new_figure, styled

SIGNS = "●■▲◆▼✚✖"
"""How the markers of categories look in text, in the order of ``_MARKERS``."""

_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_GRAYS = ("#ffffff", "#909090", "#c4c4c4", "#6b6b6b", "#e0e0e0", "#7d7d7d", "#adadad")
_COLORS = "cividis"
_AXIS = "SHAP value (log-odds)"
_ENOUGH_TICKS = 3
_DOT: dict[str, Any] = {"s": 15, "linewidths": 0.4, "edgecolors": "#333333", "zorder": 3}
_STEP, _HALF_HEIGHT = 0.13, 0.4
"""From dot to dot in a stack, and most from the middle of a row; rows are 1 apart."""

_FEW = 5
"""So many distinct values at most make a number's stacks as high as a category's."""

_TICKS = (1e-6, 1e-5, 0.0001, 0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5)


def shap_beeswarm_figure(
    contributions: Contributions, *, max_features: int = 15, title: str = ""
) -> Figure:
    r"""Draw each case as a dot in each column's row: how far right, so much it adds.

    Rows are ordered by mean absolute value, largest on top. A number is colored from low (dark)
    to high (light) by its rank among the cases, a missing one is left white. A category has a
    marker and a gray; which, and how many cases it has, is written below the column's name. Dots
    that would cover each other are moved apart up and down, which means nothing else than that
    there are many; of a category, or a number of up to five distinct values, a stack is seven high
    at most, and further dots lie on it.

    Parameters
    ----------
    contributions
        Of the cases to draw.
    max_features
        At least 1. How many columns at most; how many are left out is written below the axis.
    title
        Above the figure.

    Raises
    ------
    InputError
        When max_features is below 1.

    Notes
    -----
    *Source*: the plot of Feng 2025, Fig. 4b, and of Lundberg et al., Nat Mach Intell 2020;2:56-67.

    Examples
    --------
    >>> values = pd.DataFrame({"age_years": [0.5, -0.2], "sex": [0.1, 0.1]}, index=["a", "b"])
    >>> features = pd.DataFrame({"age_years": [60, 30], "sex": ["male", "male"]}, index=["a", "b"])
    >>> figure = shap_beeswarm_figure(Contributions(values, -1.0, features))
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['age_years', 'sex\n● male (2)']
    """
    _at_least_one("max_features", max_features)
    order = contributions.values.abs().mean().sort_values(ascending=False, kind="stable").index
    shown = order[:max_features]
    labels = []
    with styled():
        figure = new_figure(7.4, 1.5 + 0.46 * len(shown) + 0.3 * bool(title))
        axes = figure.subplots()
        values = contributions.values[shown].to_numpy(np.float64)
        low, high = min(values.min(), 0.0), max(values.max(), 0.0)
        pad = 0.04 * (high - low) or 1.0
        axes.set(xlim=(low - pad, high + pad), ylim=(len(shown) - 0.4, -0.6))
        axes.axvline(0, color=GRAY, ls="-", lw=1)
        # About 110 dots stand side by side over the width of the axes.
        dot = (high - low + 2 * pad) / 110
        for row, name in enumerate(shown):
            column, across = contributions.features[name], values[:, row]
            draw = _draw_numbers if _is_numeric(column) else _draw_categories
            labels.append(draw(axes, column, across, row, dot))
        axes.set_yticks(range(len(shown)), labels, fontsize=8.5)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        left_out = len(order) - len(shown)
        axes.set_xlabel(_AXIS + (f"; {left_out} smaller columns are not shown" if left_out else ""))
        if any(_is_numeric(contributions.features[name]) for name in shown):
            bar = figure.colorbar(
                ScalarMappable(cmap=_COLORS), ax=axes, ticks=[0, 1], aspect=40, pad=0.01
            )
            bar.ax.set_yticklabels(["low", "high"])
            bar.ax.set_ylabel("value of a number (its rank)", fontsize="small", labelpad=-16)
            bar.outline.set_visible(False)
        if title:
            figure.suptitle(title, fontsize="medium")
    return figure


def shap_bar_figure(
    contributions: Contributions, *, max_features: int = 15, seed: int = 0, title: str = ""
) -> Figure:
    """Draw the mean absolute SHAP value of columns as bars, with its 95 % bootstrap interval.

    Parameters
    ----------
    contributions
        Of the cases to average over.
    max_features
        At least 1. How many columns at most, the largest first.
    seed
        Of the bootstrap, see :func:`lnm_kit.explain.contributions.mean_absolute_shap`.
    title
        Above the figure.

    Raises
    ------
    InputError
        When max_features is below 1.

    Examples
    --------
    >>> values = pd.DataFrame({"age_years": [0.5, -0.2], "sex": [0.1, 0.1]}, index=["a", "b"])
    >>> figure = shap_bar_figure(Contributions(values, -1.0, values))
    >>> [round(float(bar.get_width()), 2) for bar in figure.axes[0].patches]
    [0.35, 0.1]
    """
    _at_least_one("max_features", max_features)
    table = mean_absolute_shap(contributions, seed=seed)
    left_out = len(table) - max_features
    table = table.iloc[:max_features]
    with styled():
        figure = new_figure(7.0, 1.2 + 0.34 * len(table) + 0.3 * bool(title))
        axes = figure.subplots()
        rows = np.arange(len(table))
        axes.barh(rows, table["mean"], height=0.62, color=PALETTE[5], edgecolor=PALETTE[0])
        for row, (mean, lo, hi) in enumerate(table[["mean", "lo", "hi"]].to_numpy()):
            axes.plot([lo, hi], [row, row], color="black", ls="-", lw=1.4, solid_capstyle="butt")
            axes.annotate(
                f"{mean:.2f}",
                (max(hi, mean), row),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontsize="small",
            )
        axes.set_yticks(rows, [str(name) for name in table.index])
        axes.set(ylim=(len(table) - 0.4, -0.6), xlim=(0, 1.12 * (table["hi"].max() or 1.0)))
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(
            f"mean |SHAP value| (log-odds) of {len(contributions.values)} cases, "
            "95 % interval" + (f"; {left_out} smaller not shown" if left_out > 0 else "")
        )
        if title:
            figure.suptitle(title, fontsize="medium")
    return figure


def shap_case_figure(
    contributions: Contributions, case_id: str, *, max_features: int = 12, title: str = ""
) -> Figure:
    """Walk from the base to one case's log-odds, column by column; the top axis is probability.

    The largest step is on top. Steps to the right speak for the positive label (plain, vermilion),
    steps to the left against it (hatched, blue). Beyond max_features, the smallest are one step.

    Parameters
    ----------
    contributions
        Of this case among others.
    case_id
        A case id of the contributions.
    max_features
        At least 1. How many steps at most, before the one of the others.
    title
        Above the figure; by default the case id.

    Raises
    ------
    InputError
        When the case is unknown or max_features is below 1.

    Examples
    --------
    >>> values = pd.DataFrame({"age_years": [0.5, -0.2], "sex": [0.1, -0.1]}, index=["a", "b"])
    >>> features = pd.DataFrame({"age_years": [60, 30], "sex": ["male", "female"]}, list("ab"))
    >>> figure = shap_case_figure(Contributions(values, -1.0, features), "a")
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['age_years = 60', 'sex = male']
    """
    _at_least_one("max_features", max_features)
    if case_id not in contributions.values.index:
        known = ", ".join(map(str, contributions.values.index[:5]))
        raise InputError(
            f"case_id is {case_id!r}, which is none of the {len(contributions.values)} cases; "
            f"allowed: {known}{', ...' if len(contributions.values) > 5 else ''}."
        )
    names, steps = _steps(contributions, case_id, max_features)
    ends = contributions.base + np.cumsum(steps)
    starts = ends - steps
    with styled():
        figure = new_figure(7.2, 2.1 + 0.36 * len(steps))
        axes = figure.subplots()
        low, high = min(starts.min(), ends.min()), max(starts.max(), ends.max())
        pad = 0.14 * max(high - low, 0.5)
        axes.set(xlim=(low - pad, high + pad), ylim=(len(steps) + 0.35, -1.35))
        for row, (start, end, step) in enumerate(zip(starts, ends, steps, strict=True)):
            _draw_step(axes, row, start, end, step)
            if row:
                axes.plot([start, start], [row - 1.31, row + 0.31], color=GRAY, ls="-", lw=0.8)
        last = len(steps) - 1
        for place, rows, text in (
            (contributions.base, (-0.85, 0.31), f"base {_number(contributions.base)}"),
            (ends[-1], (last - 0.31, last + 0.8), f"this case {_number(ends[-1])}"),
        ):
            axes.plot([place, place], rows, color="black", ls="-", lw=1.4)
            first = place == contributions.base and rows[0] < 0
            axes.annotate(
                f"{text} (probability {_percent(expit(place))})",
                (place, rows[0] if first else rows[1]),
                xytext=(5 if place < (low + high) / 2 else -5, 0),
                textcoords="offset points",
                ha="left" if place < (low + high) / 2 else "right",
                va="center",
                fontsize="small",
            )
        axes.set_yticks(range(len(steps)), names)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("log-odds of the positive label")
        _probability_axis(axes)
        figure.suptitle(title or f"case {case_id}", fontsize="medium")
    return figure


def _at_least_one(name: str, value: int) -> None:
    if value < 1:
        raise InputError(f"{name} is {value}; needed: 1 or more.")


def _is_numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column)


def _spread(across: np.ndarray, dot: float) -> np.ndarray:
    """Offsets of dots from their row, in dots: those in one bin as wide as a dot are stacked."""
    bins = np.round(across / dot).astype(np.int64)
    rank = pd.Series(across).groupby(bins).cumcount().to_numpy()
    # 0, 1, -1, 2, -2, ...: the stack grows evenly to both sides.
    return np.where(rank % 2 == 1, (rank + 1) // 2, -(rank // 2))


def _refilled(place: np.ndarray) -> np.ndarray:
    """Fill a full stack again from its middle: squeezed, its markers could not be told apart."""
    return np.fmod(place, _HALF_HEIGHT // _STEP + 1)


def _draw_numbers(axes: Axes, column: pd.Series, across: np.ndarray, row: int, dot: float) -> str:
    """Draw one column's dots in the color of their rank; gives what to write beside them."""
    place = _spread(across, dot)
    if column.nunique() <= _FEW:
        place = _refilled(place)
    down = row + place * min(_STEP, _HALF_HEIGHT / max(np.abs(place).max(), 1))
    rank = column.astype(np.float64).rank()
    level = (rank - rank.min()) / ((rank.max() - rank.min()) or 1.0)
    known = column.notna().to_numpy()
    colors: dict[str, Any] = {"c": level[known], "cmap": _COLORS, "vmin": 0, "vmax": 1}
    axes.scatter(across[known], down[known], **colors, **_DOT)
    axes.scatter(across[~known], down[~known], c="white", **_DOT)
    return str(column.name)


def _draw_categories(
    axes: Axes, column: pd.Series, across: np.ndarray, row: int, dot: float
) -> str:
    """Draw one column's markers; gives what to write beside them, which explains the markers."""
    texts = column.astype(object).where(column.notna(), "unknown").astype(str)
    # Common ones have a look of their own; those beyond the markers share the last.
    if texts.nunique() > len(_MARKERS):
        common = texts.value_counts().index[: len(_MARKERS) - 1]
        texts = texts.where(texts.isin(common), "others")
    levels = sorted(texts.unique(), key=lambda text: (text == "others", text))
    entries = []
    for level, marker, gray, sign in zip(levels, _MARKERS, _GRAYS, SIGNS, strict=False):
        chosen = (texts == level).to_numpy()
        place = _refilled(_spread(across[chosen], dot))
        axes.scatter(across[chosen], row + place * _STEP, c=gray, marker=marker, **_DOT)
        entries.append(f"{sign} {level} ({chosen.sum()})")
    lines = ["  ".join(entries[at : at + 2]) for at in range(0, len(entries), 2)]
    return "\n".join([str(column.name), *lines])


def _steps(
    contributions: Contributions, case_id: str, max_features: int
) -> tuple[list[str], np.ndarray]:
    """Names with values, and contributions, largest first; the smallest as one step."""
    values = contributions.values.T[case_id]
    order = values.abs().sort_values(ascending=False, kind="stable").index
    # One column beyond needs no summary: it takes the same room as the summary would.
    shown = order if len(order) <= max_features + 1 else order[:max_features]
    names = [f"{name} = {_shown(contributions.features.at[case_id, name])}" for name in shown]
    steps = values[shown].tolist()
    if len(shown) < len(order):
        names.append(f"{len(order) - len(shown)} other columns")
        steps.append(values[order[len(shown) :]].sum())
    return names, np.array(steps, dtype=np.float64)


def _shown(value: object) -> str:
    if value is None or value is pd.NA or value != value:
        return "unknown"
    if isinstance(value, float | np.floating):
        return f"{value:.3g}".replace("-", "−")
    return str(value)


def _number(value: float, sign: str = "") -> str:
    return f"{value:{sign}.2f}".replace("-", "−")


def _percent(probability: float) -> str:
    if probability < 0.001:
        return "< 0.1 %"
    return "> 99.9 %" if probability > 0.999 else f"{100 * probability:.1f} %"


def _draw_step(axes: Axes, row: int, start: float, end: float, step: float) -> None:
    positive = step >= 0
    axes.barh(
        row,
        step,
        left=start,
        height=0.62,
        color=PALETTE[1] if positive else "white",
        edgecolor=PALETTE[1] if positive else PALETTE[0],
        hatch="" if positive else "////",
    )
    axes.annotate(
        _number(step, "+"),
        (end, row),
        xytext=(4 if positive else -4, 0),
        textcoords="offset points",
        ha="left" if positive else "right",
        va="center",
        fontsize="small",
    )


def _probability_axis(axes: Axes) -> None:
    low, high = axes.get_xlim()
    kept: list[float] = []
    # Round ones first; finer ones only where these leave the axis nearly empty.
    for candidates in (_TICKS, np.arange(5, 50, 5) / 100, np.arange(1, 50) / 100):
        if len(kept) >= _ENOUGH_TICKS:
            break
        # From the middle outward, so that 50 % stays; a label takes about a tenth of the width.
        for p in sorted({*candidates, *(1 - p for p in candidates)}, key=lambda p: abs(p - 0.5)):
            places = logit(np.array([p, *kept]))
            far = np.abs(places[1:] - places[0]) > 0.09 * (high - low)
            if low <= places[0] <= high and far.all():
                kept.append(float(p))
    top = axes.secondary_xaxis("top")
    top.set_xticks([logit(p) for p in kept], [f"{100 * p:.10g} %" for p in kept])
    top.set_xlabel("probability of the positive label")
    top.spines["top"].set_color(GRAY)
