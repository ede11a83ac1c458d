import json
import re
from base64 import b64decode
from html.parser import HTMLParser

import nbformat
import numpy as np
import plotly
import plotly.graph_objects as go
import pytest
from IPython.core.formatters import DisplayFormatter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lnm_kit.errors import InputError
from lnm_kit.figures.interactive import interactive
from lnm_kit.figures.style import new_figure
from lnm_kit.page_scripts import SCRIPTS, STYLE_SHEET, plotly_script, with_scripts
from lnm_kit.runs.gate import find_problems, page_problems
from lnm_kit.runs.render import render, stage_sources


class _Piece(HTMLParser):
    """The parts of the piece of a page, as a browser would take it apart."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.image: dict[str, str | None] = {}
        self.data = ""
        self._in_script = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._in_script = tag == "script"
        if tag == "img":
            self.image = dict(attrs)

    def handle_endtag(self, tag):
        self._in_script = False

    def handle_data(self, data):
        if self._in_script:
            self.data += data


def _line(**layout):
    return go.Figure(go.Scatter(x=[0, 1], y=np.array([0.25, 2.5])), layout=layout)


def _static():
    static = new_figure(3, 2)
    static.subplots().plot([0, 1], [0.25, 2.5])
    return static


def _shown(figure=None, **changes):
    given = {"static": _static(), "alt": 'A "rising" line, x < y.'} | changes
    return interactive(figure or _line(), **given)


def test_a_cell_shows_the_static_twin_and_carries_the_data_of_the_other():
    data, metadata = DisplayFormatter().format(_shown())
    assert metadata == {}
    piece = _Piece(data["text/html"])
    assert piece.tags == ["div", "img", "script"]
    assert piece.image["alt"] == 'A "rising" line, x < y.'
    assert piece.image["src"].startswith("data:image/png;base64,")
    read = json.loads(piece.data)
    assert read["alt"] == 'A "rising" line, x < y.'
    assert read["figure"]["layout"]["height"] == 440
    assert "width" not in read["figure"]["layout"]
    assert "template" not in read["figure"]["layout"]


def test_arrays_keep_their_values():
    trace = _shown().data["figure"]["data"][0]
    drawn = go.Figure(trace).data[0]
    bits = np.frombuffer(b64decode(drawn.y["bdata"]), drawn.y["dtype"])
    assert bits.tolist() == [0.25, 2.5]


def test_no_text_of_a_figure_can_end_its_script():
    shown = _shown(_line(title="</script><script>alert(1)</script>"))
    piece = _Piece(shown.to_html())
    assert piece.tags == ["div", "img", "script"]
    title = json.loads(piece.data)["figure"]["layout"]["title"]["text"]
    assert title == "</script><script>alert(1)</script>"


def test_everything_wrong_is_named_at_once():
    with pytest.raises(InputError, match=r"dict; give a plotly.*str; give a matplotlib.*alt is"):
        interactive({}, static="x", alt=" ")
    with pytest.raises(InputError, match="static is empty"):
        _shown(static=new_figure(3, 2))


def test_figure_that_would_load_something_is_refused():
    picture = {"source": "https://img.example/a.png", "xref": "paper", "yref": "paper"}
    with pytest.raises(InputError, match="loads nothing from elsewhere"):
        _shown(_line(images=[picture]))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.array([1])])
def test_linked_data_that_are_no_json_are_refused(value):
    with pytest.raises(InputError, match="no JSON"):
        _shown(linked={"kind": "roc", "x": value})


def test_scripts_and_styles_name_no_other_host():
    for path in (*SCRIPTS, STYLE_SHEET):
        assert not re.search(r"(https?:)?//[a-z]", path.read_text(encoding="utf-8")), path.name
    # plotly's own file asks a server only for maps; in a page it stands without closing its script
    assert "</script" not in plotly_script().read_text(encoding="utf-8")


def test_missing_script_of_plotly_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(plotly.__spec__, "origin", str(tmp_path / "__init__.py"))
    with pytest.raises(InputError, match="has no plotly"):
        plotly_script()


def test_page_of_its_own_gets_everything_once():
    piece = _shown().to_html()
    page = with_scripts(f"<html><body>{piece}{piece}</body></html>")
    assert page.count("<style>") == 1
    assert page.count("<script>") == 1 + len(SCRIPTS)
    assert page.endswith("</body></html>")
    assert page_problems(page) == []


@pytest.fixture
def staged(tmp_path):
    """Return a book of one notebook with one interactive figure, staged but not rendered."""
    shown = _shown()
    output = new_output("execute_result", {"text/html": shown.to_html(), "text/plain": shown.alt})
    cell = new_code_cell("shown", outputs=[output], execution_count=1)
    cell.metadata["mystnb"] = {"figure": {"name": "a-line", "caption": "A caption."}}
    text = new_markdown_cell("# A page\n\nSee {numref}`a-line`.")
    notebook = tmp_path / "executed.ipynb"
    metadata = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    nbformat.write(new_notebook(cells=[text, cell], metadata=metadata), notebook)
    # the page comes from a run, which the book's status tells of
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "params.toml").write_text("")
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "plain.md").write_text("# Plain\n")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/page\nchapters:\n"
                                       "- file: book/plain\n")  # fmt: skip
    (tmp_path / "_config.yml").write_text("title: A toy book\nexecute:\n  execute_notebooks: off\n")
    stage_sources(tmp_path, tmp_path / "source", {"book/page": notebook})
    return tmp_path


def test_rendered_page_has_a_numbered_figure_and_loads_nothing_from_elsewhere(staged):
    html = staged / "html"
    assert render(staged / "source", html, staged / "sphinx.log") == []
    assert find_problems(html, ["book/page", "book/plain"]) == []
    page = (html / "book" / "page.html").read_text(encoding="utf-8")
    figure = re.search(r'<figure[^>]*id="a-line".*?</figure>', page, re.DOTALL)[0]
    assert '<div class="lnm-interactive">' in figure
    assert re.search(r'Fig. 1 ?</span><span class="caption-text">A caption', figure)
    assert re.search(r'href="#a-line">.*Fig. 1', page)
    loaded = re.findall(r'src="\.\./_static/(interactive/[^"?]*)', page)
    assert loaded == [f"interactive/{path.name}" for path in SCRIPTS]
    # 5 MB that no page asks for before a figure comes into sight
    assert "plotly.min.js" not in page
    served = html / "_static" / "interactive"
    assert (served / "plotly.min.js").read_bytes() == plotly_script().read_bytes()
    assert (served / STYLE_SHEET.name).is_file()
