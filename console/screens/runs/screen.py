"""The runs of this machine, newest first; Enter opens."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import anyio.to_thread
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList

from console.screens.choices import MARK_WIDTH, Choices
from console.screens.pane import Pane
from console.screens.runs.needs import RunChoice
from console.screens.runs.run_lines import run_lines
from console.screens.session import Session
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraphs, paragraph


def now() -> datetime:
    """Return the local time, by which a list tells today from before."""
    return datetime.now().astimezone()


class Runs(Pane):
    """Lists runs; Enter watches a live one, or shows the results of one that is over."""

    PLACE = "runs"
    CSS_PATH = "runs.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#runs"
    HELP_NOTES: ClassVar[tuple[str, ...]] = (
        "Enter on a run watches it, or shows its results where it is over.",
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "reload", "reload", id="runs.reload", tooltip="Read the runs again"),
    ]

    def __init__(self, session: Session) -> None:
        """List what `session` has."""
        super().__init__(session)
        self._runs: list[RunChoice] = []

    def compose_body(self) -> ComposeResult:
        """Lay out the list."""
        yield Paragraphs(id="notice")
        yield Choices("runs", empty_text="no runs yet: 2 launches one", id="runs")

    def on_screen_resume(self) -> None:
        """Read everything again: runs come and go while other screens are shown."""
        self.action_reload()

    def on_resize(self) -> None:
        """Write the runs at the new width."""
        self.call_after_refresh(self._fill)

    def action_reload(self) -> None:
        """Read the runs."""
        self.run_worker(self._load, group="load", exclusive=True)

    @on(OptionList.OptionSelected, "#runs")
    def run_chosen(self, event: OptionList.OptionSelected) -> None:
        """Watch a live run, or show the results of one that is over."""
        if event.option_index >= len(self._runs):
            return
        run = self._runs[event.option_index]
        if run.kind == "live":
            self.session.watched = run.run_dir
            self.go("live")
        else:
            self.session.shown = run.run_dir
            self.go("results")

    async def _load(self) -> None:
        notice = self.query_one("#notice", Paragraphs)
        try:
            self._runs = await anyio.to_thread.run_sync(self.session.backend.runs.runs)
        except ConsoleError as error:
            notice.show([paragraph(f" {safe_line(line, 300)}", "bad", 1) for line in error.lines()])
            return
        notice.show(())
        self._fill()

    def _fill(self) -> None:
        shown = self.query_one("#runs", Choices)
        width = shown.scrollable_content_region.width - MARK_WIDTH
        shown.fill(run_lines(self._runs, width, now()))
