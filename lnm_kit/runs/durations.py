"""Where the time of a book goes: every page's newest good run, by stage and by section."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from lnm_kit.errors import InputError
from lnm_kit.runs.inventory import Run, all_runs
from lnm_kit.runs.notebook import read_notebook

OTHER = "everything else"
"""What a run did outside of its stages or sections, such as the start of its kernel."""


def timed_runs(root: Path, *, profile: str, shown: Mapping[str, str] | None = None) -> list[Run]:
    """Return the newest good run of every page, the longest first.

    Parameters
    ----------
    root
        The folder that holds ``runs/``.
    profile
        Runs of another profile do not count; pages that know no profiles do.
    shown
        By chapter, the name of the run folder to take instead of the newest.

    Examples
    --------
    >>> timed_runs(Path("nowhere"), profile="demo")
    []
    """
    chosen: dict[str, Run] = {}
    for run in all_runs(root):
        page = run.folder.parent.name
        if (
            run.outcome == "ok"
            and isinstance(run.record.get("wall_time_s"), int | float)
            and run.parameters.get("profile", profile) == profile
            and (shown or {}).get(page, run.folder.name) == run.folder.name
        ):
            chosen.setdefault(page, run)
    return sorted(chosen.values(), key=lambda run: -float(run.record["wall_time_s"]))


def stage_times(run: Run) -> pd.Series:
    """Return the wall time of the stages that a run names, in s, in their order.

    `everything else` stands last. What comes from the cache takes the time of reading it.
    """
    stages = {str(name): float(time) for name, time in (run.record.get("stages_s") or {}).items()}
    return _with_rest(stages, run)


def section_times(run: Run) -> pd.Series:
    """Return the wall time of the sections of a run's notebook, in s, in their order.

    A section is what stands below a heading, up to the next; sections of one name count together.

    Raises
    ------
    InputError
        When the run's notebook cannot be read.
    """
    times: Iterator[float] = iter(run.record.get("cells_s") or ())
    sections: dict[str, float] = {}
    heading = OTHER
    for cell in read_notebook(run.folder / "notebook.ipynb").cells:
        if cell.cell_type == "markdown":
            heading = _last_heading(cell.source) or heading
        elif cell.cell_type == "code":
            sections[heading] = sections.get(heading, 0.0) + next(times, 0.0)
    return _with_rest(sections, run)


def page_times(runs: list[Run]) -> pd.DataFrame:
    """Return one row a run: `page`, `seconds`, `processors`, and its slowest section.

    Examples
    --------
    >>> list(page_times([]))
    ['page', 'seconds', 'processors', 'slowest', 'slowest_s']
    """
    rows = []
    for run in runs:
        try:
            sections = section_times(run).drop(OTHER)
        except InputError:
            sections = pd.Series(dtype=float)
        slowest = str(sections.idxmax()) if len(sections) else ""
        rows.append(
            (
                run.folder.parent.name,
                float(run.record["wall_time_s"]),
                run.record.get("processors"),
                slowest,
                float(sections.max()) if len(sections) else float("nan"),
            )
        )
    return pd.DataFrame(rows, columns=["page", "seconds", "processors", "slowest", "slowest_s"])


def _with_rest(parts: dict[str, float], run: Run) -> pd.Series:
    known = {name: seconds for name, seconds in parts.items() if name != OTHER}
    rest = max(float(run.record["wall_time_s"]) - sum(known.values()), 0.0)
    return pd.Series({**known, OTHER: rest}, name="seconds", dtype=float)


def _last_heading(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("#")]
    return lines[-1].lstrip("#").strip() if lines else ""
