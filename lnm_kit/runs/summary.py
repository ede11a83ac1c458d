"""What a person is told about a run: before it starts, when it ended, and in lists."""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lnm_kit.progress import describe_time
from lnm_kit.runs.inventory import Run
from lnm_kit.runs.parameters import check_parameters
from lnm_kit.runs.plan import RunPlan
from lnm_kit.runs.recorder import METRICS_FILE, MODELS_FOLDER
from lnm_kit.runs.schemas import PARAMETERS

NO_MEANING = "The smoke profile shows that everything runs; its numbers mean nothing."
SIMULATED = "simulated"


def plan_lines(plan: RunPlan, earlier: Path | None) -> list[str]:
    """Return what a run would do: all parameters, the cohort, the notebook, where it would go."""
    width = max(map(len, plan.recorded))
    lines = [f"{name:{width}} = {_plain(value)}" for name, value in plan.recorded.items()]
    if plan.cohort_digest is None:
        cohort = f"{SIMULATED} (seed {plan.recorded['seed']}, signal {plan.recorded['signal']:g})"
    else:
        cohort = f"{plan.recorded['cohort']}, checked, no problems"
    lines += ["", f"Cohort    {cohort}", f"Notebook  {plan.notebook.name}"]
    if earlier is None:
        lines.append(f"Would be executed into runs/{plan.chapter}/TIME-{plan.identity[:8]}")
    else:
        lines.append(f"Would not be executed: {earlier.name} is the same run (--force repeats it)")
    return lines


def path_lines(run: Run, shown: Path) -> list[str]:
    """Return the files of a run that matter, as far as they are there.

    Parameters
    ----------
    run
        The run.
    shown
        Its folder as the user should see it.
    """
    n_metrics, figures = len(run.metrics()), run.figures
    files = [
        ("Page", "notebook.html", "open it in a browser"),
        ("Numbers", METRICS_FILE, f"{n_metrics} with their intervals"),
        ("Cases", run.predictions_file.name, "predicted probability of every case"),
        ("Models", MODELS_FOLDER, "trained networks, each with a card, for lnm predict"),
        ("Figures", "figures", f"{len(figures)}, as PNG and SVG"),
        ("Repeat", "params.toml", f"lnm run {run.chapter} -f {shown / 'params.toml'} --force"),
    ]
    there = [(what, name, why) for what, name, why in files if (run.folder / name).exists()]
    return [f"{what:9}{shown / name}  ({why})" for what, name, why in there]


def auc_rows(run: Run) -> list[list[str]]:
    """Return model, split and AUC with interval of the models whose predictions are kept."""
    rows = [row for row in run.metrics() if row["metric"] == "auc"]
    if run.predictions_file.is_file():
        import pandas as pd

        models = set(pd.read_parquet(run.predictions_file, columns=["model"])["model"])
        rows = [row for row in rows if row["model"] in models] or rows
    return [[row["model"], row["split"], show_estimate(row)] for row in rows]


def show_estimate(row: dict[str, Any] | None) -> str:
    """Return value and interval of a row of ``metrics.json`` as text.

    Examples
    --------
    >>> show_estimate({"value": 0.8437, "lo": 0.7912, "hi": 0.8954})
    '0.844 (0.791 to 0.895)'
    >>> show_estimate({"value": None, "method": "undefined: no case was called positive"})
    'undefined'
    >>> show_estimate({"value": 0.74, "lo": math.nan, "hi": math.nan})
    '0.740'
    """
    if row is None:
        return ""
    value, lo, hi = (row.get(name) for name in ("value", "lo", "hi"))
    if value is None or math.isnan(value):
        return "undefined"
    if lo is None or hi is None or math.isnan(lo):
        return f"{value:.3f}"
    return f"{value:.3f} ({lo:.3f} to {hi:.3f})"


def list_row(run: Run) -> list[str]:
    """Return name, start, outcome, time, profile and what differs from it, of one run."""
    seconds = run.record.get("wall_time_s")
    return [
        run.name,
        _started(run.folder.name),
        run.outcome,
        "" if seconds is None else describe_time(seconds),
        str(run.parameters.get("profile", "")),
        ", ".join(f"{name}={_plain(value)}" for name, value in changed_parameters(run).items()),
    ]


def changed_parameters(run: Run) -> dict[str, Any]:
    """Return the parameters of a run that are not as its profile has them now."""
    if run.chapter not in PARAMETERS:
        return {name: value for name, value in run.parameters.items() if name != "profile"}
    profile = run.parameters.get("profile", "demo")
    try:
        usual = check_parameters(run.chapter, {"profile": profile}).resolved().model_dump()
    except ValueError:
        usual = {}
    return {name: value for name, value in run.parameters.items() if usual.get(name) != value}


def show_lines(run: Run, shown: Path) -> list[str]:
    """Return everything worth knowing of one run, but its AUCs."""
    record = run.record
    seconds = record.get("wall_time_s")
    took = "" if seconds is None else f" after {describe_time(seconds)}"
    lines = [f"{run.name}: {run.outcome}{took}"]
    if run.message and run.outcome != "running":
        lines.append(run.message)
    width = max(map(len, run.parameters), default=0)
    lines += ["", *(f"{name:{width}} = {_plain(v)}" for name, v in run.parameters.items()), ""]
    stages = record.get("stages_s") or {}
    if stages:
        times = (f"{name} {describe_time(time_s)}" for name, time_s in stages.items())
        lines.append(f"Stages   {', '.join(times)}")
    for title, name in (("Device", "device"), ("Code", "git_revision")):
        if record.get(name):
            lines.append(f"{title:9}{record[name]}")
    return [*lines, *path_lines(run, shown)]


def _started(name: str) -> str:
    """Read the time in a folder's name.

    Examples
    --------
    >>> _started("20261121-110401-609f6de8")
    '2026-11-21 11:04 UTC'
    """
    try:
        return (
            datetime.strptime(name[:15], "%Y%m%d-%H%M%S")
            .replace(tzinfo=UTC)
            .strftime("%Y-%m-%d %H:%M UTC")
        )
    except ValueError:
        return ""


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "not set" if value is None else str(value)
