"""A Dask scheduler and its workers, each a process that can be killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

DASK = [sys.executable, "-m", "dask"]
PATIENCE_S = 60
HERE = ["--host", "127.0.0.1", "--no-dashboard"]


@dataclass(frozen=True)
class DaskCluster:
    """What was started; `address` is the one of the scheduler."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]

    def kill_worker(self, pid: int) -> None:
        """Kill one of the workers."""
        assert pid in [worker.pid for worker in self.workers]
        os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def dask_cluster(
    folder: Path, *, environment: Mapping[str, str] | None = None
) -> Iterator[DaskCluster]:
    """Start a scheduler and two workers of one thread, without nannies that would revive them.

    They work in the parent of `folder`, which keeps their logs.
    """
    folder.mkdir(exist_ok=True)
    where = folder / "scheduler.json"
    where.unlink(missing_ok=True)
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> subprocess.Popen[bytes]:
        with (folder / f"{len(started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [*DASK, *words], cwd=folder.parent, env=environment, stdout=log, stderr=log
            )
        started.append(process)
        return process

    try:
        scheduler = start("scheduler", *HERE, "--port", "0", "--scheduler-file", str(where))
        options = ["--nthreads", "1", "--no-nanny", "--local-directory", str(folder)]
        hands = [start("worker", *HERE, *options, "--scheduler-file", str(where)) for _ in range(2)]
        until = time.monotonic() + PATIENCE_S
        ready = [folder / f"{number + 1}.log" for number in (0, 1)]
        while not (
            where.is_file() and all(b"Registered to" in each.read_bytes() for each in ready)
        ):
            if time.monotonic() > until or any(each.poll() is not None for each in started):
                logs = [each.read_text() for each in sorted(folder.glob("*.log"))]
                raise TimeoutError("no Dask cluster: " + "\n".join(logs))
            time.sleep(0.05)
        yield DaskCluster(json.loads(where.read_text())["address"], scheduler, hands)
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()
