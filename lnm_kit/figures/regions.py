"""Image regions side by side, with the outline that was drawn on them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lnm_kit.errors import InputError
from lnm_kit.figures.style import CONTOUR, new_figure, styled


def show_regions(
    crops: np.ndarray,
    masks: np.ndarray | None = None,
    *,
    titles: Sequence[str] = (),
    mm_per_pixel: Sequence[float] | np.ndarray | None = None,
    columns: int = 6,
) -> Figure:
    """Show regions in a grid, with mask outlines and, where the spacing is known, a scale bar.

    Parameters
    ----------
    crops
        (N, S, S), uint8.
    masks
        (N, S, S), bool; None draws no outline.
    titles
        One per region, or none.
    mm_per_pixel
        (N,), width of a pixel of each crop; NaN where unknown; None for no scale bars. See
        :func:`lnm_kit.regions.crop.crop_scales_mm`.
    columns
        Regions in a row.

    Raises
    ------
    InputError
        When there is no region, or the lengths differ.

    Examples
    --------
    >>> crops = np.zeros((3, 8, 8), np.uint8)
    >>> len(show_regions(crops, crops == 0, columns=2).axes)
    3
    """
    number = len(crops)
    lengths = {"masks": masks, "titles": titles or None, "mm_per_pixel": mm_per_pixel}
    wrong = [
        f"{name} has {len(v)}" for name, v in lengths.items() if v is not None and len(v) != number
    ]
    if number == 0 or wrong or columns < 1:
        raise InputError(
            f"crops has {number} regions{''.join(', ' + text for text in wrong)}, columns is "
            f"{columns}; all need the same length, at least one region and one column."
        )
    columns = min(columns, number)
    rows = -(-number // columns)
    with styled():
        figure = new_figure(1.7 * columns, (1.95 if titles else 1.7) * rows)
        for place in range(number):
            axes = figure.add_subplot(rows, columns, place + 1)
            show_gray(axes, crops[place])
            if masks is not None:
                draw_outline(axes, masks[place])
            if titles:
                axes.set_title(titles[place], fontsize="small", loc="center")
            if mm_per_pixel is not None and np.isfinite(mm_per_pixel[place]):
                draw_scale_bar(axes, crops[place].shape, float(mm_per_pixel[place]))
    return figure


def show_gray(axes: Axes, pixels: np.ndarray) -> None:
    """Show an 8-bit image without ticks, black at 0 and white at 255.

    Examples
    --------
    >>> show_gray(Figure().subplots(), np.zeros((4, 4), np.uint8))
    """
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def draw_outline(axes: Axes, mask: np.ndarray, color: str = CONTOUR) -> None:
    """Draw the edge of a mask; nothing when it is empty or full.

    Examples
    --------
    >>> draw_outline(Figure().subplots(), np.eye(4, dtype=bool))
    """
    if mask.any() and not mask.all():
        axes.contour(mask, levels=[0.5], colors=color, linewidths=1.3, linestyles="solid")


def draw_scale_bar(axes: Axes, shape: tuple[int, ...], mm_per_pixel: float) -> None:
    """Draw a bar of a round number of mm, about a third of the width, at the lower left.

    Examples
    --------
    >>> draw_scale_bar(Figure().subplots(), (100, 100), 0.2)
    """
    height, width = shape[:2]
    aim = width * mm_per_pixel / 3
    choices = np.array([0.5, 1, 2, 5, 10, 20, 50, 100])
    length_mm = float(choices[np.argmin(np.abs(np.log(choices / aim)))])
    left, bottom = 0.05 * width, 0.94 * height
    right = left + length_mm / mm_per_pixel
    # A dark line beneath the white one, so that it shows on any gray.
    axes.plot([left, right], [bottom, bottom], "-", color="black", lw=4, solid_capstyle="butt")
    axes.plot([left, right], [bottom, bottom], "-", color="white", lw=2, solid_capstyle="butt")
    axes.annotate(
        f"{length_mm:g} mm",
        ((left + right) / 2, bottom),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize="x-small",
        color="white",
        bbox={"facecolor": "black", "alpha": 0.55, "edgecolor": "none", "pad": 0.8},
    )
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
