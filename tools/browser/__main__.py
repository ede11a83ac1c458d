"""Open every page of the rendered book in Chromium: ``python -m tools.browser _build/html``."""

import sys
import time
from pathlib import Path

from tools.browser.book import look_at_all, name_of
from tools.browser.chromium import NoBrowserError, find_chromium, open_browser
from tools.browser.files import find_pages
from tools.browser.report import write_report
from tools.browser.search import search_report


def main() -> int:
    """Look at the pages whose names follow the folder, else at all; 1 when there is a problem."""
    if len(sys.argv) < 2:
        sys.stderr.write("usage: python -m tools.browser FOLDER [PAGE ...]\n")
        return 2
    html = Path(sys.argv[1])
    wanted = sys.argv[2:]
    pages = [name_of(html, path) for path in find_pages(html)]
    unknown = sorted(set(wanted) - set(pages))
    if not pages or unknown:
        sys.stderr.write(
            f"no such page in {html}: {', '.join(unknown) or 'there is none at all'}\n"
        )
        return 2
    try:
        find_chromium()
    except NoBrowserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    begun = time.monotonic()
    reports = look_at_all(html, wanted or pages)
    if not wanted:
        with open_browser() as browser:
            reports.append(search_report(browser, html))
    seconds = round(time.monotonic() - begun, 1)
    folder = html.parent / "browser"
    problems = write_report(reports, folder, seconds)
    said = f"{len(problems)} problems" if problems else "no problem"
    sys.stdout.write(f"{len(reports)} pages in {seconds:.0f} s, {said}: {folder}/report.md\n")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
