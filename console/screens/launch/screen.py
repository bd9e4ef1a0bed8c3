"""Phases to launch under the profile that is chosen."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import anyio.to_thread
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.widgets import OptionList

from console.screens.choices import Choices
from console.screens.launch.confirm import Confirm
from console.screens.launch.needs import PhaseChoice
from console.screens.pane import Pane
from console.screens.session import Session
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraphs, paragraph


class Launch(Pane):
    """Lists phases; Enter shows what a launch would do, and asks."""

    PLACE = "launch"
    CSS_PATH = "launch.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#phases"
    HELP_NOTES: ClassVar[tuple[str, ...]] = ("Enter on a phase shows what a launch would do, and asks.",)

    def __init__(self, session: Session) -> None:
        """List what `session` has."""
        super().__init__(session)
        self._phases: list[PhaseChoice] = []

    def compose_body(self) -> ComposeResult:
        """Lay out the list."""
        yield Paragraphs(id="notice")
        yield Choices("phases", empty_text="no phases", id="phases")

    def on_screen_resume(self) -> None:
        """Read everything again."""
        self.run_worker(self._load, group="load", exclusive=True)

    @on(OptionList.OptionSelected, "#phases")
    def launch_chosen(self, event: OptionList.OptionSelected) -> None:
        """Show what a launch of the phase would do."""
        if event.option_index < len(self._phases):
            phase = self._phases[event.option_index].id
            self.open_screen(
                Confirm(self.session.backend.launch, self.session.profile, phase), self._launched
            )

    def _launched(self, run_dir: Path | None) -> None:
        if run_dir is not None:
            self.session.watched = run_dir
            self.go("live")

    async def _load(self) -> None:
        notice = self.query_one("#notice", Paragraphs)
        try:
            self._phases = await anyio.to_thread.run_sync(self.session.backend.launch.phases)
        except ConsoleError as error:
            notice.show([paragraph(f" {safe_line(line, 300)}", "bad", 1) for line in error.lines()])
            return
        notice.show(
            (
                paragraph(
                    f" under profile {safe_line(self.session.profile, 60)}: 1 chooses another", "muted", 1
                ),
            )
        )
        self.query_one("#phases", Choices).fill(
            [_phase_text(phase, self.session.profile) for phase in self._phases]
        )


def _phase_text(phase: PhaseChoice, profile: str) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append("x " if phase.error else "", "bold")
    text.append(f"{safe_line(phase.id, 30):<4} ", "bold")
    if profile in phase.tests:
        text.append(f"{phase.tests[profile]:>6,} ")
    text.append(safe_line(phase.title, 60), "dim")
    return text
