"""The whole book as one PDF: ``python -m tools.browser.pdf _build/html _build/book.pdf``."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from playwright.sync_api import Browser
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import DictionaryObject, Fit, NameObject

from tools.browser.chromium import NoBrowserError, new_context, open_browser
from tools.browser.visit import CHECKS, LIMIT_MS
from tools.check_book import ROOT, pages_of

SHEET = {
    "format": "A4",
    "print_background": True,
    "scale": 0.82,
    "margin": {"top": "16mm", "bottom": "18mm", "left": "16mm", "right": "16mm"},
    "display_header_footer": True,
    "header_template": "<span></span>",
    "footer_template": (
        '<div style="font-size:8px;width:100%;padding:0 16mm;color:#555">'
        '<span class="title"></span> &middot; '
        '<span class="pageNumber"></span> of <span class="totalPages"></span></div>'
    ),
    "tagged": True,
}


def main() -> int:
    """Print every page in the order of the contents; 2 when there is no browser or no book."""
    html, target = Path(sys.argv[1]), Path(sys.argv[2])
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    missing = [name for name in pages_of(toc) if not (html / f"{name}.html").is_file()]
    if missing:
        sys.stderr.write(f"{html} lacks {', '.join(missing)}; build the book first: make book\n")
        return 2
    try:
        with open_browser() as browser:
            sheets = {name: print_page(browser, html / f"{name}.html") for name in pages_of(toc)}
    except NoBrowserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    writer = bind(sheets, html, part_names(toc))
    part = target.with_name(f".{target.name}.part")
    with part.open("wb") as file:
        writer.write(file)
    part.replace(target)
    sys.stdout.write(
        f"{len(writer.pages)} sheets, {target.stat().st_size / 1e6:.0f} MB: {target}\n"
    )
    return 0


def print_page(browser: Browser, path: Path) -> bytes:
    """Return one page of the book as PDF, as the print style sheet says; nothing from a network."""
    context = new_context(browser, theme="light", width=1280, height=900)
    try:
        page = context.new_page()
        page.set_default_timeout(LIMIT_MS)
        page.goto(path.resolve().as_uri(), wait_until="load")
        page.add_script_tag(content=CHECKS.read_text(encoding="utf-8"))
        page.evaluate("window.bookChecks.settle()")
        page.evaluate("window.bookChecks.pictures()")
        return page.pdf(**SHEET)  # type: ignore[arg-type]
    finally:
        context.close()


def part_names(toc: dict[str, Any]) -> dict[str, str]:
    """Map the first page of every part to the part's caption."""
    return {pages_of(part)[0]: str(part["caption"]) for part in toc.get("parts", [])}


def bind(sheets: dict[str, bytes], html: Path, parts: dict[str, str]) -> PdfWriter:
    """Join the pages, with bookmarks, and let links between pages stay within the book.

    Parameters
    ----------
    sheets
        Every page's PDF by its name, in order.
    html
        The folder of the rendered book, which the links name.
    parts
        The captions of the parts by their first page.
    """
    writer = PdfWriter()
    first: dict[Path, int] = {}
    bookmark = None
    for name, content in sheets.items():
        reader = PdfReader(io.BytesIO(content))
        start = len(writer.pages)
        first[(html / f"{name}.html").resolve()] = start
        writer.append(fileobj=reader, import_outline=False)
        if name in parts:
            bookmark = writer.add_outline_item(title=parts[name], page_number=start, bold=True)
        title = str((reader.metadata or {}).get("/Title", name)).split(" — ")[0]
        writer.add_outline_item(title=title, page_number=start, parent=bookmark)
    for number in range(len(writer.pages)):
        _keep_links_inside(writer, number, first)
    writer.add_metadata({"/Title": "From nodule to node"})
    writer.compress_identical_objects()
    return writer


def _keep_links_inside(writer: PdfWriter, number: int, first: dict[Path, int]) -> None:
    """Lead links to files to their page in the PDF; drop those to files that it does not hold."""
    page = writer.pages[number]
    kept = []
    moved = []
    for reference, annotation in _annotations(page):
        action = annotation.get("/A")
        address = urlsplit(str(action.get("/URI", ""))) if action is not None else urlsplit("")
        if address.scheme != "file":
            kept.append(reference)
            continue
        goal = first.get(Path(unquote(address.path)))
        if goal is not None:
            moved.append(Link(rect=annotation["/Rect"], target_page_index=goal, fit=Fit.fit()))
    if "/Annots" in page:
        page[NameObject("/Annots")] = type(page["/Annots"].get_object())(kept)
    for link in moved:
        writer.add_annotation(page_number=number, annotation=link)


def _annotations(page: DictionaryObject) -> Iterator[tuple[Any, DictionaryObject]]:
    for reference in page.get("/Annots", None) or []:
        yield reference, reference.get_object()


if __name__ == "__main__":
    raise SystemExit(main())
