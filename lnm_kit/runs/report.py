"""Pages of their own that show tables and pictures: every text is escaped, nothing is loaded."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

STYLE = Markup("""
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem;
  overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; overflow-wrap: normal;
  font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #8886; padding: 0.25rem 0.9rem 0.25rem 0; text-align: left;
  vertical-align: top; }
th { border-bottom-width: 2px; }
summary { cursor: pointer; font-weight: 600; margin: 0.6rem 0; }
.pair { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); }
figure { margin: 0; } figcaption { font-size: 0.85rem; }
img { background: white; max-width: 100%; }
footer { border-top: 1px solid #8886; font-size: 0.85rem; margin-top: 3rem; }
""")
PAGE = Markup("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
{body}
<footer>For research and teaching, not for clinical use.</footer>
</body>
</html>
""")


def page(title: str, blocks: Iterable[Markup]) -> str:
    """Return a whole page.

    Examples
    --------
    >>> "<h1>a &lt; b</h1>" in page("a < b", [])
    True
    """
    return str(PAGE.format(title=title, style=STYLE, body=Markup("\n").join(blocks)))


def paragraph(text: object) -> Markup:
    """Return a paragraph; a plain text is escaped."""
    return Markup("<p>{}</p>").format(text)


def heading(text: str) -> Markup:
    """Return a heading of a section."""
    return Markup("<h2>{}</h2>").format(text)


def table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> Markup:
    """Return a table; None is an empty cell.

    Examples
    --------
    >>> "<td>&lt;script&gt;</td><td></td>" in table(["a", "b"], [["<script>", None]])
    True
    """
    head = Markup("").join(Markup("<th>{}</th>").format(cell) for cell in header)
    body = Markup("\n").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(Markup("<td>{}</td>").format("" if c is None else c) for c in row)
        )
        for row in rows
    )
    return Markup(
        '<div class="wide"><table><thead><tr>{}</tr></thead><tbody>\n{}\n</tbody></table></div>'
    ).format(head, body)


def folded(summary: str, *content: Markup, is_open: bool = False) -> Markup:
    """Return content that opens with a click."""
    start = Markup("<details open>" if is_open else "<details>")
    return start + Markup("<summary>{}</summary>{}</details>").format(
        summary, Markup("\n").join(content)
    )


def link(target: str, text: str) -> Markup:
    """Return a link to a file, given relative to the page."""
    return Markup('<a href="{}">{}</a>').format(quote(target), text)


def pictures(shown: Sequence[tuple[str, Path | None]], what: str) -> Markup:
    """Return pictures beside each other, each within the page itself.

    Parameters
    ----------
    shown
        Caption and PNG file of each; None where there is no such picture.
    what
        What they show, for readers who do not see them.
    """
    figures = []
    for caption, path in shown:
        if path is None:
            picture = Markup("<p>no such figure</p>")
        else:
            data = b64encode(path.read_bytes()).decode()
            picture = Markup('<img loading="lazy" alt="{}" src="data:image/png;base64,{}">').format(
                f"{what} of {caption}", data
            )
        figures.append(
            Markup("<figure><figcaption>{}</figcaption>{}</figure>").format(caption, picture)
        )
    return Markup('<div class="pair">{}</div>').format(Markup("\n").join(figures))
