import warnings

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from lnm_kit.errors import InputError
from lnm_kit.runs.gate import page_problems
from lnm_kit.runs.notebook import (
    inject,
    literals_of,
    notebook_identity,
    read_notebook,
    save_page,
)


def tagged(source):
    cell = new_code_cell(source)
    cell.metadata["tags"] = ["parameters"]
    return new_notebook(cells=[cell, new_code_cell("print(seed)")])


def test_parameters_cell_is_read_without_running_it():
    notebook = tagged("# comment\nseed = 3\nsize: float = -0.5\nname = None")
    assert literals_of(notebook) == {"seed": 3, "size": -0.5, "name": None}
    assert literals_of(new_notebook(cells=[new_code_cell("seed = 3")])) is None


@pytest.mark.parametrize("source", ["seed = 1 + x", "import os", "a = b = 1", "print(1)"])
def test_parameters_cell_with_anything_but_literals_is_refused(source):
    with pytest.raises(InputError, match="name = literal"):
        literals_of(tagged(source))


def test_injection_leaves_the_notebook_itself_alone():
    notebook = tagged("seed = 3")
    injected = inject(notebook, {"seed": 4, "name": "it's"})
    assert len(notebook.cells) == 2
    assert injected.cells[1].metadata["tags"] == ["injected-parameters"]
    namespace: dict[str, object] = {}
    exec(injected.cells[1].source, namespace)
    assert (namespace["seed"], namespace["name"]) == (4, "it's")
    assert len(inject(notebook, {}).cells) == 2


def test_identity_follows_cells_parameters_and_cohort_but_not_outputs(tmp_path):
    path = tmp_path / "a.ipynb"
    notebook = tagged("seed = 3")
    nbformat.write(notebook, path)
    first = notebook_identity(path, {"seed": 3})
    notebook.cells[1].execution_count = 7
    nbformat.write(notebook, path)
    assert notebook_identity(path, {"seed": 3}) == first
    assert notebook_identity(path, {"seed": 4}) != first
    assert notebook_identity(path, {"seed": 3}, "cohort") != first
    notebook.cells[1].source += "\n%matplotlib inline\n!ls\nfrom lnm_kit.errors import one_of"
    nbformat.write(notebook, path)
    assert notebook_identity(path, {"seed": 3}) != first


def test_file_that_is_no_notebook_is_refused(tmp_path):
    (tmp_path / "a.ipynb").write_text("not json")
    with pytest.raises(InputError, match="is not a notebook"):
        read_notebook(tmp_path / "a.ipynb")
    with pytest.raises(InputError, match="cannot be read"):
        read_notebook(tmp_path / "b.ipynb")


def displayed(data):
    cell = new_code_cell("show()")
    cell.outputs = [new_output("display_data", data=data)]
    return cell


def test_page_leaves_out_glued_values_and_says_nothing_about_them(tmp_path):
    glued = {"application/papermill.record/text/plain": "0.81"}
    cells = [displayed(glued), displayed(glued | {"text/plain": "kept"})]
    notebook = new_notebook(cells=cells)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_page(notebook, tmp_path / "page.html", title="a page")
    page = (tmp_path / "page.html").read_text()
    assert "kept" in page
    assert "0.81" not in page
    assert len(page) < 1e6
    assert notebook.cells[0].outputs[0].data == glued  # the book's own text still needs it


def test_page_carries_scripts_only_for_interactive_figures(tmp_path):
    box = '<div class="lnm-interactive"><img class="lnm-static"></div>'
    save_page(new_notebook(cells=[displayed({"text/html": box})]), tmp_path / "a.html", title="a")
    page = (tmp_path / "a.html").read_text()
    assert len(page) > 3e6
    assert page_problems(page) == []
