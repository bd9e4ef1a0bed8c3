"""The settings of a launch in one line each, changed with left and right, or with Enter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.message import Message

from console.screens.launch.options import HINTS, LABELS, OptionLine, OptionName
from widgets.line_list import LineList
from widgets.line_paint import Line, cut, text_of

_LABEL: Final = max(map(len, LABELS.values()))


class Settings(LineList):
    """Shows all settings while it is in focus or has the room, else those that are not as usual."""

    DEFAULT_CSS = "Settings { height: auto; scrollbar-size-horizontal: 0; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left,h",
            "step(-1)",
            "less",
            show=False,
            id="settings.less",
            tooltip="The value before, or one less",
        ),
        Binding(
            "right,l",
            "step(1)",
            "more",
            show=False,
            id="settings.more",
            tooltip="The next value, or one more",
        ),
        Binding(
            "space,enter",
            "enter",
            "change",
            id="settings.enter",
            tooltip="Type the value, or take the next one",
        ),
    ]

    @dataclass
    class Stepped(Message):
        """One setting is to go a step further."""

        name: OptionName
        step: int

    @dataclass
    class Entered(Message):
        """One setting is to be typed or chosen."""

        name: OptionName

    @dataclass
    class Highlighted(Message):
        """The cursor stands on another setting, or has left them all."""

        hint: str

    def __init__(self, *, ascii_only: bool, id: str) -> None:
        """Show nothing yet."""
        super().__init__(ascii_only=ascii_only, empty_text="all as usual: Tab changes them", id=id)
        self._options: tuple[OptionLine, ...] = ()
        self._roomy = False

    def show(self, options: tuple[OptionLine, ...], *, roomy: bool) -> None:
        """Show these; where there is room all of them are in sight also without the focus."""
        if (options, roomy) != (self._options, self._roomy):
            self._options, self._roomy = options, roomy
            self.take_count()
            self.redraw()

    @property
    def _seen(self) -> tuple[OptionLine, ...]:
        whole = self._roomy or self.has_focus
        return self._options if whole else tuple(line for line in self._options if line.changed)

    def line_count(self) -> int:
        """Return how many settings are in sight."""
        return len(self._seen)

    def line_at(self, index: int, width: int) -> Line:
        """Make the line of one setting."""
        option = self._seen[index]
        at_cursor = self.has_focus and index == self.cursor
        mark = ">" if at_cursor else "*" if option.changed else " "
        value = f"< {option.value} >" if at_cursor else f"  {option.value}"
        label = f"{mark} {option.label:<{_LABEL}} "
        line: Line = (
            (label, "" if option.changed else "muted"),
            (cut(value, max(4, width - len(label))), ""),
        )
        return ((text_of(line), "cursor"),) if at_cursor else line

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """Take a line for each setting in sight, and one where there is none."""
        return max(1, self.line_count())

    def cursor_moved(self) -> None:
        """Say what the setting under the cursor means."""
        if self.is_attached:
            self.post_message(
                self.Highlighted(HINTS[self._options[self.cursor].name] if self.has_focus else "")
            )

    def action_step(self, step: int) -> None:
        """Go a step further with the setting under the cursor."""
        if self._options:
            self.post_message(self.Stepped(self._options[self.cursor].name, step))

    def action_enter(self) -> None:
        """Type or choose the setting under the cursor."""
        if self._options:
            self.post_message(self.Entered(self._options[self.cursor].name))

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show all of them while they are worked on."""
        super().watch_has_focus(has_focus)
        self._open_or_close()

    def _open_or_close(self) -> None:
        if self.is_attached:
            self.take_count()
            self.redraw()
            self.refresh(layout=True)
            self.cursor_moved()
