"""What the book's status page shows: when each notebook ran, how long, and with what."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from lnm_kit.progress import describe_time
from lnm_kit.runs.inventory import Run, read_run
from lnm_kit.runs.reference import markdown_table

STATUS_FILE = "_runs/status.md"
"""Where the staged book keeps the text of the status page."""

NO_RUN = "No notebook of this book was executed."
LONGEST = 3


def status_text(executed: Mapping[str, Path]) -> str:
    """Give the tables of the status page as Markdown: runs, slowest stages, versions.

    Parameters
    ----------
    executed
        The executed notebook of every page that is one, in its run folder, by the page's name.

    Raises
    ------
    InputError
        When a run folder cannot be read.

    Examples
    --------
    >>> status_text({})
    'No notebook of this book was executed.'
    """
    runs = {page: read_run(notebook.parent) for page, notebook in executed.items()}
    if not runs:
        return NO_RUN
    total = sum(_seconds(run) for run in runs.values())
    rows = [_row(page, run) for page, run in runs.items()]
    head = ("Page", "Profile", "Started", "Took", "Memory", "Revision")
    number = "1 notebook" if len(runs) == 1 else f"{len(runs)} notebooks"
    return "\n\n".join(
        [
            f"{number}, {describe_time(total)} of computing altogether.",
            markdown_table(head, rows),
            "## Devices and the longest stages",
            _stages(runs),
            "## Versions",
            markdown_table(("Package", "Version"), _versions(runs.values())),
        ]
    )


def _row(page: str, run: Run) -> tuple[str, ...]:
    memory_mb = run.record.get("peak_memory_mb")
    return (
        _link(page),
        str(run.parameters.get("profile", "")),
        _started(run.folder.name),
        describe_time(_seconds(run)),
        f"{memory_mb / 1000:.1f} GB" if memory_mb else "",
        _revision(run.record.get("git_revision")),
    )


def _link(page: str) -> str:
    return f"{{doc}}`{page.rpartition('/')[2]} </{page}>`"


def _seconds(run: Run) -> float:
    return float(run.record.get("wall_time_s") or 0.0)


def _started(name: str) -> str:
    """Read the time in a run folder's name.

    Examples
    --------
    >>> _started("20261121-194311-1f0639ec")
    '2026-11-21 19:43'
    >>> _started("mine")
    ''
    """
    try:
        stamp = datetime.strptime(name[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return ""
    return stamp.strftime("%Y-%m-%d %H:%M")


def _revision(revision: str | None) -> str:
    """Shorten a revision of the code.

    Examples
    --------
    >>> _revision("c7697fa015dfaa+changes"), _revision(None)
    ('`c7697fa0` with changes', 'no checkout')
    """
    if not revision:
        return "no checkout"
    commit, _, changes = revision.partition("+")
    return f"`{commit[:8]}`" + (" with changes" if changes else "")


def _stages(runs: Mapping[str, Run]) -> str:
    """Name device and longest stages of every run that recorded some."""
    rows = []
    for page, run in runs.items():
        stages = run.record.get("stages_s") or {}
        longest = sorted(stages.items(), key=lambda stage: -stage[1])[:LONGEST]
        if longest:
            words = ", ".join(f"{name} {describe_time(seconds)}" for name, seconds in longest)
            rows.append((_link(page), str(run.record.get("device") or ""), words))
    return (
        markdown_table(("Page", "Device", "Stages"), rows)
        if rows
        else "No run recorded its stages."
    )


def _versions(runs: Iterable[Run]) -> list[tuple[str, str]]:
    """List every package, with more than one version where the runs differ."""
    found: dict[str, list[str]] = {}
    for run in runs:
        for name, version in (run.record.get("versions") or {}).items():
            known = found.setdefault(name, [])
            known += [] if version in known else [version]
    return [(name, ", ".join(versions)) for name, versions in found.items()]
