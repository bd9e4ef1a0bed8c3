"""A scroll bar of whole cells: Textual's own draws its ends with block characters, which ASCII has not."""

from __future__ import annotations

from textual.scrollbar import ScrollBarRender
from textual.widget import Widget


class WholeCells(ScrollBarRender):
    """Draws the bar with blanks of two styles, told apart without colours as one of them is reversed."""

    VERTICAL_BARS = [" "] * 8
    HORIZONTAL_BARS = [" "] * 8


def whole_cells(widget: Widget) -> None:
    """Draw the vertical scroll bar of a widget so."""
    widget.vertical_scrollbar.renderer = WholeCells  # pyright: ignore[reportAttributeAccessIssue]
