"""One paper's numbers, read from its TOML file."""

import copy
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd

from lnm_kit.errors import one_of
from lnm_kit.published.printed import MeanSd, parse_count, parse_mean_sd


def published_studies() -> list[str]:
    """Names of the studies whose numbers are here.

    Examples
    --------
    >>> "llnm" in published_studies()
    True
    """
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in files("lnm_kit.published").iterdir()
        if entry.name.endswith(".toml")
    )


@cache
def _read(study: str) -> dict[str, Any]:
    return tomllib.loads((files("lnm_kit.published") / f"{study}.toml").read_text("utf-8"))


def published(study: str) -> dict[str, Any]:
    """Everything kept of a paper: title, DOI, splits, tables as printed, notes.

    Raises
    ------
    InputError
        When no paper of that name is kept.

    Examples
    --------
    >>> published("llnm")["doi"]
    '10.1631/jzus.B2500465'
    """
    return copy.deepcopy(_numbers(study))


def _numbers(study: str) -> dict[str, Any]:
    """What `published` returns, not to be changed."""
    return _read(one_of("study", study, published_studies()))


def published_table(study: str, table: str) -> pd.DataFrame:
    """One table of a paper; every cell is the printed text.

    Raises
    ------
    InputError
        When the paper or the table is not kept.

    Examples
    --------
    >>> table = published_table("llnm", "table_4")
    >>> table.query("split == 'training' and model == 'SVM'")["auc"].item()
    '0.929'
    """
    numbers = _numbers(study)
    tables = [name for name, part in numbers.items() if isinstance(part, dict) and "rows" in part]
    part = numbers[one_of(f"table of {study}", table, tables)]
    return pd.DataFrame(part["rows"], columns=part["columns"], dtype="str")


def published_notes(study: str, part: str) -> pd.DataFrame:
    """Where a part of a paper contradicts itself: one row a contradiction.

    `reading`, where present, holds the counts used instead of the printed ones.

    Examples
    --------
    >>> published_notes("llnm", "table_3")["note"].iloc[0]
    'Caption and text speak of six models; five are printed.'
    """
    numbers = _numbers(study)
    parts = [name for name, value in numbers.items() if isinstance(value, dict)]
    return pd.DataFrame(numbers[one_of(f"part of {study}", part, parts)].get("notes", []))


def published_splits(study: str) -> pd.DataFrame:
    """Patients of each split: index `split`, columns `n`, `positive`, `negative`, `hospital`.

    Examples
    --------
    >>> published_splits("llnm")["positive"].to_dict()
    {'training': 81, 'validation': 18, 'test_a': 35, 'test_b': 17}
    """
    return pd.DataFrame.from_dict(_numbers(study)["splits"], orient="index").rename_axis("split")


def published_counts(study: str, variable: str, split: str) -> dict[str, int]:
    """Patients per level of a variable of Table 1, in the printed order.

    A note's `reading` replaces printed counts that cannot be right.

    Raises
    ------
    InputError
        When the variable or the split is not in Table 1.

    Examples
    --------
    >>> published_counts("llnm", "sex", "test_b")
    {'male': 37, 'female': 83}
    >>> published_counts("llnm", "composition", "validation")  # the printed column lost a cell
    {'cystic': 2, 'mixed': 0, 'solid': 218}
    """
    table = _table_1_rows(study, variable, split)
    for note in _numbers(study)["table_1"].get("notes", []):
        if note.get("variable") == variable and note.get("split") == split and "reading" in note:
            return dict(note["reading"])
    counted = table[table["level"] != "mean_sd"]
    return {
        level: parse_count(text).n
        for level, text in zip(counted["level"], counted[split], strict=True)
    }


def published_mean_sd(study: str, variable: str, split: str) -> MeanSd | None:
    """Mean and SD of a variable of Table 1, or None where none is printed.

    Raises
    ------
    InputError
        When the variable or the split is not in Table 1.

    Examples
    --------
    >>> published_mean_sd("llnm", "age_years", "test_a").mean.value
    38.5
    """
    table = _table_1_rows(study, variable, split)
    printed = table.loc[table["level"] == "mean_sd", split]
    return None if printed.empty else parse_mean_sd(printed.item())


def _table_1_rows(study: str, variable: str, split: str) -> pd.DataFrame:
    table = published_table(study, "table_1")
    one_of(f"split of {study}", split, _numbers(study)["splits"])
    one_of(f"variable of Table 1 of {study}", variable, table["variable"].unique())
    return table[table["variable"] == variable]
