"""What the reference pages of the book show, taken from the package itself."""

import ast
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import nbformat
import typer

from lnm_kit.errors import one_of
from lnm_kit.runs.parameters import describe_parameters


def parameter_table(chapter: str) -> str:
    """Give the table of a chapter's parameters as Markdown, from its schema and its profiles.

    Examples
    --------
    >>> print(parameter_table("llnm").splitlines()[2])
    | `profile` | `demo` | one of smoke, demo, paper | smoke (tests, ...
    """
    rows = [
        (f"`{name}`", f"`{default}`", allowed, meaning)
        for name, allowed, default, meaning in describe_parameters(chapter)
    ]
    return markdown_table(("Parameter", "Default", "Allowed", "Meaning"), rows)


def command_help(name: str) -> str:
    """Give what a command does, its arguments and its options as Markdown, from the command line.

    Parameters
    ----------
    name
        Its words without ``lnm``: ``"cohort check"``.

    Raises
    ------
    InputError
        When there is no such command.
    """
    commands = _commands()
    command = commands[one_of("command", name, commands)]
    taken = [each for each in command.params if each.name != "help"]
    arguments = [each for each in taken if each.param_type_name == "argument"]
    usage = " ".join(["lnm", name, *map(_argument, arguments), "[OPTIONS]"])
    rows = [
        (_argument(each) if each in arguments else _option(each), getattr(each, "help", "") or "")
        for each in taken
    ]
    table = markdown_table(("", "Meaning"), [(f"`{words}`", meaning) for words, meaning in rows])
    # an example of a call is code, in which two dashes stay two
    text = re.sub(r"(?m): (lnm .*)$", r": `\1`", command.help or "")
    return f"```text\n{usage}\n```\n\n{text}\n\n{table if rows else ''}\n"


def command_names() -> list[str]:
    """Give the words of every command, in the order of the help; groups are left out.

    Examples
    --------
    >>> "cohort check" in command_names()
    True
    """
    return list(_commands())


def pages_by_name(notebooks: Iterable[tuple[str, Path]]) -> dict[str, list[str]]:
    """Say which pages import a name of the package: full dotted name to pages.

    Parameters
    ----------
    notebooks
        Name of each page and its notebook.
    """
    pages: dict[str, list[str]] = {}
    for page, path in notebooks:
        cells = nbformat.read(path, as_version=4).cells
        source = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lnm_kit"):
                for alias in node.names:
                    known = pages.setdefault(alias.name, [])
                    known += [] if page in known else [page]
    return pages


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Give a table as Markdown; bars within a cell are escaped, line ends become spaces.

    Examples
    --------
    >>> print(markdown_table(("a", "b"), [("1|2", "x")]))
    | a | b |
    |---|---|
    | 1\|2 | x |
    """
    lines = [header, ["---"] * len(header), *rows]
    text = [
        "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in line) + " |"
        for line in lines
    ]
    text[1] = text[1].replace(" ", "")
    return "\n".join(text)


def _commands() -> dict[str, Any]:
    """Map the words of every command to it."""
    from lnm_kit.cli import build_app

    found: dict[str, Any] = {}
    for name in typer.main.get_command(build_app([])).commands:  # type: ignore[attr-defined]
        # the command line loads the parts of the command that is asked for only
        command = typer.main.get_command(build_app([name])).commands[name]  # type: ignore[attr-defined]
        _add(found, name, command)
    return found


def _add(found: dict[str, Any], name: str, command: Any) -> None:
    """Add a command, or those of a group of commands."""
    parts = getattr(command, "commands", None)
    if parts is None:
        found[name] = command
        return
    for word, part in parts.items():
        _add(found, f"{name} {word}", part)


def _argument(parameter: Any) -> str:
    word = parameter.metavar or str(parameter.name).upper()
    return f"{word}..." if parameter.nargs == -1 else word


def _option(parameter: Any) -> str:
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    return names if parameter.is_flag else f"{names} {parameter.metavar or 'VALUE'}"
