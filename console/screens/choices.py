"""A list to choose from, moved through with arrows or j and k. Text in it is never read as markup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option


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
        self.add_options([Option(text) for text in texts])
        self.highlighted = min(place, len(texts) - 1)
