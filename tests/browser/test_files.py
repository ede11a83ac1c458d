"""Links, anchors and downloads of pages on disk, with no browser."""

import json

import pytest

from tools.browser.files import file_problems, find_pages

NOTEBOOK = {"cells": [{"cell_type": "code", "outputs": [{"output_type": "stream"}]}]}


@pytest.fixture
def book(tmp_path):
    def write(body, **files):
        (tmp_path / "other.html").write_text('<html><h1 id="there">Other</h1></html>')
        (tmp_path / "page.html").write_text(f'<html><p id="here">{body}</p></html>')
        for name, text in files.items():
            (tmp_path / f"{name}.ipynb").write_text(text)
        return tmp_path / "page.html"

    return write


def test_good_links_are_no_problem(book):
    links = (
        "#here",
        "other.html#there",
        "other.html",
        "#",
        "https://doi.org/10.1/x",
        "mailto:a@b.c",
    )
    assert file_problems(book("".join(f'<a href="{link}">x</a>' for link in links))) == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('<a href="gone.html">x</a>', "a link leads nowhere: gone.html"),
        ('<img src="gone.png">', "a link leads nowhere: gone.png"),
        ('<a href="other.html#gone">x</a>', "no such anchor: other.html#gone"),
        ('<a href="#gone%20too">x</a>', "no such anchor: #gone%20too"),
        (
            '<div class="cell_output docutils">1</div>',
            "the page shows outputs and offers no executed notebook",
        ),
    ],
)
def test_a_fault_is_found(book, body, found):
    assert file_problems(book(body)) == [found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (json.dumps(NOTEBOOK), []),
        ("{}", ["no notebook: run.ipynb"]),
        ("not JSON", ["no notebook: run.ipynb"]),
        ('{"cells": [{"outputs": []}]}', ["a notebook without outputs: run.ipynb"]),
    ],
)
def test_a_download_is_an_executed_notebook(book, text, found):
    body = '<div class="cell_output">1</div><a href="run.ipynb" download>run</a>'
    assert file_problems(book(body, run=text)) == found


def test_redirections_and_files_of_the_theme_are_no_pages(book):
    page = book("text")
    (page.parent / "index.html").write_text(
        '<meta http-equiv="refresh" content="0; url=page.html">'
    )
    (page.parent / "_static").mkdir()
    (page.parent / "_static" / "macros.html").write_text("<p></p>")
    assert [path.name for path in find_pages(page.parent)] == ["other.html", "page.html"]
