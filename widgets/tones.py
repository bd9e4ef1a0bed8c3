"""How tones look: made from the theme when a tone is first drawn.

Textual's own way, component classes, styles a node for each of them whenever a widget is styled, which is at every focus
and every class that changes above it, whether or not the tone is ever drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.style import Style as RichStyle
from textual.style import Style
from textual.widget import Widget

from widgets.line_paint import Tone

LOOKS: Final[Mapping[Tone, str]] = {
    "strong": "bold",
    "muted": "$text-muted",
    "accent": "$text-primary",
    "good": "bold $text-success",
    "warn": "bold $text-warning",
    "bad": "bold $text-error",
    "badge": "bold reverse",
    "heading": "underline $text-muted",
    "cursor": "reverse",
}
"""What each tone adds to the style of its widget, in the words of Textual's markup."""


class ToneStyles:
    """The styles of one widget, kept until it is styled anew."""

    def __init__(self, widget: Widget, looks: Mapping[Tone, str] = LOOKS) -> None:
        """Know no style yet; `looks` says what each tone adds."""
        self._widget = widget
        self._looks = looks
        self._made: dict[str, RichStyle] = {}

    def forget(self) -> None:
        """Make them anew when they are next asked for: the theme or what is below has changed."""
        self._made.clear()

    def of(self, tone: Tone) -> RichStyle:
        """Return the style of a tone."""
        return self.looking(self._looks.get(tone, ""))

    def looking(self, look: str) -> RichStyle:
        """Return the widget's own style with a look, such as `bold $text-muted`, laid over it."""
        made = self._made.get(look)
        if made is None:
            made = self._widget.rich_style
            if look:
                made = (Style.from_rich_style(made) + Style.parse(look)).rich_style
            self._made[look] = made
        return made
