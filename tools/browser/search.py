"""Searching the book: a query gets results that lead to pages; the theme can be switched."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as PlaywrightError

from tools.browser.chromium import new_context
from tools.browser.report import PageReport
from tools.browser.visit import Visit, listen

QUERIES = ("radiomics", "calibration", "delong_test")
NONSENSE = "xylophonequartz"
WAIT_MS = 15_000


def search_report(browser: Browser, html: Path) -> PageReport:
    """Ask the book's own search, from a page's own field, without a network."""
    found = Visit("light")
    context = new_context(browser, theme="light", width=1280, height=900)
    try:
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        listen(page, found.problems)
        for query in QUERIES:
            hits = _results(page, html, query)
            if not hits:
                found.problems.append(f"no result for {query!r}")
            found.problems += [
                f"a result for {query!r} leads nowhere: {address}"
                for address in hits
                if not Path(unquote(urlsplit(address).path)).is_file()
            ]
        if _results(page, html, NONSENSE):
            found.problems.append(f"results for {NONSENSE!r}, which the book does not hold")
        found.problems += _typed(page, html)
    except PlaywrightError as error:
        found.problems.append(f"the browser gave up: {str(error).splitlines()[0]}")
    finally:
        context.close()
    return PageReport("searching", visits=[found])


def _results(page: Page, html: Path, query: str) -> list[str]:
    page.goto(f"{(html / 'search.html').resolve().as_uri()}?q={query}")
    # the count is said when the list is complete
    page.wait_for_function(
        "/found|did not match/.test(document.querySelector('#search-results')?.innerText)"
    )
    return page.evaluate(
        "[...document.querySelectorAll('#search-results li a')].map((a) => a.href)"
    )


def _typed(page: Page, html: Path) -> list[str]:
    """Type a query into the field that a reader finds on a page."""
    first = next(html.rglob("index.html"))
    page.goto(
        next(path for path in (html / "book" / "index.html", first) if path.is_file())
        .resolve()
        .as_uri()
    )
    page.keyboard.press("Control+k")
    page.keyboard.type(QUERIES[0])
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a")
    return []
