"""Results of expensive stages, kept in folders named by their inputs and by the package's code."""

import contextlib
import errno
import hashlib
import json
import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from lnm_kit.errors import InputError
from lnm_kit.sources import code_digest

CACHE_VARIABLE = "LNM_CACHE"
MANIFEST = ".complete"
ABANDONED_AFTER_S = 24 * 3600

_log = logging.getLogger("lnm_kit")


def cache_root() -> Path:
    """Return the folder of all cached stages.

    It is ``$LNM_CACHE`` where that is set, otherwise ``.lnm_cache`` beside the package's
    checkout, or in the working folder when the package is installed elsewhere.
    """
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser()
    checkout = Path(__file__).resolve().parent.parent
    home = checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()
    return home / ".lnm_cache"


def cached(
    stage: str,
    compute: Callable[[Path], None],
    *,
    inputs: Mapping[str, Any],
    code: Sequence[ModuleType],
) -> Path:
    """Return the folder of a stage's results, computing them only when they are not there yet.

    The key is the SHA-256 of the inputs (as canonical JSON), of the sources of the given modules
    and of every ``lnm_kit`` module that these import, directly or not. `compute` fills a temporary
    folder, which is renamed into place when it returned: an entry is whole or absent. Of two
    processes that compute the same entry the first one wins. Files are checked against the
    entry's manifest on every read; a damaged entry is computed again.

    Parameters
    ----------
    stage
        Name of the stage, used as the folder's name.
    compute
        Called with an existing empty folder that it must fill.
    inputs
        Everything that the result depends on, as JSON values (digests for large inputs).
    code
        The modules whose functions `compute` calls.

    Returns
    -------
    Path
        The folder with the results; read it, never write into it.

    Raises
    ------
    InputError
        When there is no room or no permission to write the results.
    """
    entry = cache_root() / stage / _key(stage, inputs, code)
    if entry.is_dir():
        damage = find_damage(entry)
        if damage is None:
            return entry
        _log.warning("cache entry %s/%s is damaged (%s): computed again", stage, entry.name, damage)
        _set_aside(entry)
    try:
        _compute_into(entry, compute)
    except Exception as error:
        message = _what_the_disk_refused(error, stage, entry)
        if message is None:
            raise
        raise InputError(message) from error
    return entry


def find_damage(entry: Path) -> str | None:
    """Say what is wrong with a cache entry, or None when all its files are as they were written."""
    try:
        manifest = json.loads((entry / MANIFEST).read_text())["files"]
        found = _describe_files(entry)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"its manifest cannot be read: {type(error).__name__}"
    for name in sorted(set(manifest) | set(found)):
        if name not in found:
            return f"{name} is missing"
        if name not in manifest:
            return f"{name} was added"
        if manifest[name] != found[name]:
            return f"{name} was changed"
    return None


def _key(stage: str, inputs: Mapping[str, Any], code: Sequence[ModuleType]) -> str:
    text = json.dumps(inputs, sort_keys=True, separators=(",", ":"), allow_nan=False)
    parts = "\n".join([stage, text, code_digest(code)])
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


def _compute_into(entry: Path, compute: Callable[[Path], None]) -> None:
    entry.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(entry.parent)
    part = entry.parent / f".part-{entry.name}-{uuid.uuid4().hex[:8]}"
    part.mkdir()
    try:
        compute(part)
        (part / MANIFEST).write_text(json.dumps({"files": _describe_files(part)}, indent=1))
        _move_into_place(part, entry)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _move_into_place(part: Path, entry: Path) -> None:
    try:
        part.rename(entry)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        # another process finished first; its entry has the same key and is as good as ours


def _describe_files(folder: Path) -> dict[str, list[int | str]]:
    """Map every file's name in the folder to its size and SHA-256."""
    described: dict[str, list[int | str]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != MANIFEST:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            described[path.relative_to(folder).as_posix()] = [path.stat().st_size, digest]
    return described


def _set_aside(entry: Path) -> None:
    """Remove an entry so that no reader sees half of it: first rename, then delete."""
    aside = entry.parent / f".part-damaged-{uuid.uuid4().hex[:8]}"
    with contextlib.suppress(FileNotFoundError):
        entry.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def _remove_abandoned(stage_folder: Path) -> None:
    """Remove what killed processes left, once nobody can still be writing it."""
    for part in stage_folder.glob(".part-*"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > ABANDONED_AFTER_S:
                shutil.rmtree(part, ignore_errors=True)


def _what_the_disk_refused(error: Exception, stage: str, entry: Path) -> str | None:
    """Return a message for the user when the disk is full or read-only, None for other errors."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return (
                f"no space left on the disk while writing the results of stage {stage!r} to the "
                f"cache; nothing was kept. Free some space, or set {CACHE_VARIABLE} to a folder "
                "on another disk, and run it again."
            )
        if isinstance(cause, OSError) and cause.errno in (errno.EACCES, errno.EROFS):
            place = Path(str(cause.filename))
            if entry.is_relative_to(place) or place.is_relative_to(entry.parent):
                return (
                    f"the results of stage {stage!r} cannot be written to the cache: {cause}. "
                    f"Set {CACHE_VARIABLE} to a folder that can be written, and run it again."
                )
        cause = cause.__cause__ or cause.__context__
    return None
