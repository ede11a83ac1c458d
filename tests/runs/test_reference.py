"""The reference pages name all there is, as the package has it."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from lnm_kit.errors import InputError
from lnm_kit.runs.parameters import describe_parameters
from lnm_kit.runs.reference import (
    command_help,
    command_names,
    markdown_table,
    pages_by_name,
    parameter_table,
)
from lnm_kit.runs.schemas import PARAMETERS


def test_every_chapter_has_its_table_on_the_page(repository):
    page = (repository / "book/reference/parameters.md").read_text()
    assert re.findall(r"{chapter-parameters} (\w+)", page) == list(PARAMETERS)


def test_every_command_has_its_place_on_the_page(repository):
    page = (repository / "book/reference/commands.md").read_text()
    shown = re.findall(r"{lnm-command} (.+)", page)
    assert sorted(shown) == sorted(command_names())
    assert [f"lnm {name}" for name in shown] == re.findall(r"^## (.+)", page, re.MULTILINE)


def test_every_part_of_the_package_has_a_page(repository):
    parts = {path.parent.name for path in (repository / "lnm_kit").glob("*/__init__.py")}
    pages = {path.stem for path in (repository / "book/reference/api").glob("*.md")}
    assert parts - {"commands"} == pages
    toc = (repository / "_toc.yml").read_text()
    assert all(f"book/reference/api/{page}\n" in toc for page in pages)


@pytest.mark.parametrize("chapter", PARAMETERS)
def test_the_table_of_a_chapter_has_a_row_for_every_parameter(chapter):
    names = re.findall(r"^\| `(\w+)` ", parameter_table(chapter), re.MULTILINE)
    assert names == [row[0] for row in describe_parameters(chapter)]
    assert set(names) == set(PARAMETERS[chapter].model_fields)


def test_help_has_usage_text_and_options():
    text = command_help("run")
    assert "lnm run CHAPTER [OPTIONS]" in text
    assert "`lnm run llnm --list`" in text
    assert "| `--timeout SECONDS` |" in text
    assert "| `SRC` | Folder with DDTI" in command_help("cohort import ddti")


def test_an_unknown_command_is_named():
    with pytest.raises(InputError, match="Did you mean 'sweep'"):
        command_help("sweeep")


def test_names_are_found_where_they_are_imported(tmp_path):
    cells = [
        new_code_cell("from lnm_kit.evaluation import auc\nfrom numpy import mean"),
        new_code_cell("def f():\n    from lnm_kit.training import fit, auc"),
    ]
    path = tmp_path / "page.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    assert pages_by_name([("/a", path), ("/b", path)]) == {"auc": ["/a", "/b"], "fit": ["/a", "/b"]}


def test_a_cell_of_a_table_stays_one_cell():
    table = markdown_table(("a",), [("x | y\nz",)])
    assert table.splitlines() == ["| a |", "|---|", "| x \\| y z |"]
