"""What a network looked at: class activation maps over the regions."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from lnm_kit.errors import InputError
from lnm_kit.figures.regions import draw_outline, show_gray
from lnm_kit.figures.style import CONTOUR_ON_MAP, new_figure, styled


def grad_cam_figure(
    crops: np.ndarray,
    maps: np.ndarray,
    masks: np.ndarray,
    *,
    titles: Sequence[str] = (),
    untrained: np.ndarray | None = None,
) -> Figure:
    """Show each region three times: as it is, under its map, and the map with the outline.

    With `untrained`, a fourth column has the maps of networks with random weights: what the
    trained maps share with them was not learned.

    Parameters
    ----------
    crops
        (N, S, S), uint8.
    maps
        (N, S, S), in [0, 1]; 1 is what speaks most for the positive class in that image.
    masks
        (N, S, S), bool.
    titles
        One per region, or none.
    untrained
        (N, S, S), in [0, 1], or None.

    Raises
    ------
    InputError
        When the shapes differ, there is no region, or a map leaves [0, 1].

    Notes
    -----
    *Source*: the comparison with random weights is that of Adebayo et al., Sanity checks for
    saliency maps, Adv Neural Inf Process Syst 2018;31.

    Examples
    --------
    >>> crops = np.zeros((2, 8, 8), np.uint8)
    >>> figure = grad_cam_figure(crops, np.zeros((2, 8, 8)), crops > 0)
    >>> len(figure.axes)
    7
    """
    number = len(crops)
    if (
        number == 0
        or not crops.shape == maps.shape == masks.shape
        or (untrained is not None and untrained.shape != maps.shape)
        or len(titles) not in (0, number)
    ):
        raise InputError(
            f"crops has shape {crops.shape}, maps {maps.shape}, masks {masks.shape}, and there are "
            f"{len(titles)} titles; the shapes must be equal, with one title per region or none."
        )
    every = maps if untrained is None else np.stack([maps, untrained])
    if not (np.isfinite(every).all() and every.min() >= -1e-6 and every.max() <= 1 + 1e-6):
        raise InputError("maps must lie in [0, 1]; divide each map by its largest value.")
    with styled():
        headings = ["region", "Grad-CAM", "map and outline"]
        if untrained is not None:
            headings.append("map, random weights")
        figure = new_figure(0.8 + 2.2 * len(headings), 2.15 * number + 0.35)
        grid = figure.subplots(number, len(headings), squeeze=False)
        for heading, axes in zip(headings, grid[0], strict=True):
            axes.set_title(heading, loc="center")
        for place, (plain, overlaid, outlined) in enumerate(grid[:, :3]):
            show_gray(plain, crops[place])
            draw_outline(plain, masks[place])
            show_gray(overlaid, crops[place])
            # Where the map says nothing, the image must be seen as it is.
            overlaid.imshow(maps[place], cmap="inferno", vmin=0, vmax=1, alpha=0.65 * maps[place])
            show_gray(outlined, np.zeros_like(crops[place]))
            shown = outlined.imshow(maps[place], cmap="inferno", vmin=0, vmax=1)
            draw_outline(outlined, masks[place], CONTOUR_ON_MAP)
            if titles:
                plain.set_ylabel(titles[place], fontsize="small")
        if untrained is not None:
            for place, axes in enumerate(grid[:, 3]):
                show_gray(axes, np.zeros_like(crops[place]))
                axes.imshow(untrained[place], cmap="inferno", vmin=0, vmax=1)
                draw_outline(axes, masks[place], CONTOUR_ON_MAP)
        bar = figure.colorbar(shown, ax=grid[:, -1].tolist(), shrink=0.8, ticks=[0, 0.5, 1])
        bar.set_label("share of the map's largest value", fontsize="small")
        bar.outline.set_visible(False)
    return figure
