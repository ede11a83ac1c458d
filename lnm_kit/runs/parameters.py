"""Checking a chapter's parameters, all at once, and telling what is allowed."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lnm_kit.errors import InputError, one_of
from lnm_kit.runs.profiles import PROFILES, ProfileName
from lnm_kit.runs.schemas import PARAMETERS, CommonParameters


def schema_of(chapter: str) -> type[CommonParameters]:
    """Return the parameter schema of a chapter.

    Raises
    ------
    InputError
        When there is no such chapter.
    """
    return PARAMETERS[one_of("chapter", chapter, PARAMETERS)]


def check_parameters(chapter: str, values: Mapping[str, Any]) -> CommonParameters:
    """Check the values of a chapter's parameters, all at once.

    Examples
    --------
    >>> check_parameters("llnm", {"profile": "smoke"}).resolved().epochs
    3
    >>> check_parameters("llnm", {"epochs": 0, "sede": 3})
    Traceback (most recent call last):
    lnm_kit.errors.InputError: 2 parameters of chapter 'llnm' are wrong: ...
    """
    schema = schema_of(chapter)
    try:
        return schema.model_validate(dict(values))
    except ValidationError as error:
        wrong = {str(details["loc"][0]): _explain(details, schema) for details in error.errors()}
    count = "1 parameter" if len(wrong) == 1 else f"{len(wrong)} parameters"
    verb = "is" if len(wrong) == 1 else "are"
    lines = "".join(f"\n  - {line}" for line in wrong.values())
    raise InputError(
        f"{count} of chapter {chapter!r} {verb} wrong:{lines}\n"
        f"`lnm run {chapter} --list` shows all parameters and what is allowed."
    ) from None


def take_parameters(chapter: str, namespace: Mapping[str, Any]) -> CommonParameters:
    """Check the parameters that a chapter's cells defined, and fill in what the profile says.

    Parameters
    ----------
    chapter
        Name of the chapter.
    namespace
        ``globals()`` of the notebook, after its `parameters` cell.
    """
    names = [name for name in schema_of(chapter).model_fields if name in namespace]
    return check_parameters(chapter, {name: namespace[name] for name in names}).resolved()


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """Turn ``name=value`` words into typed values; whole numbers, decimals, true and false.

    Examples
    --------
    >>> parse_assignments(["seed=3", "signal=0.5", "wavelets=false", "cohort=my/folder"])
    {'seed': 3, 'signal': 0.5, 'wavelets': False, 'cohort': 'my/folder'}
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            problems.append(f"{assignment!r} is not of the form name=value")
        elif name in values:
            problems.append(f"{name} is given twice")
        else:
            values[name] = _typed(text.strip())
    if problems:
        raise InputError(
            "parameters could not be read: " + "; ".join(problems) + ". Write them as -p seed=3"
        )
    return values


def read_parameter_file(path: Path) -> dict[str, Any]:
    """Read parameters from a TOML file, such as the ``params.toml`` of an earlier run.

    Raises
    ------
    InputError
        When the file is missing or is no TOML.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise InputError(f"the parameter file {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"the parameter file {path} is not TOML: {error}. Write one name = value a line."
        ) from error


def describe_parameters(chapter: str) -> list[tuple[str, str, str, str]]:
    """Return name, allowed values, default and meaning of every parameter of a chapter."""
    schema = schema_of(chapter)
    return [
        (
            name,
            allowed_values(schema, name),
            _default(chapter, schema, name),
            field.description or "",
        )
        for name, field in schema.model_fields.items()
    ]


def allowed_values(schema: type[CommonParameters], name: str) -> str:
    """Say in words which values a parameter may take.

    Examples
    --------
    >>> allowed_values(PARAMETERS["llnm"], "epochs")
    'a whole number, >= 1, <= 10000'
    >>> allowed_values(PARAMETERS["llnm"], "profile")
    'one of smoke, demo, paper'
    """
    described = schema.model_json_schema()["properties"][name]
    options = [option for option in described.get("anyOf", [described]) if option["type"] != "null"]
    return " or ".join(_in_words(option) for option in options)


def _in_words(option: Mapping[str, Any]) -> str:
    if "enum" in option:
        return "one of " + ", ".join(option["enum"])
    if "in_words" in option:
        return str(option["in_words"])
    if "const" in option:
        return str(option["const"])
    kinds = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}
    limits = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}
    bounds = [f"{sign} {_plain(option[key])}" for key, sign in limits.items() if key in option]
    return ", ".join([kinds.get(option["type"], "text"), *bounds])


def _explain(details: ErrorDetails, schema: type[CommonParameters]) -> str:
    name = str(details["loc"][0])
    if details["type"] == "extra_forbidden":
        close = get_close_matches(name, schema.model_fields, n=1)
        hint = f"did you mean {close[0]}?" if close else "known: " + ", ".join(schema.model_fields)
        return f"{name} is unknown; {hint}"
    allowed = allowed_values(schema, name)
    found = details["input"]
    line = f"{name} is {found!r}; allowed: {allowed}"
    words = [word for word in allowed.removeprefix("one of ").split(", ") if allowed != word]
    close = get_close_matches(str(found), words, n=1) if allowed.startswith("one of") else []
    return line + (f"; did you mean {close[0]}?" if close else "")


def _default(chapter: str, schema: type[CommonParameters], name: str) -> str:
    default = schema.model_fields[name].default
    table = PROFILES.get(chapter, {})
    if default is None and all(name in table[profile] for profile in table):
        words = [_plain(table[profile][name]) for profile in get_args(ProfileName)]
        return words[0] if len(set(words)) == 1 else " / ".join(words)
    return "not set" if default is None else _plain(default)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value).removesuffix(".0")


def _typed(text: str) -> Any:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, bool | int | float | str) else text
