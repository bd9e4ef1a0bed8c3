"""A whole picture: its frame, legend, and what is written across it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from console.charts.markup import Child, Markup, element, joined
from console.charts.palette import svg_style

_ROW: Final = 21.0
_WIDE: Final = frozenset("mwMW@%—…")
_NARROW: Final = frozenset("iljtfr.,:;'|!()[] ")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a legend."""

    drawn: Markup
    """Drawn round (0, 0), up to 12 to each side."""
    words: str


def picture(
    parts: Child | Sequence[Child],
    *,
    width: float,
    height: float,
    title: str,
    told: str,
    literal: bool = False,
) -> Markup:
    """Return an SVG that may stand alone or in a page.

    Args:
        parts: what is drawn, the lowest first.
        width: of the picture; it is shown as wide as there is room.
        height: likewise.
        title: its name, for those who hear it.
        told: what it shows, in words.
        literal: colours themselves in place of variables (`palette.svg_style`).
    """
    return element(
        "svg",
        element("title", title),
        element("desc", told),
        element("style", svg_style(literal=literal)),
        element("rect", class_="ground", width=width, height=height),
        parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        style="max-width:100%;height:auto",
    )


def legend(entries: Sequence[Entry], x: float, y: float, width: float) -> tuple[Markup, float]:
    """Return entries in as many rows as they need, and how high they are."""
    parts: list[Markup] = []
    column, row = 0.0, 0
    for entry in entries:
        takes = 34 + text_width(entry.words, 14)
        if column and column + takes > width:
            column, row = 0.0, row + 1
        at_x, at_y = x + column + 12, y + row * _ROW
        parts.append(
            joined(
                [
                    element("g", entry.drawn, transform=f"translate({at_x:.1f} {at_y:.1f})"),
                    element("text", entry.words, class_="s", x=at_x + 16, y=at_y + 4.5),
                ]
            )
        )
        column += takes + 10
    return joined(parts), (row + 1) * _ROW if entries else 0.0


def across(words: str, left: float, top: float, right: float, bottom: float, tone: str) -> Markup:
    """Return words written large across an area, from its lower left to its upper right."""
    width, height = right - left, bottom - top
    size = min(
        1.3 * width / max(1.0, text_width(words, 1)),
        0.74 * math.hypot(width, height) / max(1.0, text_width(words, 1)),
        120,
    )
    angle = -min(35.0, math.degrees(math.atan2(height, width)))
    x, y = (left + right) / 2, (top + bottom) / 2
    return element(
        "text",
        words,
        class_=f"across f-{tone}",
        x=x,
        y=y,
        font_size=size,
        text_anchor="middle",
        dominant_baseline="central",
        transform=f"rotate({angle:.1f} {x:.1f} {y:.1f})",
    )


def text_width(text: str, size: float) -> float:
    """Return about how wide a text is: nobody knows the reader's fonts, so it is estimated on the wide side."""
    return size * sum(
        0.9
        if letter in _WIDE
        else 0.72
        if letter.isupper()
        else 0.32
        if letter in _NARROW
        else 0.6
        if letter.isascii()
        else 0.75
        for letter in text
    )


def folded(text: str, size: float, width: float, most: int) -> list[str]:
    """Fold a text to a width, into `most` lines, the last of which says with `…` that there is more."""
    lines: list[str] = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, size) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    lines = [_cut(line, size, width) for line in lines]
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1]} …"]
    return lines


def _cut(line: str, size: float, width: float) -> str:
    while len(line) > 4 and text_width(line, size) > 1.1 * width:
        line = line[: max(3, len(line) * 9 // 10)].rstrip("…") + "…"
    return line
