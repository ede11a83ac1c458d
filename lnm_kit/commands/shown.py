"""How commands show paths and tables, and the exit code of what was interrupted."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import typer

INTERRUPTED = 130
WIDTH_OF_A_FILE = 240
ROWS_AT_MOST = 24


def shown_path(path: Path) -> Path:
    """Return a path as seen from the working folder, where it lies in it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def show_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], at_most: int | None = None
) -> None:
    """Print a table; on a terminal as wide as it is, elsewhere one line a row."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    shown = list(rows)
    table = Table(*header, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in shown[:at_most]:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else WIDTH_OF_A_FILE
    Console(file=sys.stdout, width=width, highlight=False, markup=False).print(table)
    if at_most is not None and len(shown) > at_most:
        typer.echo(f"... and {len(shown) - at_most} more rows, in the files below\n")
