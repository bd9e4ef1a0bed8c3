"""A long text that is scrolled and searched: lines come ready, whoever shows them has broken them to its width.

Run `python -m widgets.text_view` to see it on a made-up text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from textual.binding import Binding, BindingType

from widgets.line_list import LineList
from widgets.line_paint import Line, Run, Tone, joined, text_of


class TextView(LineList):
    """Shows lines; moving scrolls, as there is no cursor."""

    DEFAULT_CSS = "TextView { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next_match(1)", "next match", id="text.next", tooltip="Go to the next match"),
        Binding(
            "backspace",
            "next_match(-1)",
            "Previous match",
            show=False,
            id="text.previous",
            tooltip="Go to the match before",
        ),
    ]

    def __init__(
        self,
        lines: Sequence[Line] = (),
        *,
        ascii_only: bool = False,
        empty_text: str = "nothing here",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Show `lines`."""
        super().__init__(ascii_only=ascii_only, empty_text=empty_text, id=id, classes=classes)
        self._lines: tuple[Line, ...] = tuple(lines)
        self._sought = ""
        self._pattern: re.Pattern[str] | None = None
        self._matches: tuple[int, ...] = ()
        self._match = 0

    def show_lines(self, lines: Sequence[Line], *, keep_place: bool = False) -> None:
        """Show other lines, from the top unless the place is kept; what is sought stays."""
        self._lines = tuple(lines)
        self._look()
        self.take_count()
        if not keep_place:
            self.scroll_to(y=0, animate=False, immediate=True, force=True)
        self.redraw()

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown."""
        return self._lines

    @property
    def sought(self) -> str:
        """What is looked for."""
        return self._sought

    @property
    def match_count(self) -> int:
        """In how many lines it was found."""
        return len(self._matches)

    def find(self, text: str) -> None:
        """Look for a text, whatever its case, and go to the first match from where one is; empty: for nothing."""
        if text == self._sought:
            return
        self._sought = text
        self._look()
        top = self.scroll_offset.y
        self._match = next((n for n, line in enumerate(self._matches) if line >= top), 0)
        self.take_count()
        self._show_match()

    def action_next_match(self, step: int) -> None:
        """Go to another match, round and round."""
        if self._matches:
            self._match = (self._match + step) % len(self._matches)
            self._show_match()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only keys that do something."""
        return bool(self._matches) if action == "next_match" else True

    def line_count(self) -> int:
        """Return how many lines there are."""
        return len(self._lines)

    def line_at(self, index: int, width: int) -> Line:
        """Return one line, with what is sought in it marked."""
        line = self._lines[index]
        if self._pattern is None or not self._pattern.search(text_of(line)):
            return line
        here = bool(self._matches) and self._matches[self._match] == index
        return _marked(line, self._pattern, "cursor" if here else "heading")

    def foot_lines(self, width: int) -> tuple[Line, ...]:
        """Say what is sought."""
        if not self._sought:
            return ()
        found = f"line {self._match + 1} of {len(self._matches)}" if self._matches else "nowhere"
        return (((f"search: {self._sought}   {found}", "accent"),),)

    def action_move_cursor(self, lines: int) -> None:
        """Scroll by lines."""
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, immediate=True)

    def action_move_page(self, pages: int) -> None:
        """Scroll by a screenful."""
        self.action_move_cursor(pages * max(1, self._room - 1))

    def action_go_first(self) -> None:
        """Scroll to the top."""
        self.scroll_to(y=0, animate=False, immediate=True)

    def action_go_last(self) -> None:
        """Scroll to the bottom."""
        self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)

    def show_cursor(self) -> None:
        """Leave the text where it is: there is no cursor."""

    def _look(self) -> None:
        self._pattern = re.compile(re.escape(self._sought), re.IGNORECASE) if self._sought else None
        self._matches = (
            ()
            if self._pattern is None
            else tuple(n for n, line in enumerate(self._lines) if self._pattern.search(text_of(line)))
        )
        self._match = min(self._match, max(0, len(self._matches) - 1))

    def _show_match(self) -> None:
        if self._matches:
            line, room = self._matches[self._match], self._room
            top = self.scroll_offset.y
            if not top <= line < top + room:
                self.scroll_to(y=max(0, line - room // 3), animate=False, immediate=True)
        self.redraw()


def _marked(line: Line, pattern: re.Pattern[str], tone: Tone) -> Line:
    """Return a line with the tone of what matches changed."""
    spans = [match.span() for match in pattern.finditer(text_of(line))]
    runs: list[Run] = []
    start = 0
    for text, own in line:
        cuts = sorted(
            {0, len(text), *(cut - start for span in spans for cut in span if 0 < cut - start < len(text))}
        )
        for first, last in pairwise(cuts):
            inside = any(begin <= start + first < end for begin, end in spans)
            runs.append((text[first:last], tone if inside else own))
        start += len(text)
    return joined(runs)


if __name__ == "__main__":
    from widgets.demo import ASCII_ONLY, show

    _text: list[Line] = [
        ((f"line {n}: ", "muted"), ("the quick brown fox " * (n % 4), "")) for n in range(1, 500)
    ]
    show(TextView(_text, ascii_only=ASCII_ONLY))
