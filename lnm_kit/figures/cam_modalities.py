"""What each branch of a network of several images looked at, on its own image."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from lnm_kit.errors import InputError
from lnm_kit.figures.regions import draw_outline, show_gray
from lnm_kit.figures.style import CONTOUR, CONTOUR_ON_MAP, new_figure, styled


def modalities_cam_figure(
    images: Mapping[str, np.ndarray],
    maps: Mapping[str, np.ndarray],
    masks: np.ndarray,
    *,
    titles: Sequence[str] = (),
) -> Figure:
    """Show each case in a row: every modality as it is, and as gray under its own branch's map.

    Under the map the image is gray, so that the only colors are the map's.

    Parameters
    ----------
    images
        Name of each of M modalities to uint8 (N, S, S), or (N, S, S, 3) in color.
    maps
        The same names to (N, S, S), in [0, 1].
    masks
        (N, M, S, S), bool, in the order of `images`.
    titles
        One per case, or none.

    Raises
    ------
    InputError
        When names, shapes or lengths do not fit, there is no case, or a map leaves [0, 1].

    Examples
    --------
    >>> images = {"B-mode": np.zeros((2, 8, 8), np.uint8)}
    >>> figure = modalities_cam_figure(images, {"B-mode": np.zeros((2, 8, 8))},
    ...                                np.zeros((2, 1, 8, 8), bool))
    >>> len(figure.axes)
    5
    """
    _check(images, maps, masks, titles)
    number = len(masks)
    with styled():
        figure = new_figure(1.9 * 2 * len(images) + 1.0, 1.75 * number + 0.5)
        grid = figure.subplots(number, 2 * len(images), squeeze=False)
        for channel, (name, pictures) in enumerate(images.items()):
            plain, under = grid[:, 2 * channel], grid[:, 2 * channel + 1]
            plain[0].set_title(name, loc="center", fontsize="small")
            under[0].set_title(f"map on {name}", loc="center", fontsize="small")
            for place in range(number):
                picture, outline = pictures[place], masks[place, channel]
                show_gray(plain[place], picture)
                draw_outline(plain[place], outline, CONTOUR if picture.ndim == 2 else "white")
                gray = picture if picture.ndim == 2 else picture.mean(axis=-1)
                show_gray(under[place], gray)
                shown = maps[name][place]
                # Where the map says nothing, the image must be seen as it is.
                under[place].imshow(shown, cmap="inferno", vmin=0, vmax=1, alpha=0.7 * shown)
                draw_outline(under[place], outline, CONTOUR_ON_MAP)
        for place, title in enumerate(titles):
            grid[place, 0].set_ylabel(title, fontsize="small")
        scale = ScalarMappable(Normalize(0, 1), cmap="inferno")
        bar = figure.colorbar(scale, ax=grid[:, -1].tolist(), shrink=0.8, ticks=[0, 0.5, 1])
        bar.set_label("share of the map's largest value", fontsize="small")
        bar.outline.set_visible(False)
    return figure


def _check(
    images: Mapping[str, np.ndarray],
    maps: Mapping[str, np.ndarray],
    masks: np.ndarray,
    titles: Sequence[str],
) -> None:
    problems = []
    if not images or list(images) != list(maps):
        problems.append(f"images are named {list(images)} and maps {list(maps)}; needed: the same")
    if masks.ndim != 4 or 0 in masks.shape or masks.shape[1] != len(images):
        problems.append(
            f"masks have shape {masks.shape}; needed: (N, {len(images)}, S, S), not empty"
        )
    else:
        needed = (len(masks), *masks.shape[2:])
        for name, every in maps.items():
            of_image = images[name].shape if name in images else ()
            if every.shape != needed or of_image not in (needed, (*needed, 3)):
                problems.append(f"{name}: image {of_image} and map {every.shape}; needed {needed}")
        if len(titles) not in (0, len(masks)):
            problems.append(f"{len(titles)} titles for {len(masks)} cases")
    for name, every in maps.items():
        if not np.isfinite(every).all() or (
            every.size and (every.min() < 0 or every.max() > 1 + 1e-6)
        ):
            problems.append(f"the maps of {name} leave [0, 1]; divide each by its largest value")
    if problems:
        raise InputError("maps of modalities: " + "; ".join(problems) + ".")
