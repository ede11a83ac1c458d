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

from lnm_kit.runs.environment import processors
from lnm_kit.runs.files import write_json
from lnm_kit.runs.gate import find_problems
from lnm_kit.runs.launch import launch_settings
from lnm_kit.runs.member import bounded_environment
from lnm_kit.runs.pages import Page, Plan, make_plans, read_pages, sources_digest
from lnm_kit.runs.pictures import shrink_pictures
from lnm_kit.runs.publish import find_refusals, publish, refuse_smoke
from lnm_kit.runs.render import render, sphinx_settings, stage_sources, write_redirect
from lnm_kit.runs.sweep_plan import WAITING, Member
from lnm_kit.runs.sweep_processes import Processes
from lnm_kit.runs.work import work_through
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
    root: Path,
    *,
    profile: str,
    values: Mapping[str, Any],
    processes: int = 1,
    publish_to: Path | None = None,
) -> Book:
    """Bring ``_build/html`` up to date.

    A notebook is executed unless an earlier good run had the same cells, parameters, cohort and
    package code. Several are executed side by side, with an equal share of the processors each:
    small networks and small tables do not fill two cores, two pages do. Pages are rendered with
    execution off and with every warning as an error. A faulty book is left in
    ``_build/html-failed``, beside the last good one.

    Parameters
    ----------
    root
        The folder with ``_config.yml``, ``_toc.yml`` and ``book/``.
    profile
        The profile of all chapters: smoke, demo or paper.
    values
        Other parameters, for every chapter that has one of that name.
    processes
        Pages that are executed at the same time.
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
        refuse_smoke({plan.page.name: plan.run.recorded for plan in plans})
    book = Book(html=build / "html")
    key = _key(root, plans)
    is_current = _is_current(build, key, pages)
    # only a publication looks at the runs of pages that are rendered already
    if is_current and publish_to is None:
        book.reused = [plan.page.name for plan in plans]
        return book
    _execute_stale(book, plans, root, processes)
    if not book.problems and (book.executed or not is_current):
        _render_and_check(book, root, pages)
        if not book.problems:
            write_json(build / "book.json", {"key": key, "profile": profile})
    if publish_to is not None and not book.problems:
        book.problems += find_refusals(book.runs)
        if not book.problems:
            publish(book.html, publish_to)
    return book


def _execute_stale(book: Book, plans: list[Plan], root: Path, processes: int) -> None:
    """Execute the pages without a run; those that show the chapters' runs come after these."""
    # What takes long is begun first, so that not one process works in the end while the others
    # wait: the chapters, then from the last page back, as the book begins with its short ones.
    others = [plan for plan in reversed(plans) if not plan.shows_runs]
    others.sort(key=lambda plan: not plan.is_chapter)
    logs = root / "_build" / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    good = _execute(book, others, root, processes, logs / "pages")
    if not book.interrupted:
        # what a page says of runs is true of these folders, not of others like them
        showing = [plan.with_runs(good) for plan in plans if plan.shows_runs]
        _execute(book, showing, root, processes, logs / "pages-about-runs")


def _execute(
    book: Book, plans: list[Plan], root: Path, processes: int, logs: Path
) -> dict[str, str]:
    """Find the runs of pages, or execute them side by side; give the names of the good ones."""
    pages = {plan.run.chapter: plan.page.name for plan in plans}
    members = [Member(plan.run, {}) for plan in plans]
    for member in members:
        member.folder = member.plan.earlier_run(root)
        if member.folder is not None:
            member.outcome, member.found = "ok", True
    _work_through([member for member in members if not member.found], root, processes, logs)
    for member in members:
        page = pages[member.plan.chapter]
        if member.outcome == WAITING:
            continue
        (book.reused if member.found else book.executed).append(page)
        if member.folder is not None:
            book.runs[page] = member.folder
        if member.outcome != "ok":
            where = f" ({member.folder.relative_to(root)})" if member.folder else ""
            book.problems.append(f"{page}: {member.outcome}, {member.message}{where}")
    n_waiting = sum(member.outcome == WAITING for member in members)
    if n_waiting:
        book.problems.append(f"interrupted: {n_waiting} pages were not begun")
    book.interrupted |= n_waiting > 0 or any(each.outcome == "interrupted" for each in members)
    return {
        member.plan.chapter: member.folder.name
        for member in members
        if member.outcome == "ok" and member.folder is not None
    }


def _work_through(missing: list[Member], root: Path, processes: int, logs: Path) -> None:
    """Execute pages, each in a process with its share of the processors and a log of its own."""
    at_once = min(processes, len(missing))
    if not at_once:
        return
    logs.mkdir(parents=True)
    environment = bounded_environment(max(1, processors() // at_once))
    work_through(missing, Processes(at_once, root, environment), logs, root)


def _render_and_check(book: Book, root: Path, pages: list[Page]) -> None:
    build = root / "_build"
    failed = build / "html-failed"
    _log.info("rendering %d pages", len(pages))
    # in the order of the book, not in that of the work
    executed = {
        page.name: book.runs[page.name] / "notebook.ipynb"
        for page in pages
        if page.name in book.runs
    }
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
    identities = [plan.run.identity for plan in plans]
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
