"""Publication of the book: only of good runs, and never of the smoke profile."""

import json
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lnm_kit.cohort.folder import staged_folder
from lnm_kit.errors import InputError
from lnm_kit.runs.folder import RUN_FILE, is_running, is_untouched
from lnm_kit.runs.inventory import describe_failure

SMOKE = "smoke"
SMOKE_REFUSED = (
    "the smoke profile only shows that everything runs: its numbers mean nothing and are not "
    "published. Take --profile demo or --profile paper."
)


def refuse_smoke(recorded: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse, before anything starts, to publish pages of the smoke profile.

    Parameters
    ----------
    recorded
        The parameters of each notebook, by the page's name.

    Raises
    ------
    InputError
        Names all such pages.
    """
    pages = [page for page, values in recorded.items() if values.get("profile") == SMOKE]
    if pages:
        raise InputError(f"{', '.join(pages)}: {SMOKE_REFUSED}")


def find_refusals(runs: Mapping[str, Path]) -> list[str]:
    """Return why runs cannot be published: failed, interrupted, unfinished, changed, or smoke.

    Parameters
    ----------
    runs
        The run folder of each notebook, by the page's name.
    """
    found = []
    for page, folder in runs.items():
        reason = _why_not(folder)
        if reason:
            found.append(f"{page}: {reason} ({folder.name})")
    return found


def publish(html: Path, destination: Path) -> None:
    """Copy the rendered book to an empty or new folder, which is there whole or not at all.

    Raises
    ------
    InputError
        When the folder holds anything, or cannot be written.
    """
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise InputError(f"{destination} is not an empty folder; publish to a new one.")
    with staged_folder(destination, replace=True) as part:
        shutil.copytree(html, part, dirs_exist_ok=True)
        # pages of a well-known host would otherwise lose the folders that begin with _
        (part / ".nojekyll").touch()


def _why_not(folder: Path) -> str:
    try:
        record = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        parameters = tomllib.loads((folder / "params.toml").read_text(encoding="utf-8"))
        outcome = record.get("outcome")
    except (OSError, ValueError, AttributeError) as error:
        return f"its run cannot be read, {type(error).__name__}"
    if is_running(folder, record):
        return "its run is still at work"
    if outcome != "ok":
        return f"its run ended with {outcome}, {describe_failure(record)}"
    if parameters.get("profile") == SMOKE:
        return SMOKE_REFUSED
    return "" if is_untouched(folder, record) else "files of its run were changed afterwards"
