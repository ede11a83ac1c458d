"""What a run was made with: versions, revision of the code, processor."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

PACKAGES = (
    "lnm-kit",
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "imbalanced-learn",
    "statsmodels",
    "pyradiomics",
    "SimpleITK",
    "pydicom",
    "torch",
    "torchvision",
    "timm",
    "lightning-fabric",
    "captum",
    "matplotlib",
    "jupyter-book",
)


def package_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on.

    Examples
    --------
    >>> "numpy" in package_versions()
    True
    """
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def git_revision(folder: Path) -> str | None:
    """Return the commit of a checkout, with ``+changes`` after it where files differ from it."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    return commit + ("+changes" if _git(folder, "status", "--porcelain", "-uno") else "")


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe_device(requested: str) -> str:
    """Name the device that a run with this `device` parameter uses, as far as torch was loaded."""
    torch: Any = sys.modules.get("torch")
    if torch is not None and requested != "cpu" and torch.cuda.is_available():
        index = int(requested.partition(":")[2] or 0)
        return f"{torch.cuda.get_device_name(index)} ({requested})"
    threads = f", {torch.get_num_threads()} threads" if torch is not None else ""
    return f"cpu ({processors()} processors{threads})"


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
