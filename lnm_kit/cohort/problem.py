"""One thing that is wrong with a cohort folder, and how many of them become one message."""

from collections.abc import Sequence
from dataclasses import dataclass

from lnm_kit.errors import InputError

SHOWN_AT_MOST = 40


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a cohort folder.

    Parameters
    ----------
    file
        The file, relative to the cohort folder.
    row
        The line of a table, counted as an editor does (the header is line 1); None when the
        problem is not in one row.
    found
        What was found.
    allowed
        What is allowed.

    Examples
    --------
    >>> print(Problem("cases.csv", 3, "label is '2'", "0 or 1"))
    cases.csv, row 3: label is '2'; allowed: 0 or 1
    """

    file: str
    row: int | None
    found: str
    allowed: str

    def __str__(self) -> str:
        where = self.file if self.row is None else f"{self.file}, row {self.row}"
        return f"{where}: {self.found}; allowed: {self.allowed}"


def raise_problems(problems: Sequence[Problem], folder: object) -> None:
    """Raise one InputError that lists the problems; return when there are none.

    Parameters
    ----------
    problems
        What is wrong, in the order to show it.
    folder
        The cohort folder, for the message.

    Raises
    ------
    InputError
        When there is at least one problem.

    Examples
    --------
    >>> raise_problems([], "cohorts/mine")
    >>> raise_problems([Problem("cases.csv", 3, "label is '2'", "0 or 1")], "cohorts/mine")
    Traceback (most recent call last):
    lnm_kit.errors.InputError: the cohort cohorts/mine has 1 problem:
      cases.csv, row 3: label is '2'; allowed: 0 or 1
    """
    if not problems:
        return
    count = f"{len(problems)} problem" + ("s" if len(problems) > 1 else "")
    lines = [f"the cohort {folder} has {count}:"]
    lines += [f"  {problem}" for problem in problems[:SHOWN_AT_MOST]]
    if len(problems) > SHOWN_AT_MOST:
        rest = len(problems) - SHOWN_AT_MOST
        lines.append(f"  and {rest} more; 'lnm cohort check {folder}' lists all of them")
    raise InputError("\n".join(lines))
