"""Each kind of fault on a page is found by the browser; a good page has none."""

import pytest

from tools.browser.chromium import MISSING, NoBrowserError, find_chromium, open_browser
from tools.browser.visit import READERS, visit

PAGE = """<!DOCTYPE html><html lang="en" data-theme="{theme}"><head><title>A page</title></head>
<body><main class="bd-article"><h1>A page</h1>{body}</main></body></html>"""
LIGHT, DARK, PHONE = READERS
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="


@pytest.fixture(scope="module")
def browser():
    try:
        find_chromium()
    except NoBrowserError:
        pytest.skip("needs Chromium")
    with open_browser() as opened:
        yield opened


@pytest.fixture
def look(browser, tmp_path):
    def problems(body, reader=LIGHT):
        path = tmp_path / "page.html"
        path.write_text(PAGE.format(theme=reader.theme, body=body))
        return visit(browser, path, reader).problems

    return problems


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_good_page_has_no_problem(look, reader):
    good = f"""<img alt="A dot" src="{PIXEL}">
        <details><summary>Solution</summary><p>42</p></details>
        <div tabindex="0" style="overflow-x: auto"><p style="width: 2000px">wide</p></div>"""
    assert look(good, reader) == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('<img alt="Lost" src="gone.png">', "an image is not drawn"),
        ("<script>missing()</script>", "script error: missing is not defined"),
        ("<script>console.error('broken')</script>", "console: broken"),
        ('<script src="https://cdn.invalid/a.js"></script>', "asks another host"),
        ('<script src="gone.js"></script>', "cannot be loaded"),
        (f'<img src="{PIXEL}">', "axe critical image-alt"),
        ('<p style="color: #bbb; background: #fff">pale</p>', "axe serious color-contrast"),
        ("<details open><p>text</p></details>", "a fold without a title"),
        (
            '<details><summary onclick="return false">Solution</summary><p>42</p></details>',
            '"Solution" does not open',
        ),
        ('<span class="math">x^2</span>', "a formula is not set: x^2"),
    ],
)
def test_a_fault_is_found(look, body, found):
    assert any(found in problem for problem in look(body))


def test_a_page_wider_than_a_phone_is_found(look):
    body = '<p style="width: 600px">a wide table</p>'
    assert any("wider than the window" in problem for problem in look(body, PHONE))
    assert look(body) == []


def test_a_page_that_stays_light_for_a_reader_in_the_dark_is_found(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(PAGE.format(theme="light", body=""))
    assert any("the page is light" in problem for problem in visit(browser, path, DARK).problems)


def test_a_dead_slider_is_found_and_one_that_works_is_none(look):
    body = """<div class="lnm-interactive lnm-live">
        <img class="lnm-static" hidden alt="A dot" src="{pixel}">
        <button class="lnm-toggle" onclick="{toggle}">Static picture</button>
        <label>Threshold <input type="range" oninput="{answer}"></label>
        <div class="lnm-plot"><div class="js-plotly-plot">
        <svg class="main-svg" width="9" height="9"></svg></div></div>
        <div class="lnm-result"></div></div>"""
    toggle = "document.images[0].hidden = !document.images[0].hidden"
    answer = "document.querySelector('.lnm-result').textContent = this.value"
    assert look(body.format(pixel=PIXEL, toggle=toggle, answer=answer)) == []
    dead = look(body.format(pixel=PIXEL, toggle="", answer=""))
    assert any("does not change its figure" in problem for problem in dead)
    assert any("the static picture does not come" in problem for problem in dead)


def test_without_a_browser_the_message_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBrowserError, match="apt-get install chromium"):
        find_chromium()
    assert "chromium" in MISSING
