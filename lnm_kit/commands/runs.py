"""The commands ``lnm runs list``, ``show`` and ``clean``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lnm_kit.commands.options import RunWords, complete_chapters
from lnm_kit.commands.shown import show_table, shown_path

if TYPE_CHECKING:
    from lnm_kit.runs.inventory import Run

MB = 1e6

ChapterFilter = Annotated[
    str | None,
    typer.Argument(
        metavar="CHAPTER", help="Only runs of this chapter.", autocompletion=complete_chapters
    ),
]
OutcomeFilter = Annotated[
    str | None,
    typer.Option(
        help="Only runs that ended so: ok, error, timeout, kernel-died, interrupted; or running."
    ),
]
ParameterFilter = Annotated[
    list[str],
    typer.Option(
        "-p", "--parameter", metavar="NAME=VALUE", help="Only runs with this value, e.g. -p seed=3."
    ),
]

runs_app = typer.Typer(help="List, show and remove the runs in runs/.", no_args_is_help=True)


@runs_app.command("list")
def list_runs(
    chapter: ChapterFilter = None,
    outcome: OutcomeFilter = None,
    parameters: ParameterFilter = [],  # noqa: B006 - typer copies it
) -> None:
    """List runs, the newest first, with what differs from their profile.

    Only good ones of one seed: lnm runs list llnm --outcome ok -p seed=3
    """
    from lnm_kit.runs.summary import list_row

    chosen = _chosen(chapter, outcome, parameters)
    if not chosen:
        typer.echo("There is no such run in runs/.")
        return
    header = ["run", "started", "outcome", "took", "profile", "other parameters"]
    show_table(header, [list_row(run) for run in chosen])
    typer.echo(f"{len(chosen)} runs")


@runs_app.command()
def show(words: RunWords) -> None:
    """Show parameters, outcome, times, AUCs and files of runs."""
    from lnm_kit.runs.inventory import find_run
    from lnm_kit.runs.summary import auc_rows, show_lines

    for found in [find_run(word, Path.cwd()) for word in words]:
        typer.echo("\n".join(show_lines(found, shown_path(found.folder))) + "\n")
        rows = auc_rows(found)
        if rows:
            show_table(["model", "split", "auc"], rows)


@runs_app.command()
def clean(
    chapter: ChapterFilter = None,
    outcome: OutcomeFilter = None,
    parameters: ParameterFilter = [],  # noqa: B006 - typer copies it
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    newest_too: Annotated[
        bool, typer.Option("--newest-too", help="Remove also the newest good run of a chapter.")
    ] = False,
) -> None:
    """Remove runs, after asking; the newest good run of each chapter stays.

    Runs at work are never removed. The pages of sweeps and comparisons stay.

    Only what failed: lnm runs clean --outcome error
    """
    from lnm_kit.runs.inventory import folder_size, removable, remove_run

    going = removable(_chosen(chapter, outcome, parameters), Path.cwd(), newest_too=newest_too)
    if not going:
        typer.echo("Nothing to remove.")
        return
    for found in going:
        typer.echo(f"{found.name}  {found.outcome}")
    size_mb = sum(folder_size(found.folder) for found in going) / MB
    if not yes and not typer.confirm(f"Remove these {len(going)} runs ({size_mb:.0f} MB)?"):
        typer.echo("Nothing was removed.")
        return
    for found in going:
        remove_run(found)
    typer.echo(f"{len(going)} runs removed, {size_mb:.0f} MB")


def _chosen(chapter: str | None, outcome: str | None, parameters: list[str]) -> "list[Run]":
    from lnm_kit.runs.inventory import all_runs, choose_runs
    from lnm_kit.runs.parameters import parse_assignments

    values = parse_assignments(parameters)
    return choose_runs(all_runs(Path.cwd(), chapter), outcome=outcome, values=values)
