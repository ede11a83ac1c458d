"""What sweeps over seeds gave where they were run: too long for every build of the book."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lnm_kit.errors import InputError, one_of
from lnm_kit.evaluation.estimate import Estimate

SWEEPS_FILE = Path(__file__).with_name("sweeps.json")


@dataclass(frozen=True, eq=False)
class MeasuredSweep:
    """A chapter's metrics over seeds, the command that gave them, and when.

    ``rows`` holds `model`, `split`, `metric`, `n_runs`, `value` (the mean), `lo` and `hi` (its
    95 % t interval over the runs).
    """

    chapter: str
    command: str
    day: str
    rows: pd.DataFrame

    def metric(self, model: str, split: str, metric: str) -> Estimate:
        """Return the mean of one metric over the seeds.

        Raises
        ------
        InputError
            When the sweep has no such metric.
        """
        rows = self.rows
        found = rows[(rows.model == model) & (rows.split == split) & (rows.metric == metric)]
        if len(found) != 1:
            raise InputError(
                f"the sweep of {self.chapter} has {len(found)} rows of {metric} of {model} on "
                f"{split}; needed: 1. See {SWEEPS_FILE.name}."
            )
        row = found.iloc[0]
        return Estimate(float(row.value), float(row.lo), float(row.hi), f"t over {row.n_runs} runs")


def measured_sweep(chapter: str, path: Path = SWEEPS_FILE) -> MeasuredSweep:
    """Return the sweep over seeds that a chapter shows.

    Parameters
    ----------
    chapter
        Its name.
    path
        The result file; `python -m benchmarks.keep_sweep` writes it.

    Raises
    ------
    InputError
        When there is no sweep of the chapter, or the file is damaged.

    Examples
    --------
    >>> measured_sweep("dgfnet").command.split()[:3]
    ['lnm', 'sweep', 'dgfnet']
    """
    try:
        table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path.name} cannot be read ({error}); `python -m benchmarks.keep_sweep` writes it."
        ) from None
    one_of("chapter", chapter, sorted(table))
    found = table[chapter]
    return MeasuredSweep(chapter, found["command"], found["measured"], pd.DataFrame(found["rows"]))
