"""Many runs of one or several chapters: at work in N processes or on a cluster, one table."""

import hashlib
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

from lnm_kit.progress import describe_time
from lnm_kit.runs.cluster import ClusterLostError
from lnm_kit.runs.display import SweepDisplay
from lnm_kit.runs.environment import processors
from lnm_kit.runs.execute import terminated_like_interrupted
from lnm_kit.runs.files import write_json
from lnm_kit.runs.folder import create_run_folder, earlier_runs
from lnm_kit.runs.member import bounded_environment, to_text
from lnm_kit.runs.sweep_cluster import Cluster
from lnm_kit.runs.sweep_plan import RUNNER_DIED, WAITING, Member, Sweep, describe_sweep
from lnm_kit.runs.sweep_processes import Ended, Processes, last_line

SWEEP_FILE = "sweep.json"
POLL_S = 0.2


def run_sweep(
    sweep: Sweep,
    working_folder: Path,
    *,
    processes: int = 1,
    timeout_s: float | None = None,
    scheduler: str | None = None,
) -> None:
    """Execute what is still missing of a sweep; its ``sweep.json`` is up to date at any moment.

    Every member is a process with a kernel of its own. The processors of this machine are shared
    out evenly: of P processors each of N members may use P/N threads, one at least.

    Parameters
    ----------
    sweep
        The sweep, changed in place; after Ctrl-C, or when the scheduler was lost, the members at
        work are ended and it says so.
    working_folder
        Where the kernels run, and where ``runs/`` is.
    processes
        Members at work at the same time on this machine.
    timeout_s
        Time for each member.
    scheduler
        Address of a Dask scheduler whose workers, which see the same folders, execute the members
        instead.

    Raises
    ------
    InputError
        When the scheduler or a worker cannot be used; nothing was started then.
    """
    if scheduler is None:
        environment = bounded_environment(max(1, processors() // processes))
        _run(sweep, Processes(processes, working_folder, environment), working_folder, timeout_s)
        return
    notebooks = {each.plan.notebook for each in sweep.members}
    with Cluster.join(scheduler, working_folder, notebooks) as cluster:
        _run(sweep, cluster, working_folder, timeout_s)


def _run(
    sweep: Sweep, workers: Processes | Cluster, working_folder: Path, timeout_s: float | None
) -> None:
    identity = hashlib.sha256("".join(each.plan.identity for each in sweep.members).encode())
    name = f"{'-'.join(sweep.chapters)}/sweeps"
    sweep.folder = create_run_folder(name, identity.hexdigest(), working_folder)
    (sweep.folder / "logs").mkdir()
    with terminated_like_interrupted(), SweepDisplay() as display:
        workers.note = display.note
        work = _Work(sweep, sweep.folder, workers, working_folder, timeout_s, display)
        work.write("interrupted")
        try:
            while work.step():
                display.update(work.line())
                time.sleep(POLL_S)
        except KeyboardInterrupt:
            sweep.interrupted = True
            work.end_all()
        except ClusterLostError as error:
            sweep.lost = str(error)
            work.end_all()
    broken_off = sweep.interrupted or sweep.lost
    work.write("interrupted" if broken_off else "error" if sweep.failed else "ok")


@dataclass
class _Work:
    """A sweep whose members are given to workers."""

    sweep: Sweep
    folder: Path
    workers: Processes | Cluster
    working_folder: Path
    timeout_s: float | None
    display: SweepDisplay
    began: float = field(default_factory=time.monotonic)
    left: list[Member] = field(default_factory=list)
    given: int = 0

    def __post_init__(self) -> None:
        self.left = [each for each in self.sweep.members if each.outcome == WAITING]

    def step(self) -> bool:
        """Take what ended, give away what fits; False when nothing is left to do."""
        for each in self.workers.ended():
            self._take(each)
        while self.left and self.workers.room() > 0:
            member = self.left.pop(0)
            log = self.folder / "logs" / f"{self.sweep.members.index(member) + 1}.log"
            text = to_text(
                member.plan,
                self.working_folder,
                self.timeout_s,
                elsewhere=isinstance(self.workers, Cluster),
            )
            self.workers.give(member, text, log)
            self.given += 1
        return self.given > 0

    def end_all(self) -> None:
        """End the members at work; the record of each then says that it was interrupted."""
        for each in self.workers.end_all():
            self._take(each)

    def write(self, outcome: str) -> None:
        """Write down how far the sweep is."""
        write_json(self.folder / SWEEP_FILE, describe_sweep(self.sweep, outcome))

    def line(self) -> str:
        """Return the state of the sweep in one line."""
        members = self.sweep.members
        n_done = len(self.sweep.good) + len(self.sweep.failed)
        line = f"{n_done} of {len(members)} runs done"
        if self.sweep.failed:
            line += f", {len(self.sweep.failed)} failed"
        line += f", {describe_time(time.monotonic() - self.began)}"
        seconds = [each.seconds for each in members if each.seconds]
        if seconds:
            left = (len(members) - n_done) * sum(seconds) / len(seconds)
            line += f", about {describe_time(left / max(self.workers.at_once, 1))} left"
        states = [_state(member, log) for member, log in self.workers.at_work()]
        return " | ".join([line, *states])

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
        if self.sweep.lost and member.outcome == "interrupted":
            member.message = "ended because its worker lost the scheduler"
        took = describe_time(member.seconds)
        self.display.note(f"{member.label}: {member.outcome} after {took} {member.message}".strip())
        self.write("interrupted")

    def _explain_death(self, member: Member, problem: str) -> None:
        """Say what is known of a member whose process ended without a word."""
        for folder, record in earlier_runs(member.plan.chapter, self.working_folder):
            if record.get("identity") == member.plan.identity and record.get("outcome") != "ok":
                member.folder = folder
                break
        if self.sweep.interrupted or self.sweep.lost:
            member.outcome, member.message = "interrupted", "stopped by the user"
        else:
            member.outcome, member.message = RUNNER_DIED, problem


def _state(member: Member, log: Path) -> str:
    """Return which member it is, and what its own display said last."""
    said = last_line(log).removeprefix(f"{member.plan.chapter}: ")
    return f"{member.label}: {said}" if said else member.label
