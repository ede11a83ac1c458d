"""Whether what a file says of a table has the right form."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from lnm_kit.evaluation.audit.problems import Problems

_TEXTS = "a list of texts"


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_FORMS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "columns": (_is_texts, _TEXTS),
    "rows": (lambda value: isinstance(value, list), "a list of rows"),
    "kind": (lambda value: isinstance(value, str), "a text"),
    "title": (lambda value: isinstance(value, str), "a text"),
    "split": (lambda value: isinstance(value, str), "the name of a split"),
    "splits": (
        lambda value: isinstance(value, dict) and _is_texts(list(value.values())),
        "a table of other names to names of splits",
    ),
    "averaged": (lambda value: isinstance(value, bool), "true or false"),
    "ties": (_is_texts, _TEXTS),
    "interval": (lambda value: value in ("wald", "profile"), '"wald" or "profile"'),
    "level": (
        lambda value: isinstance(value, float) and 0.5 <= value < 1,
        "a number from 0.5 to 1, such as 0.95",
    ),
    "shares_of": (lambda value: isinstance(value, str), "the name of a split"),
    "other": (_is_texts, _TEXTS),
    "compared": (_is_texts, _TEXTS),
    "audit": (lambda value: isinstance(value, bool), "true or false"),
}
_ONLY_TOLD = ("caption", "footnote", "notes", "source", "printed_units")
_NEEDED = {
    "comparison": ("model_a", "model_b", "p_value"),
    "regression": ("odds_ratio",),
}


def check_settings(key: str, part: Mapping[str, Any], problems: Problems) -> bool:
    """Keep every setting of a table that is unknown or of the wrong form.

    Returns
    -------
    bool
        Whether the table can be read.
    """
    before = len(problems.found)
    for name in part:
        if name in _FORMS:
            is_right, allowed = _FORMS[name]
            if not is_right(part[name]):
                problems.add(key, name, f"{key}: {name} is {part[name]!r}; allowed: {allowed}")
    readable = len(problems.found) == before
    if "columns" not in part:
        problems.add(key, key, f"{key} has no `columns`, a list of names")
        readable = False
    for name in sorted(set(part) - set(_FORMS) - set(_ONLY_TOLD)):
        close = get_close_matches(name, _FORMS, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        problems.add(key, name, f"{key} has an unknown setting {name!r}{hint}")
    return readable


def check_columns_of_kind(key: str, kind: str, part: Mapping[str, Any], problems: Problems) -> bool:
    """Keep the columns that a kind of table needs and does not have; False when there are some."""
    needed = (*_NEEDED.get(kind, ()), *part.get("compared", ()))
    missing = [name for name in needed if name not in part["columns"]]
    if kind == "shares" and "shares_of" not in part:
        missing.append("the setting shares_of")
    if missing:
        problems.add(key, "kind", f"{key}: a table of {kind} needs {', '.join(missing)}")
    return not missing
