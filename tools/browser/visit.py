"""One page in one reader's browser: light, dark, or on a phone."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request
from playwright.sync_api import Error as PlaywrightError

from tools.browser.chromium import new_context

CHECKS = Path(__file__).with_name("page_checks.js")
LOCAL = ("file", "data", "blob", "about")
LIMIT_MS = 60_000
SHARED = ("plotly.min.js", "tex-svg.js")
"""The large scripts of figures and of formulas, which a browser keeps for the whole book."""

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations"],
    # it would read the style sheets again, which a browser refuses for pages on disk
    "preload": False,
}
GRAVE = ("serious", "critical")


@dataclass(frozen=True)
class Reader:
    """How a page is looked at."""

    name: str
    theme: str
    width: int
    height: int
    tries_controls: bool = False
    runs_axe: bool = False


READERS = (
    Reader("light", "light", 1280, 900, tries_controls=True, runs_axe=True),
    Reader("dark", "dark", 1280, 900, runs_axe=True),
    Reader("phone", "light", 390, 844),
)


@dataclass
class Visit:
    """What one visit found."""

    reader: str
    load_s: float = 0.0
    weight_mb: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    minor: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def visit(browser: Browser, path: Path, reader: Reader) -> Visit:
    """Open a page as this reader does and ask it all questions."""
    found = Visit(reader.name)
    context = new_context(browser, theme=reader.theme, width=reader.width, height=reader.height)
    try:
        page = context.new_page()
        page.set_default_timeout(LIMIT_MS)
        loaded = listen(page, found.problems)
        page.goto(path.resolve().as_uri(), wait_until="load")
        found.load_s = _load_seconds(page)
        page.add_script_tag(content=CHECKS.read_text(encoding="utf-8"))
        _ask(page, found, reader)
        if reader.runs_axe:
            _run_axe(page, found)
        found.weight_mb = _weight_mb(loaded)
    except PlaywrightError as error:
        found.problems.append(f"the browser gave up: {str(error).splitlines()[0]}")
    finally:
        context.close()
    found.problems = list(dict.fromkeys(found.problems))
    return found


def listen(page: Page, problems: list[str]) -> set[str]:
    """Note errors of a page as they happen; return the addresses it loads, filled as they come."""
    loaded: set[str] = set()

    def note(request: Request) -> None:
        loaded.add(request.url)
        if urlsplit(request.url).scheme not in LOCAL:
            problems.append(f"asks another host: {request.url[:200]}")

    page.on("request", note)
    page.on("requestfailed", lambda each: problems.append(f"cannot be loaded: {each.url[-200:]}"))
    page.on("pageerror", lambda error: problems.append(f"script error: {str(error)[:200]}"))
    page.on(
        "console",
        lambda line: (
            problems.append(f"console: {line.text[:200]}") if line.type == "error" else None
        ),
    )
    return loaded


def _ask(page: Page, found: Visit, reader: Reader) -> None:
    questions = ["settle", "pictures", "overflow"]
    questions += ["folds", "controls"] if reader.tries_controls else []
    for question in questions:
        found.problems += page.evaluate(f"window.bookChecks.{question}()")
    found.counts = page.evaluate("window.bookChecks.counts()")
    theme = page.evaluate("document.documentElement.dataset.theme")
    if theme != reader.theme:
        found.problems.append(
            f"the page is {theme or 'of no theme'}, the reader's system is {reader.theme}"
        )


def _run_axe(page: Page, found: Visit) -> None:
    """List violations of WCAG 2.1 A and AA, each with its first places."""
    for violation in Axe().run(page, options=RULES).response["violations"]:
        nodes: list[Any] = violation["nodes"]
        places = "; ".join(map(_place, nodes[:3]))
        text = f"axe {violation['impact']} {violation['id']} ({len(nodes)}): {places}"
        (found.problems if violation["impact"] in GRAVE else found.minor).append(text)


def _place(node: dict[str, Any]) -> str:
    """Say where a violation is, and of which colors one of contrast."""
    colors: dict[str, Any] = next((check["data"] for check in node["any"] if check["data"]), {})
    pair = f" {colors['fgColor']} on {colors['bgColor']}" if "fgColor" in colors else ""
    return str(node["target"][-1])[:120] + pair


def _load_seconds(page: Page) -> float:
    entry = "performance.getEntriesByType('navigation')[0].loadEventEnd"
    return round(float(page.evaluate(entry)) / 1000, 2)


def _weight_mb(loaded: set[str]) -> float:
    """Add up the files that a page loads, without the shared scripts."""
    paths = [Path(unquote(urlsplit(url).path)) for url in loaded if url.startswith("file:")]
    sizes = [path.stat().st_size for path in paths if path.is_file() and path.name not in SHARED]
    return round(sum(sizes) / 1e6, 2)
