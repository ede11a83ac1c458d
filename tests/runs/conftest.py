"""A book of one tiny chapter in a temporary folder."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lnm_kit.runs.parameters import LlnmParameters


@pytest.fixture
def write_chapter(tmp_path):
    """Return a function that writes book/studies/llnm.ipynb with the given cells."""

    def write(*sources: str):
        defaults = LlnmParameters().model_dump()
        tagged = new_code_cell("\n".join(f"{name} = {value!r}" for name, value in defaults.items()))
        tagged.metadata["tags"] = ["parameters"]
        cells = [new_markdown_cell("# A chapter"), tagged, *map(new_code_cell, sources)]
        path = tmp_path / "book" / "studies" / "llnm.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(new_notebook(cells=cells), path)
        return path

    return write


@pytest.fixture
def toy_book(tmp_path, monkeypatch, write_chapter):
    """Return the folder of a book that is also the working folder."""
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nchapters:\n- file: book/studies/llnm\n"
    )
    (tmp_path / "_config.yml").write_text("title: A toy book\nexecute:\n  execute_notebooks: off\n")
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "index.md").write_text("# A toy book\n\nA formula, $x^2$.\n")
    write_chapter("print(profile)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LNM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LNM_RUN_FOLDER", raising=False)
    return tmp_path
