"""What a launch would do, shown before it is done."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import anyio.to_thread
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll

from console.screens.dialog import Dialog
from console.screens.launch.needs import LaunchNeeds, LaunchPreview
from console.screens.totals import totals_table
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, Paragraphs, paragraph
from widgets.summary_table import SummaryTables
from widgets.text_lines import Line, Run, TextLines, plain

_MOST_WARNINGS = 2
_KEYS: Line = (("Enter", "accent"), (" start   ", ""), ("Esc", "accent"), (" back", ""))


class Confirm(Dialog[Path | None]):
    """Shows a preview and starts the run; gives back its run directory, or None."""

    CSS_PATH = "confirm.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#totals"
    HELP_NOTES: ClassVar[tuple[str, ...]] = ("The totals are what the engine enforces.",)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start", "start", id="launch.start", tooltip="Start the run"),
        Binding("escape", "back", "back", id="confirm.back"),
        Binding("q,ctrl+c,ctrl+q", "back", "back", id="launch.leave", show=False),
        Binding("question_mark", "app.help", "help", key_display="?", id="app.help"),
    ]

    def __init__(self, needs: LaunchNeeds, profile: str, phase: str) -> None:
        """Prepare `phase` under `profile`."""
        super().__init__()
        self._needs = needs
        self._profile = profile
        self._phase = phase
        self._preview: LaunchPreview | None = None
        self._starting = False

    def compose(self) -> ComposeResult:
        """Show a box with the figures, the totals, and the keys."""
        with Vertical(classes="box") as box:
            box.border_title = "launch"
            planning = f"planning {safe_line(self._phase, 60)} under {safe_line(self._profile, 60)}"
            yield Paragraphs((paragraph(planning, "muted"),), id="figures")
            yield SummaryTables(id="totals")
            with VerticalScroll(id="trouble"):
                yield Paragraphs(id="errors")
            yield TextLines((_KEYS,), id="state")

    def on_mount(self) -> None:
        """Begin to plan; the key that opened this, pressed twice, must not start what nobody has read."""
        self.settle_key()
        self.run_worker(self._plan, group="plan", exclusive=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to start only what is planned, once."""
        if action == "start":
            return self._preview is not None and self._preview.tests > 0 and not self._starting
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
            preview = await anyio.to_thread.run_sync(self._needs.preview, self._profile, self._phase)
        except ConsoleError as error:
            self._show_trouble(error, _KEYS[2:])
            return
        self._preview = preview
        self.query_one("#figures", Paragraphs).show(_figures(preview))
        self.query_one(SummaryTables).show((totals_table("effective totals", preview.totals),))
        if preview.tests == 0:
            self.query_one("#state", TextLines).show_lines((plain("nothing to run", "warn"), _KEYS[2:]))
        self.refresh_bindings()

    async def _start(self) -> None:
        try:
            run_dir = await anyio.to_thread.run_sync(self._needs.launch, self._profile, self._phase)
        except ConsoleError as error:
            self._starting = False
            self._show_trouble(error, _KEYS)
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


def _figures(preview: LaunchPreview) -> list[Paragraph]:
    name = safe_line(preview.phase, 60)
    title = safe_line(preview.title, 60)
    first: list[Run] = [
        (f"{name} {title}" if title and title != name else name, "strong"),
        (" under ", "muted"),
    ]
    first.append((safe_line(preview.profile, 60), "strong"))
    if preview.simulated:
        first.append(("  ", ""))
        first.append((" SIMULATED ", "badge"))
    second: list[Run] = []
    for label, figure in (
        ("tests", preview.tests),
        ("requests about", preview.requests),
        ("reused", preview.reused),
        ("jobs", preview.jobs),
        ("lanes", preview.lanes),
    ):
        if figure or label == "tests":
            second.append((f"{label} ", "muted"))
            second.append((f"{figure:,}   ", "strong"))
    lines = [Paragraph(tuple(first)), Paragraph(tuple(second))]
    if preview.place:
        lines.append(Paragraph((("records ", "muted"), (safe_line(preview.place, 200), "")), 8))
    lines += [
        paragraph(f"! {safe_line(warning, 200)}", "warn", hang=2)
        for warning in preview.warnings[:_MOST_WARNINGS]
    ]
    if len(preview.warnings) > _MOST_WARNINGS:
        more = len(preview.warnings) - _MOST_WARNINGS
        lines.append(paragraph(f"! and {more} more warnings: see `ultra-console plan`", "warn", hang=2))
    return [*lines, Paragraph(())]
