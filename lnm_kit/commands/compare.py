"""The command ``lnm compare``."""

from pathlib import Path
from typing import Annotated

import typer

from lnm_kit.commands.options import RunWords
from lnm_kit.commands.shown import ROWS_AT_MOST, show_table, shown_path


def compare(
    words: RunWords,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Where the page goes; runs/comparisons by default."),
    ] = None,
) -> None:
    """Put runs side by side: parameters that differ, metrics, paired tests, figures.

    AUCs are tested (DeLong, paired) against the first run where both predicted the same cases of
    the same cohort. The page is one HTML file with the figures in it.

    Two runs, by the first characters of their ids: lnm compare 609f6 2e592
    """
    from lnm_kit.runs.compare import compare_runs
    from lnm_kit.runs.compare_page import (
        RUN_HEADER,
        letter,
        metric_rows,
        page_path,
        paired_rows,
        parameter_rows,
        run_rows,
        write_page,
    )
    from lnm_kit.runs.inventory import find_run

    comparison = compare_runs([find_run(word, Path.cwd()) for word in words])
    letters = [letter(number) for number in range(len(comparison.runs))]
    show_table(RUN_HEADER, run_rows(comparison))
    if comparison.parameters:
        show_table(["parameter", *letters], parameter_rows(comparison))
    else:
        typer.echo("All parameters are the same.\n")
    show_table(
        ["auc of", "split", *letters],
        metric_rows(comparison, "auc", comparison.models),
        ROWS_AT_MOST,
    )
    for note in comparison.notes:
        typer.echo(note + "\n")
    if comparison.tests:
        header = ["model", "split", "runs", "cases", "difference of AUC", "p"]
        show_table(header, paired_rows(comparison), ROWS_AT_MOST)
    path = output or page_path(comparison, Path.cwd())
    write_page(comparison, path)
    typer.echo(f"All metrics and the figures: {shown_path(path)}")
