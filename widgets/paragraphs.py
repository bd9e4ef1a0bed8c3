"""Styled text that is broken into lines at the width there is, so that none of it is cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len, chop_cells
from textual import events
from textual.geometry import Size

from widgets.text_lines import Line, Run, TextLines, Tone

_PIECE = re.compile(r"\s+|\S+")


class Paragraph(NamedTuple):
    """A line that may become several; all but the first are indented by `hang` columns."""

    line: Line
    hang: int = 0


def paragraph(text: str, tone: Tone = "", hang: int = 0) -> Paragraph:
    """Make a paragraph of one run."""
    return Paragraph(((text, tone),), hang)


class Paragraphs(TextLines):
    """Shows paragraphs below one another, as high as they need."""

    def __init__(
        self, paragraphs: Sequence[Paragraph] = (), *, id: str | None = None, classes: str | None = None
    ) -> None:
        """Show `paragraphs`."""
        super().__init__(id=id, classes=classes)
        self._paragraphs = tuple(paragraphs)

    def show(self, paragraphs: Sequence[Paragraph]) -> None:
        """Show other paragraphs."""
        if tuple(paragraphs) != self._paragraphs:
            self._paragraphs = tuple(paragraphs)
            self.show_lines(self._broken(self.size.width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Take the lines that the text has at this width."""
        return len(self._broken(width))

    def on_resize(self, event: events.Resize) -> None:
        """Break the text anew."""
        self.show_lines(self._broken(self.size.width))
        super().on_resize(event)

    def _broken(self, width: int) -> list[Line]:
        if width <= 0:
            return [part.line for part in self._paragraphs]
        return [line for part in self._paragraphs for line in broken(part, width)]


def broken(part: Paragraph, width: int) -> list[Line]:
    """Break one paragraph between words, and within a word only where it is longer than a line."""
    hang = min(part.hang, max(0, width // 2))
    lines: list[list[Run]] = [[]]
    column = 0
    for text, tone in part.line:
        for piece in _PIECE.findall(text):
            if column + cell_len(piece) <= width:
                lines[-1].append((piece, tone))
                column += cell_len(piece)
                continue
            if piece.isspace():
                column = width  # whatever comes next begins a line
                continue
            if len(lines) > 1 or lines[0]:
                lines.append([(" " * hang, "")] if hang else [])
            chunks = chop_cells(piece, max(1, width - hang))
            for chunk in chunks[:-1]:
                lines[-1].append((chunk, tone))
                lines.append([(" " * hang, "")] if hang else [])
            lines[-1].append((chunks[-1], tone))
            column = hang + cell_len(chunks[-1])
    return [tuple(_joined(line)) for line in lines]


def _joined(runs: list[Run]) -> list[Run]:
    joined: list[Run] = []
    for text, tone in runs:
        if joined and joined[-1][1] == tone:
            joined[-1] = (joined[-1][0] + text, tone)
        else:
            joined.append((text, tone))
    return joined
