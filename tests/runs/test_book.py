import json
import os
import signal
import threading
import time
import tomllib

import pytest

from lnm_kit.errors import InputError
from lnm_kit.runs import book
from lnm_kit.runs.book import build_book
from lnm_kit.runs.member import THREADS
from lnm_kit.runs.pages import make_plans, read_pages
from lnm_kit.runs.status import STATUS_FILE


def test_book_is_built_once_and_again_only_where_something_changed(toy_book, write_chapter):
    first = build_book(toy_book, profile="smoke", values={})
    assert first.problems == []
    assert first.executed == ["book/studies/llnm"]
    page = (toy_book / "_build" / "html" / "book" / "studies" / "llnm.html").read_text()
    assert ">smoke" in page.replace("\n", "")
    index = (toy_book / "_build" / "html" / "index.html").read_text()
    assert "book/index.html" in index
    assert (toy_book / "_build" / "html" / "_static" / "mathjax" / "tex-svg.js").is_file()

    second = build_book(toy_book, profile="smoke", values={})
    assert (second.executed, second.rendered, second.problems) == ([], False, [])

    (toy_book / "book" / "index.md").write_text("# A toy book\n\nSee [nothing](nowhere.md).\n")
    third = build_book(toy_book, profile="smoke", values={})
    assert third.executed == []
    assert any("nowhere.md" in problem for problem in third.problems)
    assert "A formula" in (toy_book / "_build" / "html" / "book" / "index.html").read_text()


def test_a_docstring_of_the_package_counts_for_the_rendered_pages(toy_book, monkeypatch):
    package = toy_book / "lnm_kit"
    package.mkdir()
    monkeypatch.setattr(book, "package_folder", lambda: package)
    keys = set()
    for text in ('"""One."""\n', '"""Another."""\n', '"""Another."""\n'):
        (package / "part.py").write_text(text)
        keys.add(book._key(toy_book, []))
    assert len(keys) == 2


def test_failed_chapter_stops_the_book_and_is_tried_again(toy_book, write_chapter):
    write_chapter("1 / 0")
    for _ in range(2):
        book = build_book(toy_book, profile="smoke", values={})
        assert len(book.problems) == 1
        assert "ZeroDivisionError" in book.problems[0]
        assert not book.rendered
    assert not (toy_book / "_build" / "html").exists()


def test_pages_of_the_table_of_contents_are_read_in_order(toy_book):
    (toy_book / "_toc.yml").write_text(
        "root: book/index\nparts:\n- caption: A\n  chapters:\n"
        "  - file: book/studies/llnm\n    sections:\n    - file: book/a.md\n"
    )
    (toy_book / "book" / "a.md").write_text("# A")
    names = [page.name for page in read_pages(toy_book)]
    assert names == ["book/index", "book/studies/llnm", "book/a"]


def test_pages_without_a_file_are_listed_together(toy_book):
    (toy_book / "_toc.yml").write_text("root: book/one\nchapters:\n- file: book/two\n")
    with pytest.raises(InputError, match="book/one, book/two"):
        read_pages(toy_book)
    (toy_book / "_toc.yml").write_text("- a list")
    with pytest.raises(InputError, match="not a table of contents"):
        read_pages(toy_book)


def test_values_go_to_the_notebooks_that_have_them(toy_book):
    notebook = json.loads((toy_book / "book" / "studies" / "llnm.ipynb").read_text())
    notebook["cells"][1]["source"] = "profile = 'demo'\nrows = 5"
    (toy_book / "book" / "other.ipynb").write_text(json.dumps(notebook))
    with (toy_book / "_toc.yml").open("a") as toc:
        toc.write("- file: book/other\n")
    pages = read_pages(toy_book)
    plans = {
        plan.run.chapter: plan.run for plan in make_plans(pages, toy_book, "smoke", {"rows": 7})
    }
    assert plans["llnm"].given == {"profile": "smoke"}
    assert plans["book-other"].given == {"profile": "smoke", "rows": 7}
    with pytest.raises(InputError, match="Did you mean rows"):
        make_plans(pages, toy_book, "smoke", {"rosw": 7})
    with pytest.raises(InputError, match="epochs is 0"):
        make_plans(pages, toy_book, "smoke", {"epochs": 0})


@pytest.fixture
def write_page(toy_book):
    """Return a function that adds a page with one cell to the book."""

    def write(name, source):
        notebook = json.loads((toy_book / "book" / "studies" / "llnm.ipynb").read_text())
        notebook["cells"][0]["source"] = f"# {name}"
        notebook["cells"][1]["source"] = ""
        notebook["cells"][2]["source"] = source
        page = toy_book / "book" / f"{name}.ipynb"
        if not page.exists():
            with (toy_book / "_toc.yml").open("a") as toc:
                toc.write(f"- file: book/{name}\n")
        page.write_text(json.dumps(notebook))

    return write


MEETS = """
import os, pathlib, time
pathlib.Path("{own}").write_text(os.environ["OMP_NUM_THREADS"])
waits_until = time.monotonic() + 60
while not pathlib.Path("{other}").is_file():
    assert time.monotonic() < waits_until, "nobody is there"
    time.sleep(0.05)
"""


def test_pages_side_by_side_share_the_processors(toy_book, write_page, monkeypatch):
    monkeypatch.setattr(book, "processors", lambda: 6)
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    write_page("one", MEETS.format(own="first", other="second"))
    write_page("two", MEETS.format(own="second", other="first"))
    # the third place is the chapter's
    built = build_book(toy_book, profile="smoke", values={}, processes=3)
    assert built.problems == []
    assert sorted(built.executed) == ["book/one", "book/studies/llnm", "book/two"]
    assert [(toy_book / name).read_text() for name in ("first", "second")] == ["2", "2"]
    assert len(list((toy_book / "_build" / "logs" / "pages").glob("*.log"))) == 3
    # whatever was ready first, the book tells of its pages in its own order
    status = (toy_book / "_build" / "source" / STATUS_FILE).read_text()
    places = [status.index(f"{name}>`") for name in ("studies/llnm", "book/one", "book/two")]
    assert places == sorted(places)


def test_interrupted_book_keeps_what_is_finished_and_renders_nothing(toy_book, write_page):
    # after the chapters the pages come from the last one back
    write_page("never", "1")
    write_page("long", "import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(60)")

    def interrupt():
        while not (toy_book / "begun").is_file():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=interrupt, daemon=True).start()
    built = build_book(toy_book, profile="smoke", values={})
    assert built.interrupted
    assert not built.rendered
    assert built.executed == ["book/studies/llnm", "book/long"]
    assert built.problems[0].startswith("book/long: interrupted")
    assert built.problems[1] == "interrupted: 1 pages were not begun"
    assert not (toy_book / "_build" / "html").exists()

    write_page("long", "1")
    again = build_book(toy_book, profile="smoke", values={})
    assert again.reused == ["book/studies/llnm"]


@pytest.fixture
def page_about_runs(toy_book):
    """A page, named before the chapter, that shows which run of it there is."""
    notebook = json.loads((toy_book / "book" / "studies" / "llnm.ipynb").read_text())
    notebook["cells"][0]["source"] = "# Runs"
    notebook["cells"][1]["source"] = "profile = 'demo'\nruns = {}"
    notebook["cells"][2]["source"] = "print(profile, runs)"
    (toy_book / "book" / "about.ipynb").write_text(json.dumps(notebook))
    (toy_book / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\n"
        "chapters:\n- file: book/about\n- file: book/studies/llnm\n"
    )
    return toy_book


def test_a_page_about_runs_comes_after_the_chapters_and_changes_with_them(
    page_about_runs, write_chapter
):
    first = build_book(page_about_runs, profile="smoke", values={})
    assert first.problems == []
    assert first.executed == ["book/studies/llnm", "book/about"]
    chapter, about = (first.runs[name] for name in first.executed)
    shown = tomllib.loads((about / "params.toml").read_text())["runs"]
    assert shown == {"llnm": chapter.name}
    assert chapter.name in (about / "notebook.ipynb").read_text()

    assert build_book(page_about_runs, profile="smoke", values={}).executed == []

    def planned():
        plans = make_plans(read_pages(page_about_runs), page_about_runs, "smoke", {})
        return {plan.run.chapter: plan.run.identity for plan in plans}

    before = planned()
    write_chapter("print(profile, 1)")
    after = planned()
    assert before["book-about"] != after["book-about"]


def test_the_runs_of_such_a_page_are_not_for_the_user_to_give(page_about_runs):
    pages = read_pages(page_about_runs)
    with pytest.raises(InputError, match="no page of the book has a parameter runs"):
        make_plans(pages, page_about_runs, "smoke", {"runs": "llnm"})
