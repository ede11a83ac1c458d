import pytest

from lnm_kit.runs.gate import find_problems, page_problems


@pytest.mark.parametrize(
    "html",
    [
        '<div class="output traceback highlight"><pre>x</pre></div>',
        "<pre>Traceback (most recent call last)</pre>",
        '<script src="https://cdn.example/a.js"></script>',
        '<script src="//cdn.example/a.js"></script>',
        '<link rel="stylesheet" href="http://cdn.example/a.css">',
        '<link rel="preload" as="font" href="https://fonts.example/a.woff2">',
        '<img src="https://img.example/a.png">',
        '<img srcset="a.png 1x, https://img.example/a.png 2x">',
        '<svg><image xlink:href="https://img.example/a.png"/></svg>',
        "<style>@import 'https://fonts.example/css';</style>",
        "<style>a { background: url(//img.example/a.png) }</style>",
        '<p style="background: url(https://img.example/a.png)">x</p>',
        '<iframe src="https://video.example"></iframe>',
        '<script type="module">import x from "https://cdn.example/x.mjs"</script>',
        '<script>import("https://cdn.example/x.mjs")</script>',
    ],
)
def test_fault_of_a_page_is_found(html):
    assert page_problems(f"<html><body>{html}</body></html>")


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://doi.org/10.1/x">paper</a>',
        '<link rel="canonical" href="https://book.example/a.html">',
        '<script src="../_static/a.js"></script>',
        '<img src="data:image/png;base64,AAAA">',
        "<pre>import requests; requests.get('https://x.example')</pre>",
        "<p>An error is shown as a traceback.</p>",
    ],
)
def test_good_page_passes(html):
    assert page_problems(f"<html><body>{html}</body></html>") == []


def test_missing_page_and_remote_font_of_a_stylesheet_are_found(tmp_path):
    (tmp_path / "index.html").write_text("<p>here</p>")
    (tmp_path / "a.css").write_text("@font-face { src: url('https://fonts.example/a.woff2') }")
    assert find_problems(tmp_path, ["index", "studies/llnm"]) == [
        "studies/llnm: the page is missing",
        "a.css: loads https://fonts.example/a.woff2",
    ]
