"""One paper's numbers, read from its TOML file."""

import copy
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from lnm_kit.errors import InputError, one_of
from lnm_kit.published.printed import (
    MeanSd,
    Number,
    Quartiles,
    parse_count,
    parse_mean_sd,
    parse_quartiles,
)

# Levels of Table 1 that are no counts of patients.
MEAN_SD = "mean_sd"
QUARTILES = "quartiles"

_DECIMAL_SHIFT = {("mm", "cm"): 1}


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
    """Patients of each split: index `split`, columns `n` and what else the paper tells.

    `positive` and `negative` are missing where the paper does not print them; `column`, where
    present, names the column of Table 1 that holds the split together with others.

    Examples
    --------
    >>> published_splits("llnm")["positive"].to_dict()
    {'training': 81, 'validation': 18, 'test_a': 35, 'test_b': 17}
    """
    return pd.DataFrame.from_dict(_numbers(study)["splits"], orient="index").rename_axis("split")


def published_counts(
    study: str, variable: str, split: str, *, label: int | None = None
) -> dict[str, int]:
    """Patients per level of a variable of Table 1, in the printed order.

    A note's `reading` replaces printed counts that cannot be right. Where the paper prints splits
    together in one column (`column` of the split), the counts are those of all of them.

    Parameters
    ----------
    study, variable, split
        Names as in Table 1.
    label
        Only the patients with that label, where the paper prints them apart; None = all.

    Raises
    ------
    InputError
        When the variable or the split is not in Table 1, or the labels are not printed apart.

    Examples
    --------
    >>> published_counts("llnm", "sex", "test_b")
    {'male': 37, 'female': 83}
    >>> published_counts("llnm", "composition", "validation")  # the printed column lost a cell
    {'cystic': 2, 'mixed': 0, 'solid': 218}
    >>> published_counts("lvlnm", "sex", "training")
    {'female': 267, 'male': 83}
    >>> published_counts("lvlnm", "sex", "training", label=1)
    {'female': 21, 'male': 14}
    """
    table = _table_1_rows(study, variable, split)
    for note in _numbers(study)["table_1"].get("notes", []):
        if note.get("variable") == variable and note.get("split") == split and "reading" in note:
            return dict(note["reading"])
    counted = table[~table["level"].isin([MEAN_SD, QUARTILES])]
    columns = _split_columns(study, table, split, label)
    return {
        level: sum(parse_count(text).n for text in cells)
        for level, *cells in counted[["level", *columns]].itertuples(index=False)
    }


def published_mean_sd(
    study: str, variable: str, split: str, *, label: int | None = None
) -> MeanSd | None:
    """Mean and SD of a variable of Table 1, or None where none is printed.

    They are in the unit of the cohort's column. Where a paper prints the labels apart, all
    patients of the split have the mean and SD that those of the two groups imply.

    Parameters
    ----------
    study, variable, split, label
        As in `published_counts`.

    Raises
    ------
    InputError
        When the variable or the split is not in Table 1, or the labels are not printed apart.

    Examples
    --------
    >>> published_mean_sd("llnm", "age_years", "test_a").mean.value
    38.5
    >>> published_mean_sd("lvlnm", "tumor_size_cm", "test", label=0)  # printed in mm
    MeanSd(mean=Number(value=0.896, decimals=3), sd=Number(value=0.513, decimals=3))
    """
    table = _table_1_rows(study, variable, split)
    row = table[table["level"] == MEAN_SD]
    if row.empty:
        return None
    columns = _split_columns(study, table, split, label)
    groups = [parse_mean_sd(row[column].item()) for column in columns]
    if len(groups) > 1:
        plan = published_splits(study).loc[split]
        groups = [_together(groups, [int(plan["negative"]), int(plan["positive"])])]
    shift = _decimal_shift(study, variable)
    return MeanSd(groups[0].mean.shifted(shift), groups[0].sd.shifted(shift))


def published_quartiles(study: str, variable: str, split: str) -> Quartiles | None:
    """Median and quartiles of a variable of Table 1, or None where none are printed.

    They are in the unit of the cohort's column.

    Raises
    ------
    InputError
        When the variable or the split is not in Table 1.

    Examples
    --------
    >>> published_quartiles("clnm", "aspect_ratio", "test").median.value
    1.1
    """
    table = _table_1_rows(study, variable, split)
    column = _column_of(study, split)
    printed = table.loc[table["level"] == QUARTILES, column] if column in table else pd.Series()
    if printed.empty:
        return None
    found = parse_quartiles(printed.item())
    shift = _decimal_shift(study, variable)
    return Quartiles(
        found.first.shifted(shift), found.median.shifted(shift), found.third.shifted(shift)
    )


def _table_1_rows(study: str, variable: str, split: str) -> pd.DataFrame:
    table = published_table(study, "table_1")
    one_of(f"split of {study}", split, _numbers(study)["splits"])
    one_of(f"variable of Table 1 of {study}", variable, table["variable"].unique())
    return table[table["variable"] == variable]


def _split_columns(study: str, table: pd.DataFrame, split: str, label: int | None) -> list[str]:
    """Columns of Table 1 that hold the patients of a split, all of them or those of one label."""
    split = _column_of(study, split)
    apart = [f"{split}_{value}" for value in (0, 1)]
    printed_apart = set(apart) <= set(table.columns)
    if label is None:
        return apart if printed_apart else [split]
    if not printed_apart:
        raise InputError(f"Table 1 of {study} does not print the labels apart.")
    return [apart[label]]


def _column_of(study: str, split: str) -> str:
    """Name of the column of Table 1 that holds a split, alone or with others."""
    column: str = _numbers(study)["splits"][split].get("column", split)
    return column


def _together(groups: list[MeanSd], sizes: list[int]) -> MeanSd:
    """Mean and SD (ddof 1) of groups taken as one, from their own."""
    n = np.array(sizes, dtype=float)
    mean = np.array([group.mean.value for group in groups])
    sd = np.array([group.sd.value for group in groups])
    center = float(n @ mean / n.sum())
    spread = float((n - 1) @ sd**2 + n @ (mean - center) ** 2) / (n.sum() - 1)
    decimals = min(number.decimals for group in groups for number in (group.mean, group.sd))
    return MeanSd(Number(center, decimals), Number(float(np.sqrt(spread)), decimals))


def _decimal_shift(study: str, variable: str) -> int:
    """Decimals that the printed values move to come into the unit of the cohort's column."""
    printed = _numbers(study)["table_1"].get("printed_units", {}).get(variable)
    return 0 if printed is None else _DECIMAL_SHIFT[printed, variable.rsplit("_", 1)[-1]]
