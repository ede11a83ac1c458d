"""Selected features of all cases as one map of standardized values."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import dendrogram, leaves_list, linkage

from lnm_kit.errors import InputError
from lnm_kit.evaluation.estimate import Numbers
from lnm_kit.figures.style import GRAY, PALETTE, new_figure, styled

CLIPPED_AT = 2.5
"""Standardized values beyond this have the color of this, so that outliers do not pale the rest."""

_LABEL_COLORS = (PALETTE[5], PALETTE[1])


def heat_map_figure(
    features: pd.DataFrame,
    label: Numbers,
    *,
    names: tuple[str, str] = ("negative", "positive"),
    title: str = "",
) -> Figure:
    """Draw features as rows and cases as columns; cases stand by label, then by likeness.

    Each feature is standardized over all cases. Rows are ordered by average linkage on
    1 - correlation, whose tree stands at the left; columns by average linkage on the Euclidean
    distance, within the negative and within the positive cases. The strip on top is the label.

    Parameters
    ----------
    features
        (N, F), one row per case; finite, no constant column.
    label
        (N,), 0 or 1.
    names
        What the two labels are called.
    title
        Above the figure.

    Raises
    ------
    InputError
        When there is no feature, the lengths differ, a label is not 0 or 1, a class is missing, or
        a feature is constant or not finite.

    Notes
    -----
    *Source*: the map of Feng 2025, Fig. 2b; its order of rows and columns is not described.

    Examples
    --------
    >>> features = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [0.0, 1.0, 0.5]})
    >>> [text.get_text() for text in heat_map_figure(features, [0, 1, 0]).axes[1].texts]
    ['negative (2)', 'positive (1)']
    """
    labels = _check(features, label)
    values = features.to_numpy(dtype=np.float64)
    standard = ((values - values.mean(axis=0)) / values.std(axis=0, ddof=1)).T
    tree, rows = _row_order(standard)
    columns = np.concatenate(
        [members[_likeness_order(standard[:, members])] for members in _members(labels)]
    )
    with styled():
        figure = new_figure(8.4, 1.5 + 0.2 * len(rows))
        figure.set_layout_engine("constrained", hspace=0.01, wspace=0.005, h_pad=0.03, w_pad=0.03)
        grid = figure.subplots(
            3, 2, height_ratios=[0.16, 0.2 * len(rows), 0.14], width_ratios=[0.7, 8]
        )
        (_, strip), (trunk, body), (_, below) = grid
        for axes in (grid[0, 0], grid[2, 0], below):
            axes.set_axis_off()
        _draw_strip(strip, labels, names)
        _draw_tree(trunk, tree, len(rows))
        shown = body.imshow(
            standard[np.ix_(rows, columns)],
            cmap="cividis",
            vmin=-CLIPPED_AT,
            vmax=CLIPPED_AT,
            aspect="auto",
            interpolation="nearest",
        )
        body.axvline((~labels).sum() - 0.5, color="white", ls="-", lw=1.5)
        body.set_yticks(range(len(rows)), [str(features.columns[row]) for row in rows])
        body.tick_params(left=False, labelleft=False, labelright=True, labelsize=8, length=0)
        body.set(xticks=[], xlabel=f"{len(labels)} cases")
        for axes in (strip, trunk, body):
            axes.grid(visible=False)
            axes.spines[:].set_visible(False)
        bar = figure.colorbar(
            shown,
            cax=below.inset_axes((0.25, 0, 0.5, 1)),
            orientation="horizontal",
            extend="both",
            ticks=[-2, -1, 0, 1, 2],
        )
        bar.set_label("standardized value (SD from the mean)", fontsize="small")
        bar.outline.set_visible(False)
        figure.suptitle(title, fontsize="medium")
    return figure


def _check(features: pd.DataFrame, label: Numbers) -> np.ndarray:
    labels = np.asarray(label)
    if features.empty or labels.shape != (len(features),):
        raise InputError(
            f"features has shape {features.shape} and label {labels.shape}; needed: at least one "
            "feature and one label per row."
        )
    problems = []
    if set(np.unique(labels).tolist()) != {0, 1}:
        problems.append(f"label holds {np.unique(labels).tolist()[:5]}; needed: 0 and 1")
    finite = np.isfinite(features.to_numpy(dtype=np.float64)).all(axis=0)
    spread = features.to_numpy(dtype=np.float64)[:, finite].std(axis=0) > 0
    if not finite.all():
        problems.append(f"not finite: {_some(features.columns[~finite])}")
    if not spread.all():
        problems.append(
            f"constant: {_some(features.columns[finite][~spread])}; leave these features out"
        )
    if problems:
        raise InputError("heat map: " + "; ".join(problems) + ".")
    return labels.astype(bool)


def _some(columns: pd.Index) -> str:
    return ", ".join(map(str, columns[:5])) + (", ..." if len(columns) > 5 else "")


def _members(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.flatnonzero(~labels), np.flatnonzero(labels)


def _row_order(standard: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """Tree of the rows and their order in it; no tree with one row."""
    if len(standard) == 1:
        return None, np.array([0])
    tree = linkage(standard, method="average", metric="correlation", optimal_ordering=True)
    return tree, leaves_list(tree)


def _likeness_order(columns: np.ndarray) -> np.ndarray:
    """Order of cases, the columns of (F, n), in which like stands beside like."""
    if columns.shape[1] < 2:
        return np.arange(columns.shape[1])
    return leaves_list(linkage(columns.T, method="average", metric="euclidean"))


def _draw_strip(axes: Axes, labels: np.ndarray, names: tuple[str, str]) -> None:
    axes.imshow(np.sort(labels)[None], cmap=ListedColormap(_LABEL_COLORS), aspect="auto")
    axes.set(xticks=[], yticks=[])
    for at, side, name, count in (
        (0.0, "left", names[0], int((~labels).sum())),
        (1.0, "right", names[1], int(labels.sum())),
    ):
        axes.annotate(
            f"{name} ({count})",
            (at, 1.0),
            xycoords="axes fraction",
            xytext=(0, 3),
            textcoords="offset points",
            ha=side,
            va="bottom",
            fontsize="small",
        )


def _draw_tree(axes: Axes, tree: np.ndarray | None, n_rows: int) -> None:
    axes.set(xticks=[], yticks=[], ylim=(n_rows - 0.5, -0.5))
    if tree is None:
        return
    drawn = dendrogram(tree, no_plot=True)
    for places, heights in zip(drawn["icoord"], drawn["dcoord"], strict=True):
        # SciPy puts the leaves at 5, 15, 25, ...
        axes.plot(-np.array(heights), (np.array(places) - 5) / 10, color=GRAY, ls="-", lw=0.8)
    axes.margins(x=0)
