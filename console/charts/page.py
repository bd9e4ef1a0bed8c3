"""A page of one file: styles inside, nothing fetched, nothing run, for screens of any width and for paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.charts.markup import Child, Markup, element, joined
from console.charts.palette import FONT, variables

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""Said to browsers too: whatever text got into the page, nothing is fetched and nothing runs."""
_RULES: Final = """
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:72rem;padding:1rem;background:var(--ground);color:var(--ink);font:16px/1.5 FONTS;overflow-wrap:anywhere}
h1{font-size:1.35rem;line-height:1.25;margin:.2rem 0}
h2{font-size:1.1rem;margin:1.8rem 0 .5rem;border-bottom:1px solid var(--grid);padding-bottom:.2rem}
p{margin:.4rem 0}
.dim{color:var(--dim)}
.banner{margin:0 0 .8rem;padding:.5rem .8rem;border:2px solid var(--warn);border-radius:.3rem;font-weight:bold;color:var(--warn)}
.answer{margin:.8rem 0;padding:.7rem .9rem;background:var(--panel);border-left:.35rem solid var(--answer)}
.answer.none{border-left-color:var(--warn)}
.state{font-weight:bold;letter-spacing:.03em}
.scroll{overflow-x:auto;margin:.4rem 0}
table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums}
th,td{padding:.22rem .5rem;text-align:right;vertical-align:top;border-bottom:1px solid var(--grid);overflow-wrap:normal}
th{color:var(--dim);font-weight:normal;white-space:nowrap}
td.w,th.w{text-align:left}
td.n{white-space:nowrap}
td.why{min-width:16rem;overflow-wrap:anywhere}
.pass{color:var(--pass)}.fail{color:var(--fail);font-weight:bold}.open{color:var(--open)}.quota{color:var(--quota);font-weight:bold}.warn{color:var(--warn);font-weight:bold}
dl{display:grid;grid-template-columns:minmax(6rem,max-content) 1fr;gap:.2rem .9rem;margin:.4rem 0}
dt{color:var(--dim)}dd{margin:0}
summary{cursor:pointer;font-weight:bold;margin:.6rem 0}
code,pre{font:.85rem/1.45 ui-monospace,"Liberation Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere}
pre{background:var(--panel);padding:.6rem .8rem;margin:.4rem 0}
figure{margin:.8rem 0;max-width:600px}
figure svg{width:100%}
small{display:block;color:var(--dim);font-size:.78rem}
@media (max-width:32rem){body{padding:.7rem}dl{grid-template-columns:1fr}dd{margin:0 0 .3rem 0}}
@media print{body{max-width:none;padding:0;font-size:10pt}h2{break-after:avoid}figure,tr{break-inside:avoid}.scroll{overflow:visible}table{font-size:7pt}th,td{padding:1pt 3pt}td.why{min-width:7rem}details::details-content{content-visibility:visible;block-size:auto}}
"""


def page(title: str, body: Child | Sequence[Child]) -> Markup:
    """Return a whole page.

    Args:
        title: of the window and of bookmarks.
        body: what is on it; texts among it are escaped.
    """
    styles = Markup(variables() + _RULES.replace("FONTS", FONT))
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width,initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", title),
        element("style", styles),
    )
    return Markup("<!doctype html>\n" + element("html", [head, element("body", body)], lang="en") + "\n")


def table(heads: Sequence[str], rows: Sequence[Sequence[Child]], *, words: Sequence[int] = ()) -> Markup:
    """Return a table that scrolls by itself where it is wider than the screen.

    Args:
        heads: of the columns.
        rows: cells of each; one that is a whole `td` already is put in as it is.
        words: numbers of the columns that hold words, which begin at the left.
    """

    def kind(column: int) -> str | None:
        return "w" if column in words else "n"

    def cell(column: int, content: Child) -> Markup:
        if isinstance(content, Markup) and content.startswith("<td"):
            return content
        return element("td", content, class_=kind(column))

    head = element("tr", [element("th", text, class_=kind(column)) for column, text in enumerate(heads)])
    lines = [element("tr", [cell(column, content) for column, content in enumerate(row)]) for row in rows]
    return element(
        "div",
        element("table", element("thead", head), element("tbody", lines)),
        class_="scroll",
        tabindex="0",
    )


def facts(pairs: Sequence[tuple[str, Child]]) -> Markup:
    """Return names with what belongs to each; those without anything are left out."""
    return element(
        "dl",
        [joined([element("dt", name), element("dd", value)]) for name, value in pairs if value],
    )
