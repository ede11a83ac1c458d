"""Outputs that run nothing: names from a cohort reach a page as text, whatever stands in them."""

import html
import re

import nbformat

KINDS = ("text/html", "text/markdown")
TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "button",
        "caption",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "details",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "input",
        "ins",
        "kbd",
        "label",
        "li",
        "mark",
        "ol",
        "optgroup",
        "option",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "section",
        "select",
        "small",
        "span",
        "strong",
        "style",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "wbr",
    ]
)
REFUSED_ATTRIBUTES = frozenset(
    [
        "action",
        "background",
        "cite",
        "formaction",
        "http-equiv",
        "ping",
        "srcdoc",
        "srcset",
        "xlink:href",
    ]
)
RELATIVE = r"(?!//)[^:]*(?:[/?#]|$)"
SAFE_ADDRESSES = {
    "href": re.compile(rf"https?:|mailto:|{RELATIVE}", re.IGNORECASE),
    "src": re.compile(rf"data:image/|{RELATIVE}", re.IGNORECASE),
}
DATA_SCRIPT = re.compile(r'<script type="application/json">[^<]*</script>')
# a diagram of an estimator; it escapes its texts itself, and has a script for its folds
DIAGRAM = re.compile(r"\s*<style>#sk-container-id-\d+\s*\{")

_VALUE = r"""(?:"[^"<]*"|'[^'<]*'|[^\s"'<>=`]+)"""
_ATTRIBUTE = re.compile(rf"""([A-Za-z_][-\w:.]*)(?:\s*=\s*({_VALUE}))?""")
_TAG = re.compile(rf"</?([A-Za-z][A-Za-z0-9]*)((?:\s+{_ATTRIBUTE.pattern})*)\s*/?>")
_OPENING = re.compile(r"<(?=[A-Za-z/!?])")


def make_harmless(notebook: nbformat.NotebookNode) -> None:
    """Turn everything active in the outputs of a notebook into text, in place.

    Tables and pictures stay as they are; scripts, event handlers, frames, forms, comments and
    addresses such as ``javascript:`` are shown as they were written. Data of interactive figures
    stay, since they are no code; and so do scikit-learn's diagrams, which hold no text of a cohort.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            for kind, content in data.items():
                if kind.endswith(KINDS) and isinstance(content, str):
                    data[kind] = harmless(content)


def harmless(text: str) -> str:
    """Return HTML or Markdown in which only tags without any effect but looks are tags.

    Examples
    --------
    >>> harmless("<b>p</b> < 0.05 in <script>alert(1)</script>")
    '<b>p</b> < 0.05 in &lt;script>alert(1)&lt;/script>'
    >>> harmless('<img src="x" onerror="alert(1)">')
    '&lt;img src="x" onerror="alert(1)">'
    """
    if DIAGRAM.match(text):
        return text
    parts, at = [], 0
    while opening := _OPENING.search(text, at):
        start = opening.start()
        parts.append(text[at:start])
        tag = DATA_SCRIPT.match(text, start) or _TAG.match(text, start)
        if tag is not None and _is_harmless(tag):
            parts.append(tag[0])
            at = tag.end()
        else:
            parts.append("&lt;")
            at = start + 1
    return "".join([*parts, text[at:]])


def _is_harmless(tag: re.Match[str]) -> bool:
    if tag.re is DATA_SCRIPT:
        return True
    if tag[1].lower() not in TAGS:
        return False
    for name, value in _ATTRIBUTE.findall(tag[2]):
        name = name.lower()
        if name.startswith("on") or name in REFUSED_ATTRIBUTES:
            return False
        # as a browser reads it: entities resolved, blanks and control characters gone
        address = re.sub(r"[\x00-\x20\x7f-\x9f]", "", html.unescape(value.strip("\"'")))
        if name in SAFE_ADDRESSES and not SAFE_ADDRESSES[name].match(address):
            return False
    return True
