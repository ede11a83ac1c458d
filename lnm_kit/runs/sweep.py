"""Many runs of one or several chapters: at work in N processes or on a cluster, one table."""

import hashlib
from pathlib import Path

from lnm_kit.runs.environment import processors
from lnm_kit.runs.files import write_json
from lnm_kit.runs.folder import create_run_folder
from lnm_kit.runs.member import bounded_environment
from lnm_kit.runs.sweep_cluster import Cluster
from lnm_kit.runs.sweep_plan import Sweep, describe_sweep
from lnm_kit.runs.sweep_processes import Processes
from lnm_kit.runs.work import work_through

SWEEP_FILE = "sweep.json"


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
    folder = create_run_folder(name, identity.hexdigest(), working_folder)
    sweep.folder = folder
    (folder / "logs").mkdir()

    def write(outcome: str = "interrupted") -> None:
        write_json(folder / SWEEP_FILE, describe_sweep(sweep, outcome))

    write()
    broken_off = work_through(
        sweep.members,
        workers,
        folder / "logs",
        working_folder,
        timeout_s=timeout_s,
        elsewhere=isinstance(workers, Cluster),
        on_change=write,
    )
    sweep.interrupted, sweep.lost = broken_off.interrupted, broken_off.lost
    write("interrupted" if broken_off else "error" if sweep.failed else "ok")
