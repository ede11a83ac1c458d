"""The members of a sweep that are processes of this machine."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lnm_kit.runs.member import start_member
from lnm_kit.runs.sweep_plan import RUNNING, Member

ENDING_TIMEOUT_S = 40


@dataclass(frozen=True)
class Ended:
    """A member that is no longer at work.

    ``said`` is the line with which it ended; where it ended without one, ``problem`` tells how.
    """

    member: Member
    said: str
    problem: str
    seconds: float


@dataclass
class _Process:
    member: Member
    process: subprocess.Popen[str]
    log: Path
    began: float = field(default_factory=time.monotonic)


@dataclass
class Processes:
    """Processes of this machine, each with one member.

    Parameters
    ----------
    at_once
        Members at work at the same time.
    working_folder
        Where they run.
    environment
        Their environment.
    """

    at_once: int
    working_folder: Path
    environment: dict[str, str]
    note: Callable[[str], None] = lambda line: None
    _started: list[_Process] = field(default_factory=list)

    def room(self) -> int:
        """Return how many more members may be started."""
        return self.at_once - len(self._started)

    def give(self, member: Member, text: str, log: Path) -> None:
        """Start a member."""
        process = start_member(text, log, self.working_folder, self.environment)
        self._started.append(_Process(member, process, log))
        member.outcome = RUNNING
        self.note(f"{member.label}: started")

    def ended(self) -> list[Ended]:
        """Return the members whose process ended since the last call."""
        over = [each for each in self._started if each.process.poll() is not None]
        return [self._take(each) for each in over]

    def at_work(self) -> list[tuple[Member, Path]]:
        """Return the members at work and their logs."""
        return [(each.member, each.log) for each in self._started]

    def end_all(self) -> list[Ended]:
        """Ask all members to end, and wait for them."""
        for each in self._started:
            each.process.terminate()
        for each in self._started:
            end_at_last(each.process, ENDING_TIMEOUT_S)
        return [self._take(each) for each in list(self._started)]

    def _take(self, over: _Process) -> Ended:
        self._started.remove(over)
        problem = how_it_died(over.process.returncode, over.log)
        took = time.monotonic() - over.began
        return Ended(over.member, last_words(over.process), problem, took)


def end_at_last(process: subprocess.Popen[str], patience_s: float) -> None:
    """Wait for a process that was asked to end; kill it where it does not."""
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_words(process: subprocess.Popen[str]) -> str:
    """Return what an ended process wrote to its standard output."""
    if process.stdout is None:
        return ""
    with process.stdout:
        return process.stdout.read()


def how_it_died(code: int, log: Path) -> str:
    """Say what is known of a process that ended without its last line."""
    return f"its process ended with code {code}; it last said: {last_line(log) or 'nothing'}"


def last_line(log: Path) -> str:
    """Return the last line with anything in it that a member wrote to its log."""
    text = log.read_text(encoding="utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
