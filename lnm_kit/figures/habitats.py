"""Habitats drawn over the nodules they were found in, and how their number was chosen."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lnm_kit.errors import InputError
from lnm_kit.figures.regions import draw_outline, draw_scale_bar, show_gray
from lnm_kit.figures.style import GRAY, PALETTE, new_figure, styled

MOST_HABITATS = len(PALETTE) - 1


def habitat_figure(
    grays: Sequence[np.ndarray],
    habitats: Sequence[np.ndarray],
    *,
    titles: Sequence[str] = (),
    mm_per_pixel: Sequence[float | None] = (),
    names: Sequence[str] = (),
) -> Figure:
    """Show each nodule twice: as it is with its outline above, colored by habitat below.

    Parameters
    ----------
    grays
        One (H, W) array in [0, 1] per nodule; sizes may differ.
    habitats
        Map of each nodule, (H, W) of whole numbers, 0 outside.
    titles
        One per nodule, or none.
    mm_per_pixel
        Width of a pixel of each nodule, None where unknown; or none at all, for no scale bars.
    names
        What habitats 1, 2, ... are called in the legend; by default their numbers.

    Raises
    ------
    InputError
        When there is no nodule, lengths or shapes differ, or there are more habitats than colors.

    Notes
    -----
    *Source*: the sub-regions of Ni et al. 2024, Fig. 6.

    Examples
    --------
    >>> habitats = np.zeros((8, 8), int)
    >>> habitats[2:6, 2:4], habitats[2:6, 4:6] = 1, 2
    >>> figure = habitat_figure([np.zeros((8, 8))], [habitats])
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['habitat 1', 'habitat 2']
    """
    number = _checked(grays, habitats, titles, mm_per_pixel)
    called = list(names) or [f"habitat {k}" for k in range(1, number + 1)]
    colors = ListedColormap(PALETTE[:MOST_HABITATS])
    with styled():
        figure = new_figure(1.75 * len(grays), 4.4)
        grid = figure.subplots(2, len(grays), squeeze=False)
        for place, (gray, found) in enumerate(zip(grays, habitats, strict=True)):
            above, below = grid[:, place]
            pixels = np.round(np.clip(gray, 0, 1) * 255).astype(np.uint8)
            for axes in (above, below):
                show_gray(axes, pixels)
            draw_outline(above, found > 0)
            shown = np.ma.masked_equal(found, 0) - 1
            below.imshow(
                shown, cmap=colors, vmin=-0.5, vmax=MOST_HABITATS - 0.5, interpolation="nearest"
            )
            if titles:
                above.set_title(titles[place], fontsize="small", loc="center")
            width_mm = mm_per_pixel[place] if mm_per_pixel else None
            if width_mm is not None:
                draw_scale_bar(above, gray.shape, width_mm)
        figure.legend(
            handles=[Patch(color=PALETTE[k], label=name) for k, name in enumerate(called[:number])],
            loc="outside lower center",
            ncols=min(number, 4),
        )
    return figure


def habitat_number_figure(criterion: pd.DataFrame) -> Figure:
    """Draw both criteria against the number of habitats; the chosen number is dashed.

    Parameters
    ----------
    criterion
        Of a :class:`lnm_kit.radiomics.habitats.HabitatModel`: `number`, `silhouette`,
        `calinski_harabasz`, `chosen`.

    Raises
    ------
    InputError
        When a column is missing, or not one number is chosen.

    Examples
    --------
    >>> table = pd.DataFrame({"number": [2, 3], "silhouette": [0.3, 0.2],
    ...     "calinski_harabasz": [90.0, 80.0], "chosen": [True, False]})
    >>> len(habitat_number_figure(table).axes)
    2
    """
    needed = ["number", "silhouette", "calinski_harabasz", "chosen"]
    missing = [name for name in needed if name not in criterion]
    if missing or criterion.chosen.sum() != 1:
        raise InputError(
            f"the criterion has the columns {list(criterion)}; needed: {needed}, one row chosen."
        )
    chosen = criterion.number[criterion.chosen.astype(bool)].iloc[0]
    with styled():
        figure = new_figure(7.2, 2.9)
        panels = figure.subplots(1, 2)
        for axes, column, color, marker, words in (
            (panels[0], "silhouette", PALETTE[0], "o", "mean silhouette"),
            (panels[1], "calinski_harabasz", PALETTE[1], "s", "Calinski-Harabasz index"),
        ):
            axes.axvline(chosen, color=GRAY, ls=(0, (4, 3)), lw=1.2)
            axes.plot(criterion.number, criterion[column], color=color, marker=marker)
            axes.set(xlabel="number of habitats", ylabel=words, xticks=criterion.number.tolist())
    return figure


def _checked(
    grays: Sequence[np.ndarray],
    habitats: Sequence[np.ndarray],
    titles: Sequence[str],
    mm_per_pixel: Sequence[float | None],
) -> int:
    """Number of habitats, or what is wrong."""
    n = len(grays)
    problems = []
    if n == 0 or len(habitats) != n or len(titles) not in (0, n) or len(mm_per_pixel) not in (0, n):
        problems.append(
            f"there are {n} images, {len(habitats)} maps, {len(titles)} titles and "
            f"{len(mm_per_pixel)} pixel sizes; as many of each are needed, and one at least"
        )
    elif any(gray.shape != found.shape for gray, found in zip(grays, habitats, strict=True)):
        problems.append("an image and its map differ in shape")
    number = max((int(found.max()) for found in habitats), default=0)
    if not problems and not 1 <= number <= MOST_HABITATS:
        problems.append(f"the maps have {number} habitats; allowed: 1 to {MOST_HABITATS}")
    if problems:
        raise InputError(f"habitat figure: {'; '.join(problems)}.")
    return number
