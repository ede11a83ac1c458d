"""What can be taken away from a page of the book: its executed notebook, parameters, metrics."""

import shutil
from pathlib import Path

import nbformat
from nbformat.v4 import new_markdown_cell

from lnm_kit.runs.files import write_text
from lnm_kit.runs.notebook import read_notebook
from lnm_kit.runs.recorder import METRICS_FILE

DOWNLOADS_FOLDER = "_runs"
NAMES = {
    "executed notebook": "notebook.ipynb",
    "parameters": "params.toml",
    "metrics with intervals": METRICS_FILE,
}


def stage_page(notebook: Path, source: Path, page: str) -> None:
    """Put an executed notebook into the staged book, with a last line of what can be taken away.

    Parameters
    ----------
    notebook
        ``notebook.ipynb`` in its run folder, beside the other files of the run.
    source
        The staged book.
    page
        The page's name in ``_toc.yml``, e.g. ``book/studies/llnm``.
    """
    short = page.rpartition("/")[2]
    folder = source / DOWNLOADS_FOLDER / page
    folder.mkdir(parents=True)
    links = []
    for what, name in NAMES.items():
        path = notebook.parent / name
        if path.is_file():
            kept = f"{short}.ipynb" if name == notebook.name else f"{short}_{name}"
            shutil.copy(path, folder / kept)
            links.append(f"{{download}}`{what} </{DOWNLOADS_FOLDER}/{page}/{kept}>`")
    content = read_notebook(notebook)
    if links:
        content.cells.append(_cell(f"**Take this run away:** {', '.join(links)}."))
    write_text(source / f"{page}.ipynb", nbformat.writes(content) + "\n")


def _cell(text: str) -> nbformat.NotebookNode:
    # a random name would give another page each time
    return new_markdown_cell(text, id="downloads")
