"""What networks of one view, and one network of all views, looked at."""

from collections.abc import Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from lnm_kit.errors import InputError
from lnm_kit.figures.regions import draw_outline, show_gray
from lnm_kit.figures.style import CONTOUR_ON_MAP, new_figure, styled


def views_cam_figure(
    crops: np.ndarray,
    own: np.ndarray,
    fused: np.ndarray,
    masks: np.ndarray,
    *,
    views: Sequence[str],
    titles: Sequence[str] = (),
) -> Figure:
    """Show each case in a row: its views, each under its own network's map, each under the one map.

    A network whose first convolution adds up the views has one map for all of them: the last
    columns show the same map over different regions.

    Parameters
    ----------
    crops
        (N, V, S, S), uint8, a view each channel.
    own
        (N, V, S, S), in [0, 1]: maps of the networks of one view.
    fused
        (N, S, S), in [0, 1]: maps of the network of all views.
    masks
        (N, V, S, S), bool.
    views
        Names of the V views.
    titles
        One per case, or none.

    Raises
    ------
    InputError
        When shapes or lengths do not fit, there is no case, or a map leaves [0, 1].

    Examples
    --------
    >>> crops = np.zeros((1, 2, 8, 8), np.uint8)
    >>> maps = np.zeros((1, 2, 8, 8))
    >>> figure = views_cam_figure(crops, maps, maps[:, 0], crops > 0, views=["long", "trans"])
    >>> len(figure.axes)
    7
    """
    _check(crops, own, fused, masks, views, titles)
    number, n_views = crops.shape[:2]
    with styled():
        figure = new_figure(1.2 * 3 * n_views + 0.9, 1.2 * number + 0.6)
        grid = figure.subplots(number, 3 * n_views, squeeze=False)
        for column, view in enumerate(views):
            grid[0, column].set_title(view, loc="center", fontsize="small")
            grid[0, n_views + column].set_title(
                f"own network:\n{view}", loc="center", fontsize="small"
            )
            grid[0, 2 * n_views + column].set_title(
                f"fused network\nover {view}", loc="center", fontsize="small"
            )
        for place, row in enumerate(grid):
            for channel in range(n_views):
                region, outline = crops[place, channel], masks[place, channel]
                show_gray(row[channel], region)
                draw_outline(row[channel], outline)
                for axes, shown in (
                    (row[n_views + channel], own[place, channel]),
                    (row[2 * n_views + channel], fused[place]),
                ):
                    show_gray(axes, region)
                    # Where the map says nothing, the image must be seen as it is.
                    axes.imshow(shown, cmap="inferno", vmin=0, vmax=1, alpha=0.7 * shown)
                    draw_outline(axes, outline, CONTOUR_ON_MAP)
            if titles:
                row[0].set_ylabel(titles[place], fontsize="small")
        scale = ScalarMappable(Normalize(0, 1), cmap="inferno")
        bar = figure.colorbar(scale, ax=grid[:, -1].tolist(), shrink=0.8, ticks=[0, 0.5, 1])
        bar.set_label("share of the map's largest value", fontsize="small")
        bar.outline.set_visible(False)
    return figure


def _check(
    crops: np.ndarray,
    own: np.ndarray,
    fused: np.ndarray,
    masks: np.ndarray,
    views: Sequence[str],
    titles: Sequence[str],
) -> None:
    problems = []
    if crops.ndim != 4 or 0 in crops.shape or not crops.shape == own.shape == masks.shape:
        problems.append(
            f"crops has shape {crops.shape}, own maps {own.shape}, masks {masks.shape}; needed: "
            "(N, V, S, S) each, at least one case and view"
        )
    elif fused.shape != crops[:, 0].shape:
        problems.append(f"fused maps have shape {fused.shape}; needed: {crops[:, 0].shape}")
    if not problems and (len(views) != crops.shape[1] or len(titles) not in (0, len(crops))):
        problems.append(
            f"{len(views)} views and {len(titles)} titles are named for {crops.shape[1]} channels "
            f"and {len(crops)} cases; needed: one a channel, and one a case or none"
        )
    for name, maps in (("own", own), ("fused", fused)):
        if not np.isfinite(maps).all() or (maps.size and (maps.min() < 0 or maps.max() > 1 + 1e-6)):
            problems.append(f"{name} maps leave [0, 1]; divide each map by its largest value")
    if problems:
        raise InputError("maps of views: " + "; ".join(problems) + ".")
