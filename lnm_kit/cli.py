"""The command ``lnm``: run a chapter, build the book, handle cohorts. 0 done, 1 failed, 2 wrong."""

import errno
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from lnm_kit.commands.compare import compare
from lnm_kit.commands.options import Assignments
from lnm_kit.commands.predict import predict
from lnm_kit.commands.run import run
from lnm_kit.commands.runs import runs_app
from lnm_kit.commands.shown import INTERRUPTED, shown_path
from lnm_kit.commands.sweep import sweep
from lnm_kit.errors import InputError, one_of

COHORT_HELP = "Check, import or simulate a cohort folder."
STRESS_HELP = "Measure what honest and leaky protocols report where the truth is known."
AUDIT_HELP = "Check whether a paper's printed numbers can be obtained from its counts."
REALISM_HELP = "Measure how well the simulated frames can be told from those of a DDTI folder."
PROFILES = ("smoke", "demo", "paper")
MB = 1e6


def main() -> None:
    """Run the command line and leave with its exit code."""
    logger = logging.getLogger("lnm_kit")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(logging.INFO)
    try:
        build_app(_words())(prog_name="lnm")
    except InputError as error:
        typer.echo(f"lnm: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = f"no space left on the disk ({error.filename}); free some."
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            message = (
                f"{error.filename} cannot be written or read: {error.strerror}. Give the right to "
                "it, or work in another folder."
            )
        else:
            raise
        typer.echo(f"lnm: {message}", err=True)
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
        epilog="The tab key completes commands, chapters and runs after: lnm --install-completion",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
    )
    app.command()(run)
    app.command()(sweep)
    app.command()(compare)
    app.add_typer(runs_app, name="runs")
    app.command()(predict)
    app.command()(book)
    app.add_typer(_cohort_app(loaded=arguments[:1] == ["cohort"]), name="cohort")
    app.command("realism", help=REALISM_HELP)(_realism(loaded=arguments[:1] == ["realism"]))
    app.command("audit", help=None if arguments[:1] == ["audit"] else AUDIT_HELP)(
        _audit(loaded=arguments[:1] == ["audit"])
    )
    app.command("stress", help=None if arguments[:1] == ["stress"] else STRESS_HELP)(
        _stress(loaded=arguments[:1] == ["stress"])
    )
    app.command()(info)
    return app


def book(
    profile: Annotated[str, typer.Option(help="smoke (tests), demo, or paper (for a GPU).")] = (
        "demo"
    ),
    parameters: Assignments = [],  # noqa: B006 - typer copies it
    processes: Annotated[
        int, typer.Option("-n", "--processes", min=1, max=256, help="Pages at the same time.")
    ] = 2,
    publish: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Copy the book to this new folder; refused for failed, interrupted or smoke runs.",
        ),
    ] = None,
) -> None:
    """Execute the chapters that changed and render the book to _build/html/index.html.

    Fails when a chapter failed, a page is missing, a page shows a traceback or loads anything
    from another host, or rendering gave a warning. Each chapter's page offers its executed
    notebook, parameters and metrics.

    A personal edition: lnm book -p cohort=cohorts/mine -p seed=3
    """
    from lnm_kit.runs.parameters import parse_assignments

    one_of("profile", profile, PROFILES)
    values = parse_assignments(parameters)
    from lnm_kit.runs.book import build_book
    from lnm_kit.runs.execute import book_root

    built = build_book(
        book_root(), profile=profile, values=values, processes=processes, publish_to=publish
    )
    for problem in built.problems:
        typer.echo(f"  - {problem}", err=True)
    if built.problems:
        typer.echo(f"the book has {len(built.problems)} problems, listed above", err=True)
        raise typer.Exit(INTERRUPTED if built.interrupted else 1)
    done = f"{len(built.executed)} notebooks executed, {len(built.reused)} unchanged"
    what = "rendered" if built.rendered else "is up to date"
    typer.echo(f"the book {what} ({done}): {shown_path(built.html)}/index.html")
    if publish is not None:
        typer.echo(f"all runs are good: the book may be published from {publish}")


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


def _words() -> list[str]:
    """Return the words after ``lnm``; while the shell completes them, those typed so far."""
    typed = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS")
    return typed.split()[1:] if typed and "_LNM_COMPLETE" in os.environ else sys.argv[1:]


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


def _audit(*, loaded: bool) -> Callable[..., None]:
    """Return the command on published numbers, or only something to list when another is called."""
    if not loaded:
        return lambda: None
    from lnm_kit.evaluation.audit_commands import audit_command

    return audit_command


def _stress(*, loaded: bool) -> Callable[..., None]:
    """Return the command on protocols, or only something to list when another was called."""
    if not loaded:
        return lambda: None
    from lnm_kit.evaluation.stress_commands import stress_command

    return stress_command


if __name__ == "__main__":
    main()
