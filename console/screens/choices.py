"""A list to choose from, moved through with arrows or j and k. Text in it is never read as markup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.segment import Segment
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widgets import OptionList
from textual.widgets.option_list import Option

MARK_WIDTH: Final = 2
"""Before each line: `>` where Enter would act, `*` for what is chosen in a list that is not in focus."""


class Choices(OptionList, inherit_bindings=False):
    """An option list that keeps its place when it is filled again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "select",
            "launch",
            key_display="enter",
            id="home.launch",
            tooltip="Show what a launch would do, and ask",
        ),
        Binding("up,k", "cursor_up", "Up", show=False),
        Binding("down,j", "cursor_down", "Down", show=False),
        Binding("home,g", "first", "First", show=False),
        Binding("end,G", "last", "Last", show=False),
    ]

    def __init__(self, title: str, *, empty_text: str, id: str) -> None:
        """Show `title` in the border, and `empty_text` while there is nothing to choose."""
        super().__init__(id=id, markup=False)
        self.border_title = title
        self._empty_text = empty_text

    def fill(self, texts: Sequence[Text], *, start: int = 0) -> None:
        """Show these lines, the place kept where there was one, else at `start`."""
        place = self.highlighted if self.highlighted is not None else start
        self.clear_options()
        if not texts:
            self.add_option(Option(Text(self._empty_text, style="dim"), disabled=True))
            return
        self.add_options(
            [Option(Text(" " * MARK_WIDTH, no_wrap=True, overflow="ellipsis") + text) for text in texts]
        )
        self.highlighted = min(place, len(texts) - 1)

    def render_line(self, y: int) -> Strip:
        """Draw a line, the highlighted one marked for those who see no colours; each option has one line."""
        strip = super().render_line(y)
        if self.highlighted is None or self.scroll_offset.y + y != self.highlighted or not strip.cell_length:
            return strip
        style = next((segment.style for segment in strip), None)
        return Strip([Segment(">" if self.has_focus else "*", style), *strip.crop(1)])
