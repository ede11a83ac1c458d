"""Where the time of a book goes: every page's newest good run, stage by stage."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from lnm_kit.runs.inventory import Run, all_runs

OTHER = "everything else"
"""What a run did outside of its stages: start of the kernel, figures, tables, text."""


def stage_times(
    root: Path, *, profile: str, shown: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Return the wall time of every stage of every page's newest good run.

    Parameters
    ----------
    root
        The folder that holds ``runs/``.
    profile
        Runs of another profile do not count.
    shown
        By chapter, the name of the run folder to take instead of the newest.

    Returns
    -------
    pandas.DataFrame
        `page`, `stage`, `seconds`, `processors`: pages in the order of their total, the longest
        first, and their stages as they came; `everything else` stands last. A stage inside of
        another one counts in both, so that `everything else` is at least 0.

    Examples
    --------
    >>> stage_times(Path("nowhere"), profile="demo").empty
    True
    """
    rows = []
    for run in sorted(
        _newest(root, profile, shown or {}), key=lambda run: -run.record["wall_time_s"]
    ):
        stages = dict(run.record.get("stages_s") or {})
        stages[OTHER] = max(run.record["wall_time_s"] - sum(stages.values()), 0.0)
        page = run.folder.parent.name
        processors = run.record.get("processors")
        rows += [(page, stage, seconds, processors) for stage, seconds in stages.items()]
    return pd.DataFrame(rows, columns=["page", "stage", "seconds", "processors"])


def _newest(root: Path, profile: str, shown: Mapping[str, str]) -> list[Run]:
    chosen: dict[str, Run] = {}
    for run in all_runs(root):
        page = run.folder.parent.name
        of_profile = run.parameters.get("profile", profile) == profile
        is_timed = isinstance(run.record.get("wall_time_s"), int | float)
        if run.outcome == "ok" and of_profile and is_timed:
            if shown.get(page, run.folder.name) == run.folder.name:
                chosen.setdefault(page, run)
    return list(chosen.values())
