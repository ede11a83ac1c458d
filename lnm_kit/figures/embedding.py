"""Maps of deep features: cases as points, colored and shaped by their label."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from lnm_kit.errors import InputError
from lnm_kit.evaluation.estimate import Numbers
from lnm_kit.figures.style import PALETTE, new_figure, styled


def embedding_figure(
    panels: Mapping[str, tuple[np.ndarray, Numbers]],
    *,
    names: tuple[str, str] = ("negative", "positive"),
    title: str = "",
) -> Figure:
    r"""Scatter cases by label, one panel a split; open circles are negative, triangles positive.

    Parameters
    ----------
    panels
        Name of a split to (positions (n, 2), label (n,) of 0 and 1), positions such as
        :func:`lnm_kit.explain.embedding.tsne` gives. A split with one class can be drawn.
    names
        What the two labels are called.
    title
        Above the figure.

    Raises
    ------
    InputError
        When there is no panel or case, shapes do not fit, a position is not finite, or a label is
        not 0 or 1.

    Examples
    --------
    >>> figure = embedding_figure({"training": (np.eye(2), [0, 1])})
    >>> figure.axes[0].get_title(loc="left")
    'training\n2 cases, 1 positive'
    """
    if not panels:
        raise InputError("panels is empty; give at least one split with positions and labels.")
    checked = {split: _check(split, *panel) for split, panel in panels.items()}
    with styled():
        figure = new_figure(0.4 + 3.0 * len(panels), 3.7 + 0.3 * bool(title))
        row = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, (split, (positions, labels)) in zip(row, checked.items(), strict=True):
            negative, positive = positions[~labels], positions[labels]
            # Many points overlap: the common class is open and thin, the rare one stands on top.
            axes.scatter(
                *negative.T,
                s=16,
                facecolors="none",
                edgecolors=PALETTE[0],
                linewidths=0.8,
                label=names[0],
            )
            axes.scatter(
                *positive.T,
                s=34,
                marker="^",
                color=PALETTE[1],
                edgecolors="white",
                linewidths=0.5,
                label=names[1],
                zorder=3,
            )
            axes.set(xticks=[], yticks=[], xlabel="t-SNE 1", ylabel="t-SNE 2", box_aspect=1)
            axes.set_title(f"{split}\n{len(labels)} cases, {labels.sum()} {names[1]}")
            axes.spines[:].set_visible(True)
        handles, texts = row[0].get_legend_handles_labels()
        figure.legend(handles, texts, loc="outside lower center", ncols=2)
        if title:
            figure.suptitle(title, fontsize="medium")
    return figure


def _check(split: str, positions: np.ndarray, label: Numbers) -> tuple[np.ndarray, np.ndarray]:
    places, labels = np.asarray(positions, dtype=np.float64), np.asarray(label)
    if labels.ndim != 1 or labels.size == 0 or places.shape != (len(labels), 2):
        raise InputError(
            f"{split}: positions have shape {places.shape} and label {labels.shape}; needed: "
            "(n, 2) and (n,), at least one case."
        )
    if not np.isfinite(places).all():
        raise InputError(f"{split}: positions are not finite; every case needs a place.")
    wrong = set(np.unique(labels).tolist()) - {0, 1}
    if wrong:
        raise InputError(f"{split}: label holds {sorted(wrong, key=str)[:5]}; allowed: 0 and 1.")
    return places, labels.astype(bool)
