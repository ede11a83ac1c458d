"""The command ``lnm run``."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lnm_kit.commands.options import (
    Assignments,
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
    from lnm_kit.runs.execute import RunResult


def run(
    chapter: Annotated[
        str,
        typer.Argument(help="Name of the chapter, e.g. llnm.", autocompletion=complete_chapters),
    ],
    parameters: Assignments = [],  # noqa: B006 - typer copies it
    file: ParameterFile = None,
    show: Annotated[
        bool, typer.Option("--list", help="List the chapter's parameters, and run nothing.")
    ] = False,
    dry_run: DryRun = False,
    force: Force = False,
    timeout: Timeout = None,
    scheduler: Scheduler = None,
) -> None:
    """Run one chapter with other parameters, or on a cohort of your own.

    Everything goes to a new folder runs/CHAPTER/TIME-ID: the executed notebook (open
    notebook.html), metrics.json, predictions.parquet, figures, versions and times.
    A finished run with the same parameters, data and code is found and not repeated.

    A quick one: lnm run llnm -p profile=smoke

    On your own data: lnm run llnm -p cohort=cohorts/mine -p seed=3

    An earlier one again: lnm run llnm -f runs/llnm/TIME-ID/params.toml

    What can be set: lnm run llnm --list

    Radiomics and cross-validation on a Dask cluster: lnm run llnm --scheduler HOST:PORT
    """
    from lnm_kit.runs.parameters import parse_assignments, read_parameter_file, schema_of

    schema_of(chapter)
    if show:
        _show_parameters(chapter)
        return
    values: dict[str, Any] = read_parameter_file(file) if file else {}
    values |= parse_assignments(parameters)
    from lnm_kit.runs.execute import book_root, run_plan
    from lnm_kit.runs.plan import Planner

    plan = Planner(book_root()).plan(chapter, values)
    if scheduler is not None:
        from lnm_kit.runs.cluster import SCHEDULER_VARIABLE, check_workers, connect

        with connect(scheduler) as client:
            # paths in parameters are relative to where the command is given
            check_workers(client, [plan.notebook], working_folder=Path.cwd())
            os.environ[SCHEDULER_VARIABLE] = client.scheduler.address
    if dry_run:
        from lnm_kit.runs.summary import plan_lines

        earlier = None if force else plan.earlier_run(Path.cwd())
        typer.echo("\n".join([f"{chapter}: all is well. Parameters:", *plan_lines(plan, earlier)]))
        return
    _report(chapter, run_plan(plan, Path.cwd(), timeout_s=timeout, force=force))


def _report(chapter: str, result: "RunResult") -> None:
    """Say how a run ended and where its results are; leave with the right exit code."""
    from lnm_kit.runs.inventory import read_run
    from lnm_kit.runs.summary import NO_MEANING, auc_rows, path_lines

    folder = shown_path(result.folder)
    if result.wrong_input:
        raise InputError(f"{result.message}\nThe run is kept in {folder}")
    if result.outcome != "ok":
        typer.echo(
            f"{chapter}: {result.outcome}, {result.message}\nThe run is kept in {folder} "
            "(notebook.html shows how far it came, stderr.log the rest).",
            err=True,
        )
        raise typer.Exit(INTERRUPTED if result.outcome == "interrupted" else 1)
    done = read_run(result.folder)
    found = "found a finished run with the same parameters, data and code; --force repeats it"
    typer.echo(f"{chapter}: {found if result.found else 'done'}.\n")
    rows = auc_rows(done)
    if rows:
        show_table(["model", "split", "auc"], rows, ROWS_AT_MOST)
    if done.parameters.get("profile") == "smoke":
        typer.echo(NO_MEANING)
    typer.echo("\n".join(path_lines(done, folder)))


def _show_parameters(chapter: str) -> None:
    from lnm_kit.runs.parameters import describe_parameters

    typer.echo("One value for all profiles, or smoke / demo / paper:\n")
    for name, allowed, default, meaning in describe_parameters(chapter):
        typer.echo(f"{name} = {default}\n    {meaning}\n    allowed: {allowed}\n")
