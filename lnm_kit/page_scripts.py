"""The scripts and the style that a page with interactive figures needs; quick to import."""

import importlib.util
from pathlib import Path

from lnm_kit.errors import InputError
from lnm_kit.sources import package_folder

MARK = '<div class="lnm-interactive">'
"""What an interactive figure begins with on a page."""

SCRIPTS = tuple(
    package_folder() / "figures" / name for name in ("interactive_controls.js", "interactive.js")
)
"""What makes a page's figures answer, in this order; they look for `plotly.min.js` beside them."""

STYLE_SHEET = package_folder() / "figures" / "interactive.css"
"""How the controls and tables of such figures look."""


def with_scripts(page: str) -> str:
    """Put everything that its interactive figures need into a page that has no book around it.

    A page without such a figure stays as it is; with one it grows by plotly's 5 MB.

    Examples
    --------
    >>> with_scripts("<body><p>Text</p></body>")
    '<body><p>Text</p></body>'
    """
    if MARK not in page:
        return page
    scripts = [path.read_text(encoding="utf-8") for path in (plotly_script(), *SCRIPTS)]
    style = f"<style>{STYLE_SHEET.read_text(encoding='utf-8')}</style>"
    body, ending, rest = page.rpartition("</body>")
    return body + style + "".join(f"<script>{each}</script>" for each in scripts) + ending + rest


def plotly_script() -> Path:
    """Return the file of plotly's own script, as the installed package brings it.

    Raises
    ------
    InputError
        When it is not there.

    Examples
    --------
    >>> plotly_script().name
    'plotly.min.js'
    """
    spec = importlib.util.find_spec("plotly")
    folder = Path(spec.origin).parent if spec is not None and spec.origin else Path()
    script = folder / "package_data" / "plotly.min.js"
    if not script.is_file():
        raise InputError(
            "the installed plotly has no plotly.min.js, which interactive figures need. Install "
            "the project's requirements again."
        )
    return script
