"""Rendering the staged book with Sphinx, execution off, every warning an error."""

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lnm_kit.errors import InputError
from lnm_kit.runs.downloads import DOWNLOADS_FOLDER, stage_page
from lnm_kit.runs.files import write_text
from lnm_kit.runs.launch import launch_settings
from lnm_kit.runs.status import STATUS_FILE, status_text

MATHJAX_PACKAGE = "sphinx-mathjax-offline"
MATHJAX_SCRIPT = "tex-svg.js"
REDIRECT = """<!DOCTYPE html>
<meta charset="utf-8">
<title>{title}</title>
<meta http-equiv="refresh" content="0; url={first}">
<a href="{first}">{title}</a>
"""


def stage_sources(root: Path, source: Path, executed: Mapping[str, Path]) -> None:
    """Copy the book's sources to an empty folder, with executed notebooks in their places.

    Parameters
    ----------
    root
        The folder with ``_config.yml``, ``_toc.yml`` and ``book/``.
    source
        Where to; replaced.
    executed
        The executed notebook of every page that is one, by the page's name.
    """
    from lnm_kit.page_scripts import SCRIPTS, STYLE_SHEET, plotly_script

    shutil.rmtree(source, ignore_errors=True)
    skipped = shutil.ignore_patterns("*.ipynb", ".ipynb_checkpoints", "__pycache__")
    shutil.copytree(root / "book", source / "book", ignore=skipped)
    shutil.copy(root / "_toc.yml", source / "_toc.yml")
    for name, notebook in executed.items():
        stage_page(notebook, source, name)
    (source / STATUS_FILE).parent.mkdir(exist_ok=True)
    write_text(source / STATUS_FILE, status_text(executed) + "\n")
    (source / "_local" / "mathjax").mkdir(parents=True)
    shutil.copy(mathjax_script(), source / "_local" / "mathjax" / MATHJAX_SCRIPT)
    (source / "_local" / "interactive").mkdir()
    for path in (*SCRIPTS, STYLE_SHEET, plotly_script()):
        shutil.copy(path, source / "_local" / "interactive")
    settings = sphinx_settings(root / "_config.yml")
    settings["html_theme_options"] |= launch_settings(root)
    write_text(
        source / "conf.py",
        f"import json\n\nglobals().update(json.loads({json.dumps(settings)!r}))\n",
    )


def sphinx_settings(config: Path) -> dict[str, Any]:
    """Return the Sphinx settings that ``jupyter-book`` makes of its ``_config.yml``.

    Raises
    ------
    InputError
        When the file is missing or is no YAML.
    """
    from jupyter_book.config import get_final_config  # type: ignore[import-untyped]

    from lnm_kit.page_scripts import SCRIPTS, STYLE_SHEET

    try:
        user = yaml.safe_load(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{config.name} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{config.name} is not YAML: {error}") from error
    settings, _ = get_final_config(
        user_yaml=user, cli_config={"latex_individualpages": False}, raise_on_invalid=True
    )
    static = [*settings.get("html_static_path", []), "_local"]
    return dict(settings) | {
        # what is shown was executed by our own runner; a second execution would show other numbers
        "nb_execution_mode": "off",
        "html_static_path": static,
        # what can be downloaded is no page of its own
        "exclude_patterns": [*settings.get("exclude_patterns", []), f"{DOWNLOADS_FOLDER}/**"],
        "html_js_files": [
            *settings.get("html_js_files", []),
            # they do nothing on a page without such a figure
            *([f"interactive/{path.name}", {"loading_method": "defer"}] for path in SCRIPTS),
        ],
        "html_css_files": [
            *settings.get("html_css_files", []),
            f"interactive/{STYLE_SHEET.name}",
        ],
        "mathjax_path": f"mathjax/{MATHJAX_SCRIPT}",
    }


def render(source: Path, html: Path, log: Path) -> list[str]:
    """Render a staged book and return the warnings, which all count as errors.

    Parameters
    ----------
    source
        The staged book.
    html
        Where the pages go; replaced.
    log
        Gets the full output of Sphinx.
    """
    shutil.rmtree(html, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-n", "-W", "--keep-going", "-E", "-q"]
    doctrees = source.parent / "doctrees"
    done = subprocess.run(
        [*command, "-d", str(doctrees), str(source), str(html)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    write_text(log, done.stdout)
    if done.returncode == 0:
        return []
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    marked = [line for line in lines if "WARNING" in line or "ERROR" in line]
    short = [line.replace(f"{source}/", "") for line in (marked or lines[-5:])]
    return short or [f"sphinx ended with code {done.returncode}"]


def write_redirect(html: Path, first_page: str, title: str) -> None:
    """Let ``index.html`` lead to the first page where that stands elsewhere."""
    if first_page != "index":
        text = REDIRECT.format(first=f"{first_page}.html", title=title)
        write_text(html / "index.html", text)


def mathjax_script() -> Path:
    """Return the one file that shows formulas without a network.

    Raises
    ------
    InputError
        When the package that carries it is not installed.
    """
    spec = importlib.util.find_spec(MATHJAX_PACKAGE)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    script = folder / "static" / "mathjax" / MATHJAX_SCRIPT if folder else None
    if script is None or not script.is_file():
        raise InputError(
            f"formulas are shown by MathJax, which comes with the package {MATHJAX_PACKAGE}; "
            "it is not installed. Install the project's requirements again."
        )
    return script
