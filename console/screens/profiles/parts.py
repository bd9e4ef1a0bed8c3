"""The widgets of the profiles screen: those of `widgets/` with the keys that mean something here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from console.screens.profiles.describe import totals_lines
from console.screens.profiles.totals import TotalLine
from widgets.check_tree import CheckTree
from widgets.edit_table import EditTable
from widgets.line_list import LineList
from widgets.line_paint import Line
from widgets.paragraphs import broken, paragraph
from widgets.table import Table
from widgets.text_buffer import TextBuffer
from widgets.tree_nodes import TreeNode


class Picker(Table):
    """The list of profiles."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "choose",
            "use",
            id="profiles.use",
            tooltip="Use the profile, changes and all, and go to Launch",
        ),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer no sort: the list is short, and its order says what is built in."""
        if action in ("sort_next", "sort_again", "mark"):
            return False
        return super().check_action(action, parameters)


class LimitsTable(EditTable):
    """The table of limits. It tells when typing ends, so that the totals of what was typed can go."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "retype", "retype", id="edit.retype", tooltip="Type the cell anew", show=False),
        Binding("plus,equals_sign", "step(1)", "more", id="edit.more", tooltip="One more", show=False),
        Binding("minus", "step(-1)", "less", id="edit.less", tooltip="One less", show=False),
    ]

    @dataclass
    class TypingEnded(Message):
        """Nothing is being typed any more."""

    def action_retype(self) -> None:
        """Begin with an empty cell."""
        self._begin(TextBuffer())

    async def on_key(self, event: events.Key) -> None:
        """Look whether a key ends what is being typed."""
        if self.editing and event.key in ("enter", "escape", "up", "down", "tab", "shift+tab"):
            self.call_next(self._look_whether_ended)

    def _look_whether_ended(self) -> None:
        if not self.editing:
            self.post_message(self.TypingEnded())


class Switches(CheckTree):
    """Keys and deployments, the providers open at first."""

    def show_opened(self, roots: Sequence[TreeNode], checked: Iterable[str]) -> None:
        """Show another profile's."""
        self._open.update(root.id for root in roots)
        self.show(roots, checked)


class TotalsPanel(LineList):
    """The effective totals, model by model."""

    def __init__(self, *, ascii_only: bool, id: str) -> None:
        """Show nothing yet."""
        super().__init__(ascii_only=ascii_only, empty_text="", id=id)
        self._totals: tuple[TotalLine, ...] = ()
        self._row = ""
        self._trouble: tuple[str, ...] = ()

    def show(self, totals: Sequence[TotalLine], row: str, trouble: Sequence[str] = ()) -> None:
        """Show other totals, those of a row of the limits first; or what is wrong, where there are none."""
        new = tuple(totals), row, tuple(trouble)
        if new == (self._totals, self._row, self._trouble):
            return
        self._totals, self._row, self._trouble = new
        self.take_count()
        self.redraw()

    def line_count(self) -> int:
        """Return how many lines there are below the heading."""
        return len(self._said(self._width)) or len(self._totals)

    def head_lines(self, width: int) -> tuple[Line, ...]:
        """Make the heading."""
        return () if self._trouble else tuple(self._lines(width)[:1])

    def line_at(self, index: int, width: int) -> Line:
        """Make one line."""
        if self._trouble:
            return self._said(width)[index]
        line = self._lines(width)[1 + index]
        if self.has_focus and index == self.cursor:
            return (("".join(text for text, _ in line), "cursor"),)
        return line

    def _said(self, width: int) -> list[Line]:
        lines = [line for text in self._trouble for line in broken(paragraph(text, "bad", 2), max(1, width))]
        return [tuple(line) for line in lines]

    def _lines(self, width: int) -> list[Line]:
        return totals_lines(self._totals, self._row, width, ascii_only=self.ascii_only)
