"""What is taken out of results: rows by a filter, text into the clipboard, files by an export."""

from __future__ import annotations

from functools import partial
from typing import Final

from textual import on

from console.screens.filter_line import FilterLine
from console.screens.help import Help
from console.screens.results import headline
from console.screens.results.export_dialog import ExportDialog
from console.screens.results.frame import ResultsFrame
from console.screens.results.needs import Export
from console.screens.results.shown import table_text
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import paragraph

_COPIED_ROWS: Final = 2_000
"""More rows are no text to paste: they are exported."""


class Taking(ResultsFrame):
    """Filters, copies and exports what is in front."""

    def action_filter(self) -> None:
        """Let somebody type a filter, or in a test what to look for."""
        here = self.visits.here
        line = self.filter_line
        if here.test:
            line.open(self.trace.sought, "search in this test")
        else:
            line.open(here.filter_text, "words that rows must have")

    @on(FilterLine.Typed)
    def filter_typed(self, event: FilterLine.Typed) -> None:
        """Filter at once."""
        if self.visits.here.test:
            self.trace.find(event.text)
        else:
            self.table.filter(event.text)

    @on(FilterLine.Left)
    def filter_left(self) -> None:
        """Go on where one was."""
        self.show_front()

    def action_notes(self) -> None:
        """Show what the figures mean."""
        sheet = self.visits.here.sheet
        if sheet is not None:
            lines = headline.note_paragraphs(sheet.notes, ascii_only=self.ascii_only)
            self.open_screen(Help("what the figures mean", lines or [paragraph("nothing to add", "muted")]))

    def action_copy_row(self) -> None:
        """Copy what is under the cursor."""
        here = self.visits.here
        if here.test:
            self._copy("\n".join("".join(text for text, _ in line) for line in self.trace.lines), "the test")
        elif self.on_overview:
            self._copy(
                "\n".join(f"{safe_line(fact.label)}\t{safe_line(fact.text)}" for fact in self.facts),
                "the overview",
            )
        elif here.sheet is not None and self.table.index is not None:
            cells = here.sheet.row(self.table.index).cells
            self._copy("\t".join(map(safe_line, cells)), "the row")

    def action_copy_table(self) -> None:
        """Copy all rows shown."""
        here = self.visits.here
        if here.sheet is None or self.on_overview:
            return
        rows = len(self.table.order)
        if rows > _COPIED_ROWS:
            self.say([f"{rows:,} rows are too many to copy: x writes them into a file"], "warn")
            return
        self._copy(table_text(here.sheet, self.table.order), f"{rows:,} rows")

    def _copy(self, text: str, what: str) -> None:
        self.app.copy_to_clipboard(text)  # pyright: ignore[reportUnknownMemberType]
        self.say([f"copied {what}"], "good")

    def action_export(self) -> None:
        """Ask what to write where."""
        if self.head is not None:
            here = self.visits.here
            on_table = not self.on_overview and here.sheet is not None
            self.open_screen(ExportDialog(self.head, here.place if on_table else None), self._export)

    async def _export(self, wanted: Export | None) -> None:
        results = self.results
        if wanted is not None and results is not None:
            here = self.visits.here
            sheet = None if self.on_overview else here.sheet
            write = partial(results.export, wanted, sheet, tuple(self.table.order))
            try:
                written = await self.in_thread(write, "writing")
            except FileExistsError:
                self.say([f"not written: {safe_line(str(wanted.path))} is there already"], "bad")
                return
            if written is not None:
                self.say([f"written: {safe_line(str(written), 500)}"], "good")
