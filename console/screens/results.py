"""The results of a run: its summary tables, read from the journal."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import anyio.to_thread
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer

from console.screens.backend import Backend, ResultsView
from console.screens.leaving import Leaving
from console.screens.pane import Pane
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, Paragraphs, paragraph
from widgets.summary_table import SummaryTable, SummaryTables
from widgets.text_lines import Run, Tone

_KINDS: dict[str, tuple[str, Tone]] = {
    "live": ("STILL RUNNING", "warn"),
    "finished": ("FINISHED", "good"),
    "interrupted": ("INTERRUPTED", "warn"),
    "partial": ("PARTIAL", "bad"),
}


class Results(Pane):
    """Shows tables that the backend makes in a thread."""

    CSS_PATH = "results.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#tables"
    HELP_NOTES: ClassVar[tuple[str, ...]] = ("Left and right move the columns behind the first one.",)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.home", "home", id="app.home", tooltip="Back to the first screen"),
        Binding("q", "leave", "quit", id="app.leave"),
        Binding("ctrl+c,ctrl+q", "leave", "quit", id="app.interrupt", show=False),
        Binding("question_mark", "app.help", "help", key_display="?", id="app.help"),
    ]

    def __init__(self, backend: Backend, run_dir: Path, leaving: Leaving | None = None) -> None:
        """Show the run in `run_dir`; `leaving` is what its live screen knew of its end."""
        super().__init__()
        self._backend = backend
        self._run_dir = run_dir
        self._leaving = leaving

    def compose(self) -> ComposeResult:
        """Lay out the headline, the tables and the keys."""
        yield Paragraphs((paragraph(" reading the journal", "muted"),), id="headline")
        yield SummaryTables(id="tables")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Begin to read."""
        self.run_worker(self._read(), group="read", exclusive=True)

    def leaving(self) -> Leaving | None:
        """Return what its live screen knew, for the line printed after the console has closed."""
        return self._leaving

    def action_leave(self) -> None:
        """Close the console."""
        self.close_console(self._leaving)

    async def _read(self) -> None:
        headline = self.query_one("#headline", Paragraphs)
        try:
            view = await anyio.to_thread.run_sync(self._backend.results, self._run_dir)
        except ConsoleError as error:
            headline.show([paragraph(f" {safe_line(line, 300)}", "bad", 1) for line in error.lines()])
            return
        headline.show(_headline(view))
        self.query_one(SummaryTables).show(
            [_table(table.title, table.columns, table.rows, table.notes) for table in view.tables]
        )


def _headline(view: ResultsView) -> list[Paragraph]:
    word, tone = _KINDS[view.kind]
    first: list[Run] = [(f" {safe_line(view.title, 40)} ", "strong"), (f" {word} ", tone)]
    if view.simulated:
        first.append((" SIMULATED ", "badge"))
    first.append((f"  {safe_line(view.profile, 30)}  {safe_line(view.run_id, 60)}", "muted"))
    notes = [paragraph(f" {safe_line(note, 300)}", "warn", 1) for note in view.notes]
    return [
        Paragraph(tuple(first), 1),
        *notes,
        paragraph(f" {safe_line(str(view.run_dir), 300)}", "muted", 1),
    ]


def _table(
    title: str, columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...], notes: tuple[str, ...]
) -> SummaryTable:
    return SummaryTable(
        safe_line(title, 200),
        tuple(safe_line(name, 60) for name in columns),
        tuple(tuple(safe_line(cell, 120) for cell in row) for row in rows),
        tuple(safe_line(note, 300) for note in notes),
    )
