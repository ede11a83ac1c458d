"""The final model of each study: its name in the runs, and where the paper prints its AUC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from lnm_kit.errors import InputError, one_of
from lnm_kit.evaluation.audit.printed_range import is_missing, printed_interval
from lnm_kit.published import parse_number, published_table


@dataclass(frozen=True)
class Printed:
    """One printed AUC of the final model.

    Parameters
    ----------
    split
        The split of the run that it belongs beside.
    place
        Where the paper prints it, for readers.
    table, where
        Table of `lnm_kit.published`, and the values of the columns that choose its row.
    parameters
        The AUC belongs beside runs with these values of parameters only.
    """

    split: str
    place: str
    table: str
    where: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finalist:
    """What the scoreboard shows of one study.

    Parameters
    ----------
    title
        Short name of the study.
    model, null
        Names in the run's metrics of the final model, and of what was fitted to labels without
        signal; ``null`` is empty where the chapter records none.
    held_out
        The split that no model of the study learned from.
    unseen
        A split in which the run's predictions of the final model saw no label of their own cases:
        what a recalibration may learn from.
    printed
        The AUCs that the paper prints.
    clinical
        The model without images that it is judged beside; empty without one.
    simple
        A classical statistical model on the same task; empty without one.
    single
        The models of one image type each, where the final one joins several.
    """

    title: str
    model: str
    null: str
    held_out: str
    unseen: str
    printed: tuple[Printed, ...]
    clinical: str = ""
    simple: str = ""
    single: tuple[str, ...] = ()

    @property
    def null_of(self) -> str:
        """The model that the null belongs to where that is not the final one; else empty.

        Examples
        --------
        >>> FINALISTS["llnm"].null_of, FINALISTS["clnm"].null_of
        ('SVM', '')
        """
        return "" if self.null.startswith(self.model) else self.null.split(",")[0]


FINALISTS: dict[str, Finalist] = {
    "llnm": Finalist(
        title="LLNM",
        model="Integrated",
        null="SVM, labels without signal",
        held_out="test_a",
        unseen="training",
        printed=tuple(
            Printed(split, "Table 4", "table_4", {"split": split, "model": "Integrated Model"})
            for split in ("training", "validation", "test_a")
        ),
        clinical="Logistic regression",
        simple="Logistic regression",
    ),
    "lvlnm": Finalist(
        title="LVLNM",
        model="Thy-DL-Radiomics",
        null="Thy-Radiomics, labels without signal",
        held_out="test",
        unseen="training",
        printed=tuple(
            Printed(split, "Fig. 5", "figure_5", {"split": split, "model": "Thy-DL-Radiomics"})
            for split in ("validation", "test")
        ),
        simple="Radiomics LR",
    ),
    "clnm": Finalist(
        title="CLNM",
        model="Combined",
        null="Combined, honest, labels without signal",
        held_out="test",
        unseen="training",
        printed=tuple(
            Printed(split, "text", "aucs", {"split": split, "model": "Combined"})
            for split in ("training", "validation", "test")
        ),
        clinical="Clinical",
        simple="Combined, LR",
    ),
    "ceus": Finalist(
        title="CEUS",
        model="Triple-modality",
        null="Triple-modality, labels without signal",
        held_out="test",
        unseen="validation",
        printed=(Printed("test", "Table 3", "table_3", {"model": "Triple-modality"}),),
        clinical="US-LNM",
        single=("B-mode", "CEUS"),
    ),
    "dgfnet": Finalist(
        title="DGFNet",
        model="DGFNet",
        null="DGFNet, labels without signal",
        held_out="test",
        unseen="training",
        printed=(
            *(
                Printed(
                    "training",
                    "Table 3",
                    "table_3",
                    {"site": site, "model": "Diverse granularity fusion"},
                    {"site": site},
                )
                for site in ("central", "lateral")
            ),
            Printed("test", "Table 4", "table_4", {"split": "test"}, {"site": "central"}),
        ),
        single=("US", "CT"),
    ),
}
"""The five studies, in the order of the book."""

DEFAULTS = {"site": "central"}


def printed_aucs(study: str, parameters: Mapping[str, Any]) -> pd.DataFrame:
    """Return the printed AUCs of a study's final model: split, place, value, lo, hi.

    Parameters
    ----------
    study
        Name of the study.
    parameters
        Of the run that they are to stand beside.

    Returns
    -------
    pandas.DataFrame
        ``lo`` and ``hi`` are NaN where the paper prints no interval.

    Raises
    ------
    InputError
        For an unknown study, or when a row of its table is missing or comes twice.

    Examples
    --------
    >>> printed_aucs("ceus", {}).to_dict("records")
    [{'split': 'test', 'place': 'Table 3', 'value': 0.831, 'lo': 0.812, 'hi': 0.85}]
    """
    one_of("study", study, FINALISTS)
    known = DEFAULTS | dict(parameters)
    rows = []
    for printed in FINALISTS[study].printed:
        if any(known.get(name) != value for name, value in printed.parameters.items()):
            continue
        table = published_table(study, printed.table)
        for column, cell in printed.where.items():
            table = table[table[column] == cell]
        if len(table) != 1:
            raise InputError(f"{study}, {printed.table}: {len(table)} rows of {printed.where}.")
        row = table.iloc[0]
        lo = hi = float("nan")
        if "auc_ci" in row and not is_missing(row["auc_ci"]):
            lower, upper = printed_interval(row["auc_ci"])
            lo, hi = round(lower.middle, 6), round(upper.middle, 6)
        value = parse_number(row["auc"]).value
        rows.append(
            {"split": printed.split, "place": printed.place, "value": value, "lo": lo, "hi": hi}
        )
    return pd.DataFrame(rows, columns=["split", "place", "value", "lo", "hi"])
