"""Say at once what this machine lacks before anything is installed (standard library only)."""

import importlib.util
import shutil
import sys
import sysconfig
from pathlib import Path

MINIMUM, LIMIT = (3, 11), (3, 14)


def missing_parts() -> dict[str, str]:
    """Return what is missing and the Debian package that brings it."""
    missing = {}
    if not MINIMUM <= sys.version_info[:2] < LIMIT:
        found = ".".join(map(str, sys.version_info[:2]))
        missing[f"Python 3.11, 3.12 or 3.13 (found {found})"] = "python3"
    if importlib.util.find_spec("ensurepip") is None:
        missing["Python's ensurepip, which makes virtual environments"] = "python3-venv"
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").is_file():
        missing["Python.h, with which pyradiomics is compiled"] = "python3-dev"
    if not any(shutil.which(compiler) for compiler in ("cc", "gcc", "clang")):
        missing["a C compiler, with which pyradiomics is compiled"] = "gcc"
    return missing


def main() -> int:
    """Print what is missing and how to get it; 2 when something is."""
    missing = missing_parts()
    if not missing:
        return 0
    lines = ["This machine lacks:", *(f"  - {part}" for part in missing)]
    lines.append(f"On Debian or Ubuntu: apt-get install {' '.join(missing.values())}")
    sys.stderr.write("\n".join(lines) + "\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
