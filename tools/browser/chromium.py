"""Finding the installed Chromium and opening pages in it, without a network."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
MISSING = (
    "no browser: the pages are looked at with Chromium or Chrome, and none of "
    f"{', '.join(NAMES)} is on the path. On Debian: apt-get install chromium"
)
ARGUMENTS = ("--disable-background-networking", "--no-first-run", "--disable-component-update")


class NoBrowserError(RuntimeError):
    """No Chromium is installed."""


def find_chromium() -> str:
    """Return the program of the first browser that is installed.

    Raises
    ------
    NoBrowserError
        When there is none.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise NoBrowserError(MISSING)
    return found


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start the browser, without a window."""
    program = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def new_context(browser: Browser, *, theme: str, width: int, height: int) -> BrowserContext:
    """Return a fresh reader: nothing stored, no network, a light or a dark system."""
    return browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        offline=True,
    )
