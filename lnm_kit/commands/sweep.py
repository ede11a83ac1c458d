"""The command ``lnm sweep``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lnm_kit.commands.options import (
    DryRun,
    Force,
    ParameterFile,
    Scheduler,
    Timeout,
    complete_chapters,
)
from lnm_kit.commands.shown import INTERRUPTED, ROWS_AT_MOST, show_table, shown_path
from lnm_kit.errors import InputError

if TYPE_CHECKING:
    from lnm_kit.runs.sweep_plan import Sweep


def sweep(
    chapters: Annotated[
        str,
        typer.Argument(
            metavar="CHAPTER[,CHAPTER]",
            help="One or several chapters; each gets the whole grid.",
            autocompletion=complete_chapters,
        ),
    ],
    parameters: Annotated[
        list[str],
        typer.Option(
            "-p",
            "--parameter",
            metavar="NAME=VALUES",
            help="Values of a parameter: a list (0,0.5,1) or a range (0:10 is 0, 1, ... 9; "
            "0:10:5 is 0 and 5). Every combination is one run.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    file: ParameterFile = None,
    processes: Annotated[
        int, typer.Option("-n", "--processes", min=1, max=256, help="Runs at the same time.")
    ] = 1,
    dry_run: DryRun = False,
    force: Force = False,
    timeout: Timeout = None,
    scheduler: Scheduler = None,
) -> None:
    """Run chapters with many combinations of parameters, and put the results into one table.

    Each combination is a run of its own in runs/CHAPTER. The table goes to
    runs/CHAPTER/sweeps/TIME-ID: index.html (open it), results.csv with the mean of every metric
    and its 95 % interval over the seeds, every_run.csv, sweep.json.
    Runs that were finished before are taken as they are, so the same command goes on after
    Ctrl-C. Failed runs are kept and listed; the exit code is then 1.

    Ten seeds: lnm sweep llnm -p profile=smoke -p seed=0:10

    A grid, two runs at a time: lnm sweep llnm -p seed=0:5 -p signal=0,0.5,1 -n 2

    On a Dask cluster: lnm sweep llnm,lvlnm -p seed=0:10 --scheduler HOST:PORT

    What would be done: lnm sweep llnm -p seed=0:10 --dry-run
    """
    from lnm_kit.runs.parameters import read_parameter_file, schema_of

    names = [name.strip() for name in chapters.split(",")]
    for name in names:
        schema_of(name)
    base = read_parameter_file(file) if file else {}
    from lnm_kit.runs.execute import book_root
    from lnm_kit.runs.grid import parse_grid
    from lnm_kit.runs.sweep import run_sweep
    from lnm_kit.runs.sweep_plan import plan_sweep

    grid = parse_grid(parameters)
    if scheduler is not None and processes > 1:
        raise InputError(
            "-n is for this machine only: with --scheduler, as many runs are at work as the "
            "workers have threads. Leave one of them out."
        )
    if not grid and len(names) == 1:
        raise InputError("the sweep varies nothing; give e.g. -p seed=0:10, or use `lnm run`.")
    planned = plan_sweep(
        names, grid, base=base, root=book_root(), runs_root=Path.cwd(), force=force
    )
    if dry_run:
        if scheduler is not None:
            from lnm_kit.runs.sweep_cluster import Cluster

            needed = {each.plan.notebook for each in planned.members}
            with Cluster.join(scheduler, Path.cwd(), needed):
                pass
        for member in planned.members:
            typer.echo(f"{'found' if member.found else 'would run':10} {member.label}")
        typer.echo(f"{len(planned.members)} runs, {len(planned.good)} of them finished before")
        return
    run_sweep(planned, Path.cwd(), processes=processes, timeout_s=timeout, scheduler=scheduler)
    _report_sweep(planned)


def _report_sweep(planned: "Sweep") -> None:
    """Show the table of a sweep and what failed; leave with the right exit code."""
    from lnm_kit.runs.sweep_results import PAGE_FILE, REPEATED, main_table, write_results

    results = write_results(planned)
    cells = [name for name in planned.grid if name != REPEATED]
    header, rows = main_table(planned, results, cells)
    if rows:
        typer.echo("AUC: mean over seeds with its 95 % interval")
        show_table(header, rows, ROWS_AT_MOST)
    for member in planned.failed:
        where = f" ({shown_path(member.folder)})" if member.folder else ""
        typer.echo(f"{member.outcome}: {member.label}: {member.message}{where}", err=True)
    folder = shown_path(planned.folder) if planned.folder else Path()
    typer.echo(f"Table     {folder / PAGE_FILE}\nNumbers   {folder / 'results.csv'}")
    counts = f"{len(planned.good)} of {len(planned.members)} runs are finished and kept"
    if planned.interrupted:
        typer.echo(f"interrupted: {counts}. The same command goes on from there.", err=True)
        raise typer.Exit(INTERRUPTED)
    if planned.lost:
        typer.echo(
            f"{planned.lost}: {counts}; what was at work was ended and is kept too. Start "
            "scheduler and workers again, then give the same command: it goes on from there.",
            err=True,
        )
        raise typer.Exit(1)
    if planned.failed:
        typer.echo(
            f"{counts}, {len(planned.failed)} failed (listed above). The same command tries "
            "only these again.",
            err=True,
        )
        raise typer.Exit(1)
    typer.echo(f"{counts}; {sum(each.found for each in planned.members)} were there before")
