"""Building the book: execute what changed, render, and refuse a book with a fault in it."""

import hashlib
import importlib.metadata
import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lnm_kit.runs.execute import run_notebook
from lnm_kit.runs.files import write_json
from lnm_kit.runs.folder import find_same_run
from lnm_kit.runs.gate import find_problems
from lnm_kit.runs.launch import launch_settings
from lnm_kit.runs.pages import Page, Plan, make_plans, read_pages, sources_digest
from lnm_kit.runs.pictures import shrink_pictures
from lnm_kit.runs.publish import find_refusals, publish, refuse_smoke
from lnm_kit.runs.render import render, sphinx_settings, stage_sources, write_redirect
from lnm_kit.sources import files_digest, package_folder

RENDERERS = (
    "sphinx",
    "jupyter-book",
    "myst-nb",
    "myst-parser",
    "sphinx-book-theme",
    "plotly",
)

_log = logging.getLogger("lnm_kit")


@dataclass
class Book:
    """What building the book did, and everything that is wrong with it.

    ``runs`` holds the run folder of each notebook, ``executed`` and ``reused`` name their pages;
    ``rendered`` is False when nothing had changed.
    """

    html: Path
    runs: dict[str, Path] = field(default_factory=dict)
    executed: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    rendered: bool = False
    interrupted: bool = False
    problems: list[str] = field(default_factory=list)


def build_book(
    root: Path, *, profile: str, values: Mapping[str, Any], publish_to: Path | None = None
) -> Book:
    """Bring ``_build/html`` up to date.

    A notebook is executed unless an earlier good run had the same cells, parameters, cohort and
    package code. Pages are rendered with execution off and with every warning as an error. A
    faulty book is left in ``_build/html-failed``, beside the last good one.

    Parameters
    ----------
    root
        The folder with ``_config.yml``, ``_toc.yml`` and ``book/``.
    profile
        The profile of all chapters: smoke, demo or paper.
    values
        Other parameters, for every chapter that has one of that name.
    publish_to
        A new folder that gets a copy of the book when all of its runs are good ones.

    Raises
    ------
    InputError
        When the table of contents, the profile or a value is wrong, or a smoke run would be
        published; nothing was started then.
    """
    build = root / "_build"
    pages = read_pages(root)
    plans = make_plans(pages, root, profile, values)
    if publish_to is not None:
        refuse_smoke({plan.page.name: plan.recorded for plan in plans})
    book = Book(html=build / "html")
    key = _key(root, plans)
    is_current = _is_current(build, key, pages)
    # only a publication looks at the runs of pages that are rendered already
    if is_current and publish_to is None:
        book.reused = [plan.page.name for plan in plans]
        return book
    _execute_stale(book, plans, root)
    if not book.problems and (book.executed or not is_current):
        _render_and_check(book, root, pages)
        if not book.problems:
            write_json(build / "book.json", {"key": key, "profile": profile})
    if publish_to is not None and not book.problems:
        book.problems += find_refusals(book.runs)
        if not book.problems:
            publish(book.html, publish_to)
    return book


def _execute_stale(book: Book, plans: list[Plan], root: Path) -> None:
    good: dict[str, str] = {}
    for planned in sorted(plans, key=lambda plan: plan.shows_runs):
        # what a page says of runs is true of these folders, not of others like them
        plan = planned.with_runs(good) if planned.shows_runs else planned
        folder = find_same_run(plan.run_name, plan.identity, root)
        if folder is None:
            result = run_notebook(
                plan.run_name,
                plan.page.path,
                given=plan.given,
                recorded=plan.recorded,
                identity=plan.identity,
                working_folder=root,
                cohort_digest=plan.cohort_digest,
            )
            folder = result.folder
            book.executed.append(plan.page.name)
            if result.outcome != "ok":
                where = folder.relative_to(root)
                book.problems.append(
                    f"{plan.page.name}: {result.outcome}, {result.message} ({where})"
                )
            if result.outcome == "interrupted":
                book.interrupted = True
                break
            if result.outcome == "ok":
                good[plan.run_name] = folder.name
        else:
            book.reused.append(plan.page.name)
            good[plan.run_name] = folder.name
        book.runs[plan.page.name] = folder


def _render_and_check(book: Book, root: Path, pages: list[Page]) -> None:
    build = root / "_build"
    failed = build / "html-failed"
    _log.info("rendering %d pages", len(pages))
    executed = {page: folder / "notebook.ipynb" for page, folder in book.runs.items()}
    stage_sources(root, build / "source", executed)
    book.rendered = True
    book.problems += render(build / "source", failed, build / "sphinx.log")
    if failed.is_dir():
        shrink_pictures(failed)
        write_redirect(
            failed, pages[0].name, str(sphinx_settings(root / "_config.yml")["html_title"])
        )
        book.problems += find_problems(failed, ["index", *(page.name for page in pages)])
    if not book.problems:
        shutil.rmtree(book.html, ignore_errors=True)
        failed.rename(book.html)


def _key(root: Path, plans: list[Plan]) -> str:
    """Return a digest of everything that decides what the rendered book looks like."""
    versions = [importlib.metadata.version(name) for name in RENDERERS]
    runner = files_digest([Path(__file__)], package_folder())
    # the reference pages show docstrings, which no digest of code counts
    package = hashlib.sha256()
    for path in sorted(package_folder().rglob("*.py")):
        package.update(path.read_bytes())
    identities = [plan.identity for plan in plans]
    parts = json.dumps(
        [
            sources_digest(root),
            identities,
            versions,
            runner,
            package.hexdigest(),
            launch_settings(root),
        ]
    )
    return hashlib.sha256(parts.encode()).hexdigest()


def _is_current(build: Path, key: str, pages: list[Page]) -> bool:
    stamp = build / "book.json"
    if not stamp.is_file() or json.loads(stamp.read_text(encoding="utf-8")).get("key") != key:
        return False
    return all((build / "html" / f"{page.name}.html").is_file() for page in pages)
