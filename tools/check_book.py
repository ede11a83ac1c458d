"""Look at the rendered book from outside: every page of _toc.yml, none with a traceback."""

import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]


def pages_of(node: object) -> list[str]:
    """Return every page named anywhere in the table of contents."""
    if isinstance(node, dict):
        own = [node[key] for key in ("root", "file") if key in node]
        return own + [page for value in node.values() for page in pages_of(value)]
    if isinstance(node, list):
        return [page for item in node for page in pages_of(item)]
    return []


def problems_of(html: Path) -> list[str]:
    """Return what is wrong with the rendered book in the folder `html`."""
    problems = []
    for page in pages_of(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))):
        rendered = (html / page).with_suffix(".html")
        if not rendered.is_file():
            problems.append(f"{page}: no page was rendered")
        elif "Traceback (most recent call last)" in rendered.read_text(encoding="utf-8"):
            problems.append(f"{page}: the page holds a traceback")
    return problems


def main() -> int:
    """Print the problems; 1 when there is one."""
    problems = problems_of(Path(sys.argv[1]))
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    if not problems:
        sys.stdout.write("every page of the book is there and holds no traceback\n")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
