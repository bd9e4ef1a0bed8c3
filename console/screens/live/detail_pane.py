"""The pane with everything about one lane; it scrolls, and is asked for only while it is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from console.screens.live.curves import lane_curves
from console.screens.live.detail import detail_paragraphs
from console.vocabulary.inspection import LaneDetail, Point
from widgets.paragraphs import Paragraph, Paragraphs, paragraph


class DetailPane(VerticalScroll, can_focus=True, inherit_bindings=False):
    """Shows a `LaneDetail` at the width it has."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("pageup,ctrl+u", "page_up", "Page up", show=False),
        Binding("pagedown,ctrl+d", "page_down", "Page down", show=False),
        Binding("home,g", "scroll_home", "Top", show=False),
        Binding("end,G", "scroll_end", "Bottom", show=False),
    ]

    def __init__(self, *, id: str, ascii_only: bool = False) -> None:
        """Show nothing yet."""
        super().__init__(id=id)
        self._detail: LaneDetail | None = None
        self._points: Sequence[Point] = ()
        self._step_s = 5.0
        self._text = Paragraphs(id="detail-text")
        self._ascii_only = ascii_only

    def compose(self) -> ComposeResult:
        """Hold the text."""
        yield self._text

    def open_on(self, title: str) -> None:
        """Say which lane is asked about, until the answer is there."""
        self._detail = None
        self._text.show([paragraph(f" {title}", "strong", 1), paragraph(" asking the engine", "muted")])
        self.scroll_home(animate=False)

    def show(self, detail: LaneDetail, points: Sequence[Point], step_s: float) -> None:
        """Show what is known of the lane; `points` are its last minutes."""
        self._detail, self._points, self._step_s = detail, points, step_s
        self._fill()

    def show_refusal(self, text: str) -> None:
        """Say why nothing is known."""
        self._detail = None
        self._text.show([paragraph(f" {text}", "warn", 1)])

    def on_resize(self, event: events.Resize) -> None:
        """Write it at the new width."""
        self._fill()

    def _fill(self) -> None:
        width = self.scrollable_content_region.width
        if self._detail is None or width <= 0:
            return
        sparks = lane_curves(self._points, self._step_s, width, ascii_only=self._ascii_only)
        if sparks:
            sparks = [(), *sparks]
        parts: list[Paragraph] = detail_paragraphs(self._detail, width, sparks, ascii_only=self._ascii_only)
        self._text.show(parts)
