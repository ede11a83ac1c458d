"""Sphinx extension of the book: parameters, commands and functions as the package has them."""

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from lnm_kit.errors import InputError
from lnm_kit.runs.reference import command_help, pages_by_name, parameter_table
from lnm_kit.runs.status import NO_RUN, STATUS_FILE

_NOT_RUNNING = (
    nodes.reference,
    nodes.title,
    nodes.literal,
    nodes.literal_block,
    nodes.raw,
    nodes.math,
    nodes.table,
    nodes.caption,
)

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


class RunStatus(SphinxDirective):
    """``{run-status}``: when each notebook of the book ran, how long, and with what."""

    def run(self) -> list[nodes.Node]:  # noqa: D102
        path = Path(self.env.srcdir) / STATUS_FILE
        self.env.note_dependency(str(path))
        text = path.read_text(encoding="utf-8") if path.is_file() else NO_RUN
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the three directives, and to each function's text the chapters that use it."""
    app.add_directive("chapter-parameters", Parameters)
    app.add_directive("lnm-command", Command)
    app.add_directive("run-status", RunStatus)
    app.connect("builder-inited", _read_pages)
    app.connect("autodoc-process-docstring", _name_pages)
    app.connect("doctree-resolved", _link_terms)
    app.connect("html-page-context", _make_citations_items)
    return {"parallel_read_safe": True}


def _parsed(directive: SphinxDirective, text_of: Any) -> list[nodes.Node]:
    try:
        text = text_of(directive.arguments[0])
    except InputError as error:
        raise directive.error(str(error)) from error
    holder = nodes.container()
    directive.state.nested_parse(StringList(text.splitlines()), 0, holder)
    return holder.children


def _make_citations_items(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object
) -> None:
    """Let a list of citations hold list items: a reader who hears the page is told their number."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def _read_pages(app: Sphinx) -> None:
    source = Path(app.srcdir)
    notebooks = sorted((source / "book").rglob("*.ipynb"))
    pages = [
        (f"/{path.relative_to(source).with_suffix('').as_posix()}", path) for path in notebooks
    ]
    _pages.clear()
    _pages.update(pages_by_name(pages))


def _link_terms(app: Sphinx, tree: nodes.document, page: str) -> None:
    """Let the first mention of each term of the glossary in a page's running text lead there."""
    objects = app.env.domains["std"].objects
    terms = {name: place for (kind, name), place in objects.items() if kind == "term"}
    if not terms or any(home == page for home, _ in terms.values()) or "/api/" in page:
        return
    # the longest first: "contrast-enhanced ultrasound" is not a mention of a shorter term
    words = sorted(terms, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, words))})(s?)(?![\w-])", re.I)
    of_word = {word.lower(): terms[word] for word in words}
    seen: set[tuple[str, str]] = set()
    for text in list(tree.findall(nodes.Text)):
        if _is_running(text):
            parts = _with_links(app, page, text.astext(), pattern, of_word, seen)
            if len(parts) > 1:
                text.parent.replace(text, parts)


def _is_running(text: nodes.Text) -> bool:
    """Tell whether text belongs to a paragraph or a list, and to no link, title or code."""
    within = text.parent
    paragraph = False
    while within is not None:
        if isinstance(within, _NOT_RUNNING) or "cell_input" in within.get("classes", []):
            return False
        paragraph |= isinstance(within, nodes.paragraph)
        within = within.parent
    return paragraph


def _with_links(
    app: Sphinx,
    page: str,
    text: str,
    pattern: re.Pattern[str],
    of_word: dict[str, tuple[str, str]],
    seen: set[tuple[str, str]],
) -> list[nodes.Node]:
    """Cut a text at its first mentions and turn these into links."""
    parts: list[nodes.Node] = []
    done = 0
    for found in pattern.finditer(text):
        home, anchor = place = of_word[found[1].lower()]
        # short terms are abbreviations: "roi" within other words or in lower case is none
        if place in seen or (len(found[1]) <= 4 and not found[1].isupper() and found[1] != "mask"):
            continue
        seen.add(place)
        link = f"{app.builder.get_relative_uri(page, home)}#{anchor}"
        parts.append(nodes.Text(text[done : found.start()]))
        parts.append(nodes.reference("", found[0], internal=True, refuri=link, classes=["term"]))
        done = found.end()
    return [*parts, nodes.Text(text[done:])]


def _name_pages(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Add the pages that import a function or a class to its documentation.

    Of an example that ends in an error its last line stays: no page of the book shows a traceback.
    """
    lines[:] = [line for line in lines if not line.strip().startswith("Traceback (most recent")]
    pages = _pages.get(name.rpartition(".")[2], [])
    if what in ("function", "class") and pages:
        links = ", ".join(f":doc:`{page}`" for page in pages)
        lines += ["", f"**Used in** {links}.", ""]
