"""Reading a paper's numbers from TOML, with every problem and its line."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lnm_kit.errors import InputError
from lnm_kit.evaluation.audit.cells import check_cells, split_column
from lnm_kit.evaluation.audit.matrices import RATES
from lnm_kit.evaluation.audit.paper import KINDS, NAMES, Paper, Split, Table
from lnm_kit.evaluation.audit.printed_range import printed_range
from lnm_kit.evaluation.audit.problems import Problems
from lnm_kit.evaluation.audit.settings import check_columns_of_kind, check_settings


def read_paper(path: Path) -> Paper:
    """Read a paper's numbers, for the audit, from a TOML file.

    The file is written by hand, from the paper; every printed number is text, in quotes, so that
    its decimals are kept::

        paper = "Doe 2026"

        [splits.test]              # the cases behind the rates; as many splits as there are
        positive = 40
        negative = 160             # or n = 200; leave out what is not printed

        [total]                    # optional: the splits must add up to it
        n = 200

        [candidates]               # optional: other positives and negatives to try
        images = [95, 310]

        [table_2]                  # any name
        split = "test"             # for rows without a column `split`
        averaged = false           # true: the rates are averages over folds
        columns = ["model", "auc", "auc_ci", "sensitivity", "specificity", "ppv"]
        rows = [["Ours", "0.85", "0.78–0.91", "0.800", "0.750", "0.444"]]

        [table_3]                  # a regression; interval = "profile" if not Wald's
        columns = ["label", "beta", "odds_ratio", "p_value"]
        rows = [["Male sex", "0.405", "1.50 (1.02–2.20)", "0.039"]]

        [table_1]                  # counts; the columns are splits, or split_0 and split_1
        columns = ["variable", "level", "test"]
        rows = [["sex", "male", "50 (25.0%)"], ["sex", "female", "150 (75.0%)"]]

        [[repeated]]               # one number printed in several places
        name = "AUC of our model"
        places = ["abstract: 0.85", "table_2 / Ours / auc"]

        [[sums]]
        name = "patients"
        parts = ["text: 120", "text: 80"]
        total = "abstract: 200"

    Rates: sensitivity, specificity, accuracy, ppv, npv, f1, kappa, balanced_accuracy, youden, mcc.
    Further table settings: `ties` (rows whose score has few levels), `level` (of the intervals,
    0.95), `splits` (other names of splits), `other` (columns of numbers to leave alone),
    `compared` (columns of counts that a column `p_value` compares), `shares_of` (a split: every
    percentage of the table is a share of it), `audit = false`.

    Raises
    ------
    InputError
        With every problem of the file, each with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not TOML: {error}") from error
    return make_paper(values, text=text, source=str(path))


def make_paper(values: Mapping[str, Any], *, text: str = "", source: str = "the file") -> Paper:
    """Check what a TOML file holds, and give it the form that the audit reads.

    Parameters
    ----------
    values
        The content, in the form of :func:`read_paper`.
    text
        Of the file, to name lines.
    source
        Name of the file, for messages.

    Raises
    ------
    InputError
        With every problem.

    Examples
    --------
    >>> make_paper({"paper": "Doe 2026", "splits": {"test": {"n": 10, "positive": 12}}})
    Traceback (most recent call last):
    lnm_kit.errors.InputError: the file has 2 problems:
      ...
    """
    problems = Problems(text)
    if not isinstance(values.get("paper"), str):
        problems.add("", "paper", 'the name of the paper is missing; write paper = "Doe 2026"')
    splits = {
        name: _split(name, part, problems)
        for name, part in _mapping(values, "splits", problems).items()
    }
    total = _split("total", values["total"], problems) if "total" in values else None
    tables = [
        _table(key, part, splits, problems)
        for key, part in values.items()
        if isinstance(part, Mapping) and "rows" in part and part.get("audit", True)
    ]
    candidates = {
        what: (int(pair[0]), int(pair[1]))
        for what, pair in _mapping(values, "candidates", problems).items()
        if _is_pair(what, pair, problems)
    }
    if not any(isinstance(part, Mapping) and "rows" in part for part in values.values()):
        problems.add("", "", "no table; a table has `columns` and `rows`")
    paper = Paper(
        name=str(values.get("paper", source)),
        splits=splits,
        tables=tuple(table for table in tables if table is not None),
        total=total,
        candidates=candidates,
        repeated=_items(values, "repeated", problems),
        sums=_items(values, "sums", problems),
        values=values,
    )
    _check_places(paper, problems)
    problems.raise_all(source)
    return paper


def _mapping(values: Mapping[str, Any], name: str, problems: Problems) -> Mapping[str, Any]:
    part = values.get(name, {})
    if isinstance(part, Mapping):
        return part
    problems.add("", name, f"{name} is {part!r}; write a table, [{name}]")
    return {}


def _items(
    values: Mapping[str, Any], name: str, problems: Problems
) -> tuple[Mapping[str, Any], ...]:
    part = values.get(name, [])
    if isinstance(part, list) and all(isinstance(item, Mapping) for item in part):
        return tuple(part)
    problems.add("", name, f"{name} is {part!r}; write tables, [[{name}]]")
    return ()


def _split(name: str, part: Any, problems: Problems) -> Split:
    section = name if name == "total" else f"splits.{name}"
    if not isinstance(part, Mapping):
        problems.add(section, name, f"{section} must hold n, positive and negative")
        return Split(None)
    counts: dict[str, int | None] = {}
    for key in ("n", "positive", "negative"):
        value = part.get(key)
        if value is not None and (
            not isinstance(value, int) or isinstance(value, bool) or value < 0
        ):
            problems.add(section, key, f"{key} of {section} is {value!r}; a count, 0 or more")
            value = None
        counts[key] = value
    n, positive, negative = counts["n"], counts["positive"], counts["negative"]
    if n == 0:
        problems.add(section, "n", f"n of {section} is 0; at least 1")
    elif n is not None and positive is not None and negative is not None:
        if positive + negative != n:
            problems.add(
                section,
                "n",
                f"{section}: {positive} positives and {negative} negatives are not {n}",
            )
    elif n is not None and max(positive or 0, negative or 0) > n:
        problems.add(
            section, "n", f"{section}: {positive or negative} cases of one class are more than {n}"
        )
    elif n is not None:
        negative = n - positive if positive is not None else negative
        positive = n - negative if negative is not None else positive
    elif positive is not None and negative is not None:
        n = positive + negative
    return Split(n, positive, negative)


def _table(
    key: str, part: Mapping[str, Any], splits: Mapping[str, Split], problems: Problems
) -> Table | None:
    if not check_settings(key, part, problems):
        return None
    title = part.get("title", key.replace("_", " ").capitalize())
    columns = [NAMES.get(name, name) for name in part["columns"]]
    rows = []
    for number, row in enumerate(part["rows"], start=1):
        first = str(row[0]) if isinstance(row, list) and row else ""
        if not isinstance(row, list) or len(row) != len(columns):
            found = len(row) if isinstance(row, list) else "no"
            problems.add(key, first, f"{key}, row {number}: {found} cells, {len(columns)} columns")
        elif any(not isinstance(cell, str) for cell in row):
            cell = next(cell for cell in row if not isinstance(cell, str))
            problems.add(
                key,
                str(cell),
                f"{key}, row {number}: {cell!r} is not in quotes; write the printed text, "
                f'"{cell}", so that its decimals are kept',
                number=True,
            )
        else:
            rows.append(dict(zip(columns, row, strict=True)))
    kind = part.get("kind", "shares" if "shares_of" in part else table_kind(columns, splits))
    if kind not in KINDS:
        problems.add(key, "columns", f"{key}: kind is {kind!r}; allowed: {', '.join(KINDS)}")
        return None
    if not check_columns_of_kind(key, kind, part, problems):
        return None
    table = Table(key, title, kind, tuple(columns), tuple(rows), dict(part))
    check_cells(table, splits, problems)
    return table


def table_kind(columns: Iterable[str], splits: Iterable[str]) -> str | None:
    """Tell from its columns what a table holds, None where no check fits.

    Examples
    --------
    >>> table_kind(["model", "auc"], ["test"]), table_kind(["variable", "test"], ["test"])
    ('metrics', 'counts')
    """
    names = set(columns)
    if {"odds_ratio", "beta"} & names:
        return "regression"
    if {"model_a", "model_b", "p_value"} <= names:
        return "comparison"
    if {*RATES, *NAMES, "auc"} & names:
        return "metrics"
    return "counts" if any(split_column(name, splits) for name in names) else None


def _is_pair(what: str, pair: Any, problems: Problems) -> bool:
    good = (
        isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(count, int) and count > 0 for count in pair)
    )
    if not good:
        problems.add(
            "candidates", what, f"candidate {what!r} is {pair!r}; write [positives, negatives]"
        )
    return good


def _check_places(paper: Paper, problems: Problems) -> None:
    tables_wrong = bool(problems.found)
    for section, items in (("repeated", paper.repeated), ("sums", paper.sums)):
        for item in items:
            places = item.get("places", item.get("parts"))
            if not isinstance(places, list) or (section == "sums" and "total" not in item):
                needed = "places" if section == "repeated" else "parts and total"
                problems.add(section, str(item.get("name", "")), f"{section} needs {needed}")
                continue
            for place in [*places, *([item["total"]] if section == "sums" else [])]:
                if "/" in str(place) and tables_wrong:
                    continue  # the cell may stand in a row that could not be read
                try:
                    cells = paper.place(str(place))
                    for _, cell in cells:
                        printed_range(cell.replace(",", ""))
                    if len(cells) > 1 and place == item.get("total"):
                        problems.add(section, str(place), f"{place!r} is more than one number")
                except InputError as error:
                    problems.add(section, str(place), f"{section}: {error}")
