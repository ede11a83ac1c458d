"""The command ``lnm``: run a chapter, build the book, handle cohorts. 0 done, 1 failed, 2 wrong."""

import errno
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from lnm_kit.errors import InputError, one_of

ASSIGNMENT_HELP = "A parameter, e.g. -p seed=3; may be given several times."
COHORT_HELP = "Check, import or simulate a cohort folder."
REALISM_HELP = "Measure how well the simulated frames can be told from those of a DDTI folder."
PROFILES = ("smoke", "demo", "paper")
INTERRUPTED = 130
MB = 1e6

Assignments = Annotated[
    list[str], typer.Option("-p", "--parameter", metavar="NAME=VALUE", help=ASSIGNMENT_HELP)
]


def main() -> None:
    """Run the command line and leave with its exit code."""
    logger = logging.getLogger("lnm_kit")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(logging.INFO)
    try:
        build_app(sys.argv[1:])()
    except InputError as error:
        typer.echo(f"lnm: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        typer.echo(f"lnm: no space left on the disk ({error.filename}); free some.", err=True)
        sys.exit(2)


def build_app(arguments: list[str]) -> typer.Typer:
    """Return the command line; the parts that load much are loaded when they are called.

    Parameters
    ----------
    arguments
        The words after ``lnm``; the first one decides which parts are loaded.
    """
    app = typer.Typer(
        name="lnm",
        help="Five studies on lymph node metastasis of thyroid cancer, executable. "
        "For research and teaching, not for clinical use.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.command()(run)
    app.command()(book)
    app.add_typer(_cohort_app(loaded=arguments[:1] == ["cohort"]), name="cohort")
    app.command("realism", help=REALISM_HELP)(_realism(loaded=arguments[:1] == ["realism"]))
    app.command()(info)
    return app


def run(
    chapter: Annotated[str, typer.Argument(help="Name of the chapter, e.g. llnm.")],
    parameters: Assignments = [],  # noqa: B006 - typer copies it
    file: Annotated[
        Path | None,
        typer.Option("-f", "--file", help="TOML file, such as the params.toml of an earlier run."),
    ] = None,
    show: Annotated[
        bool, typer.Option("--list", help="List the chapter's parameters, and run nothing.")
    ] = False,
    timeout: Annotated[
        float | None, typer.Option(min=1, metavar="SECONDS", help="Stop the run after this time.")
    ] = None,
) -> None:
    """Run one chapter with other parameters, or on a cohort of your own.

    Everything goes to a new folder runs/CHAPTER/TIME-ID: the executed notebook (open
    notebook.html), metrics.json, predictions.parquet, figures, versions and times.

    A quick one: lnm run llnm -p profile=smoke

    On your own data: lnm run llnm -p cohort=cohorts/mine -p seed=3

    An earlier one again: lnm run llnm -f runs/llnm/TIME-ID/params.toml

    What can be set: lnm run llnm --list
    """
    from lnm_kit.runs.parameters import parse_assignments, read_parameter_file, schema_of

    schema_of(chapter)
    if show:
        _show_parameters(chapter)
        return
    values: dict[str, Any] = read_parameter_file(file) if file else {}
    values |= parse_assignments(parameters)
    from lnm_kit.runs.execute import run_chapter

    result = run_chapter(chapter, values, timeout_s=timeout)
    folder = _shown(result.folder)
    if result.outcome == "ok":
        typer.echo(f"{chapter}: done. Open {folder}/notebook.html; numbers in metrics.json there.")
        return
    if result.wrong_input:
        raise InputError(f"{result.message}\nThe run is kept in {folder}")
    typer.echo(
        f"{chapter}: {result.outcome}, {result.message}\n"
        f"The run is kept in {folder} (notebook.html shows how far it came, stderr.log the rest).",
        err=True,
    )
    raise typer.Exit(INTERRUPTED if result.outcome == "interrupted" else 1)


def book(
    profile: Annotated[str, typer.Option(help="smoke (tests), demo, or paper (for a GPU).")] = (
        "demo"
    ),
    parameters: Assignments = [],  # noqa: B006 - typer copies it
) -> None:
    """Execute the chapters that changed and render the book to _build/html/index.html.

    Fails when a chapter failed, a page is missing, a page shows a traceback or loads anything
    from another host, or rendering gave a warning.
    """
    from lnm_kit.runs.parameters import parse_assignments

    one_of("profile", profile, PROFILES)
    values = parse_assignments(parameters)
    from lnm_kit.runs.book import build_book
    from lnm_kit.runs.execute import book_root

    built = build_book(book_root(), profile=profile, values=values)
    for problem in built.problems:
        typer.echo(f"  - {problem}", err=True)
    if built.problems:
        typer.echo(f"the book has {len(built.problems)} problems, listed above", err=True)
        raise typer.Exit(INTERRUPTED if built.interrupted else 1)
    done = f"{len(built.executed)} notebooks executed, {len(built.reused)} unchanged"
    what = "rendered" if built.rendered else "is up to date"
    typer.echo(f"the book {what} ({done}): {_shown(built.html)}/index.html")


def info() -> None:
    """Show versions, processor and cache, for a report of a problem."""
    import importlib

    from lnm_kit.cache import cache_root
    from lnm_kit.runs.environment import describe_device, package_versions

    importlib.import_module("torch")
    for name, version in package_versions().items():
        typer.echo(f"{name:20} {version}")
    files = [path for path in cache_root().rglob("*") if path.is_file()]
    size_mb = sum(path.stat().st_size for path in files) / MB
    typer.echo(f"{'device':20} {describe_device('auto')}")
    typer.echo(f"{'cache':20} {len(files)} files, {size_mb:.0f} MB")


def _cohort_app(*, loaded: bool) -> typer.Typer:
    """Return the commands on cohorts, or only their name and help when others were called."""
    if not loaded:
        app = typer.Typer(help=COHORT_HELP)
        app.callback()(lambda: None)
        return app
    from lnm_kit.cohort.commands import app as commands
    from lnm_kit.simulate.commands import simulate

    commands.command()(simulate)
    commands.info.help = COHORT_HELP
    return commands


def _realism(*, loaded: bool) -> Callable[..., None]:
    """Return the command on realism, or only something to list when another was called."""
    if not loaded:
        return lambda: None
    from lnm_kit.simulate.realism_commands import realism_command

    return realism_command


def _show_parameters(chapter: str) -> None:
    from lnm_kit.runs.parameters import describe_parameters

    typer.echo("One value for all profiles, or smoke / demo / paper:\n")
    for name, allowed, default, meaning in describe_parameters(chapter):
        typer.echo(f"{name} = {default}\n    {meaning}\n    allowed: {allowed}\n")


def _shown(path: Path) -> Path:
    """Return a path as seen from the working folder, where it lies in it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    main()
