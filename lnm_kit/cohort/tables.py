"""The tables of a cohort folder: read as text, checked whole, then turned into typed frames."""

import io
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pydantic import ValidationError

from lnm_kit.cohort.problem import Problem
from lnm_kit.cohort.schema import (
    CohortInfo,
    cases_schema,
    images_schema,
    is_number,
    truth_schema,
)

ALWAYS_TEXT = {
    *("case_id", "patient_id", "image_id", "center", "split", "modality", "view"),
    *("path", "mask_path", "sex"),
}


@dataclass
class Tables:
    """What a cohort folder says, as text, with what is wrong with it."""

    info: CohortInfo | None = None
    cases: pd.DataFrame | None = None
    images: pd.DataFrame | None = None
    truth: pd.DataFrame | None = None
    problems: list[Problem] = field(default_factory=list)


def read_tables(root: Path) -> Tables:
    """Read and check ``cohort.toml`` and the tables of a cohort folder; pixels are not read.

    Parameters
    ----------
    root
        The cohort folder.

    Returns
    -------
    Tables
        Frames of text as in the files, None where a file is missing or is no table, and all
        problems within and between the files.
    """
    if not root.is_dir():
        problem = Problem(str(root), None, "no such folder", "a cohort folder with cohort.toml")
        return Tables(problems=[problem])
    texts = {}
    problems = []
    for name in ("cohort.toml", "cases.csv", "images.csv", "truth.csv"):
        try:
            texts[name] = (root / name).read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            if name != "truth.csv":
                problems.append(Problem(name, None, "missing", "every cohort folder has this file"))
        except UnicodeDecodeError:
            problems.append(Problem(name, None, "not UTF-8 text", "UTF-8 text"))
        except OSError as error:
            problems.append(Problem(name, None, f"unreadable ({error.strerror})", "a text file"))
    tables = check_tables(texts)
    tables.problems[:0] = problems
    return tables


def check_tables(texts: dict[str, str]) -> Tables:
    """Check the texts of a cohort's files, each alone and against each other.

    Parameters
    ----------
    texts
        The content of ``cohort.toml``, ``cases.csv``, ``images.csv`` and ``truth.csv``, as far
        as they exist.
    """
    tables = Tables()
    problems = tables.problems
    if "cohort.toml" in texts:
        tables.info = _parse_info(texts["cohort.toml"], problems)
    if "cases.csv" in texts:
        tables.cases = _parse(texts, "cases.csv", cases_schema, "case_id", problems)
    if "images.csv" in texts:
        tables.images = _parse(texts, "images.csv", images_schema, "image_id", problems)
    if "truth.csv" in texts:
        tables.truth = _parse(texts, "truth.csv", truth_schema, "case_id", problems)
    if tables.cases is not None:
        problems += _check_splits(tables.cases)
        if tables.images is not None:
            problems += _check_images(tables.cases, tables.images)
        if tables.truth is not None:
            problems += _check_truth(tables.cases, tables.truth)
    if tables.info is not None:
        if tables.info.simulated and "truth.csv" not in texts:
            problems.append(
                Problem("truth.csv", None, "missing", "a simulated cohort has a truth table")
            )
        if not tables.info.simulated and "truth.csv" in texts:
            problems.append(
                Problem("truth.csv", None, "present", "only with simulated = true in cohort.toml")
            )
    return tables


def typed(table: pd.DataFrame, index: str) -> pd.DataFrame:
    """Turn a checked table of text into a typed frame with `index` as its index.

    A column of whole numbers without gaps becomes int64, any other column of numbers float64
    (unknown = NaN), the rest text (unknown = NaN). Ids and paths stay text whatever they hold.

    Examples
    --------
    >>> table = pd.DataFrame({"case_id": ["01"], "label": ["1"], "age_years": [""]})
    >>> typed(table, "case_id").reset_index().iloc[0].to_dict()
    {'case_id': '01', 'label': 1, 'age_years': nan}
    """
    frame = pd.DataFrame(
        {name: _typed_column(table[name]) for name in table.columns}, index=table.index
    )
    return frame.set_index(index)


def _typed_column(column: "pd.Series[str]") -> pd.Series:
    given = column[column != ""]
    if column.name in ALWAYS_TEXT or not all(is_number(text) for text in given):
        return column.where(column != "", np.nan)
    # float() reads back the very number that was written, which pandas.to_numeric does not
    numbers = pd.Series([float(text) if text else np.nan for text in column], index=column.index)
    if len(given) == len(column) and all(text.lstrip("+-").isdigit() for text in given):
        return numbers.astype("int64")
    return numbers


def _parse_info(text: str, problems: list[Problem]) -> CohortInfo | None:
    try:
        return CohortInfo.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem("cohort.toml", None, f"not TOML: {error}", "TOML"))
    except ValidationError as error:
        for detail in error.errors():
            name = ".".join(str(part) for part in detail["loc"])
            missing = detail["type"] == "missing"
            value = "missing" if missing else f"{detail['input']!r}"
            found = f"{name} is {value}" if name else "seed and signal against simulated"
            message = detail["msg"].removeprefix("Value error, ")
            if detail["type"] == "extra_forbidden":
                found, message = f"unknown key {name}", ", ".join(CohortInfo.model_fields)
            problems.append(Problem("cohort.toml", None, found, message[0].lower() + message[1:]))
    return None


def _parse(
    texts: dict[str, str],
    name: str,
    schema: Callable[[Iterable[str]], pa.DataFrameSchema],
    identity: str,
    problems: list[Problem],
) -> pd.DataFrame | None:
    try:
        table = pd.read_csv(
            io.StringIO(texts[name]), dtype=str, na_filter=False, index_col=False, quotechar='"'
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning) as error:
        found = f"not a table ({str(error).strip()})"
        problems.append(Problem(name, None, found, "comma-separated rows of equal length"))
        return None
    table.columns = table.columns.str.strip()
    # a table without rows has no text columns to check
    if table.empty:
        problems.append(Problem(name, None, "no rows", "at least one row"))
        return None
    problems += _schema_problems(table, name, schema(table.columns))
    if identity in table:
        again = table[identity].duplicated(keep="first")
        first = {value: row for row, value in reversed(list(table[identity].items()))}
        for row, value in table.loc[again, identity].items():
            problems.append(
                Problem(
                    name,
                    line(row),
                    f"{identity} {value!r} again, first in row {line(first[value])}",
                    "every id once",
                )
            )
    return table


def line(row: object) -> int:
    """Return the line of the file that holds this row of the table: the header is line 1."""
    return int(str(row)) + 2


def _schema_problems(
    table: pd.DataFrame, name: str, schema: pa.DataFrameSchema
) -> Iterator[Problem]:
    try:
        schema.validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
        for column in cases.loc[cases["check"] == "column_in_dataframe", "failure_case"]:
            yield Problem(name, None, f"no column {column}", f"{name} has the column {column}")
        cells = cases[cases["index"].notna()].sort_values("index", kind="stable")
        for cell in cells.itertuples():
            text = str(cell.failure_case)
            value = "empty" if text == "" else repr(text)
            yield Problem(name, line(int(cell.index)), f"{cell.column} is {value}", str(cell.check))


def _check_splits(cases: pd.DataFrame) -> Iterator[Problem]:
    if {"patient_id", "split"} <= set(cases):
        first: dict[str, tuple[str, int]] = {}
        for row, patient, split in zip(
            cases.index, cases["patient_id"], cases["split"], strict=True
        ):
            other, first_row = first.setdefault(patient, (split, row))
            if other != split:
                found = f"patient {patient!r} is in {split} here, in {other} in row"
                found += f" {line(first_row)}"
                yield Problem("cases.csv", line(row), found, "a patient is in one split only")
    if "split" in cases:
        splits = sorted(set(cases["split"]))
        if "training" not in splits or len(splits) < 2:
            found = f"the splits are {', '.join(splits)}"
            yield Problem("cases.csv", None, found, "training and one more (validation or test)")
    if {"split", "label"} <= set(cases):
        labels = set(cases.loc[cases["split"] == "training", "label"]) & {"0", "1"}
        if len(labels) == 1:
            found = f"every case of training has label {labels.pop()}"
            yield Problem("cases.csv", None, found, "both labels, 0 and 1, in training")


def _check_images(cases: pd.DataFrame, images: pd.DataFrame) -> Iterator[Problem]:
    if {"spacing_x_mm", "spacing_y_mm"} <= set(images):
        one_sided = (images["spacing_x_mm"] == "") != (images["spacing_y_mm"] == "")
        for row in images.index[one_sided]:
            found = "spacing in one direction only"
            yield Problem("images.csv", line(row), found, "both spacings, or none for unknown")
    if "case_id" not in images or "case_id" not in cases:
        return
    known = set(cases["case_id"])
    for row, case in images["case_id"].items():
        if case not in known:
            yield Problem(
                "images.csv",
                line(row),
                f"image of the unknown case {case!r}",
                "a case of cases.csv",
            )
    shown = set(images["case_id"])
    for row, case in cases["case_id"].items():
        if case not in shown:
            yield Problem(
                "cases.csv", line(row), f"case {case!r} has no image", "at least one image a case"
            )


def _check_truth(cases: pd.DataFrame, truth: pd.DataFrame) -> Iterator[Problem]:
    if "case_id" not in truth or "case_id" not in cases:
        return
    known, told = set(cases["case_id"]), set(truth["case_id"])
    for row, case in truth["case_id"].items():
        if case not in known:
            found = f"truth of the unknown case {case!r}"
            yield Problem("truth.csv", line(row), found, "a case of cases.csv")
    for row, case in cases["case_id"].items():
        if case not in told:
            yield Problem(
                "cases.csv", line(row), f"case {case!r} has no truth", "a row in truth.csv"
            )
