"""The plan beside the choice: read line by line, with Enter on a warning that this screen can cure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from console.screens.launch.plan_lines import DocLine
from widgets.line_list import LineList
from widgets.line_paint import Line

Document = Callable[[int], Sequence[DocLine]]
"""Makes the lines for a width."""


class PlanPane(LineList):
    """Shows a document that is broken anew at each width."""

    DEFAULT_CSS = "PlanPane { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "cure",
            "cure",
            key_display="enter",
            id="plan.cure",
            tooltip="Do what cures the warning under the cursor",
        ),
    ]

    @dataclass
    class CureChosen(Message):
        """Enter was pressed on a warning."""

        warning: int

    def __init__(self, *, ascii_only: bool, id: str) -> None:
        """Show nothing yet."""
        super().__init__(ascii_only=ascii_only, empty_text="", id=id)
        self._document: Document = lambda _width: ()
        self._lines: tuple[DocLine, ...] = ()

    def show(self, document: Document, *, keep_place: bool = False) -> None:
        """Show another document, from the top or where the old one was read."""
        self._document = document
        self._break()
        if not keep_place:
            self.go_to(0)
        self.redraw()

    @property
    def warning(self) -> int | None:
        """The warning under the cursor."""
        return self._lines[self.cursor].warning if self.cursor < len(self._lines) else None

    def go_to_warning(self) -> bool:
        """Go to the next warning, from the last one to the first; return whether there is one."""
        now = self.warning
        starts = {line.warning: index for index, line in reversed(list(enumerate(self._lines)))}
        starts.pop(None, None)
        if not starts:
            return False
        following = 0 if now is None or now + 1 not in starts else now + 1
        last = max(index for index, line in enumerate(self._lines) if line.warning == following)
        self.go_to(last)  # so that its cure is in sight
        self.go_to(starts[following])
        return True

    def line_count(self) -> int:
        """Return how many lines the document has at this width."""
        return len(self._lines)

    def line_at(self, index: int, width: int) -> Line:
        """Make one line, with a mark where the cursor is."""
        line = self._lines[index]
        here = self.has_focus and (
            index == self.cursor if line.warning is None else line.warning == self.warning
        )
        return ((">" if here else " ", "accent"), *line.line)

    def action_cure(self) -> None:
        """Tell on which warning Enter was pressed."""
        if self.warning is not None:
            self.post_message(self.CureChosen(self.warning))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave Enter to the screen where no warning is under the cursor."""
        return self.warning is not None if action == "cure" else True

    def cursor_moved(self) -> None:
        """Offer Enter for what it does here."""
        self.refresh_bindings()

    def on_resize(self, event: events.Resize) -> None:
        """Break the lines anew."""
        self._break()
        super().on_resize(event)

    def _break(self) -> None:
        self._lines = tuple(self._document(max(1, self.scrollable_content_region.width - 1)))
        self.take_count()
