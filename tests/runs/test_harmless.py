import json
from html.parser import HTMLParser

import nbformat
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook, new_output

from lnm_kit.figures.interactive import interactive
from lnm_kit.figures.style import new_figure
from lnm_kit.runs.harmless import TAGS, harmless, make_harmless

ACTIVE = [
    "<script>alert(1)</script>",
    "<SCRIPT src='x.js'>",
    '<script type="application/json" onload="alert(1)">',
    '<img src=x onerror="alert(1)">',
    "<img/src=x/onerror=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="java&#115;cript:alert(1)">x</a>',
    '<a href=" java\tscript:alert(1)">x</a>',
    '<a href="data:text/html,<script>">x</a>',
    '<img src="//elsewhere.example/x.png">',
    "<svg onload=alert(1)>",
    "<iframe srcdoc='x'></iframe>",
    "<form action='x'><button formaction='javascript:x'>",
    "<!-- <b> --><!DOCTYPE x><?php ?>",
    "<math><mtext></mtext></math>",
    "<base href='http://elsewhere.example/'>",
    '<meta http-equiv="refresh" content="0; url=x">',
    '<b title="<script>">x</b>',
    "<script",
    "<b onclick=alert(1)",
]
HARMLESS = [
    "p < 0.05 and 3 <= 4 <",
    '<table id="T_1"><tr><td class="data row0 col0" >a</td></tr></table>',
    "<style>#T_1 td { color: red; }</style>",
    '<img alt="AUC > 0.5" src="data:image/png;base64,iVBORw0KGgo=">',
    '<a href="https://doi.org/10.1/x">x</a> <a href="#place">x</a> <a href="../a.html?b=c:d">x</a>',
    "**bold** *name* `code` $a < b$ &lt;script&gt;",
    "<br/> <b>x</b><hr>",
]


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("text", ACTIVE)
def test_what_is_active_becomes_text(text):
    result = harmless(text)
    for tag, attributes in Tags(result).found:
        assert tag in TAGS
        assert not any(name.startswith("on") or name == "srcdoc" for name in attributes)
        assert not any("alert" in str(value) for value in attributes.values())
    assert result.replace("&lt;", "<") == text.replace("&lt;", "<")
    assert result != text


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_stays_as_it_is(text):
    assert harmless(text) == text


@given(st.text(alphabet="<>/\"'= abonscript!&;:#-", max_size=60))
def test_no_text_whatever_keeps_an_active_tag(text):
    result = harmless(text)
    assert all(
        tag in TAGS and not any(name.startswith("on") for name in attributes)
        for tag, attributes in Tags(result).found
    )
    assert harmless(result) == result


def test_interactive_figures_keep_their_data():
    static = new_figure(2, 1)
    static.subplots()
    figure = go.Figure().add_scatter(x=[1], y=[2], name="<script>")
    shown = interactive(figure, static=static, alt="A > B").to_html()
    assert harmless(shown) == shown


def test_outputs_of_all_cells_are_taken_and_other_kinds_stay():
    data = {"text/html": ACTIVE[0], "text/plain": ACTIVE[0], "image/png": "<script"}
    glued = {"application/papermill.record/text/html": ACTIVE[0]}
    outputs = [
        new_output("display_data", data),
        new_output("execute_result", glued, execution_count=1),
        new_output("stream", text=ACTIVE[0]),
    ]
    notebook = new_notebook(cells=[new_code_cell("1", outputs=outputs)])
    make_harmless(notebook)
    first, second, third = notebook.cells[0].outputs
    assert "<script" not in first.data["text/html"]
    assert first.data["text/plain"] == third.text == ACTIVE[0]
    assert "<script" not in json.dumps(second.data)
    nbformat.validate(notebook)


def test_diagram_of_an_estimator_stays_as_it_is():
    from sklearn.linear_model import LogisticRegression

    diagram = LogisticRegression()._repr_html_()
    assert "<script>" in diagram
    assert harmless(diagram) == diagram
