"""Arguments and options that several commands have, and their completion by the shell."""

from pathlib import Path
from typing import Annotated

import typer


def complete_chapters(incomplete: str) -> list[str]:
    """Return the chapters that begin so, for the shell."""
    from lnm_kit.runs.schemas import PARAMETERS

    return [name for name in PARAMETERS if name.startswith(incomplete)]


def complete_runs(incomplete: str) -> list[str]:
    """Return the runs that begin so, for the shell."""
    found = Path("runs").glob("*/*/run.json")
    names = (f"{path.parents[1].name}/{path.parent.name}" for path in found)
    return sorted(name for name in names if name.startswith(incomplete))


Assignments = Annotated[
    list[str],
    typer.Option(
        "-p",
        "--parameter",
        metavar="NAME=VALUE",
        help="A parameter, e.g. -p seed=3; may be given several times.",
    ),
]
ParameterFile = Annotated[
    Path | None,
    typer.Option("-f", "--file", help="TOML file, such as the params.toml of an earlier run."),
]
Timeout = Annotated[
    float | None, typer.Option(min=1, metavar="SECONDS", help="Stop a run after this time.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check everything, say what would be done, do nothing.")
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Run even where a finished run of the same is there already."),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Address of a Dask scheduler, whose workers then do the work. They must read the "
        "same folders as this machine.",
    ),
]
RunWords = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN",
        help="Folder, id, or the first characters of an id.",
        autocompletion=complete_runs,
    ),
]
