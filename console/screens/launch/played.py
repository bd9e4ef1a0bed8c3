"""Rehearsals and comparisons over the screen: how far they are, what they came to, and Esc, which ends them at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

import anyio.to_thread
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from console.screens.dialog import Dialog
from console.screens.launch.command_line import command_line
from console.screens.launch.needs import Asked, LaunchNeeds, Played, PolicyTable, Progress, Rehearsed
from console.screens.launch.plan_lines import DocLine, said
from console.screens.launch.plan_pane import PlanPane
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.durations import clock_text
from widgets.paragraphs import Paragraphs, paragraph
from widgets.table import Table
from widgets.table_rows import TableColumn, TableRow

_BAR: Final = 24
_TOLD_EVERY_S: Final = 1.0
_COLUMNS: Final = (
    TableColumn("policy"),
    TableColumn("duration", "right"),
    TableColumn("peak QPS", "right"),
    TableColumn("in flight", "right"),
    TableColumn("models", "right"),
    TableColumn("429s", "right"),
    TableColumn("remain", "right"),
    TableColumn("warns", "right"),
)


class PlayedBox(Dialog[str]):
    """A box in which something is played on a virtual clock, in a process of its own."""

    CSS_PATH = "played.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#report"
    TITLE_TEXT: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,q,ctrl+c,ctrl+q",
            "back",
            "back",
            id="played.back",
            tooltip="Close; what is under way ends",
        ),
    ]

    @dataclass
    class Reached(Message):
        """It is so far."""

        progress: Progress

        def can_replace(self, message: Message) -> bool:
            """Only the newest counts."""
            return isinstance(message, PlayedBox.Reached)

    def __init__(self, needs: LaunchNeeds, asked: Asked, *, ascii_only: bool = False) -> None:
        """Play what is asked for."""
        super().__init__()
        self._needs = needs
        self._asked = asked
        self._ascii_only = ascii_only
        self._played: Played | None = None
        self._left = False
        self._next_s = 0.0

    def compose(self) -> ComposeResult:
        """Show how far it is, and below what it came to."""
        with Vertical(classes="box") as box:
            box.border_title = self.TITLE_TEXT
            box.border_subtitle = "Esc ends it"
            yield Paragraphs((paragraph("starting", "muted"),), id="state")
            yield from self.compose_result()

    def compose_result(self) -> ComposeResult:
        """Lay out what it came to."""
        yield PlanPane(ascii_only=self._ascii_only, id="report")

    def on_mount(self) -> None:
        """Begin."""
        self.settle_key()
        self.run_worker(self._play, group="play", exclusive=True)

    def on_unmount(self) -> None:
        """End what is under way: nobody waits for it any more."""
        self._left = True
        if self._played is not None:
            self._played.cancel()

    def begin(self) -> Played:
        """Start the process."""
        raise NotImplementedError

    def show_result(self, result: Rehearsed | PolicyTable) -> None:
        """Show what it came to."""
        self.query_one("#report", PlanPane).show(report(result.lines))

    def action_back(self) -> None:
        """Close."""
        self.dismiss(None)

    @on(Reached)
    def further(self, event: Reached) -> None:
        """Say how far it is."""
        if not self._left:
            said_now = paragraph(progress_text(event.progress), "accent", 2)
            self.query_one("#state", Paragraphs).show((said_now,))

    async def _play(self) -> None:
        state = self.query_one("#state", Paragraphs)
        box = self.query_one(".box", Vertical)
        try:
            result = await anyio.to_thread.run_sync(self._wait, abandon_on_cancel=True)
        except ConsoleError as error:
            lines = [text for whole in error.lines() for text in whole.splitlines()]
            state.show((paragraph("it did not work", "bad"),))
            self.query_one("#report", PlanPane).show(
                lambda width: [part for line in lines for part in said(line, "", width, "  ")]
            )
            box.border_subtitle = "Esc closes"
            return
        state.show((paragraph(safe_line(command_line(self._asked), 300), "muted", 2),))
        box.border_subtitle = "Esc closes"
        self.show_result(result)

    def _wait(self) -> Rehearsed | PolicyTable:
        played = self._played = self.begin()
        if self._left:
            played.cancel()
        return played.wait(self._tell)

    def _tell(self, progress: Progress) -> None:
        """Tell the screen from a thread, once a second: lines may be slow."""
        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + _TOLD_EVERY_S
            self.post_message(self.Reached(progress))


class RehearsalBox(PlayedBox):
    """A rehearsal of what is chosen, and its report."""

    TITLE_TEXT = "rehearsal (SIMULATED; nothing is sent)"

    def begin(self) -> Played:
        """Start the rehearsal."""
        return self._needs.rehearse(self._asked)


class ComparisonBox(PlayedBox):
    """Policies side by side; gives back the one that is taken."""

    TITLE_TEXT = "policies compared (SIMULATED; nothing is sent)"
    AUTO_FOCUS: ClassVar[str | None] = "#policies"

    def compose_result(self) -> ComposeResult:
        """Lay out a row for each policy, and the whole report below."""
        yield Table(_COLUMNS, ascii_only=self._ascii_only, noun="policies", empty_text="", id="policies")
        yield PlanPane(ascii_only=self._ascii_only, id="report")

    def begin(self) -> Played:
        """Start the comparison."""
        return self._needs.compare(self._asked)

    def show_result(self, result: Rehearsed | PolicyTable) -> None:
        """Show the table with the cursor on the one to choose, why, and the report."""
        super().show_result(result)
        if not isinstance(result, PolicyTable):
            return
        policies = self.query_one("#policies", Table)
        policies.show(_COLUMNS, [_row(result, index) for index in range(len(result.rows))])
        names = [row.name for row in result.rows]
        if result.choose in names:
            policies.go_to(names.index(result.choose))
        policies.styles.height = len(names) + 1
        policies.focus()
        self.query_one("#state", Paragraphs).show((paragraph(safe_line(result.why, 300), "good", 2),))
        self.query_one(".box", Vertical).border_subtitle = "Enter takes the policy, Esc closes"

    @on(Table.RowChosen, "#policies")
    def policy_chosen(self, event: Table.RowChosen) -> None:
        """Take it."""
        self.dismiss(event.row_id)


def _row(table: PolicyTable, index: int) -> TableRow:
    row = table.rows[index]
    mark = " *" if row.name == table.choose else f" = {safe_line(row.same_as, 40)}" if row.same_as else ""
    figures = (row.peak_qps, row.in_flight, row.models, row.rate_limited, row.unanswered, row.warnings)
    return TableRow(
        row.name, (f"{safe_line(row.name, 40)}{mark}", safe_line(row.duration, 40), *map(str, figures))
    )


def progress_text(progress: Progress) -> str:
    """Say how far it is, with a bar that needs no colours."""
    share = progress.done / progress.planned if progress.planned else 0.0
    filled = round(share * _BAR)
    eta = f"  {clock_text(progress.eta_s)} to go" if progress.eta_s is not None else ""
    name = f"{safe_line(progress.name, 30)} " if progress.name else ""
    return (
        f"{name}[{'#' * filled}{'-' * (_BAR - filled)}] {share:.0%}  "
        f"{clock_text(progress.virtual_s)} into the run{eta}"
    )


def report(lines: Callable[[int], list[str]]) -> Callable[[int], list[DocLine]]:
    """Make a document of a report; what is still too wide for the pane is broken."""

    def document(width: int) -> list[DocLine]:
        return [
            part for line in lines(width) for part in (said(line, "", width, "  ") if line else [DocLine()])
        ]

    return document
