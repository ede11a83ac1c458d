"""A book of one tiny chapter in a temporary folder."""

import logging
import sys
from functools import partial

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lnm_kit import cli
from lnm_kit.runs.files import write_json, write_toml
from lnm_kit.runs.schemas import LlnmParameters
from tests.faults import cohort as noise


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


@pytest.fixture
def write_noise_cohort():
    """Return a function that writes a small right cohort, enough to train on."""
    return partial(noise.write_noise_cohort, n_cases=24)


@pytest.fixture
def make_run(tmp_path):
    """Return a function that writes the folder of a finished run, without executing anything."""

    def make(name, *, chapter="llnm", record=None, metrics=(), predictions=None, **parameters):
        folder = tmp_path / "runs" / chapter / name
        folder.mkdir(parents=True)
        write_toml(folder / "params.toml", {"profile": "smoke", "seed": 0, **parameters})
        write_json(folder / "run.json", {"chapter": chapter, "outcome": "ok"} | (record or {}))
        if metrics:
            write_json(folder / "metrics.json", list(metrics))
        if predictions is not None:
            predictions.to_parquet(folder / "predictions.parquet", index=False)
        return folder

    return make


@pytest.fixture
def lnm(monkeypatch, capsys):
    """Return a function that runs the command line and returns exit code, output and errors."""
    logger = logging.getLogger("lnm_kit")
    handlers, level = list(logger.handlers), logger.level

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["lnm", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        code = caught.value.code
        return (0 if code is None else code, *capsys.readouterr())

    yield call
    logger.handlers[:] = handlers
    logger.setLevel(level)
