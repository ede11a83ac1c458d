"""The result file of ``make bench``, by part, with the machine and the versions."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lnm_kit.errors import InputError, one_of

FILE = Path(__file__).with_name("speed.json")


@dataclass(frozen=True, eq=False)
class Measured:
    """One part of the measurements: its rows, and what they were measured on, and when.

    ``rows`` of times hold `what`, `tool`, `seconds`, `peer`, `peer_seconds`, `ratio` (how many
    times as long the peer takes, the median over `rounds`), `ratio_low`, `ratio_high` and `note`.
    """

    part: str
    rows: pd.DataFrame
    machine: dict[str, Any]
    versions: dict[str, str]
    day: str

    def __str__(self) -> str:
        machine = self.machine
        system = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB"
        return f"{system}, {machine['system']}, {self.day}"


def measured_parts(path: Path = FILE) -> list[str]:
    """Name the parts that were measured.

    Examples
    --------
    >>> "radiomics" in measured_parts()
    True
    """
    return sorted(_read(path))


def measured_speed(part: str, path: Path = FILE) -> Measured:
    """Return the measurements of one part.

    Parameters
    ----------
    part
        One of `measured_parts`.
    path
        The result file.

    Raises
    ------
    InputError
        When the part was not measured, or the file is damaged.

    Examples
    --------
    >>> found = measured_speed("radiomics")
    >>> bool(found.rows["ratio"].iloc[0] > 1)
    True
    """
    table = _read(path)
    one_of("part", part, sorted(table))
    found = table[part]
    return Measured(
        part, pd.DataFrame(found["rows"]), found["machine"], found["versions"], found["measured"]
    )


def duration(seconds: float) -> str:
    """Write seconds in a unit that suits them.

    Examples
    --------
    >>> duration(0.00412), duration(2.5), duration(0.0000031), duration(458.2)
    ('4.1 ms', '2.5 s', '3.1 µs', '460 s')
    """
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms")):
        if seconds < limit:
            return f"{_two_digits(seconds * factor)} {unit}"
    return f"{_two_digits(seconds)} s"


def _two_digits(value: float) -> str:
    return f"{float(f'{value:.2g}'):,g}"


def _read(path: Path) -> dict[str, Any]:
    try:
        table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name} cannot be read ({error}); `make bench` writes it.") from None
    return table
