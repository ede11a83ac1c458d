"""Many runs of one or several chapters: a grid of parameters, N processes, one table."""

import contextlib
import hashlib
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lnm_kit.errors import InputError
from lnm_kit.progress import describe_time
from lnm_kit.runs.display import SweepDisplay
from lnm_kit.runs.environment import processors
from lnm_kit.runs.execute import terminated_like_interrupted
from lnm_kit.runs.files import write_json
from lnm_kit.runs.folder import create_run_folder, earlier_runs
from lnm_kit.runs.grid import combinations
from lnm_kit.runs.member import bounded_environment, to_text
from lnm_kit.runs.plan import Planner, RunPlan

SWEEP_FILE = "sweep.json"
POLL_S = 0.2
ENDING_TIMEOUT_S = 40
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
    """The members of a sweep and the folder with its table; ``interrupted`` by Ctrl-C."""

    chapters: list[str]
    grid: dict[str, list[Any]]
    members: list[Member]
    folder: Path | None = None
    interrupted: bool = False

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


def run_sweep(
    sweep: Sweep, working_folder: Path, *, processes: int = 1, timeout_s: float | None = None
) -> None:
    """Execute what is still missing of a sweep; its ``sweep.json`` is up to date at any moment.

    Every member is a process with a kernel of its own. The processors are shared out evenly: of
    P processors each of N members may use P/N threads, one at least.

    Parameters
    ----------
    sweep
        The sweep, changed in place; after Ctrl-C the members at work are ended and it says so.
    working_folder
        Where the kernels run, and where ``runs/`` is.
    processes
        Members at work at the same time.
    timeout_s
        Time for each member.
    """
    identity = hashlib.sha256("".join(each.plan.identity for each in sweep.members).encode())
    name = f"{'-'.join(sweep.chapters)}/sweeps"
    sweep.folder = create_run_folder(name, identity.hexdigest(), working_folder)
    environment = bounded_environment(max(1, processors() // processes))
    with terminated_like_interrupted(), SweepDisplay() as display:
        work = _Work(sweep, sweep.folder, working_folder, environment, timeout_s, display)
        work.write("interrupted")
        try:
            while work.step(processes):
                display.update(work.line(processes))
                time.sleep(POLL_S)
        except KeyboardInterrupt:
            sweep.interrupted = True
            work.end_all()
    work.write("interrupted" if sweep.interrupted else "error" if sweep.failed else "ok")


@dataclass
class _Process:
    member: Member
    process: subprocess.Popen[str]
    log: Path
    began: float = field(default_factory=time.monotonic)


@dataclass
class _Work:
    """The processes of a sweep that are at work."""

    sweep: Sweep
    folder: Path
    working_folder: Path
    environment: dict[str, str]
    timeout_s: float | None
    display: SweepDisplay
    began: float = field(default_factory=time.monotonic)
    at_work: list[_Process] = field(default_factory=list)

    def step(self, processes: int) -> bool:
        """Take what ended, start what fits; False when nothing is left to do."""
        for each in [each for each in self.at_work if each.process.poll() is not None]:
            self._take(each)
        waiting = [each for each in self.sweep.members if each.outcome == WAITING]
        for member in waiting[: processes - len(self.at_work)]:
            self._start(member)
        return bool(self.at_work)

    def end_all(self) -> None:
        """Ask all members to end; the record of each then says that it was interrupted."""
        for each in self.at_work:
            each.process.terminate()
        for each in list(self.at_work):
            try:
                each.process.wait(ENDING_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                each.process.kill()
                each.process.wait()
            self._take(each)

    def write(self, outcome: str) -> None:
        """Write down how far the sweep is."""
        write_json(self.folder / SWEEP_FILE, describe_sweep(self.sweep, outcome))

    def line(self, processes: int) -> str:
        """Return the state of the sweep in one line."""
        members = self.sweep.members
        n_done = len(self.sweep.good) + len(self.sweep.failed)
        line = f"{n_done} of {len(members)} runs done"
        if self.sweep.failed:
            line += f", {len(self.sweep.failed)} failed"
        line += f", {describe_time(time.monotonic() - self.began)}"
        seconds = [each.seconds for each in members if each.seconds]
        if seconds:
            left = (len(members) - n_done) * sum(seconds) / len(seconds) / processes
            line += f", about {describe_time(left)} left"
        return " | ".join([line, *(_state(each) for each in self.at_work)])

    def _start(self, member: Member) -> None:
        log = self.folder / "logs" / f"{self.sweep.members.index(member) + 1}.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "lnm_kit.runs.member"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=self.environment,
                cwd=self.working_folder,
            )
        self.at_work.append(_Process(member, process, log))
        member.outcome = RUNNING
        self.display.note(f"{member.label}: started")
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), process.stdin:
                process.stdin.write(to_text(member.plan, self.working_folder, self.timeout_s))

    def _take(self, ended: _Process) -> None:
        self.at_work.remove(ended)
        member, process = ended.member, ended.process
        member.seconds = round(time.monotonic() - ended.began, 1)
        text = ""
        if process.stdout is not None:
            with process.stdout:
                text = process.stdout.read()
        try:
            result = json.loads(text.splitlines()[-1])
            member.outcome, member.folder = result["outcome"], Path(result["folder"])
            member.message = result["message"] or ""
        except (IndexError, ValueError):
            self._explain_death(member, process.returncode, last_line(ended.log))
        took = describe_time(member.seconds)
        self.display.note(f"{member.label}: {member.outcome} after {took} {member.message}".strip())
        self.write("interrupted")

    def _explain_death(self, member: Member, code: int, line: str) -> None:
        """Say what is known of a member whose process ended without a word."""
        for folder, record in earlier_runs(member.plan.chapter, self.working_folder):
            if record.get("identity") == member.plan.identity and record.get("outcome") != "ok":
                member.folder = folder
                break
        if self.sweep.interrupted:
            member.outcome, member.message = "interrupted", "stopped by the user"
        else:
            member.outcome = RUNNER_DIED
            member.message = (
                f"its process ended with code {code}; it last said: {line or 'nothing'}"
            )


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


def _state(at_work: _Process) -> str:
    """Return which member it is, and what its own display said last."""
    said = last_line(at_work.log).removeprefix(f"{at_work.member.plan.chapter}: ")
    return f"{at_work.member.label}: {said}" if said else at_work.member.label


def last_line(log: Path) -> str:
    """Return the last line with anything in it that a member wrote to its log."""
    text = log.read_text(encoding="utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
