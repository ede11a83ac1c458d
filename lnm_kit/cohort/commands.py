"""The command ``lnm cohort``: check a cohort folder, import a public data set."""

from pathlib import Path
from typing import Annotated

import typer

from lnm_kit.cohort.check import check_cohort
from lnm_kit.cohort.ddti import import_ddti

app = typer.Typer(help="Check cohort folders and import public data sets.", no_args_is_help=True)
import_app = typer.Typer(help="Turn a public data set into a cohort folder.", no_args_is_help=True)
app.add_typer(import_app, name="import")


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The cohort folder.")],
    n_jobs: Annotated[int, typer.Option(help="Files read at once; -1 = one a core.")] = -1,
) -> None:
    """List everything that is wrong with a cohort folder: file, row, found, allowed.

    Exit code 0 when nothing is, 2 otherwise.
    """
    problems = check_cohort(folder, n_jobs=n_jobs)
    for problem in problems:
        typer.echo(str(problem))
    if problems:
        count = f"{len(problems)} problem" + ("s" if len(problems) > 1 else "")
        typer.echo(f"{count} in {folder}", err=True)
        raise typer.Exit(2)
    typer.echo(f"{folder}: no problems")


@import_app.command()
def ddti(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="Folder with DDTI's XML and JPG.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Cohort folder to write.")],
    seed: Annotated[int, typer.Option(help="Seed of the split, which DDTI does not have.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing cohort.")] = False,
) -> None:
    """Import DDTI (Pedraza et al. 2015): frames, outlines as masks, TI-RADS as endpoint."""
    typer.echo(import_ddti(source, folder, seed=seed, replace=force).summary())
