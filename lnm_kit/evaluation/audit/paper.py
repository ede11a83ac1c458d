"""A paper's numbers in the form that the audit reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lnm_kit.errors import InputError

KINDS = ("metrics", "regression", "counts", "comparison", "shares")
"""What a table can hold."""

NAMES = {
    "recall": "sensitivity",
    "tpr": "sensitivity",
    "tnr": "specificity",
    "acc": "accuracy",
    "precision": "ppv",
    "f1_score": "f1",
}
"""Other names of rates."""


@dataclass(frozen=True)
class Split:
    """Patients (or images) of one split; None where the paper does not tell."""

    n: int | None
    positive: int | None = None
    negative: int | None = None

    @property
    def pair(self) -> tuple[int, int] | None:
        """Positives and negatives, where both are known."""
        if self.positive is None or self.negative is None:
            return None
        return self.positive, self.negative


@dataclass(frozen=True)
class Table:
    """One printed table.

    Parameters
    ----------
    key, title
        Its name in the file, and in the report.
    kind
        One of `KINDS`.
    columns
        As in the file, other names of rates replaced.
    rows
        Column to printed cell.
    settings
        What else the file says of the table; see :func:`read_paper`.
    """

    key: str
    title: str
    kind: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def split_of(self, row: Mapping[str, str]) -> str | None:
        """Name of the split that a row was measured on."""
        printed = row.get("split", self.settings.get("split"))
        renamed: Mapping[str, str] = self.settings.get("splits", {})
        return None if printed is None else renamed.get(printed, printed)

    def name_of(self, row: Mapping[str, str]) -> str:
        """Give the cells that tell the rows apart, joined."""
        if "label" in self.columns:
            return row["label"]
        if self.kind == "comparison":
            return f"{row.get('split', '')}: {row['model_a']} against {row['model_b']}"
        return ", ".join(row[name] for name in self.columns if name in _NAMING and row[name])


_NAMING = (
    "split",
    "modality",
    "site",
    "model",
    "backbone",
    "classifier",
    "row",
    "variable",
    "level",
    "reader",
    "features",
)
NAMING = (*_NAMING, "label", "model_a", "model_b")
"""Columns of text, which tell the rows of a table apart."""


@dataclass(frozen=True)
class Paper:
    """All that the audit knows of a paper."""

    name: str
    splits: Mapping[str, Split]
    tables: tuple[Table, ...]
    total: Split | None = None
    candidates: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    repeated: tuple[Mapping[str, Any], ...] = ()
    sums: tuple[Mapping[str, Any], ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    def place(self, place: str) -> list[tuple[str, str]]:
        """Give the printed numbers at a place, each with where it stands.

        Parameters
        ----------
        place
            `where: number`, or `table / cells of the row / column`, or `part.name` for a value of
            the file; a name that holds several values gives all of them.

        Raises
        ------
        InputError
            When nothing is there.

        Examples
        --------
        >>> Paper("Doe 2026", {}, (), values={"n": {"men": "20", "women": "30"}}).place("n")
        [('n.men', '20'), ('n.women', '30')]
        """
        if ":" in place:
            where, _, number = place.partition(":")
            return [(where.strip(), number.strip())]
        if "/" in place:
            return [self._cell(*(part.strip() for part in place.split("/")))]
        found: Any = self.values
        for step in place.split("."):
            if not isinstance(found, Mapping) or step not in found:
                raise InputError(f"no value at {place!r}.")
            found = found[step]
        if isinstance(found, Mapping):
            return [(f"{place}.{name}", str(value)) for name, value in found.items()]
        return [(place, str(found))]

    def _cell(self, key: str, *steps: str) -> tuple[str, str]:
        *cells, column = steps
        for table in self.tables:
            if table.key == key and column in table.columns:
                for row in table.rows:
                    if set(cells) <= set(row.values()):
                        return table.title, row[column]
        raise InputError(f"no cell at '{' / '.join((key, *steps))}'.")
