"""Profiles: which there are, and what each model may use under them."""

from __future__ import annotations

from typing import ClassVar

import anyio.to_thread
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import OptionList

from console.screens.choices import Choices
from console.screens.pane import Pane
from console.screens.profiles.needs import ProfileChoice
from console.screens.session import Session
from console.screens.totals import totals_table
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraphs, paragraph
from widgets.summary_table import SummaryTable, SummaryTables


class Profiles(Pane):
    """Lists profiles; the one under the cursor shows its totals, Enter chooses it for a launch."""

    PLACE = "profiles"
    CSS_PATH = "profiles.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#profiles"

    def __init__(self, session: Session) -> None:
        """List what `session` has."""
        super().__init__(session)
        self._profiles: list[ProfileChoice] = []

    def compose_body(self) -> ComposeResult:
        """Lay out the list and the totals."""
        yield Paragraphs(id="notice")
        with Horizontal():
            yield Choices("profiles", empty_text="no profiles", id="profiles")
            yield SummaryTables(id="totals")

    def on_screen_resume(self) -> None:
        """Read everything again."""
        self.run_worker(self._load, group="load", exclusive=True)

    @on(OptionList.OptionHighlighted, "#profiles")
    def profile_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show its totals, or what is wrong with it."""
        if event.option_index >= len(self._profiles):
            return
        profile = self._profiles[event.option_index]
        panel = self.query_one("#totals", SummaryTables)
        if profile.error:
            lines = tuple(safe_line(line, 500) for line in profile.error.splitlines())
            panel.show((SummaryTable(f"errors: profile {safe_line(profile.name, 60)}", (), (), lines),))
        else:
            mode = f"effective totals: {safe_line(profile.name, 40)} ({profile.rate_mode})"
            panel.show((totals_table(mode, profile.totals),))

    @on(OptionList.OptionSelected, "#profiles")
    def profile_chosen(self, event: OptionList.OptionSelected) -> None:
        """Use it for the next launch."""
        if event.option_index < len(self._profiles) and not self._profiles[event.option_index].error:
            self.session.profile, self.session.changes = self._profiles[event.option_index].name, ()
            self.go("launch")

    async def _load(self) -> None:
        notice = self.query_one("#notice", Paragraphs)
        try:
            self._profiles = await anyio.to_thread.run_sync(self.session.backend.profiles.choices)
        except ConsoleError as error:
            notice.show([paragraph(f" {safe_line(line, 300)}", "bad", 1) for line in error.lines()])
            return
        notice.show(())
        self.query_one("#profiles", Choices).fill([_profile_text(profile) for profile in self._profiles])


def _profile_text(profile: ProfileChoice) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append("x " if profile.error else "", "bold")
    text.append(safe_line(profile.name, 60))
    if profile.origin != "built-in":
        text.append(f"  {profile.origin}", "dim")
    return text
