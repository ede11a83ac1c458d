"""Where others can open a page's notebook: the public repository that a checkout came from."""

import re
import subprocess
from pathlib import Path
from typing import Any

COLAB = "https://colab.research.google.com"
BRANCH = "main"

_PUBLIC = re.compile(
    r"(?:https://(?:[^@/]*@)?|ssh://git@|git@)github\.com[:/]([\w.-]+)/([\w.-]+?)(?:\.git)?/?"
)


def repository_address(remote: str) -> str | None:
    """Return the address of a repository as a browser opens it, None where Colab cannot read it.

    Examples
    --------
    >>> repository_address("git@github.com:someone/some.book.git")
    'https://github.com/someone/some.book'
    >>> repository_address("/home/someone/book") is None
    True
    """
    found = _PUBLIC.fullmatch(remote.strip())
    return f"https://github.com/{found[1]}/{found[2]}" if found else None


def launch_settings(root: Path) -> dict[str, Any]:
    """Return the theme's settings for buttons that open a notebook in Colab; none without a remote.

    Parameters
    ----------
    root
        The checkout; its remote ``origin`` names the repository, wherever the book is built.
    """
    address = repository_address(_origin(root))
    if address is None:
        return {}
    return {
        "repository_url": address,
        "repository_branch": BRANCH,
        "launch_buttons": {"colab_url": COLAB},
    }


def _origin(root: Path) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "remote", "get-url", "origin"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
