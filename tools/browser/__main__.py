"""Open every page of the rendered book in Chromium: ``python -m tools.browser _build/html``."""

import sys
import time
from pathlib import Path

from tools.browser.chromium import NoBrowserError, open_browser
from tools.browser.files import file_problems, find_pages
from tools.browser.report import PageReport, write_report
from tools.browser.search import search_report
from tools.browser.visit import READERS, visit


def main() -> int:
    """Look at the pages whose names follow the folder, else at all; 1 when there is a problem."""
    html = Path(sys.argv[1])
    wanted = sys.argv[2:]
    pages = {path.relative_to(html).with_suffix("").as_posix(): path for path in find_pages(html)}
    chosen = {name: path for name, path in pages.items() if not wanted or name in wanted}
    if not chosen or set(wanted) - set(pages):
        sys.stderr.write(f"no such page in {html}: {', '.join(wanted) or 'there is none at all'}\n")
        return 2
    try:
        reports, seconds = look_at(html, chosen, everything=not wanted)
    except NoBrowserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    folder = html.parent / "browser"
    problems = write_report(reports, folder, seconds)
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    said = f"{len(problems)} problems" if problems else "no problem"
    sys.stdout.write(f"{len(reports)} pages in {seconds:.0f} s, {said}: {folder}/report.md\n")
    return 1 if problems else 0


def look_at(html: Path, pages: dict[str, Path], *, everything: bool) -> tuple[list[PageReport], float]:
    """Return the reports of these pages, and how long it took in seconds."""
    begun = time.monotonic()
    reports = []
    with open_browser() as browser:
        for name, path in pages.items():
            visits = [visit(browser, path, reader) for reader in READERS]
            reports.append(PageReport(name, file_problems(path), visits))
            sys.stdout.write(f"{name}: {len(reports[-1].all_problems())} problems\n")
            sys.stdout.flush()
        if everything:
            reports.append(search_report(browser, html))
    return reports, round(time.monotonic() - begun, 1)


if __name__ == "__main__":
    raise SystemExit(main())
