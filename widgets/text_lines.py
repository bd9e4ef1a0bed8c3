"""A few lines of styled text of which only those that changed are painted again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from widgets.line_paint import Line, Tone, changed_extent, cut_line, filled, width_of
from widgets.line_paint import Run as Run
from widgets.tones import LOOKS, ToneStyles


class TextLines(Widget):
    """Shows lines from the top, each cut at the right edge."""

    DEFAULT_CSS = "TextLines { height: auto; }"
    LOOKS: ClassVar[Mapping[Tone, str]] = LOOKS
    """What each tone adds to the style of the widget."""

    def __init__(
        self, lines: Sequence[Line] = (), *, id: str | None = None, classes: str | None = None
    ) -> None:
        """Show `lines`."""
        super().__init__(id=id, classes=classes)
        self._lines: tuple[Line, ...] = tuple(lines)
        self._tone_styles = ToneStyles(self, self.LOOKS)

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown."""
        return self._lines

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show other lines; equal ones are not painted again."""
        old, new = self._lines, tuple(lines)
        if old == new:
            return
        self._lines = new
        if len(old) != len(new):
            self.refresh(layout=self.styles.height is not None and self.styles.height.is_auto)
            return
        for y, (before, after) in enumerate(zip(old, new, strict=True)):
            extent = changed_extent(before, after)
            if extent:
                self.refresh(Region(0, y, min(extent, self.size.width), 1))

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Take the width that is offered."""
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Take a line for each line."""
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        """Draw one line, cut or filled to the width."""
        width = self.size.width
        runs = self._lines[y] if y < len(self._lines) else ()
        used = width_of(runs)
        runs = filled(runs, width - used) if used < width else cut_line(runs, width)
        style = self._tone_styles.of
        return Strip([Segment(text, style(tone)) for text, tone in runs if text], width)

    def notify_style_update(self) -> None:
        """Forget the styles when the theme changes."""
        super().notify_style_update()
        self._tone_styles.forget()

    def on_resize(self, event: events.Resize) -> None:
        """Paint all at the new width."""
        self.refresh()


def plain(text: str, tone: Tone = "") -> Line:
    """Make a line of one run."""
    return ((text, tone),)
