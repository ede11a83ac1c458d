"""Where public data lie that are no part of the project."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def data_folder(name: str) -> Path | None:
    """Folder of a public data set beside the checkout or under LNM_DATA; None without it."""
    base = Path(os.environ.get("LNM_DATA", REPOSITORY.parent / "shared" / "data"))
    folder = base / name
    return folder if folder.is_dir() else None
