"""What a sweep runs: chapters, a grid of parameters, and what was finished before."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lnm_kit.errors import InputError
from lnm_kit.runs.grid import combinations
from lnm_kit.runs.plan import Planner, RunPlan

WAITING, RUNNING, RUNNER_DIED = "waiting", "running", "runner-died"


@dataclass
class Member:
    """One run of a sweep: what is varied in it, and how it ended.

    ``found`` tells that an earlier run was taken; ``folder`` is None before it has started.
    """

    plan: RunPlan
    varied: dict[str, Any]
    outcome: str = WAITING
    message: str = ""
    folder: Path | None = None
    found: bool = False
    seconds: float = 0.0

    @property
    def label(self) -> str:
        """Chapter and varied values, in one line."""
        values = ", ".join(f"{name}={_plain(value)}" for name, value in self.varied.items())
        return f"{self.plan.chapter} {values}".strip()


@dataclass
class Sweep:
    """The members of a sweep and the folder with its table.

    ``interrupted`` tells of Ctrl-C; ``lost`` says why the cluster was no longer there.
    """

    chapters: list[str]
    grid: dict[str, list[Any]]
    members: list[Member]
    folder: Path | None = None
    interrupted: bool = False
    lost: str = ""

    @property
    def failed(self) -> list[Member]:
        """The members that ended, but not well."""
        return [each for each in self.members if each.outcome not in ("ok", WAITING, RUNNING)]

    @property
    def good(self) -> list[Member]:
        """The members with results."""
        return [each for each in self.members if each.outcome == "ok"]


def plan_sweep(
    chapters: Sequence[str],
    grid: Mapping[str, Sequence[Any]],
    *,
    base: Mapping[str, Any],
    root: Path,
    runs_root: Path,
    force: bool = False,
) -> Sweep:
    """Check every run of a sweep, and find those that were finished before.

    Parameters
    ----------
    chapters
        Names of chapters; each gets the whole grid.
    grid
        The values of each parameter; every combination of them is one run.
    base
        Other parameters, the same for all.
    root
        The folder of the book.
    runs_root
        The folder that holds ``runs/``.
    force
        Take no earlier run.

    Raises
    ------
    InputError
        When a chapter or a parameter is wrong (all different problems are listed), or two runs
        would be the same; nothing was started then.
    """
    planner = Planner(root)
    twice = {chapter for chapter in chapters if list(chapters).count(chapter) > 1}
    problems = [f"chapter {chapter} is given twice" for chapter in sorted(twice)]
    members: list[Member] = []
    for chapter, values in itertools.product(chapters, combinations(grid)):
        try:
            plan = planner.plan(chapter, {**base, **values})
        except InputError as error:
            problems += [str(error)] if str(error) not in problems else []
            continue
        members.append(Member(plan, {name: values[name] for name in grid}))
    if problems:
        raise InputError("\n".join(problems))
    seen: dict[str, Member] = {}
    for member in members:
        other = seen.setdefault(member.plan.identity, member)
        if other is not member:
            raise InputError(f"two runs of the sweep are the same: {other.label}; {member.label}")
        earlier = None if force else member.plan.earlier_run(runs_root)
        if earlier is not None:
            member.outcome, member.folder, member.found = "ok", earlier, True
    return Sweep(list(chapters), {name: list(values) for name, values in grid.items()}, members)


def describe_sweep(sweep: Sweep, outcome: str) -> dict[str, Any]:
    """Return the content of ``sweep.json``."""
    return {
        "outcome": outcome,
        "chapters": sweep.chapters,
        "grid": sweep.grid,
        "members": [
            {
                "chapter": each.plan.chapter,
                "varied": each.varied,
                "outcome": each.outcome,
                "message": each.message,
                "run": each.folder.name if each.folder else None,
                "found": each.found,
                "identity": each.plan.identity,
            }
            for each in sweep.members
        ],
    }


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
