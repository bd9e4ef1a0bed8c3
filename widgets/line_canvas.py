"""The ground of all lists and of the grid: lines of a screen, of which only those are painted that look different.

After any change a canvas makes the lines in sight anew, compares them with what stands on the screen, and paints the
ones that differ, each as one region from its left edge and no further than it changed: the compositor writes a line
from there in any case, and the cost over SSH is counted in bytes.
"""

from __future__ import annotations

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from widgets.line_paint import Line, changed_extent, cut_line, filled, width_of
from widgets.scroll_bar import whole_cells
from widgets.tones import ToneStyles


class LineCanvas(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows the lines that a subclass makes in `screen_lines`."""

    DEFAULT_CSS = """
    LineCanvas { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    """

    def __init__(
        self, *, ascii_only: bool = False, id: str | None = None, classes: str | None = None
    ) -> None:
        """Draw with other than ASCII characters unless `ascii_only`."""
        super().__init__(id=id, classes=classes)
        self._ascii_only = ascii_only
        self._shown: list[Line] = []
        self._shown_size = Size(0, 0)
        self._tone_styles = ToneStyles(self)

    def screen_lines(self, width: int, height: int) -> list[Line]:
        """Make all lines of the screen, at most `height` of them, each at most `width` columns wide."""
        raise NotImplementedError

    def take_size(self) -> None:
        """Take a new size; called before the lines are made anew for it."""

    @property
    def ascii_only(self) -> bool:
        """Whether only ASCII is drawn."""
        return self._ascii_only

    @property
    def canvas(self) -> Size:
        """The columns and lines there are, without the scroll bar, which `size` includes."""
        return Size(self.scrollable_content_region.width, self.size.height)

    def redraw(self) -> None:
        """Paint again what looks different from what stands on the screen."""
        canvas = self.canvas
        if self._shown_size != canvas:
            self.refresh()
            return
        before, self._shown = self._shown, self._made(canvas)
        for y, (old, new) in enumerate(zip(before, self._shown, strict=True)):
            extent = changed_extent(old, new)
            if extent:
                self.refresh(Region(0, y, min(extent, canvas.width), 1))

    def scroll_to_line(self, top: int) -> None:
        """Scroll so that a line stands first."""
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, immediate=True, force=True)

    def set_line_count(self, count: int) -> None:
        """Take the number of all lines, in sight or not, fixed ones included."""
        virtual = Size(self.canvas.width, count)
        if virtual != self.virtual_size:
            self.virtual_size = virtual

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        if y == 0 or not self._shown_size:  # asking for the size costs as much as a line
            canvas = self.canvas
            if self._shown_size != canvas:
                self._shown, self._shown_size = self._made(canvas), canvas
        width = self._shown_size.width
        runs = self._shown[y] if y < len(self._shown) else ()
        used = width_of(runs)
        runs = filled(runs, width - used) if used < width else cut_line(runs, width)
        style = self._tone_styles.of
        return Strip([Segment(text, style(tone)) for text, tone in runs if text], width)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Paint only what looks different, where Textual would paint all."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        if round(old_value) != round(new_value):
            self.redraw()

    def on_mount(self) -> None:
        """Take the first size."""
        whole_cells(self)
        self.take_size()

    def on_resize(self, event: events.Resize) -> None:
        """Make all lines anew at the new size, which is nothing while the widget is hidden."""
        self._shown, self._shown_size = [], Size(0, 0)
        self.take_size()
        self.refresh()

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show the cursor as one that moves, or rests. Blur comes before the focus is gone, so it is too early for that."""
        super().watch_has_focus(has_focus)
        self.redraw()

    def notify_style_update(self) -> None:
        """Forget the styles when the theme changes."""
        super().notify_style_update()
        self._tone_styles.forget()

    def _made(self, canvas: Size) -> list[Line]:
        lines = self.screen_lines(canvas.width, canvas.height)[: canvas.height]
        return lines + [()] * (canvas.height - len(lines))
