"""What stands on a terminal too small for a screen: that it is, and how the run goes on that is watched."""

from __future__ import annotations

from typing import Final, Protocol, cast

from textual import events
from textual.app import App

from widgets.paragraphs import Paragraphs, paragraph

LEAST: Final = (60, 15)
"""Columns and lines that every screen works with."""
_LOOK_EVERY_S: Final = 1.0
_ADVICE: Final = paragraph(f"make the window larger ({LEAST[0]}×{LEAST[1]})", "strong")


class TellsOfTheRun(Protocol):
    """An app that knows how the run goes on."""

    def run_line(self) -> str:
        """Return that in a line, or nothing where no run is watched."""
        ...


class TooSmall(Paragraphs):
    """In the place of a screen; the styles of the app show it when there is no room for one."""

    def __init__(self, *, id: str) -> None:
        super().__init__((_ADVICE,), id=id)

    def on_mount(self) -> None:
        """Look how the run goes on while this is shown."""
        self.set_interval(_LOOK_EVERY_S, self.tell)

    def on_resize(self, event: events.Resize) -> None:
        """Say it anew when it comes to be shown."""
        super().on_resize(event)
        self.tell()

    def tell(self) -> None:
        """Say it as it is now."""
        if not self.size.width:
            return
        app = cast("App[object]", self.app)
        line = cast("TellsOfTheRun", app).run_line() if hasattr(app, "run_line") else ""
        self.show((_ADVICE, paragraph(line)) if line else (_ADVICE,))
