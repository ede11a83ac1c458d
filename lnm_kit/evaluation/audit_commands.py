"""The command ``lnm audit``: the printed numbers of a paper against its counts."""

import textwrap
from importlib import resources
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from lnm_kit.errors import InputError, one_of
from lnm_kit.evaluation.audit.audit import audit
from lnm_kit.evaluation.audit.finding import CAN, CANNOT, VERDICTS
from lnm_kit.evaluation.audit.form import read_paper
from lnm_kit.evaluation.audit.paper import Paper
from lnm_kit.evaluation.audit.report import CAREFUL, summary, to_json, to_markdown
from lnm_kit.evaluation.audit.studies import audited_studies, published_paper

_WIDTH = 100


def audit_command(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="TOML files, or names of studies such as llnm."),
    ],
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the report as Markdown.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write every check as JSON.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show every check, those that fit as well.")
    ] = False,
) -> None:
    """Check whether a paper's printed numbers can be obtained from its counts and each other.

    Leaves with 0 when all can, 1 when some cannot, 2 when a file is wrong. What a file looks
    like is told in the book, on the page "The published numbers, re-checked".

    A study of the book: lnm audit llnm

    Any paper: lnm audit doe2026.toml --markdown report.md
    """
    wanted = [(path, text) for path, text in ((markdown, to_markdown), (json, to_json)) if path]
    for path, _ in wanted:
        if not path.parent.is_dir():
            raise InputError(f"{path.parent} is no folder; no report can be written there.")
    report = pd.concat([audit(paper) for paper in _papers(files)], ignore_index=True)
    _show(report, everything=everything)
    for path, text in wanted:
        _replace(path, text(report))
        typer.echo(f"{path}: written")
    if (report["verdict"] == CANNOT).any():
        raise typer.Exit(1)


def _papers(files: list[str]) -> list[Paper]:
    """Read all papers; the problems of all files in one message."""
    papers, problems = [], []
    for name in files:
        try:
            if (study := _study_of(Path(name))) is not None:
                papers.append(published_paper(study))
            elif Path(name).is_file():
                papers.append(read_paper(Path(name)))
            elif Path(name).suffix or len(Path(name).parts) > 1:
                problems.append(f"{name} is no file; give a TOML file or the name of a study.")
            else:
                papers.append(published_paper(one_of("study", name, audited_studies())))
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("\n".join(problems))
    return papers


def _study_of(path: Path) -> str | None:
    """Name the study whose own file of published numbers this is."""
    folder = Path(str(resources.files("lnm_kit.published"))).resolve()
    own = path.is_file() and path.resolve().parent == folder
    return path.stem if own and path.stem in audited_studies() else None


def _show(report: pd.DataFrame, *, everything: bool) -> None:
    for paper, part in report.groupby("paper", sort=False):
        typer.echo(f"{paper}\n")
        table = summary(part).drop(columns="paper")
        typer.echo(textwrap.indent(table.to_string(index=False), "  ") + "\n")
        shown = part if everything else part[part["verdict"] != CAN]
        for verdict in reversed(VERDICTS):
            rows = shown[shown["verdict"] == verdict]
            if len(rows):
                typer.echo(f"{verdict.capitalize()} ({len(rows)}):\n")
            # rows of a table that share a reason are one line
            for (where, check, details), alike in rows.groupby(
                ["table", "check", "details"], sort=False
            ):
                which = alike["row"].iloc[0] if len(alike) == 1 else f"{len(alike)} rows"
                text = f"{where}, {which} ({check}): {details}"
                typer.echo(textwrap.fill(text, _WIDTH, initial_indent="- ", subsequent_indent="  "))
            if len(rows):
                typer.echo("")
    cannot = int((report["verdict"] == CANNOT).sum())
    typer.echo(f"{len(report)} checks, {cannot} cannot be obtained.")
    if cannot:
        typer.echo(textwrap.fill(CAREFUL, _WIDTH))


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
