"""Protocols repeated over many tables: what they report against what is true."""

import joblib
import numpy as np
import pandas as pd

from lnm_kit.errors import InputError, one_of
from lnm_kit.evaluation.stress.design import Design, draw_table
from lnm_kit.evaluation.stress.protocols import PROTOCOLS
from lnm_kit.progress import track

FORMS = ("honest", "leaky")
CLAIMED_AUC = 0.7
"""An AUC above this whose interval lies above 0.5 counts as a claimed finding."""


def stress(
    design: Design,
    *,
    repetitions: int,
    seed: int,
    steps: tuple[str, ...] = tuple(PROTOCOLS),
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Run the honest and the leaky form of each step on the same freshly drawn tables.

    Parameters
    ----------
    design
        Of the tables; `oracle_auc=0.5` for tables in which there is nothing to find.
    repetitions
        Tables.
    seed
        Of the tables and folds.
    steps
        Some of `PROTOCOLS`.
    n_jobs
        Processes; it does not change the result.

    Returns
    -------
    pandas.DataFrame
        One row a table, step and form: `repetition`, `step`, `form`, `measure` (`auc` or
        `youden`), `reported`, `lo`, `true`.

    Raises
    ------
    InputError
        Without a repetition, or for an unknown step.

    Examples
    --------
    >>> found = stress(Design(patients=60, prevalence=0.3, features=50, informative=2),
    ...                repetitions=2, seed=0, steps=("scaling",))
    >>> found.form.tolist()
    ['honest', 'leaky', 'honest', 'leaky']
    """
    if repetitions < 1:
        raise InputError(f"repetitions is {repetitions}; allowed: 1 or more.")
    for step in steps:
        one_of("step", step, PROTOCOLS)
    results = joblib.Parallel(n_jobs=n_jobs, return_as="generator", batch_size=1)(
        joblib.delayed(_one_table)(design, seed, number, steps) for number in range(repetitions)
    )
    tables = track(results, label="stress test", total=repetitions)
    return pd.DataFrame([row for rows in tables for row in rows])


def summarize(runs: pd.DataFrame) -> pd.DataFrame:
    """Give mean report, mean truth and optimism of each step and form, and how often it claims.

    Parameters
    ----------
    runs
        Of :func:`stress`.

    Returns
    -------
    pandas.DataFrame
        Columns `step`, `form`, `measure`, `reported`, `true`, `optimism` (reported minus true),
        `optimism_se` (over the tables), and `claimed`: share of tables with an AUC above
        `CLAIMED_AUC` whose interval lies above 0.5, NaN for Youden's index.
    """
    runs = runs.assign(
        optimism=runs["reported"] - runs["true"],
        claimed=((runs["reported"] > CLAIMED_AUC) & (runs["lo"] > 0.5))
        .astype(float)
        .where(runs["measure"] == "auc"),
    )
    groups = runs.groupby(["step", "form"], sort=False)
    table = groups.agg(
        measure=("measure", "first"),
        reported=("reported", "mean"),
        true=("true", "mean"),
        optimism=("optimism", "mean"),
        optimism_se=("optimism", "sem"),
        claimed=("claimed", "mean"),
    )
    return table.reset_index()


def _one_table(
    design: Design, seed: int, number: int, steps: tuple[str, ...]
) -> list[dict[str, object]]:
    table = draw_table(design, np.random.default_rng([seed, number]))
    rows: list[dict[str, object]] = []
    for step in steps:
        for form, protocol in zip(FORMS, PROTOCOLS[step], strict=True):
            found = protocol(table, design, number)
            rows.append(
                {
                    "repetition": number,
                    "step": step,
                    "form": form,
                    "measure": found.measure,
                    "reported": found.reported,
                    "lo": found.lo,
                    "true": found.true,
                }
            )
    return rows
