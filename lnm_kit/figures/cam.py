"""What a network looked at: class activation maps over the regions."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from lnm_kit.errors import InputError
from lnm_kit.figures.regions import draw_outline, show_gray
from lnm_kit.figures.style import CONTOUR_ON_MAP, new_figure, styled


def grad_cam_figure(
    crops: np.ndarray, maps: np.ndarray, masks: np.ndarray, *, titles: Sequence[str] = ()
) -> Figure:
    """Show each region three times: as it is, under its map, and the map with the outline.

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

    Raises
    ------
    InputError
        When the shapes differ, there is no region, or a map leaves [0, 1].

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
        or len(titles) not in (0, number)
    ):
        raise InputError(
            f"crops has shape {crops.shape}, maps {maps.shape}, masks {masks.shape}, and there are "
            f"{len(titles)} titles; the shapes must be equal, with one title per region or none."
        )
    if not (np.isfinite(maps).all() and maps.min() >= -1e-6 and maps.max() <= 1 + 1e-6):
        raise InputError("maps must lie in [0, 1]; divide each map by its largest value.")
    with styled():
        figure = new_figure(7.4, 2.15 * number + 0.35)
        grid = figure.subplots(number, 3, squeeze=False)
        for heading, axes in zip(("region", "Grad-CAM", "map and outline"), grid[0], strict=True):
            axes.set_title(heading, loc="center")
        for place, (plain, overlaid, outlined) in enumerate(grid):
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
        bar = figure.colorbar(shown, ax=grid[:, 2].tolist(), shrink=0.8, ticks=[0, 0.5, 1])
        bar.set_label("share of the map's largest value", fontsize="small")
        bar.outline.set_visible(False)
    return figure
