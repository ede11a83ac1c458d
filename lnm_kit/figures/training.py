"""How a training went."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lnm_kit.errors import InputError
from lnm_kit.figures.style import GRAY, PALETTE, line_styles, new_figure, styled

_NEEDED = ("training_loss", "validation_loss", "validation_auc")


def training_curve(epochs: pd.DataFrame, *, kept_epoch: int | None = None) -> Figure:
    """Draw the losses and the validation AUC over the epochs.

    Parameters
    ----------
    epochs
        Index: the epoch; columns `training_loss`, `validation_loss`, `validation_auc`, as in
        `lnm_kit.training.history.History.epochs`.
    kept_epoch
        The epoch whose weights are used; marked.

    Raises
    ------
    InputError
        When a column is missing or there is no epoch.

    Examples
    --------
    >>> columns = ["training_loss", "validation_loss", "validation_auc"]
    >>> epochs = pd.DataFrame([[0.7, 0.7, 0.5], [0.5, 0.6, 0.7]], columns=columns, index=[1, 2])
    >>> [axes.get_ylabel() for axes in training_curve(epochs, kept_epoch=2).axes]
    ['loss', 'validation AUC']
    """
    _check_history(epochs)
    with styled():
        figure = new_figure(8.4, 3.3)
        losses, areas = figure.subplots(1, 2)
        # With few epochs a line alone hides where the points are.
        marker = "o" if len(epochs) <= 30 else ""
        losses.plot(
            epochs["training_loss"], color=PALETTE[0], ls="-", marker=marker, ms=4, label="training"
        )
        losses.plot(
            epochs["validation_loss"],
            color=PALETTE[1],
            ls="--",
            marker=marker and "s",
            ms=4,
            label="validation",
        )
        losses.set(xlabel="epoch", ylabel="loss")
        losses.legend(handlelength=3)
        areas.plot(epochs["validation_auc"], color=PALETTE[1], ls="--", marker=marker and "s", ms=4)
        areas.axhline(0.5, color=GRAY, ls=(0, (1, 2)), lw=1.2)
        areas.annotate(
            "chance",
            (1, 0.5),
            xycoords=("axes fraction", "data"),
            va="bottom",
            ha="right",
            color=GRAY,
            fontsize="small",
        )
        areas.set(xlabel="epoch", ylabel="validation AUC")
        low, high = epochs["validation_auc"].min(), epochs["validation_auc"].max()
        areas.set_ylim(min(0.4, low - 0.03), max(0.8, min(1.02, high + 0.05)))
        for axes in (losses, areas):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            if kept_epoch is not None:
                axes.axvline(kept_epoch, color=GRAY, ls="-", lw=1)
        if kept_epoch is not None:
            areas.annotate(
                "kept",
                (kept_epoch, 0),
                xycoords=("data", "axes fraction"),
                xytext=(3, 3),
                textcoords="offset points",
                color=GRAY,
                fontsize="small",
            )
    return figure


def learning_curves_figure(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the training loss and the held-out AUC of several networks over the epochs.

    One epoch makes no curve: the networks then stand side by side, each with its point.

    Parameters
    ----------
    histories
        Name of a network to its table of epochs, as in :func:`training_curve`.

    Raises
    ------
    InputError
        When there is no network, or as in :func:`training_curve`.

    Examples
    --------
    >>> columns = ["training_loss", "validation_loss", "validation_auc"]
    >>> epochs = pd.DataFrame([[0.7, 0.7, 0.5], [0.5, 0.6, 0.7]], columns=columns, index=[1, 2])
    >>> len(learning_curves_figure({"a": epochs, "b": epochs}).axes[0].get_lines())
    2
    """
    if not histories:
        raise InputError("histories is empty; give at least one network with its epochs.")
    for epochs in histories.values():
        _check_history(epochs)
    with styled():
        figure = new_figure(8.4, 3.6)
        losses, areas = figure.subplots(1, 2)
        points = max(len(epochs) for epochs in histories.values()) == 1
        styles = zip(histories.items(), line_styles(), strict=False)
        for place, ((name, epochs), style) in enumerate(styles):
            look = style | {"markersize": 4, "markevery": max(1, len(epochs) // 12)}
            if points:
                look |= {"markersize": 7, "linestyle": ""}
            across = [place] if points else epochs.index
            losses.plot(across, epochs["training_loss"], label=name, **look)
            areas.plot(across, epochs["validation_auc"], label=name, **look)
        losses.set(xlabel="epoch", ylabel="weighted training loss")
        areas.set(xlabel="epoch", ylabel="AUC, held-out fold")
        areas.axhline(0.5, color=GRAY, ls=(0, (1, 2)), lw=1.2)
        for axes in (losses, areas):
            if points:
                axes.set_xticks(range(len(histories)), list(histories), rotation=30, ha="right")
                axes.set(xlabel="after one epoch", xlim=(-0.5, len(histories) - 0.5))
            else:
                axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        if points:
            return figure
        figure.legend(
            *losses.get_legend_handles_labels(),
            loc="outside lower center",
            ncols=min(5, len(histories)),
            handlelength=3,
        )
    return figure


def _check_history(epochs: pd.DataFrame) -> None:
    missing = [name for name in _NEEDED if name not in epochs.columns]
    if missing or epochs.empty:
        raise InputError(
            f"the history has {len(epochs)} epochs and the columns {list(epochs.columns)}; it "
            f"needs at least one epoch and the columns {', '.join(_NEEDED)}."
        )
