"""What a rendered book must not have: missing pages, tracebacks, anything from another host."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

TRACEBACK = "Traceback (most recent call last)"
LOADING_RELATIONS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "preconnect"}
LOADING_ATTRIBUTES = {
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src", "srcset"),
    "input": ("src",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}
REMOTE = re.compile(r"^\s*(https?:)?//", re.IGNORECASE)
REMOTE_IN_CSS = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^\s"')]+)""", re.I)
REMOTE_IN_SCRIPT = re.compile(r"""(?:\bimport|\bfrom)\s*\(?\s*["'](https?://[^"']+)""")


def find_problems(html: Path, pages: Sequence[str]) -> list[str]:
    """Return everything that is wrong with a rendered book; an empty list when it is good.

    Parameters
    ----------
    html
        The folder of the rendered book.
    pages
        The names of its pages, as in ``_toc.yml``.
    """
    problems = [f"{name}: the page is missing" for name in pages if not _page(html, name).is_file()]
    for path in sorted(html.rglob("*.html")):
        name = path.relative_to(html).as_posix()
        text = path.read_text(encoding="utf-8")
        problems += [f"{name}: {problem}" for problem in page_problems(text)]
    for path in sorted(html.rglob("*.css")):
        for address in REMOTE_IN_CSS.findall(path.read_text(encoding="utf-8")):
            problems.append(f"{path.relative_to(html).as_posix()}: loads {address}")
    return problems


def page_problems(text: str) -> list[str]:
    """Return what is wrong with one page.

    Examples
    --------
    >>> page_problems('<script src="https://cdn.example/plotly.js"></script>')
    ['<script> loads https://cdn.example/plotly.js']
    >>> page_problems('<a href="https://doi.org/10.1/x">a link loads nothing</a>')
    []
    """
    reader = _PageReader()
    reader.feed(text)
    reader.close()
    return reader.problems


class _PageReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._inside = tag
        if {"output", "traceback"} <= set(values.get("class", "").split()):
            self._add("an output is a traceback")
        addresses = [values.get(name, "") for name in LOADING_ATTRIBUTES.get(tag, ())]
        if tag == "link" and LOADING_RELATIONS & set(values.get("rel", "").lower().split()):
            addresses.append(values.get("href", ""))
        for address in addresses:
            for candidate in address.split(", "):
                if REMOTE.match(candidate):
                    self._add(f"<{tag}> loads {candidate.strip()}")
        for address in REMOTE_IN_CSS.findall(values.get("style", "")):
            self._add(f"a style loads {address}")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if TRACEBACK in data:
            self._add("it shows a traceback")
        if self._inside == "style":
            for address in REMOTE_IN_CSS.findall(data):
                self._add(f"a style loads {address}")
        if self._inside == "script":
            for address in REMOTE_IN_SCRIPT.findall(data):
                self._add(f"a script loads {address}")

    def _add(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def _page(html: Path, name: str) -> Path:
    return html / f"{name}.html"
