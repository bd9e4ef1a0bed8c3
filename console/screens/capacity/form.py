"""The fields of a search in one line each, changed with left and right, or with Enter; the last line starts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.message import Message

from console.screens.capacity.fields import HINTS, LABELS, Field, FieldName
from widgets.line_list import LineList
from widgets.line_paint import Line, cut, text_of

_LABEL: Final = max(map(len, LABELS.values()))
START: Final = "start the search"


class Form(LineList):
    """Shows all fields of what is looked for."""

    DEFAULT_CSS = "Form { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "less", show=False, id="form.less", tooltip="The value before"),
        Binding("right,l", "step(1)", "more", show=False, id="form.more", tooltip="The next value"),
        Binding(
            "space,enter",
            "enter",
            "change",
            key_display="enter",
            id="form.enter",
            tooltip="Type the field, or take its next value; in the last line: start",
        ),
    ]

    @dataclass
    class Stepped(Message):
        """One field is to go a step further."""

        name: FieldName
        step: int

    @dataclass
    class Entered(Message):
        """One field is to be typed or chosen."""

        name: FieldName

    @dataclass
    class Started(Message):
        """The search is to be started."""

    @dataclass
    class Highlighted(Message):
        """The cursor stands on another field."""

        hint: str

    def __init__(self, *, ascii_only: bool, id: str) -> None:
        """Show nothing yet."""
        super().__init__(ascii_only=ascii_only, empty_text="", id=id)
        self._fields: tuple[Field, ...] = ()

    def show(self, fields: tuple[Field, ...]) -> None:
        """Show these; the cursor stays on its field."""
        if fields == self._fields:
            return
        before = self.field
        self._fields = fields
        self.take_count()
        if before is not None:
            self.go_to(next((n for n, one in enumerate(fields) if one.name == before.name), self.cursor))
        self.redraw()
        self.cursor_moved()

    @property
    def field(self) -> Field | None:
        """The field under the cursor; None: the line that starts."""
        return self._fields[self.cursor] if self.cursor < len(self._fields) else None

    def point_at(self, name: FieldName) -> None:
        """Set the cursor on a field."""
        self.go_to(next((n for n, one in enumerate(self._fields) if one.name == name), self.cursor))

    def line_count(self) -> int:
        """Return how many fields there are, and one for the line that starts."""
        return len(self._fields) + 1 if self._fields else 0

    def line_at(self, index: int, width: int) -> Line:
        """Make the line of one field."""
        here = index == self.cursor and self.has_focus
        if index >= len(self._fields):
            text = f"{'>' if here else ' '} {START}"
            return ((text, "cursor" if here else "strong"),)
        field = self._fields[index]
        mark = "!" if field.fault else ">" if here else "*" if field.changed else " "
        value = f"< {field.value} >" if here else f"  {field.value}"
        label = f"{mark} {field.label:<{_LABEL}} "
        line: Line = (
            (label, "bad" if field.fault else "" if field.changed else "muted"),
            (cut(value, max(4, width - len(label))), "bad" if field.fault else ""),
        )
        return ((text_of(line), "cursor"),) if here else line

    def cursor_moved(self) -> None:
        """Say what the field under the cursor means, or what is wrong with it."""
        if self.is_attached:
            field = self.field
            hint = "Enter or s starts it" if field is None else field.fault or HINTS[field.name]
            self.post_message(self.Highlighted(hint))

    def action_step(self, step: int) -> None:
        """Go a step further with the field under the cursor."""
        if self.field is not None:
            self.post_message(self.Stepped(self.field.name, step))

    def action_enter(self) -> None:
        """Type or choose the field under the cursor, or start."""
        if self.field is not None:
            self.post_message(self.Entered(self.field.name))
        elif self._fields:
            self.post_message(self.Started())
