"""Sphinx extension of the book: parameters, commands and functions as the package has them."""

from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from lnm_kit.errors import InputError
from lnm_kit.runs.reference import command_help, pages_by_name, parameter_table

# Reading the notebooks once is enough for all functions.
_pages: dict[str, list[str]] = {}


class Parameters(SphinxDirective):
    """``{chapter-parameters} llnm``: the table of a chapter's parameters."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:  # noqa: D102
        return _parsed(self, parameter_table)


class Command(SphinxDirective):
    """``{lnm-command} runs list``: what a command does, with its arguments and options."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:  # noqa: D102
        return _parsed(self, command_help)


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the two directives, and to each function's text the chapters that use it."""
    app.add_directive("chapter-parameters", Parameters)
    app.add_directive("lnm-command", Command)
    app.connect("builder-inited", _read_pages)
    app.connect("autodoc-process-docstring", _name_pages)
    return {"parallel_read_safe": True}


def _parsed(directive: SphinxDirective, text_of: Any) -> list[nodes.Node]:
    try:
        text = text_of(directive.arguments[0])
    except InputError as error:
        raise directive.error(str(error)) from error
    holder = nodes.container()
    directive.state.nested_parse(StringList(text.splitlines()), 0, holder)
    return holder.children


def _read_pages(app: Sphinx) -> None:
    source = Path(app.srcdir)
    notebooks = sorted((source / "book").rglob("*.ipynb"))
    pages = [(f"/{path.relative_to(source).with_suffix('').as_posix()}", path) for path in notebooks]
    _pages.clear()
    _pages.update(pages_by_name(pages))


def _name_pages(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Add the pages that import a function or a class to its documentation."""
    pages = _pages.get(name.rpartition(".")[2], [])
    if what in ("function", "class") and pages:
        links = ", ".join(f":doc:`{page}`" for page in pages)
        lines += ["", f"**Used in** {links}.", ""]
