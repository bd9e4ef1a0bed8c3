"""The app's way to the terminal: each update compared with what stands there, none made while the last is under way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from rich.segment import Segment
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate  # what the compositor hands to an app
from textual.screen import Screen

from console.screens.dialog import EchoingApp
from console.screens.frame import Frame, Piece
from console.screens.line_driver import LineDriver

ReturnT = TypeVar("ReturnT")
_SYNC_START, _SYNC_END = "\x1b[?2026h", "\x1b[?2026l"


class PaintingApp(EchoingApp[ReturnT]):
    """An app that sends what differs, and the newest picture to a line that is slower than its figures."""

    def __init__(self, *, colours: bool = True, **options: Any) -> None:
        """Draw without any colour where `colours` is false."""
        super().__init__(**options)
        self._frame = Frame(self.console._color_system if colours else None)  # pyright: ignore[reportPrivateUsage]
        self._missed = False

    def forget_terminal(self) -> None:
        """Take nothing for granted of what the terminal shows."""
        self._frame.forget()

    def repaint(self) -> None:
        """Paint everything again."""
        self.forget_terminal()
        self._paint_all()

    async def on_event(self, event: events.Event) -> None:
        """Forget what the terminal showed before its size changed."""
        if isinstance(event, events.Resize):
            self.forget_terminal()
        await super().on_event(event)

    def _end_batch(self) -> None:
        """Have the screen look again for what is to be painted: what it found while updates were held back is lost else."""
        super()._end_batch()
        if not self._batch_count and self.screen_stack:
            self.screen.check_idle()

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        """Send an update, or note that one was missed because the line has not taken the one before."""
        driver = self._driver
        if not isinstance(driver, LineDriver) or not isinstance(renderable, (ChopsUpdate, LayoutUpdate)):
            super()._display(screen, renderable)  # pyright: ignore[reportUnknownMemberType]
            return
        if self._batch_count or not self._running or self._closed:
            return
        late, self._missed = self._missed, True
        driver.line.when_clear, driver.when_resumed = self._line_is_clear, self._resumed
        if driver.line.busy:
            return
        self._missed = False
        self._send(driver, self._whole(screen) if late else renderable)

    def _send(self, driver: LineDriver, update: ChopsUpdate | LayoutUpdate) -> None:
        width, height = self.size
        pieces = _layout_pieces(update) if isinstance(update, LayoutUpdate) else _chop_pieces(update)
        text = self._frame.paint(width, height, pieces)
        if not text:
            return
        cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        if cursor != (0, 0):  # where a terminal shows what an input method offers
            text += f"\x1b[{cursor.y + 1};{cursor.x + 1}H"
        driver.write(f"{_SYNC_START}{text}{_SYNC_END}" if self._sync_available else text)

    def _line_is_clear(self) -> None:
        """Catch up with what was missed; called in the writing thread."""
        loop = self._loop
        if self._missed and loop is not None and not loop.is_closed():
            try:
                loop.call_soon_threadsafe(self._catch_up)
            except RuntimeError:
                return  # closed in between

    def _resumed(self) -> None:
        """Paint all again after a stop; called between two steps of whatever the signal has interrupted."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.call_later, self.repaint)

    def _catch_up(self) -> None:
        if self._missed and self._running and self.screen_stack:
            self.call_later(self._paint_all)

    def _paint_all(self) -> None:
        self._display(self.screen, self._whole(self.screen))

    def _whole(self, screen: Screen[Any]) -> Any:
        below: list[Any] = self._background_screens  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        compositor: Any = screen._compositor  # pyright: ignore[reportPrivateUsage]
        return compositor.render_update(full=True, screen_stack=below)

    def _set_pointer_shape(self, shape: str) -> None:
        """Leave the mouse pointer alone: the mouse is not used."""


def _layout_pieces(update: LayoutUpdate) -> Iterable[Piece]:
    region = update.region
    for y, chops in enumerate(update.strips, region.y):
        yield y, region.x, [segment for strip in chops for segment in strip]


def _chop_pieces(update: ChopsUpdate) -> Iterable[Piece]:
    """Return the spans that are to be written, each up to its end."""
    for y, first, last in update.spans:
        ends: Sequence[int] = update.chop_ends[y]
        for end, (x, strip) in zip(ends, update.chops[y].items(), strict=False):
            if strip is None or x > last or end <= first:
                continue
            segments: Iterable[Segment] = strip if end <= last else strip.crop(0, last - x)
            yield y, x, segments
