"""The one file that all measurements go to: by part, with the machine and the versions."""

import importlib.metadata
import json
import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import psutil

FILE = Path(__file__).resolve().parents[1] / "lnm_kit" / "measured" / "speed.json"


def machine() -> dict:
    """What the machine is, without its name: processor, cores that may be used, memory."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": processor_model(),
        "cores": usable,
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": platform.system(),
    }


def processor_model() -> str:
    """The processor's model as the system names it."""
    table = Path("/proc/cpuinfo")
    if table.is_file():
        for line in table.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def versions(packages: Iterable[str]) -> dict:
    """Versions of Python and of the packages that are installed."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def save(part: str, rows: list[dict], packages: Iterable[str], path: Path = FILE) -> None:
    """Replace one part of the file; the others stay as they were measured."""
    every = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    every[part] = {
        "measured": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(packages),
        "rows": rows,
    }
    part_file = path.with_suffix(".part")
    part_file.write_text(json.dumps(every, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    part_file.replace(path)
