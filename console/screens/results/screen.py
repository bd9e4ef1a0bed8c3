"""The results of a run: its summary tables, read from the journal."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import ClassVar

import anyio.to_thread
from textual.app import ComposeResult

from console.screens.pane import Pane
from console.screens.results.needs import ResultsView
from console.screens.session import Session
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, Paragraphs, paragraph
from widgets.summary_table import SummaryTable, SummaryTables
from widgets.text_lines import Run, Tone

_NOTHING = " no run is shown: 6 lists runs, Enter there opens one"
_KINDS: dict[str, tuple[str, Tone]] = {
    "live": ("STILL RUNNING", "warn"),
    "finished": ("FINISHED", "good"),
    "interrupted": ("INTERRUPTED", "warn"),
    "partial": ("PARTIAL", "bad"),
}


class Results(Pane):
    """Shows tables that the backend makes in a thread."""

    PLACE = "results"
    CSS_PATH = "results.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#tables"
    HELP_NOTES: ClassVar[tuple[str, ...]] = ("Left and right move the columns behind the first one.",)

    def __init__(self, session: Session) -> None:
        """Show the run that the session says."""
        super().__init__(session)
        self._shown: Path | None = None

    def compose_body(self) -> ComposeResult:
        """Lay out the headline and the tables."""
        yield Paragraphs((paragraph(_NOTHING, "muted"),), id="headline")
        yield SummaryTables(id="tables")

    def on_screen_resume(self) -> None:
        """Read the run that the session says now."""
        if self.session.shown is not None and self.session.shown != self._shown:
            self._shown = self.session.shown
            self.query_one("#headline", Paragraphs).show((paragraph(" reading the journal", "muted"),))
            self.run_worker(partial(self._read, self._shown), group="read", exclusive=True)

    async def _read(self, run_dir: Path) -> None:
        headline = self.query_one("#headline", Paragraphs)
        try:
            view = await anyio.to_thread.run_sync(self.session.backend.results.results, run_dir)
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
