"""Figures that answer to the reader's hand, each with a static twin that says the same."""

import html
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import plotly.io
from IPython.core.pylabtools import retina_figure
from matplotlib.figure import Figure

from lnm_kit.errors import InputError
from lnm_kit.figures.style import PALETTE
from lnm_kit.page_scripts import MARK

NEUTRAL = "#808080"
"""Gray for lines and marks, told from a white page and from a dark one."""

_REMOTE = ("http://", "https://", 'src": "//')
_COLORWAY = PALETTE[:6]  # without black, which a dark page swallows


@dataclass(frozen=True)
class InteractiveFigure:
    """A plotly figure and a matplotlib figure of the same, shown together by a notebook.

    On a page of the book the static one is there first; the interactive one takes its place when
    the page's script runs, with a button that brings the static one back. Where no script runs
    (paper, a notebook without the book around it) the static one stays.

    `data` is what the page's script reads: the plotly figure, and what links its controls.
    """

    static: Figure
    alt: str
    data: Mapping[str, Any]

    def to_html(self) -> str:
        """Return the piece of a page: an image, and the data of the interactive figure.

        Examples
        --------
        >>> from lnm_kit.figures.style import new_figure
        >>> static = new_figure(2, 1)
        >>> axes = static.subplots()
        >>> shown = interactive(go.Figure(), static=static, alt="Nothing yet.")
        >>> "<img" in shown.to_html(), "http" in shown.to_html()
        (True, False)
        """
        png, size = retina_figure(self.static)
        # "<" can only stand in texts there; escaped, no text can end the script element
        data = json.dumps(self.data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
        return (
            f"{MARK}"
            f'<img class="lnm-static" alt="{html.escape(self.alt)}" width="{size["width"]}" '
            f'height="{size["height"]}" src="data:image/png;base64,{b64encode(png).decode()}">'
            f'<script type="application/json">{data}</script></div>'
        )

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self.to_html(), "text/plain": self.alt}


def interactive(
    figure: go.Figure,
    *,
    static: Figure,
    alt: str,
    narrow: Mapping[str, Any] | None = None,
    linked: Mapping[str, Any] | None = None,
) -> InteractiveFigure:
    """Pair a plotly figure with its static twin, so that a notebook cell shows both.

    The page gives the colors of text, ground and grid, in its light and in its dark theme, and the
    width; the figure keeps its own height, which is 440 pixels unless its layout has one.

    Parameters
    ----------
    figure
        What answers; its template and its background are dropped.
    static
        The same as a matplotlib figure.
    alt
        The figure in words, for readers who see neither.
    narrow
        Attributes of plotly's layout that change on a phone, e.g. ``{"xaxis.domain": [0, 1]}``.
    linked
        For the figures of this package: what sliders and tables the page adds. It has a `kind`,
        which names a function of ``interactive.js``, and what that function reads.

    Raises
    ------
    InputError
        When there is no alternative text, one of the figures is of another kind, the static one is
        empty, the linked data are no JSON, or the figure would load something from elsewhere.

    Examples
    --------
    >>> from lnm_kit.figures.style import new_figure
    >>> static = new_figure(3, 2)
    >>> lines = static.subplots().plot([0, 1], [1, 2])
    >>> figure = go.Figure(go.Scatter(x=[0, 1], y=[1, 2]))
    >>> interactive(figure, static=static, alt="A rising line.").data["figure"]["data"]
    [{'x': [0, 1], 'y': [1, 2], 'type': 'scatter'}]
    """
    problems = []
    if not isinstance(figure, go.Figure):
        problems.append(f"figure is a {type(figure).__name__}; give a plotly Figure")
    if not isinstance(static, Figure):
        problems.append(f"static is a {type(static).__name__}; give a matplotlib Figure")
    elif not static.axes:
        problems.append("static is empty; draw in it what the interactive figure shows")
    if not isinstance(alt, str) or not alt.strip():
        problems.append("alt is empty; say in a sentence or two what the figure shows")
    if problems:
        raise InputError("interactive figure: " + "; ".join(problems) + ".")
    content = json.loads(plotly.io.to_json(figure, engine="json"))
    for name in ("template", "paper_bgcolor", "plot_bgcolor", "width"):
        content["layout"].pop(name, None)
    content["layout"].setdefault("colorway", list(_COLORWAY))
    content["layout"].setdefault("height", 440)
    data = {"figure": content, "alt": alt, "narrow": dict(narrow or {}), "linked": linked}
    try:
        text = json.dumps(data, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"interactive figure: its data are no JSON: {error}.") from error
    remote = [start for start in _REMOTE if start in text]
    if remote:
        raise InputError(
            f"interactive figure: it holds addresses ({', '.join(remote)}); a page of the book "
            "loads nothing from elsewhere. Put the content itself into the figure."
        )
    return InteractiveFigure(static, alt, data)
