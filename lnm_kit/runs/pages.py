"""The pages of the book: which there are, and what each notebook among them is run with."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from lnm_kit.errors import InputError
from lnm_kit.runs.notebook import literals_of, notebook_identity, read_notebook
from lnm_kit.runs.parameters import check_parameters
from lnm_kit.runs.plan import RunPlan
from lnm_kit.runs.preconditions import check_preconditions
from lnm_kit.runs.schemas import PARAMETERS
from lnm_kit.sources import package_folder

SUFFIXES = (".ipynb", ".md")

RUNS = "runs"
"""The parameter of a page about other pages' runs: chapter to name of its run folder."""


@dataclass(frozen=True)
class Page:
    """One entry of ``_toc.yml``: its name there, and its file."""

    name: str
    path: Path

    @property
    def is_notebook(self) -> bool:
        """Whether the page has code that is executed."""
        return self.path.suffix == ".ipynb"


@dataclass(frozen=True)
class Plan:
    """A notebook of the book and the run that it needs.

    ``shows_runs`` tells that the page is made of the chapters' runs, and so comes after them.
    """

    page: Page
    run: RunPlan
    shows_runs: bool = False

    @property
    def is_chapter(self) -> bool:
        """Whether the page is one of the five studies."""
        return _is_chapter(self.page)

    def with_runs(self, runs: Mapping[str, str]) -> "Plan":
        """Return the plan of this page for these runs, which are a part of its identity.

        Parameters
        ----------
        runs
            By chapter, the name of its run folder, or the identity of a run still to come.
        """
        shown = {RUNS: dict(runs)}
        given, recorded = self.run.given | shown, self.run.recorded | shown
        identity = notebook_identity(self.page.path, recorded, self.run.cohort_digest)
        run = replace(self.run, given=given, recorded=recorded, identity=identity)
        return replace(self, run=run)


def read_pages(root: Path) -> list[Page]:
    """Return the pages of ``_toc.yml`` in their order, the first page first.

    Raises
    ------
    InputError
        When ``_toc.yml`` is missing or wrong, or names pages that have no file.
    """
    toc = root / "_toc.yml"
    try:
        table = yaml.safe_load(toc.read_text(encoding="utf-8"))
        names = [table["root"], *_files_in(table)]
    except OSError as error:
        raise InputError(f"{toc.name} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise InputError(f"{toc.name} is not a table of contents of a Jupyter book") from error
    pages, missing = [], []
    for name in (str(name).removesuffix(".md").removesuffix(".ipynb") for name in names):
        files = [root / f"{name}{suffix}" for suffix in SUFFIXES]
        found = [path for path in files if path.is_file()]
        if found:
            pages.append(Page(name, found[0]))
        else:
            missing.append(name)
    if missing:
        raise InputError(f"_toc.yml names pages that have no file: {', '.join(missing)}")
    return pages


def make_plans(
    pages: list[Page], root: Path, profile: str, values: Mapping[str, Any]
) -> list[Plan]:
    """Return what every notebook among the pages is to be run with.

    The profile and the other values go to the study chapters, and to every other notebook whose
    `parameters` cell has a parameter of that name. A page whose `parameters` cell has a table
    ``runs`` changes whenever a chapter does: here it gets the identities of the chapters' runs.

    Raises
    ------
    InputError
        When a value is wrong, or no notebook has a parameter of that name.
    """
    taken: set[str] = set()
    plans = []
    for page in pages:
        if page.is_notebook:
            plan, known = _plan(page, root, {"profile": profile, **values})
            plans.append(plan)
            taken |= known
    coming = {plan.run.chapter: plan.run.identity for plan in plans if plan.is_chapter}
    plans = [plan.with_runs(coming) if plan.shows_runs else plan for plan in plans]
    unknown = sorted(set(values) - taken)
    if unknown:
        close = get_close_matches(unknown[0], taken, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise InputError(f"no page of the book has a parameter {', '.join(unknown)}.{hint}")
    return plans


def _plan(page: Page, root: Path, values: Mapping[str, Any]) -> tuple[Plan, set[str]]:
    chapter = page.path.stem
    shows_runs = False
    if _is_chapter(page):
        known = set(PARAMETERS[chapter].model_fields)
        wanted = {name: value for name, value in values.items() if name in known}
        parameters = check_parameters(chapter, wanted)
        given, recorded = parameters.given(), parameters.resolved().model_dump()
        digest = check_preconditions(parameters)
        run_name = chapter
    else:
        literals = literals_of(read_notebook(page.path)) or {}
        shows_runs = isinstance(literals.get(RUNS), dict)
        known = set(literals) - ({RUNS} if shows_runs else set())
        given = {name: value for name, value in values.items() if name in known}
        recorded, digest = literals | given, None
        run_name = "-".join(page.path.relative_to(root).with_suffix("").parts)
    identity = notebook_identity(page.path, recorded, digest)
    run = RunPlan(run_name, page.path, given, recorded, identity, digest)
    return Plan(page, run, shows_runs), known


def _is_chapter(page: Page) -> bool:
    return page.path.stem in PARAMETERS and page.path.parent.name == "studies"


def sources_digest(root: Path) -> str:
    """Return a SHA-256 of everything that the pages are rendered from, notebooks included."""
    digest = hashlib.sha256()
    files = [path for path in (root / "book").rglob("*") if path.is_file()]
    for path in sorted([*files, root / "_config.yml", root / "_toc.yml"]):
        if ".ipynb_checkpoints" not in path.parts and path.is_file():
            digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    for path in sorted((package_folder() / "figures").iterdir()):
        if path.suffix in (".css", ".js"):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _files_in(node: Any) -> list[str]:
    """Return the values of all `file` keys below a node of the table of contents, in order."""
    if isinstance(node, list):
        return [name for item in node for name in _files_in(item)]
    if not isinstance(node, dict):
        return []
    own = [node["file"]] if "file" in node else []
    return own + [name for value in node.values() for name in _files_in(value)]
