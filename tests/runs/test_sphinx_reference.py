"""The pages' links to the glossary, their tables, and the chapters beside each function."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from sphinx.application import Sphinx

GLOSSARY = """
Glossary
========

.. glossary::

   AUC
      Order.

   contrast-enhanced ultrasound
      Blood.

   ultrasound mask
      Pixels.
"""
PAGE = """
An AUC in a title
=================

.. image:: none.png
   :alt: AUC

The code ``AUC`` and auc, AUCish, an ultrasound masked, xAUC; AUCs, then AUC again;
contrast-enhanced Ultrasound.

- ultrasound masks, ultrasound-maskable
"""
FUNCTIONS = """
Functions
=========

.. autofunction:: lnm_kit.evaluation.prevalence.predictive_values

.. autofunction:: lnm_kit.runs.parameters.check_parameters

.. lnm-command:: runs list

.. chapter-parameters:: llnm
"""


@pytest.fixture
def built(tmp_path):
    source = tmp_path / "source"
    (source / "book").mkdir(parents=True)
    (source / "conf.py").write_text(
        "extensions = ['sphinx.ext.autodoc', 'sphinx.ext.napoleon', 'myst_nb',"
        " 'lnm_kit.runs.sphinx_reference']\n"
        "nb_execution_mode = 'off'\nsuppress_warnings = ['image.not_readable']\n"
        "source_suffix = {'.rst': 'restructuredtext', '.ipynb': 'myst-nb'}\n"
    )
    toctree = "Top\n===\n\n.. toctree::\n\n   words\n   page\n   functions\n   book/chapter\n"
    pages = {"index": toctree, "words": GLOSSARY, "page": PAGE, "functions": FUNCTIONS}
    for name, text in pages.items():
        (source / f"{name}.rst").write_text(text)
    code = "from lnm_kit.evaluation import predictive_values"
    title = nbformat.v4.new_markdown_cell("# The chapter")
    nbformat.write(new_notebook(cells=[title, new_code_cell(code)]), source / "book/chapter.ipynb")
    html = tmp_path / "html"
    with (tmp_path / "log").open("w") as log:
        Sphinx(source, source, html, tmp_path / "trees", "html", status=log, warning=log).build()
    return lambda name: (html / f"{name}.html").read_text()


def test_pages_know_the_package_and_the_glossary(built):
    body = built("page")
    links = re.findall(r'<a class="term reference internal" href="(.*?)">(.*?)</a>', body)
    assert links == [
        ("words.html#term-AUC", "AUCs"),
        ("words.html#term-contrast-enhanced-ultrasound", "contrast-enhanced Ultrasound"),
        ("words.html#term-ultrasound-mask", "ultrasound masks"),
    ]
    assert 'class="term' not in built("words")

    functions = built("functions")
    assert re.search(r"Used in</strong>.*?book/chapter\.html.*?The chapter", functions, re.DOTALL)
    assert "Only runs of this chapter." in functions
    assert "lnm_kit.errors.InputError" in functions
    assert "Traceback" not in functions
    assert "strength of the simulated association" in functions
