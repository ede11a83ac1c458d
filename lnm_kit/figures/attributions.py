"""What pixels added to a logit, and what each modality added for each nodule."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter

from lnm_kit.errors import InputError
from lnm_kit.figures.regions import draw_outline, show_gray
from lnm_kit.figures.style import GRAY, PALETTE, new_figure, styled

SMOOTHING_PX = 1.0
"""SD of the smoothing of a map: attributions of neighbors differ in sign by chance."""

_OUTLINE = "#1a1a1a"


@dataclass(frozen=True)
class AttributionColumn:
    """One column of `attribution_figure`.

    Parameters
    ----------
    heading
        Above the column.
    regions
        uint8 (N, S, S).
    masks
        bool (N, S, S).
    maps
        (N, S, S), signed attributions; None shows the region itself.
    """

    heading: str
    regions: np.ndarray
    masks: np.ndarray
    maps: np.ndarray | None = None


def attribution_figure(
    columns: Sequence[AttributionColumn], *, titles: Sequence[str] = ()
) -> Figure:
    """Show regions and signed maps, a nodule a row: red speaks for metastasis, blue against it.

    Each map is smoothed and divided by its own largest absolute value.

    Parameters
    ----------
    columns
        From left to right; all of the same N nodules.
    titles
        One per nodule, or none.

    Raises
    ------
    InputError
        No column or nodule, or lengths and shapes that differ.

    Examples
    --------
    >>> regions = np.zeros((2, 8, 8), np.uint8)
    >>> maps = np.random.default_rng(0).normal(size=(2, 8, 8))
    >>> figure = attribution_figure([
    ...     AttributionColumn("US", regions, regions > 0),
    ...     AttributionColumn("map", regions, regions > 0, maps),
    ... ])
    >>> len(figure.axes)
    5
    """
    number = len(columns[0].regions) if columns else 0
    wrong = [
        column.heading
        for column in columns
        if len(column.regions) != number
        or column.masks.shape != column.regions.shape
        or (column.maps is not None and column.maps.shape != column.regions.shape)
    ]
    if not number or wrong or len(titles) not in (0, number):
        raise InputError(
            f"attributions: {len(columns)} columns of {number} nodules with {len(titles)} titles, "
            f"of other lengths or shapes: {', '.join(wrong) or 'none'}; needed: at least one "
            "nodule, and regions, masks and maps of one shape."
        )
    with styled():
        figure = new_figure(1.55 * len(columns) + 1.0, 1.6 * number + 0.5)
        grid = figure.subplots(number, len(columns), squeeze=False)
        for place, column in enumerate(columns):
            grid[0, place].set_title(column.heading, loc="center", fontsize="small")
            for nodule, axes in enumerate(grid[:, place]):
                if column.maps is None:
                    show_gray(axes, column.regions[nodule])
                    draw_outline(axes, column.masks[nodule])
                    continue
                smooth = gaussian_filter(column.maps[nodule].astype(np.float64), SMOOTHING_PX)
                largest = float(np.abs(smooth).max()) or 1.0
                show_gray(axes, np.full_like(column.regions[nodule], 255))
                axes.imshow(smooth / largest, cmap="RdBu_r", vmin=-1, vmax=1)
                draw_outline(axes, column.masks[nodule], _OUTLINE)
        for nodule, title in enumerate(titles):
            grid[nodule, 0].set_ylabel(title, fontsize="small")
        bar = figure.colorbar(
            ScalarMappable(Normalize(-1, 1), cmap="RdBu_r"),
            ax=grid[:, -1].tolist(),
            shrink=0.8,
            ticks=[-1, 0, 1],
        )
        bar.ax.set_yticklabels(["against", "0", "for"], fontsize="small")
        bar.outline.set_visible(False)
    return figure


def contributions_figure(
    contributions: pd.DataFrame, right: pd.DataFrame, *, modalities: Sequence[str]
) -> Figure:
    """Draw what each modality added towards the truth, nodule by nodule.

    Parameters
    ----------
    contributions
        One row a nodule, ``<name>_toward_label`` for each modality; see
        :class:`lnm_kit.explain.integrated_gradients.Attributions`.
    right
        The same rows; bool, ``<name>``: whether the network of that modality alone was right, and
        ``fused``: whether the network of both was.
    modalities
        Names, from top to bottom.

    Raises
    ------
    InputError
        Missing columns, or other rows.

    Notes
    -----
    *Source*: G. Li (DGFNet), figure 3.

    Examples
    --------
    >>> rows = pd.DataFrame({"us_toward_label": [0.5, -0.2], "ct_toward_label": [0.1, 0.4]})
    >>> right = pd.DataFrame({"us": [True, False], "ct": [True, True], "fused": [True, True]})
    >>> len(contributions_figure(rows, right, modalities=["us", "ct"]).axes)
    3
    """
    needed = {f"{name}_toward_label" for name in modalities} - set(contributions)
    needed |= {*modalities, "fused"} - set(right)
    if needed or not len(contributions) or not contributions.index.equals(right.index):
        raise InputError(
            f"contributions of {len(contributions)} nodules and answers of {len(right)}; needed: "
            f"the same nodules in both, and the columns {', '.join(sorted(needed)) or 'given'}."
        )
    order = contributions[f"{modalities[0]}_toward_label"].argsort()[::-1]
    ordered, answers = contributions.iloc[order], right.iloc[order]
    at = np.arange(len(ordered))
    with styled():
        figure = new_figure(8.0, 1.7 * len(modalities) + 1.3)
        heights = [1.0] * len(modalities) + [0.22]
        panels = figure.subplots(len(modalities) + 1, 1, sharex=True, height_ratios=heights)
        for axes, name in zip(panels, modalities, strict=False):
            values = ordered[f"{name}_toward_label"].to_numpy()
            for good, color, hatch, words in (
                (True, PALETTE[2], "", "right"),
                (False, PALETTE[1], "////", "wrong"),
            ):
                chosen = answers[name].to_numpy() == good
                axes.bar(
                    at[chosen],
                    values[chosen],
                    width=1.0,
                    color=color,
                    hatch=hatch,
                    edgecolor="white",
                    linewidth=0,
                    label=words,
                )
            axes.axhline(0, color=GRAY, lw=0.8, ls="-")
            axes.set_ylabel(f"{name.upper()}, logit\ntoward the truth", fontsize="small")
        # bars fall to the right there, so its upper corner is free
        panels[0].legend(loc="upper right", fontsize="small", ncols=2)
        last = panels[-1]
        fused = answers["fused"].to_numpy()
        for good, color, hatch in ((True, PALETTE[2], ""), (False, PALETTE[1], "////")):
            last.bar(
                at[fused == good],
                1.0,
                width=1.0,
                color=color,
                hatch=hatch,
                edgecolor="white",
                linewidth=0,
            )
        last.set(xticks=[], yticks=[], xlabel="nodules, by the contribution of the first modality")
        last.set_ylabel("both", fontsize="small", rotation=0, ha="right", va="center")
        last.grid(visible=False)
    return figure
