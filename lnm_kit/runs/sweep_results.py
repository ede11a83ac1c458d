"""The results of a sweep: one table over seeds, as CSV and as a page."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from scipy import stats

from lnm_kit.errors import InputError
from lnm_kit.evaluation.estimate import LEVEL, Estimate
from lnm_kit.runs.files import write_text
from lnm_kit.runs.inventory import read_run
from lnm_kit.runs.recorder import PREDICTIONS_FILE
from lnm_kit.runs.report import folded, heading, link, page, paragraph, table
from lnm_kit.runs.summary import NO_MEANING, show_estimate
from lnm_kit.runs.sweep_plan import Member, Sweep

RESULTS_FILE = "results.csv"
EVERY_RUN_FILE = "every_run.csv"
PAGE_FILE = "index.html"
REPEATED = "seed"
COLUMNS_AT_MOST = 6
ONE_COHORT = (
    "All runs read the same cohort. The interval over seeds shows how much the result depends on "
    "chance in training and splitting; it does not cover the choice of the patients."
)
SIMULATED = (
    "The cohorts are simulated, and every seed draws another one. The interval over seeds covers "
    "the draw of the patients and chance in training and splitting."
)


def mean_over_runs(values: Sequence[float]) -> Estimate:
    r"""Mean over runs with its 95 % t interval.

    The interval is :math:`\bar x \pm t_{0.975,\,n-1}\, s/\sqrt n`, for runs that are independent
    draws; it is not cut at the limits of a metric. With one run there is none, and lo and hi are
    NaN. Undefined values (NaN) are left out, and the method says how many.

    Notes
    -----
    *Source*: Student, Biometrika 1908;6:1-25.

    Examples
    --------
    >>> print(mean_over_runs([0.70, 0.74, 0.78]))
    0.740 (0.641 to 0.839)
    >>> mean_over_runs([0.70, 0.74, math.nan]).method
    't over 2 of 3 runs, others undefined'
    """
    numbers = np.asarray(values, dtype=float)
    defined = numbers[np.isfinite(numbers)]
    n = defined.size
    count = f"{n} runs" if n == numbers.size else f"{n} of {numbers.size} runs, others undefined"
    if n == 0:
        return Estimate.undefined("in every run")
    mean = float(defined.mean())
    if n == 1:
        return Estimate(mean, math.nan, math.nan, f"no interval: {count.replace('runs', 'run', 1)}")
    half = float(stats.t.ppf((1 + LEVEL) / 2, n - 1) * defined.std(ddof=1) / math.sqrt(n))
    return Estimate(mean, mean - half, mean + half, f"t over {count}")


def every_run(sweep: Sweep) -> pd.DataFrame:
    """Return the metrics of all good members: one row a run, model, split and metric.

    Columns are `chapter`, the varied parameters, `run`, and those of ``metrics.json``. A member
    whose files are damaged becomes a failed one.
    """
    rows: list[dict[str, Any]] = []
    for member in sweep.good:
        if member.folder is None:
            continue
        about = {"chapter": member.plan.chapter, **member.varied, "run": member.folder.name}
        try:
            rows += [about | row for row in read_run(member.folder).metrics()]
        except InputError as error:
            member.outcome, member.message = "error", str(error)
    names = ["chapter", *sweep.grid, "run", "model", "split", "metric"]
    return pd.DataFrame(rows, columns=[*names, "value", "lo", "hi", "method"])


def over_seeds(runs: pd.DataFrame, varied: Sequence[str]) -> pd.DataFrame:
    """Return the mean of every metric over the runs that differ in their seed only.

    Parameters
    ----------
    runs
        The table of :func:`every_run`.
    varied
        Names of the varied parameters.

    Returns
    -------
    pandas.DataFrame
        `chapter`, the varied parameters but the seed, `model`, `split`, `metric`, `n_runs`,
        `value` (the mean), `lo`, `hi`, `sd` (of the runs), `method`.
    """
    names = ["chapter", *(name for name in varied if name != REPEATED), "model", "split", "metric"]
    rows = []
    for key, group in runs.groupby(names, sort=False, dropna=False):
        values = pd.to_numeric(group["value"])
        mean = mean_over_runs(values.tolist())
        rows.append(
            dict(zip(names, key, strict=True))
            | {"n_runs": len(values), "value": mean.value, "lo": mean.lo, "hi": mean.hi}
            | {"sd": values.std(ddof=1), "method": mean.method}
        )
    return pd.DataFrame(rows, columns=[*names, "n_runs", "value", "lo", "hi", "sd", "method"])


def write_results(sweep: Sweep) -> pd.DataFrame:
    """Write ``results.csv``, ``every_run.csv`` and ``index.html``; return the first one's table."""
    folder = sweep.folder
    if folder is None:
        raise ValueError("the sweep has no folder: it has not been run")
    runs = every_run(sweep)
    results = over_seeds(runs, list(sweep.grid))
    write_text(folder / EVERY_RUN_FILE, runs.to_csv(index=False))
    write_text(folder / RESULTS_FILE, results.to_csv(index=False))
    write_text(folder / PAGE_FILE, _page(sweep, folder, results))
    return results


def main_table(
    sweep: Sweep, results: pd.DataFrame, cells: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the AUCs of the models whose predictions are kept."""
    models: set[str] = set()
    for member in sweep.good:
        path = member.folder / PREDICTIONS_FILE if member.folder else None
        if path is not None and path.is_file():
            models |= set(pd.read_parquet(path, columns=["model"])["model"])
    chosen = results[results["model"].isin(models)] if models else results
    return wide_table(chosen, cells, "auc")


def wide_table(
    results: pd.DataFrame, cells: Sequence[str], metric: str
) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of one metric: a column for each setting where they are few.

    Parameters
    ----------
    results
        The table of :func:`over_seeds`.
    cells
        Names of the parameters that tell the settings apart.
    metric
        The metric to show.
    """
    chosen = results[results["metric"] == metric]
    rows_of_metric = [dict(row) for _, row in chosen.iterrows()]
    settings = [", ".join(f"{name}={row[name]}" for name in cells) for row in rows_of_metric]
    columns = list(dict.fromkeys(settings))
    shown: dict[tuple[str, ...], dict[str, str]] = {}
    for setting, row in zip(settings, rows_of_metric, strict=True):
        key = (str(row["chapter"]), str(row["model"]), str(row["split"]))
        numbers = {name: row[name] for name in ("value", "lo", "hi")}
        shown.setdefault(key, {})[setting] = show_estimate(numbers)
    if len(columns) <= COLUMNS_AT_MOST:
        header = ["chapter", "model", "split", *(name or "value" for name in columns)]
        rows = [[*key, *(by.get(name, "") for name in columns)] for key, by in shown.items()]
        return header, rows
    long = [[*key, name, text] for key, by in shown.items() for name, text in by.items()]
    return ["chapter", "model", "split", "setting", "value"], long


def _page(sweep: Sweep, folder: Path, results: pd.DataFrame) -> str:
    members = sweep.members
    cells = [name for name in sweep.grid if name != REPEATED]
    unfinished = len(members) - len(sweep.good) - len(sweep.failed)
    counts = f"{len(members)} runs: {len(sweep.good)} good, {len(sweep.failed)} failed"
    blocks = [
        paragraph(counts + (f", {unfinished} not finished" if unfinished else "") + "."),
        table(
            ["varied", "values"],
            [(name, ", ".join(map(str, values))) for name, values in sweep.grid.items()],
        ),
        paragraph(SIMULATED if members[0].plan.cohort_digest is None else ONE_COHORT),
    ]
    if any(each.plan.recorded["profile"] == "smoke" for each in members):
        blocks.append(paragraph(NO_MEANING))
    if sweep.failed:
        rows = [(_link(each, folder), each.outcome, each.message) for each in sweep.failed]
        blocks += [heading("Failed"), table(["run", "outcome", "cell and message"], rows)]
    metrics = list(dict.fromkeys(results["metric"]))
    first = [metric for metric in metrics if metric == "auc"]
    blocks += [heading("Results: mean and 95 % interval over seeds")]
    for metric in [*first, *(metric for metric in metrics if metric not in first)]:
        block = table(*wide_table(results, cells, metric))
        blocks.append(folded(metric, block, is_open=metric in (*first, *metrics[:1])))
    blocks += [
        paragraph(
            Markup("The interval of each run by itself stands in the {}.").format(
                link(EVERY_RUN_FILE, "table of every run")
            )
        ),
        heading("Runs"),
        table(
            ["run", "outcome", "taken from before"],
            [(_link(each, folder), each.outcome, "yes" if each.found else "") for each in members],
        ),
    ]
    return page(f"Sweep of {', '.join(sweep.chapters)}", blocks)


def _link(member: Member, folder: Path) -> Markup | str:
    if member.folder is None:
        return member.label
    page_of_run = member.folder / "notebook.html"
    return link(Path(os.path.relpath(page_of_run, folder)).as_posix(), member.label)
