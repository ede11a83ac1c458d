"""Runs that are given to workers, as many at a time as there is room for, until none is left."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lnm_kit.progress import describe_time
from lnm_kit.runs.cluster import ClusterLostError
from lnm_kit.runs.display import SweepDisplay
from lnm_kit.runs.execute import terminated_like_interrupted
from lnm_kit.runs.folder import earlier_runs
from lnm_kit.runs.member import to_text
from lnm_kit.runs.sweep_cluster import Cluster
from lnm_kit.runs.sweep_plan import RUNNER_DIED, RUNNING, WAITING, Member
from lnm_kit.runs.sweep_processes import Ended, Processes, last_line

POLL_S = 0.2


@dataclass(frozen=True)
class BrokenOff:
    """Whether the work was broken off: by Ctrl-C, or because a cluster was ``lost`` (says how)."""

    interrupted: bool = False
    lost: str = ""

    def __bool__(self) -> bool:
        """Whether it was."""
        return self.interrupted or bool(self.lost)


def work_through(
    members: Sequence[Member],
    workers: Processes | Cluster,
    logs: Path,
    working_folder: Path,
    *,
    timeout_s: float | None = None,
    elsewhere: bool = False,
    on_change: Callable[[], None] = lambda: None,
) -> BrokenOff:
    """Run the members that wait, in their order, and write into each how it ended.

    Parameters
    ----------
    members
        Changed in place; one that does not wait is left as it is.
    workers
        Who runs them: processes of this machine, or a cluster.
    logs
        An existing folder; member k (from 1) writes what it is doing to ``k.log`` there.
    working_folder
        Where the kernels run, and where ``runs/`` is.
    timeout_s
        Time for each.
    elsewhere
        The workers are on other machines, where each checks its plan first.
    on_change
        Called when something ended.

    Returns
    -------
    BrokenOff
        True in a condition when not all of the members were run.
    """
    with terminated_like_interrupted(), SweepDisplay() as display:
        workers.note = display.note
        work = _Work(
            members, workers, logs, working_folder, timeout_s, elsewhere, on_change, display
        )
        try:
            while work.step():
                display.update(work.line())
                time.sleep(POLL_S)
        except KeyboardInterrupt:
            work.broken_off = BrokenOff(interrupted=True)
            work.end_all()
        except ClusterLostError as error:
            work.broken_off = BrokenOff(lost=str(error))
            work.end_all()
    return work.broken_off


@dataclass
class _Work:
    members: Sequence[Member]
    workers: Processes | Cluster
    logs: Path
    working_folder: Path
    timeout_s: float | None
    elsewhere: bool
    on_change: Callable[[], None]
    display: SweepDisplay
    broken_off: BrokenOff = field(default_factory=BrokenOff)
    began: float = field(default_factory=time.monotonic)
    left: list[Member] = field(default_factory=list)
    given: int = 0

    def __post_init__(self) -> None:
        self.left = [each for each in self.members if each.outcome == WAITING]

    def step(self) -> bool:
        """Take what ended, give away what fits; False when nothing is left to do."""
        for each in self.workers.ended():
            self._take(each)
        while self.left and self.workers.room() > 0:
            member = self.left.pop(0)
            log = self.logs / f"{self.members.index(member) + 1}.log"
            text = to_text(
                member.plan, self.working_folder, self.timeout_s, elsewhere=self.elsewhere
            )
            self.workers.give(member, text, log)
            self.given += 1
        return self.given > 0

    def end_all(self) -> None:
        """End the members at work; the record of each then says that it was interrupted."""
        for each in self.workers.end_all():
            self._take(each)

    def line(self) -> str:
        """Return how far the work is, in one line."""
        over = [each for each in self.members if each.outcome not in (WAITING, RUNNING)]
        failed = sum(each.outcome != "ok" for each in over)
        line = f"{len(over)} of {len(self.members)} runs done"
        if failed:
            line += f", {failed} failed"
        line += f", {describe_time(time.monotonic() - self.began)}"
        seconds_left = self._seconds_left()
        if seconds_left is not None:
            line += f", about {describe_time(seconds_left)} left"
        states = [_state(member, log) for member, log in self.workers.at_work()]
        return " | ".join([line, *states])

    def _seconds_left(self) -> float | None:
        """Return the time left, by finished runs of the same chapters; None without them."""
        took: dict[str, list[float]] = {}
        for each in self.members:
            if each.seconds:
                took.setdefault(each.plan.chapter, []).append(each.seconds)
        coming = [each.plan.chapter for each in self.members if each.outcome in (WAITING, RUNNING)]
        if not all(chapter in took for chapter in coming):
            return None
        left = sum(sum(took[chapter]) / len(took[chapter]) for chapter in coming)
        return left / max(self.workers.at_once, 1)

    def _take(self, ended: Ended) -> None:
        self.given -= 1
        member = ended.member
        member.seconds = round(ended.seconds, 1)
        try:
            result = json.loads(ended.said.splitlines()[-1])
            member.folder = Path(result["folder"]) if result["folder"] else None
            member.outcome, member.message = result["outcome"], result["message"] or ""
        except (IndexError, ValueError):
            self._explain_death(member, ended.problem)
        if self.broken_off.lost and member.outcome == "interrupted":
            member.message = "ended because its worker lost the scheduler"
        took = describe_time(member.seconds)
        self.display.note(f"{member.label}: {member.outcome} after {took} {member.message}".strip())
        self.on_change()

    def _explain_death(self, member: Member, problem: str) -> None:
        """Say what is known of a member whose process ended without a word."""
        for folder, record in earlier_runs(member.plan.chapter, self.working_folder):
            if record.get("identity") == member.plan.identity and record.get("outcome") != "ok":
                member.folder = folder
                break
        if self.broken_off:
            member.outcome, member.message = "interrupted", "stopped by the user"
        else:
            member.outcome, member.message = RUNNER_DIED, problem


def _state(member: Member, log: Path) -> str:
    """Return which member it is, and what its own display said last."""
    said = last_line(log).removeprefix(f"{member.plan.chapter}: ")
    return f"{member.label}: {said}" if said else member.label
