"""Elements of SVG and HTML whose text cannot become markup: what is not `Markup` is escaped where it is put in (law 10)."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Final

from console.vocabulary.safe_text import safe_text

_EMPTY: Final = frozenset(
    {"circle", "rect", "path", "line", "meta", "br", "hr", "polygon", "polyline", "stop", "col"}
)
"""Elements that have no content of their own."""
_MOST: Final = 20_000
"""Characters of a single text: what is longer is no name and no message."""


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Child = str | Iterable["Child"] | None
Value = str | float | bool | None


def escaped(text: str) -> Markup:
    """Return text as markup shows it: without control characters, and without anything that is markup."""
    return text if isinstance(text, Markup) else Markup(html.escape(safe_text(text, _MOST)))


def joined(children: Iterable[Child]) -> Markup:
    """Return children one after another, texts among them escaped."""
    return Markup("".join(_flat(children)))


def element(tag: str, /, *children: Child, **attributes: Value) -> Markup:
    """Return an element.

    Args:
        tag: such as `text`.
        children: texts, elements, or lists of them; None is nothing.
        attributes: `_` stands for `-`, and one at the end keeps clear of Python's own words: `class_`, `stroke_width`.
            None and False leave it out, True writes its name alone; numbers are rounded to hundredths.
    """
    head = f"<{tag}{''.join(_attribute(key, value) for key, value in attributes.items())}"
    if tag in _EMPTY:
        return Markup(f"{head}/>")
    return Markup(f"{head}>{joined(children)}</{tag}>")


def figure(value: float) -> str:
    """Return a number as markup needs it: no more than hundredths, and no zeros at its end."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _attribute(key: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    text = value if isinstance(value, str) else figure(value)
    return f' {name}="{html.escape(safe_text(text, _MOST))}"'


def _flat(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if child is None:
            continue
        if isinstance(child, str):
            yield escaped(child)
        else:
            yield from _flat(child)
