"""The grid of a sweep: lists and ranges of parameter values, and every combination of them."""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from lnm_kit.errors import InputError
from lnm_kit.runs.parameters import parse_assignments

RANGE = re.compile(r"(-?\d+):(-?\d+)(?::(-?\d+))?")
WORD = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^,]*?)\s*(,|$)""")
MEMBERS_AT_MOST = 10_000


def parse_grid(assignments: Sequence[str]) -> dict[str, list[Any]]:
    """Turn ``name=values`` words into lists of values.

    Values are separated by commas. ``0:10`` stands for 0, 1, ... 9, as in Python: the end does
    not count; ``0:10:5`` for 0 and 5. A value with a comma in it is put into quotes.

    Raises
    ------
    InputError
        When a word cannot be read, or a list or range is empty or holds a value twice; all of
        them together.

    Examples
    --------
    >>> parse_grid(["seed=0:3", "signal=0,0.5,1", "network=resnet18"])
    {'seed': [0, 1, 2], 'signal': [0, 0.5, 1], 'network': ['resnet18']}
    >>> parse_grid(["seed=5:1"])
    Traceback (most recent call last):
    lnm_kit.errors.InputError: the sweep could not be read: seed=5:1 is empty; ...
    """
    grid: dict[str, list[Any]] = {}
    problems: list[str] = []
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        name = name.strip()
        try:
            if not equals or not name.isidentifier():
                raise InputError(f"{assignment!r} is not of the form name=values")
            if name in grid:
                raise InputError(f"{name} is given twice; write all its values into one list")
            grid[name] = _values(name, text.strip())
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("the sweep could not be read: " + "; ".join(problems) + ".")
    return grid


def combinations(grid: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return every combination of the values; the last name varies fastest.

    Raises
    ------
    InputError
        When there are more than 10,000.

    Examples
    --------
    >>> combinations({"signal": [0, 1], "seed": [3]})
    [{'signal': 0, 'seed': 3}, {'signal': 1, 'seed': 3}]
    """
    count = 1
    for values in grid.values():
        count *= len(values)
    if count > MEMBERS_AT_MOST:
        raise InputError(f"the sweep has {count} runs; allowed: at most {MEMBERS_AT_MOST}")
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def _values(name: str, text: str) -> list[Any]:
    values: list[Any] = []
    for word in _split(text):
        match = RANGE.fullmatch(word)
        if match is None:
            values.append(parse_assignments([f"{name}={word}"])[name])
            continue
        first, end = int(match[1]), int(match[2])
        step = int(match[3]) if match[3] else 1
        numbers = range(first, end, step) if step else range(0)
        if len(numbers) > MEMBERS_AT_MOST:
            raise InputError(f"{name}={word} has more than {MEMBERS_AT_MOST} values")
        if not numbers:
            raise InputError(
                f"{name}={word} is empty; a range is FIRST:END or FIRST:END:STEP and its end does "
                f"not count, e.g. {name}=0:10 for 0, 1, ... 9"
            )
        values += numbers
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise InputError(f"{name}={text} holds {', '.join(twice)} more than once")
    return values


def _split(text: str) -> list[str]:
    """Split at the commas that stand outside of quotes."""
    words, rest = [], text
    while True:
        match = WORD.match(rest)
        if match is None or not match[1]:
            raise InputError(f"{text!r} has an empty value or an open quote; write e.g. seed=0,1,2")
        words.append(match[1])
        rest = rest[match.end() :]
        if not match[2]:
            return words
