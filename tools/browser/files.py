"""What can be checked without a browser: links, anchors, downloads."""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

REDIRECT = re.compile(r'http-equiv="refresh"', re.I)
ADDRESSES = {"a": "href", "area": "href", "link": "href", "img": "src", "script": "src"}


@dataclass
class Document:
    """A page as its source says it: anchors, links, downloads, and whether it shows outputs."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    downloads: list[str] = field(default_factory=list)
    has_outputs: bool = False


def find_pages(html: Path) -> list[Path]:
    """Return every page of the book; files of the theme and mere redirections are none."""
    found = [path for path in sorted(html.rglob("*.html")) if "_static" not in path.parts]
    return [path for path in found if not REDIRECT.search(path.read_text(encoding="utf-8")[:1000])]


def file_problems(page: Path) -> list[str]:
    """Return links of a page that lead nowhere, and executed notebooks that it does not give."""
    document = read_document(page)
    problems = [_link_problem(page, link) for link in sorted(set(document.links))]
    notebooks = [link for link in document.downloads if urlsplit(link).path.endswith(".ipynb")]
    if document.has_outputs and not notebooks:
        problems.append("the page shows outputs and offers no executed notebook")
    problems += [_notebook_problem(page, link) for link in notebooks]
    return [problem for problem in problems if problem]


@cache
def read_document(page: Path) -> Document:
    """Read a page once, for all links that lead to it."""
    reader = _Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    reader.close()
    return reader.document


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.document = Document()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.document.anchors |= {values[name] for name in ("id", "name") if values.get(name)}
        address = values.get(ADDRESSES.get(tag, ""), "")
        if address:
            self.document.links.append(address)
        if tag == "a" and "download" in values:
            self.document.downloads.append(address)
        if {"cell_output"} <= set(values.get("class", "").split()):
            self.document.has_outputs = True


def _target(page: Path, link: str) -> tuple[Path, str] | None:
    """Return file and anchor that a link within the book leads to; None for all other links."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page.resolve()
    return path, unquote(parts.fragment)


def _link_problem(page: Path, link: str) -> str:
    target = _target(page, link)
    if target is None:
        return ""
    path, anchor = target
    if not path.is_file():
        return f"a link leads nowhere: {link}"
    # "#" and "#top" lead to the top of every page
    if anchor in ("", "top") or path.suffix != ".html":
        return ""
    return "" if anchor in read_document(path).anchors else f"no such anchor: {link}"


def _notebook_problem(page: Path, link: str) -> str:
    target = _target(page, link)
    if target is None or not target[0].is_file():
        return ""  # said of the link already
    try:
        cells = json.loads(target[0].read_text(encoding="utf-8"))["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"no notebook: {link}"
    return "" if outputs else f"a notebook without outputs: {link}"
