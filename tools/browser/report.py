"""The report of all pages: a table, the problems, and the same as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tools.browser.visit import Visit

HEAVY_MB = 3.0
SLOW_S = 2.0
COLUMNS = ("images", "figures", "controls", "folds", "formulas")


@dataclass
class PageReport:
    """What was found on one page; `problems` are those that need no browser."""

    page: str
    problems: list[str] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)

    def all_problems(self) -> list[str]:
        """Return every problem once, with the readers who meet it."""
        readers: dict[str, list[str]] = {problem: [] for problem in self.problems}
        for visit in self.visits:
            for problem in visit.problems:
                readers.setdefault(problem, []).append(visit.reader)
        found = []
        for problem, names in readers.items():
            who = f" ({', '.join(names)})" if names else ""
            found.append(f"{self.page}{who}: {problem}")
        weight = self.weight_mb()
        if weight >= HEAVY_MB:
            found.append(f"{self.page}: {weight:.1f} MB, allowed are less than {HEAVY_MB:.0f}")
        return found

    def weight_mb(self) -> float:
        """Return the size of all files of the page, in MB, without the shared scripts."""
        return max((visit.weight_mb for visit in self.visits), default=0.0)

    def load_s(self) -> float:
        """Return the longest time to load, in seconds."""
        return max((visit.load_s for visit in self.visits), default=0.0)


def write_report(pages: Sequence[PageReport], folder: Path, seconds: float) -> list[str]:
    """Write ``report.md`` and ``report.json`` and return all problems."""
    problems = [problem for page in pages for problem in page.all_problems()]
    folder.mkdir(parents=True, exist_ok=True)
    content = {"seconds": seconds, "problems": problems, "pages": [asdict(page) for page in pages]}
    (folder / "report.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(as_markdown(pages, problems, seconds), encoding="utf-8")
    return problems


def as_markdown(pages: Sequence[PageReport], problems: Sequence[str], seconds: float) -> str:
    """Return the report as a page of Markdown."""
    head = ("page", "s", "MB", *COLUMNS, "problems")
    lines = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
    for page in pages:
        counts = page.visits[0].counts if page.visits else {}
        cells = [page.page, f"{page.load_s():.1f}", f"{page.weight_mb():.2f}"]
        cells += [str(counts.get(name, "")) for name in COLUMNS]
        lines.append(f"| {' | '.join([*cells, str(len(page.all_problems()))])} |")
    slow = [f"- {page.page}: {page.load_s():.1f} s" for page in pages if page.load_s() >= SLOW_S]
    minor = sorted(
        {
            f"- {page.page}: {each}"
            for page in pages
            for visit in page.visits
            for each in visit.minor
        }
    )
    readers = ", ".join(dict.fromkeys(visit.reader for page in pages for visit in page.visits))
    opened = f"{len(pages)} pages, each {readers}; {seconds:.0f} s; {len(problems)} problems."
    parts = [
        f"# The book in a browser\n\n{opened}",
        "\n".join(lines),
        "## Problems\n\n" + ("\n".join(f"- {each}" for each in problems) or "None."),
        f"## Slower than {SLOW_S:.0f} s on this machine\n\n" + ("\n".join(slow) or "None."),
        "## Of little weight\n\n" + ("\n".join(minor) or "None."),
    ]
    return "\n\n".join(parts) + "\n"
