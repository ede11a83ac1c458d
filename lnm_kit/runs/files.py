"""Writing files so that a reader finds the whole file or none."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tomli_w


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Let `write` fill a sibling of `path` and move it into place when it returned."""
    # the suffix stays last: writers of images choose the format by it
    part = path.with_name(f".part-{uuid.uuid4().hex[:8]}-{path.name}")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically; NaN is refused."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def write_toml(path: Path, values: dict[str, Any]) -> None:
    """Write a TOML file atomically; None, which TOML does not have, is left out."""
    kept = {name: value for name, value in values.items() if value is not None}
    write_text(path, tomli_w.dumps(kept))
