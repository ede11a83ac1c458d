"""All pages of a book, in several browsers side by side."""

import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tools.browser.chromium import open_browser
from tools.browser.files import file_problems
from tools.browser.report import PageReport
from tools.browser.visit import READERS, visit

WORKERS = 2


def look_at_all(html: Path, names: Sequence[str]) -> list[PageReport]:
    """Return the reports of these pages; several browsers share them, the large ones first."""
    by_size = sorted(names, key=lambda name: -path_of(html, name).stat().st_size)
    shares = [by_size[start::WORKERS] for start in range(WORKERS)]
    # a forked process would inherit what playwright has opened
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=spawn) as pool:
        found = pool.map(look_at, [html] * WORKERS, shares)
        reports = {report.page: report for part in found for report in part}
    return [reports[name] for name in names]


def look_at(html: Path, names: Sequence[str]) -> list[PageReport]:
    """Return the reports of some pages and say each as it comes."""
    reports = []
    with open_browser() as browser:
        for name in names:
            path = path_of(html, name)
            visits = [visit(browser, path, reader) for reader in READERS]
            report = PageReport(name, file_problems(path), visits)
            reports.append(report)
            sys.stdout.write(
                "".join(f"{line}\n" for line in report.all_problems() or [f"{name}: good"])
            )
            sys.stdout.flush()
    return reports


def name_of(html: Path, path: Path) -> str:
    """Return a page's name as in ``_toc.yml``."""
    return path.relative_to(html).with_suffix("").as_posix()


def path_of(html: Path, name: str) -> Path:
    """Return the file of a page."""
    return html / f"{name}.html"
