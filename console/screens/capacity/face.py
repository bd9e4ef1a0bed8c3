"""The widgets that show a search, and what each shows of it; equal lines are not painted again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from textual.app import ComposeResult
from textual.containers import Container, Vertical

from console.screens.capacity.curve_values import curve_data
from console.screens.capacity.level_detail import level_lines
from console.screens.capacity.level_rows import level_rows
from console.screens.capacity.level_table import LevelTable
from console.screens.capacity.search_lines import (
    bracket_line,
    level_line,
    rule_lines,
    rules_of,
    spent_line,
    stage_line,
)
from console.vocabulary.level import LevelOutcome
from console.vocabulary.search_view import SearchView
from widgets.curve import Curve
from widgets.line_paint import Line
from widgets.text_lines import TextLines
from widgets.text_view import TextView

_RULES: Final = 3
_RULES_LOW: Final = 2
_RULES_WIDE: Final = 8
_USUAL_RULES: Final = 5
"""Room is kept for them before there are any."""


@dataclass(frozen=True, slots=True)
class SearchShown:
    """What is shown of a search."""

    head: Line
    search: SearchView
    answer: tuple[Line, ...]
    """Broken to the width; empty: there is none yet."""
    over: bool
    knee: float | None = None
    said: Line = ()
    """What came of the last key; it takes the place of a line for a while, so that nothing moves."""

    @property
    def levels(self) -> list[LevelOutcome]:
        """Those of the lanes that are shown."""
        return [level for level in self.search.levels if level.subject == self.search.subject]

    @property
    def level_of_interest(self) -> str:
        """The row of the newest level; of a search that is over that of the level nearest to its answer."""
        levels, answer = self.levels, self.knee or self.search.passes or self.search.fails
        if not levels:
            return ""
        if not self.over or answer is None:
            return str(levels[-1].number)
        return str(min(levels, key=lambda level: abs(level.concurrency - answer)).number)


class Face:
    """From the headline to the answer."""

    def __init__(self, *, ascii_only: bool) -> None:
        """Make the widgets."""
        self._ascii_only = ascii_only
        self.head = TextLines(((),), id="head")
        self.lines = TextLines(((),), id="lines")
        self.rules = TextLines(((),), id="rules")
        self.curve = Curve(ascii_only=ascii_only, id="curve")
        self.levels = LevelTable(ascii_only=ascii_only, id="levels")
        self.level = TextView(ascii_only=ascii_only, empty_text="", id="level")
        self.answer = TextView(ascii_only=ascii_only, empty_text="", id="answer")
        self._opened: tuple[LevelOutcome, int] | None = None

    def compose(self) -> ComposeResult:
        """Lay them out."""
        with Vertical(id="search"):
            yield self.head
            yield self.lines
            with Container(id="middle"):
                with Vertical(id="left"):
                    yield self.rules
                    yield self.curve
                yield self.level
                yield self.levels
            yield self.answer

    @property
    def width(self) -> int:
        """Columns that lines have."""
        return max(20, self.head.size.width)

    def begin(self, words: str) -> None:
        """Show that there is no picture yet, and nothing of the search before."""
        self.head.show_lines((((words, "muted"),),))
        for part in (self.lines, self.rules):
            part.show_lines([() for _ in part.lines])
        self.levels.follow()
        self.levels.show((), ())
        self.close_level()
        self._show_answer(())

    def show(self, shown: SearchShown, *, low: bool, wide: bool) -> None:
        """Show a search as it is now; less of it where the screen is `low`, more where it is `wide`."""
        search, levels, ascii_only = shown.search, shown.levels, self._ascii_only
        self.head.show_lines((shown.head,))
        lines = [bracket_line(search, shown.knee, ascii_only=ascii_only)]
        if not shown.over:
            lines += [stage_line(search), level_line(search.now, self.width)]
        lines += [] if low and not shown.over else [spent_line(search)]
        if shown.said:
            lines[1 if low else -1] = shown.said
        _show_all(self.lines, lines)
        self.rules.display = not shown.over
        if not shown.over:
            number, rules = rules_of(search)
            most = _RULES_WIDE if wide else _RULES_LOW if low else _RULES
            room = min(most, max(_USUAL_RULES, len(rules)))
            width = self.rules.size.width or self.width
            _show_all(self.rules, rule_lines(number, rules, width, room, ascii_only=ascii_only))
        self.curve.show(curve_data(search, levels, shown.knee))
        self.levels.take(level_rows(levels, ascii_only=ascii_only), shown.level_of_interest)
        self._show_answer(shown.answer)

    def _show_answer(self, lines: Sequence[Line]) -> None:
        if tuple(lines) != self.answer.lines:
            self.answer.styles.height = len(lines)
            self.answer.show_lines(lines)
        self.answer.set_class(bool(lines), "-there")

    # One level in full

    def open_level(self, level: LevelOutcome) -> None:
        """Show all about a level."""
        width = max(20, self.level.scrollable_content_region.width or self.width - 1)
        if self._opened != (level, width):
            same = self._opened is not None and self._opened[0] == level
            self._opened = (level, width)
            self.level.show_lines(level_lines(level, width, ascii_only=self._ascii_only), keep_place=same)

    def close_level(self) -> None:
        """Forget it."""
        self._opened = None


def _show_all(widget: TextLines, lines: Sequence[Line]) -> None:
    """Show lines in as much room as they need."""
    if len(lines) != len(widget.lines):
        widget.styles.height = len(lines)
    widget.show_lines(lines)
