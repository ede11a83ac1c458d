"""The members of a sweep that are tasks of a Dask cluster."""

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lnm_kit.runs.cluster import ClusterLostError, check_workers, connect
from lnm_kit.runs.sweep_plan import RUNNING, Member
from lnm_kit.runs.sweep_processes import Ended

if TYPE_CHECKING:
    from distributed import Client, Future

UNLIMITED = 2**31
LOOKED_FOR_WORKERS_EVERY_S = 5.0
WITHOUT_WORKERS_AT_MOST_S = 300.0
ENDING_TIMEOUT_S = 30.0
CLOSING_TIMEOUT_S = 2


@dataclass
class _Task:
    member: Member
    future: "Future"
    log: Path
    attempts: int = 0

    @property
    def newest_log(self) -> Path:
        from lnm_kit.runs.on_worker import log_of_attempt

        return log_of_attempt(self.log, self.attempts)


@dataclass
class Cluster:
    """The workers of a Dask scheduler, each with one member a thread.

    They see the folder of the sweep, where logs and results are written. The scheduler gives the
    member of a lost worker to another one.

    Parameters
    ----------
    client
        Connected to the scheduler.
    address
        Of the scheduler.
    working_folder
        Where members run, on every worker.
    """

    client: "Client"
    address: str
    working_folder: Path
    at_once: int = 1
    note: Callable[[str], None] = lambda line: None
    _tasks: list[_Task] = field(default_factory=list)
    _looked: float = -LOOKED_FOR_WORKERS_EVERY_S
    _without_since: float | None = None

    @classmethod
    @contextlib.contextmanager
    def join(cls, address: str, working_folder: Path, needed: Iterable[Path]) -> Iterator[Self]:
        """Connect to a scheduler for as long as the context lasts.

        Parameters
        ----------
        address
            ``HOST:PORT`` of the scheduler.
        working_folder, needed
            What every worker must see under the same path.

        Raises
        ------
        InputError
            When there is no such scheduler, or a worker has not the package or the folders.
        """
        client = connect(address)
        try:
            check_workers(client, [working_folder, *needed])
            yield cls(client, client.scheduler.address, working_folder)
        finally:
            # a scheduler that is gone has nothing to say on this
            with contextlib.suppress(Exception):
                client.close(timeout=CLOSING_TIMEOUT_S)

    def room(self) -> int:
        """Return how many more members may be given: the scheduler lets them wait."""
        return UNLIMITED

    def give(self, member: Member, text: str, log: Path) -> None:
        """Give a member to the scheduler."""
        from lnm_kit.runs.on_worker import run_member

        key = f"{member.label} {uuid.uuid4().hex[:8]}"
        future = self.client.submit(
            run_member, text, str(log), str(self.working_folder), key=key, pure=False
        )
        self._tasks.append(_Task(member, future, log))

    def ended(self) -> list[Ended]:
        """Return the members that ended since the last call, and note those that began.

        Raises
        ------
        ClusterLostError
            When nobody is there any more who would end the others.
        """
        self._look_for_workers()
        for task in self._tasks:
            self._note_attempts(task)
        over = [task for task in self._tasks if task.future.done()]
        if self.client.status != "running":
            raise ClusterLostError(f"the Dask scheduler at {self.address} was lost")
        return [each for task in over if (each := self._take(task)) is not None]

    def at_work(self) -> list[tuple[Member, Path]]:
        """Return the members that have begun, and the log of the newest attempt."""
        return [(task.member, task.newest_log) for task in self._tasks if task.attempts]

    def end_all(self) -> list[Ended]:
        """Take all tasks back, and wait for what the members at work leave."""
        from lnm_kit.runs.on_worker import result_file

        # a scheduler that is gone could only be waited for; its workers end their tasks themselves
        if self.client.status == "running":
            self.client.cancel([task.future for task in self._tasks], force=True)
        until = time.monotonic() + ENDING_TIMEOUT_S
        begun = [task for task in self._tasks if task.attempts]
        while time.monotonic() < until:
            if all(result_file(task.log).is_file() for task in begun):
                break
            time.sleep(0.2)
        self._tasks = []
        return [_left_behind(task) for task in begun]

    def _take(self, task: _Task) -> Ended | None:
        """Return how a task ended; None where its result was lost, and it is done again."""
        if task.future.status == "finished":
            try:
                found = task.future.result(timeout=LOOKED_FOR_WORKERS_EVERY_S)
            except Exception:  # of many kinds: the worker that held it went away
                return None
            self._tasks.remove(task)
            return Ended(task.member, found["said"], found["problem"], found["seconds"])
        self._tasks.remove(task)
        if task.future.status == "cancelled":
            return Ended(task.member, "", "its task was canceled at the scheduler", 0.0)
        return Ended(task.member, "", _why(task.future.exception(), task.attempts), 0.0)

    def _note_attempts(self, task: _Task) -> None:
        from lnm_kit.runs.on_worker import log_of_attempt

        while log_of_attempt(task.log, task.attempts + 1).exists():
            task.attempts += 1
            task.member.outcome = RUNNING
            again = f" again (attempt {task.attempts}): its worker was lost"
            self.note(f"{task.member.label}: started{again if task.attempts > 1 else ''}")

    def _look_for_workers(self) -> None:
        """Count the workers now and then; none of them for long is as bad as no scheduler."""
        now = time.monotonic()
        if now - self._looked < LOOKED_FOR_WORKERS_EVERY_S:
            return
        self._looked = now
        try:
            self.at_once = sum(self.client.nthreads().values())
        except Exception:  # a lost connection shows itself by many kinds
            return
        if self.at_once:
            self._without_since = None
        elif self._without_since is None:
            self._without_since = now
            self.note(f"no worker is left at {self.address}: waiting for one")
        elif now - self._without_since > WITHOUT_WORKERS_AT_MOST_S:
            raise ClusterLostError(
                f"no worker came to the Dask scheduler at {self.address} for "
                f"{WITHOUT_WORKERS_AT_MOST_S:.0f} s"
            )


def _left_behind(task: _Task) -> Ended:
    """Return what a member left whose task nobody waits for any more."""
    from lnm_kit.runs.on_worker import result_file

    try:
        found = json.loads(result_file(task.log).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Ended(task.member, "", "", 0.0)
    return Ended(task.member, found["said"], found["problem"], found["seconds"])


def _why(error: BaseException | None, attempts: int) -> str:
    if type(error).__name__ == "KilledWorker":
        return (
            f"the workers that ran it died, {attempts} times: memory may be too small for it, or "
            "give fewer threads to each worker"
        )
    said = str(error).strip().partition("\n")[0]
    return f"its worker could not run it: {type(error).__name__}: {said}"
