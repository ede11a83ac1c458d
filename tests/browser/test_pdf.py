"""The one PDF: contents as bookmarks, links within the book, and no path of the machine."""

import io

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link

from tools.browser.pdf import bind, part_names

TOC = {"root": "index", "parts": [{"caption": "Start", "chapters": [{"file": "a"}, {"file": "b"}]}]}


def sheet(title, *addresses, n_pages=1):
    writer = PdfWriter()
    for _ in range(n_pages):
        writer.add_blank_page(width=200, height=300)
    for address in addresses:
        writer.add_annotation(page_number=0, annotation=Link(rect=(0, 0, 9, 9), url=address))
    writer.add_metadata({"/Title": f"{title} — The book"})
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


@pytest.fixture
def bound(tmp_path):
    def address(name):
        return (tmp_path / name).resolve().as_uri()

    sheets = {
        "index": sheet(
            "Cover", address("b.html") + "#there", address("run.ipynb"), "https://doi.org/1"
        ),
        "a": sheet("First", n_pages=2),
        "b": sheet("Second"),
    }
    buffer = io.BytesIO()
    bind(sheets, tmp_path, part_names(TOC)).write(buffer)
    return PdfReader(buffer)


def test_all_sheets_are_there_with_bookmarks_below_their_part(bound):
    assert len(bound.pages) == 4
    cover, start, chapters = bound.outline
    assert (cover.title, start.title) == ("Cover", "Start")
    assert [item.title for item in chapters] == ["First", "Second"]
    assert [bound.get_destination_page_number(item) for item in chapters] == [1, 3]


def test_links_lead_to_sheets_and_none_names_a_file(bound, tmp_path):
    links = [link.get_object() for link in bound.pages[0]["/Annots"]]
    addresses = [str(link["/A"]["/URI"]) for link in links if "/URI" in link.get("/A", {})]
    assert addresses == ["https://doi.org/1"]
    assert len(links) == 2
    buffer = io.BytesIO()
    PdfWriter(clone_from=bound).write(buffer)
    assert str(tmp_path).encode() not in buffer.getvalue()
