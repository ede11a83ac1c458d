"""Notebooks as files: their parameters cell, injection, identity, and a page of their own."""

import ast
import copy
import hashlib
import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from lnm_kit.errors import InputError
from lnm_kit.page_scripts import with_scripts
from lnm_kit.runs.files import write_text
from lnm_kit.sources import files_digest, package_folder

PARAMETERS_TAG = "parameters"
GLUED = "application/papermill.record/"


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook.

    Raises
    ------
    InputError
        When the file is missing or is no notebook.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return nbformat.reads(text, as_version=4)
    except OSError as error:
        raise InputError(f"the notebook {path} cannot be read: {error.strerror}") from error
    except (ValueError, nbformat.ValidationError) as error:
        raise InputError(f"{path} is not a notebook: {error}") from error


def literals_of(notebook: nbformat.NotebookNode) -> dict[str, Any] | None:
    """Return the values that the `parameters` cell assigns, None where there is no such cell.

    Raises
    ------
    InputError
        When the cell holds anything but assignments of literals.
    """
    for cell in notebook.cells:
        if PARAMETERS_TAG not in cell.metadata.get("tags", []):
            continue
        values: dict[str, Any] = {}
        for statement in ast.parse(cell.source).body:
            target = _assigned(statement)
            if target is None:
                raise InputError(
                    "the cell tagged 'parameters' may only hold lines of the form name = literal; "
                    f"found: {ast.unparse(statement)}"
                )
            values[target[0]] = target[1]
        return values
    return None


def inject(notebook: nbformat.NotebookNode, values: Mapping[str, Any]) -> nbformat.NotebookNode:
    """Return a copy that sets `values` after its `parameters` cell, as papermill does."""
    from papermill.parameterize import parameterize_notebook

    copied = copy.deepcopy(notebook)
    copied.metadata.setdefault("kernelspec", {"name": "python3", "display_name": "Python 3"})
    copied.metadata["kernelspec"].setdefault("language", "python")
    if not values:
        return copied
    copied.metadata.setdefault("papermill", {})
    for cell in copied.cells:
        cell.metadata.setdefault("tags", [])
    return parameterize_notebook(copied, dict(values), comment="Set for this run")


def clear_outputs(notebook: nbformat.NotebookNode) -> None:
    """Remove the outputs of all cells, in place."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None


def code_of(notebook: nbformat.NotebookNode) -> str:
    """Return the Python code of all cells; lines of IPython magic become comments."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return re.sub(r"^(\s*)([%!?])", r"\1pass  # \2", "\n".join(sources), flags=re.MULTILINE)


def notebook_identity(
    path: Path,
    parameters: Mapping[str, Any],
    cohort_digest: str | None = None,
    *,
    code_digest: str | None = None,
) -> str:
    """Return a SHA-256 of everything that decides the outputs of a notebook.

    These are its cells, its parameters, the code of the package that it imports, directly or
    not, and the cohort that it reads. `code_digest` saves the reading of that code where it is
    known already.
    """
    notebook = read_notebook(path)
    cells = [
        [cell.cell_type, cell.source, sorted(cell.metadata.get("tags", []))]
        for cell in notebook.cells
    ]
    parts = [
        json.dumps(cells),
        json.dumps(dict(parameters), sort_keys=True),
        code_digest or imported_code_digest(code_of(notebook)),
        cohort_digest or "",
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def imported_code_digest(code: str) -> str:
    """Return a digest of the package's modules that a piece of Python code imports."""
    return files_digest([], package_folder(), code=code)


def save_notebook(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write a notebook atomically."""
    write_text(path, nbformat.writes(notebook) + "\n")


def save_page(notebook: nbformat.NotebookNode, path: Path, title: str) -> None:
    """Write a notebook as one HTML file that loads nothing from anywhere else.

    Interactive figures answer on it; the scripts that they need make such a page 5 MB larger.
    """
    from nbconvert import HTMLExporter

    # nbconvert asks for alternative texts that authors of outputs cannot always give
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    exporter = HTMLExporter(
        embed_images=True,
        mathjax_url="",
        require_js_url="",
        jquery_url="",
        mermaid_js_url="",
        mermaid_layout_elk_js_url="",
    )
    html, _ = exporter.from_notebook_node(_shown(notebook), {"metadata": {"name": title}})
    write_text(path, with_scripts(html))


def _shown(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy without the values glued for the book's text, which show nothing by itself."""
    copied = copy.deepcopy(notebook)
    for cell in copied.cells:
        for output in cell.get("outputs", []):
            for kind in [kind for kind in output.get("data", {}) if kind.startswith(GLUED)]:
                del output.data[kind]
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if output.get("data") != {}]
    return copied


def _assigned(statement: ast.stmt) -> tuple[str, Any] | None:
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
        return None
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    name = targets[0]
    if len(targets) != 1 or not isinstance(name, ast.Name):
        return None
    try:
        return name.id, ast.literal_eval(statement.value)
    except ValueError:
        return None
