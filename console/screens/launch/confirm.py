"""What a launch would do, shown before it is done."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import ClassVar

import anyio.to_thread
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll

from console.records.figures_text import duration_text
from console.screens.dialog import Dialog
from console.screens.launch import wall_clock
from console.screens.launch.needs import Asked, LaunchNeeds, Planned
from console.screens.launch.plan_lines import ends_text
from console.screens.totals import totals_table
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, Paragraphs, paragraph
from widgets.summary_table import SummaryTables
from widgets.text_lines import Line, Run, TextLines, Tone, plain

_MOST_SHOWN = 2
_KEYS: Line = (("Enter", "accent"), (" start   ", ""), ("Esc", "accent"), (" back", ""))
_TRY: Line = (("Enter", "accent"), (" try   ", ""), *_KEYS[2:])
"""Where something is missing; a file or a command of a key may have been mended meanwhile."""


class Confirm(Dialog[Path | None]):
    """Shows the essentials of a plan and starts the run; gives back its run directory, or None."""

    CSS_PATH = "confirm.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#totals"
    HELP_NOTES: ClassVar[tuple[str, ...]] = ("The totals are what the engine enforces.",)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start", "start", id="launch.start", tooltip="Start the run"),
        Binding("escape", "back", "back", id="confirm.back"),
        Binding("q,ctrl+c,ctrl+q", "back", "back", id="launch.leave", show=False),
        Binding("question_mark", "app.help", "help", key_display="?", id="app.help"),
    ]

    def __init__(self, needs: LaunchNeeds, asked: Asked, planned: Planned | None = None) -> None:
        """Ask whether to start what is asked for; without its plan, make that first."""
        super().__init__()
        self._needs = needs
        self._asked = asked
        self._planned = planned
        self._starting = False

    def compose(self) -> ComposeResult:
        """Show a box with the figures, the totals, and the keys."""
        with Vertical(classes="box") as box:
            box.border_title = "launch"
            phases = safe_line(", ".join(self._asked.phases) or "what is picked", 60)
            planning = f"planning {phases} under {safe_line(self._asked.profile, 60)}"
            yield Paragraphs((paragraph(planning, "muted"),), id="figures")
            yield SummaryTables(id="totals")
            with VerticalScroll(id="trouble"):
                yield Paragraphs(id="errors")
            yield TextLines((_KEYS,), id="state")

    def on_mount(self) -> None:
        """Begin to plan; the key that opened this, pressed twice, must not start what nobody has read."""
        self.settle_key()
        if self._planned is not None:
            self._show(self._planned)
        else:
            self.run_worker(self._plan, group="plan", exclusive=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to start only what is planned, once."""
        if action == "start":
            planned = self._planned
            return planned is not None and planned.tests + planned.reused > 0 and not self._starting
        if action == "back":
            return not self._starting
        return True

    def action_back(self) -> None:
        """Start nothing."""
        self.dismiss(None)

    def action_start(self) -> None:
        """Start the engine."""
        self._starting = True
        self.query_one("#state", TextLines).show_lines((plain("starting the engine", "accent"),))
        self.run_worker(self._start, group="start", exclusive=True)

    async def _plan(self) -> None:
        try:
            planned = await anyio.to_thread.run_sync(
                self._needs.plan, self._asked, lambda: False, abandon_on_cancel=True
            )
        except ConsoleError as error:
            self._show_trouble(error, _KEYS[2:])
            return
        if planned is not None:
            self._planned = planned
            self._show(planned)
            self.refresh_bindings()

    def _show(self, planned: Planned) -> None:
        self.query_one("#figures", Paragraphs).show(_figures(planned, self._asked, wall_clock.now()))
        self.query_one(SummaryTables).show((totals_table("effective totals", planned.totals),))
        if planned.tests + planned.reused == 0:
            self.query_one("#state", TextLines).show_lines((plain("nothing to run", "warn"), _KEYS[2:]))
        elif planned.missing:
            self.query_one("#state", TextLines).show_lines((_TRY,))

    async def _start(self) -> None:
        try:
            run_dir = await anyio.to_thread.run_sync(self._needs.launch, self._asked)
        except ConsoleError as error:
            self._starting = False
            self._show_trouble(error, _TRY)
            return
        self.dismiss(run_dir)

    def _show_trouble(self, error: ConsoleError, keys: Line) -> None:
        """Show all that went wrong in the place of the plan; arrows scroll what has no room."""
        self.query_one("#figures").display = False
        self.query_one(SummaryTables).display = False
        self.query_one("#errors", Paragraphs).show(_error_lines(error))
        trouble = self.query_one("#trouble")
        trouble.display = True
        trouble.focus()
        self.query_one("#state", TextLines).show_lines((keys,))


def _error_lines(error: ConsoleError) -> list[Paragraph]:
    texts = [text for whole in error.lines() for text in whole.splitlines()]
    return [
        paragraph(safe_line(text, 500), "" if index else "bad", hang=2) for index, text in enumerate(texts)
    ]


def _figures(planned: Planned, asked: Asked, at: datetime) -> list[Paragraph]:
    first: list[Run] = [
        (safe_line(planned.title, 60), "strong"),
        (" under ", "muted"),
        (f"{safe_line(planned.profile, 60)} ({safe_line(planned.rate_mode, 20)})", "strong"),
    ]
    if planned.simulated:
        first.append(("  ", ""))
        first.append((" SIMULATED ", "badge"))
    second: list[Run] = []
    for label, figure in (
        ("tests", planned.tests),
        ("requests about", planned.requests),
        ("reused", planned.reused),
        ("jobs", planned.jobs),
        ("lanes", planned.lanes),
    ):
        if figure or label == "tests":
            second.append((f"{label} ", "muted"))
            second.append((f"{figure:,}   ", "strong"))
    took = f"{duration_text(planned.duration_s)}, to about {ends_text(at, planned.duration_s)}"
    lines = [
        Paragraph(tuple(first)),
        Paragraph(tuple(second)),
        Paragraph((("takes ", "muted"), (took, "")), 6),
    ]
    if planned.place:
        lines.append(Paragraph((("records ", "muted"), (safe_line(planned.place, 200), "")), 8))
    lines += [paragraph(f"x {safe_line(missing, 500)}", "bad", hang=2) for missing in planned.missing]
    lines += [
        paragraph(f"* not saved: {safe_line(change, 200)}", "accent", hang=2)
        for change in asked.changes[:_MOST_SHOWN]
    ]
    lines += _more(len(asked.changes), "change", "accent")
    lines += [
        paragraph(
            f"! {safe_line(f'{warned.where}: ' if warned.where else '', 100)}{safe_line(warned.text, 200)}",
            "warn",
            hang=2,
        )
        for warned in planned.warnings[:_MOST_SHOWN]
    ]
    lines += _more(len(planned.warnings), "warning", "warn")
    return [*lines, Paragraph(())]


def _more(count: int, noun: str, tone: Tone) -> list[Paragraph]:
    more = count - _MOST_SHOWN
    if more <= 0:
        return []
    return [
        paragraph(f"  and {more} more {noun}{'s' if more > 1 else ''}: Esc goes back to the plan", tone, 2)
    ]
