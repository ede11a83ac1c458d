"""One look for all figures: colors that color-blind readers tell apart, and a white card behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.style
from IPython import get_ipython
from IPython.core.pylabtools import select_figure_formats
from matplotlib.figure import Figure

PALETTE = (
    "#0072B2",  # blue
    "#D55E00",  # vermilion
    "#009E73",  # bluish green
    "#CC79A7",  # reddish purple
    "#E69F00",  # orange
    "#56B4E9",  # sky blue
    "#000000",  # black
)
"""Colors of Okabe and Ito without their yellow, which is lost on white."""

LINES = ("-", "--", "-.", ":", (0, (6, 1.5, 1.5, 1.5, 1.5, 1.5)), (0, (1, 1)), (0, (8, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GRAY = "#6b6b6b"
"""Of what must be there and must not draw the eye: diagonals, thresholds."""

CONTOUR = "#E69F00"
"""Of a mask's outline on a gray image."""

CONTOUR_ON_MAP = "#56B4E9"
"""Of a mask's outline on a map of warm colors."""

STYLE = Path(__file__).with_name("lnm.mplstyle")
"""Settings of matplotlib that make the look."""


def use_style() -> None:
    """Give a notebook's own plots the look of this package, and let it show figures as pictures.

    The functions of this package give figures that pyplot does not know; a notebook shows such a
    figure at the end of a cell only after this call. Outside of a notebook it sets the look alone.

    Examples
    --------
    >>> with matplotlib.rc_context():
    ...     use_style()
    ...     matplotlib.rcParams["legend.frameon"]
    False
    """
    matplotlib.style.use(STYLE)
    shell = get_ipython()
    if shell is not None:
        select_figure_formats(shell, {"retina"})


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the look of this package and leave matplotlib's settings as they were.

    Examples
    --------
    >>> with styled():
    ...     figure = new_figure(4, 3)
    """
    with matplotlib.style.context(STYLE):
        yield


def new_figure(width_inch: float, height_inch: float) -> Figure:
    """Make an empty figure that belongs to no global list, so that nobody has to close it.

    Examples
    --------
    >>> new_figure(4, 3).get_size_inches().tolist()
    [4.0, 3.0]
    """
    figure = Figure(figsize=(width_inch, height_inch), layout="constrained")
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.05)
    return figure


def line_styles() -> Iterator[dict[str, Any]]:
    """Color, line and marker of one curve after the other: each alone tells the curves apart.

    Examples
    --------
    >>> next(line_styles())
    {'color': '#0072B2', 'linestyle': '-', 'marker': 'o'}
    """
    for color, line, marker in cycle(zip(PALETTE, LINES, MARKERS, strict=True)):
        yield {"color": color, "linestyle": line, "marker": marker}
