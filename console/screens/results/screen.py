"""The results of a run: tables that lead from a model down to what was said in one test."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

import anyio.to_thread
from textual import on
from textual.binding import BindingType

from console.screens.results.keys import KEYS, NOTES
from console.screens.results.needs import Fact, RunHead, RunResults
from console.screens.results.places import Step, next_outcome, next_view
from console.screens.results.sheet import Sort
from console.screens.results.shown import ShownRows, shown_columns, shown_text, sort_by
from console.screens.results.taking import Taking
from console.screens.results.trace_lines import trace_lines
from console.screens.results.visits import Made, Visits, made
from console.screens.session import Session
from widgets.ordered_table import OrderedTable


class Results(Taking):
    """Shows tables that are made in threads; what is there stays until the next one is ready."""

    PLACE = "results"
    CSS_PATH = "results.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#overview"
    HELP_NOTES: ClassVar[tuple[str, ...]] = NOTES
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(self, session: Session) -> None:
        """Show the run that the session says."""
        super().__init__(session)
        self._text_width = 0

    def on_mount(self) -> None:
        """Show the part that is in front."""
        self.show_front()

    def on_screen_resume(self) -> None:
        """Read the run that the session says now."""
        wanted = self.session.shown or self.session.watched
        if wanted is not None and wanted != self.run_dir:
            self.run_dir, self.results, self.head = wanted, None, None
            self.visits, self.facts = Visits(), ()
            self.show_front()
            self.action_reload()

    # Reading

    def action_reload(self) -> None:
        """Read the run; what is shown stays until that is done."""
        if self.run_dir is not None:
            read = partial(self.session.backend.results.read, self.run_dir, self.new_watch())
            self.run_worker(partial(self._read, read), group="read", exclusive=True)

    async def _read(self, read: Callable[[], RunResults]) -> None:
        results = await self.in_thread(read, "reading the journal")
        if results is None:
            return
        await self._take(results)

    async def _take(self, results: RunResults) -> None:
        """Show what was read, or the same judged in another way."""
        scoring = self.scoring

        def work() -> tuple[RunResults, RunHead, tuple[Fact, ...]]:
            by = results.by(scoring)
            return by, by.head, tuple(by.overview())

        self.results, self.head, self.facts = await anyio.to_thread.run_sync(work)
        if self.head.is_search:
            self.session.search = self.head.run_dir  # that is what 4 shows
        self.visits.forget_tables()
        self.show_front()
        self._show_here()

    def action_scoring(self) -> None:
        """Judge tests by the other preset; where one is stays."""
        if self.results is not None:
            self.scoring = "original" if self.scoring == "goal" else "goal"
            self.run_worker(partial(self._take, self.results), group="read", exclusive=True)

    # Going about

    def action_view(self, step: int) -> None:
        """Show another view, as it was left."""
        self.visits.view = next_view(self.visits.view, step)
        self._show_here()

    def action_back(self) -> None:
        """Give up what is under way, close a test, clear a filter, or go up."""
        here = self.visits.here
        if self.working:
            then = ": r reads it" if self.results is None else ": what was there stays, r reads again"
            self.give_up(("read", "table", "test"), then)
        elif here.test:
            if self.trace.sought:
                self.trace.find("")
            else:
                here.test = ""
                self.show_front()
        elif here.filter_text:
            here.filter_text = ""
            self._show_here()
        elif self.visits.depth:
            self.visits.up()
            self._show_here()

    @on(OrderedTable.RowChosen, "#table")
    def row_chosen(self, event: OrderedTable.RowChosen) -> None:
        """Go down, or open a test."""
        here = self.visits.here
        if here.sheet is None or self.table.index is None:
            return
        if here.sheet.tests:
            self._open_test(event.row_id)
            return
        row = here.sheet.row(self.table.index)
        if row.opens:
            self.visits.down(here.sheet.place.down(row.opens))
            self._show_here()

    def action_tests(self) -> None:
        """Go straight to the tests of the row under the cursor; on a total to all of them."""
        here = self.visits.here
        if here.sheet is not None and self.table.index is not None:
            steps: tuple[Step, ...] = here.sheet.row(self.table.index).opens
            self.visits.down(here.sheet.place.down(steps, as_tests=True))
            self._show_here()

    def action_outcome(self, step: int) -> None:
        """Show the tests of this list that ended in another way."""
        place = self.visits.here.place
        self.visits.replace(place.with_outcome(next_outcome(place.value("verdict") or "", step)))
        self._show_here()

    @on(OrderedTable.RowHighlighted, "#table")
    def row_highlighted(self, event: OrderedTable.RowHighlighted) -> None:
        """Keep the row, for when one comes back."""
        if self.visits.here.sheet is not None:
            self.visits.here.row_id = event.row_id

    @on(OrderedTable.OrderWanted, "#table")
    def order_wanted(self, event: OrderedTable.OrderWanted) -> None:
        """Have the table in another order."""
        here = self.visits.here
        wanted = None if event.sort is None else Sort(event.sort.column, event.sort.descending)
        if wanted != here.sort:
            here.sort, here.row_id = wanted, ""  # sorted rows are seen from their top
        here.filter_text = event.filter_text
        self._show_here()

    def _show_here(self) -> None:
        """Show the table of where one is, once it is made."""
        here = self.visits.here
        if here.test:
            self._open_test(here.test)
        elif self.on_overview or self.results is None:
            self.show_front()
        else:
            self.place_text()
            self.run_worker(partial(self._make, self.results), group="table", exclusive=True)

    async def _make(self, results: RunResults) -> None:
        here = self.visits.here

        def work() -> Made:
            return made(here.sheet if here.sheet is not None else results.sheet(here.place), here)

        found = await self.in_thread(work, "making the table")
        if found is None or self.visits.here is not here:
            return
        here.sheet, here.place = found.sheet, found.sheet.place
        self.table.set_empty_text(f" {shown_text(found.sheet.empty, ascii_only=self.ascii_only)}")
        self.table.take(
            shown_columns(found.sheet, ascii_only=self.ascii_only),
            ShownRows(found.sheet, ascii_only=self.ascii_only),
            found.order,
            sort=sort_by(here.sort),
            filter_text=here.filter_text,
            cursor=found.cursor,
            noun="tests" if found.sheet.tests else "rows",  # a total is a row, but no model
            can_choose=found.sheet.tests or any(found.sheet.row(index).opens for index in found.order[:2]),
        )
        self.show_front()

    # One test

    def _open_test(self, test: str) -> None:
        if self.results is not None:
            self.visits.here.test = test
            width = max(40, self.size.width - 3)
            self.run_worker(partial(self._read_test, self.results, test, width), group="test", exclusive=True)

    async def _read_test(self, results: RunResults, test: str, width: int) -> None:
        here = self.visits.here
        lines = await self.in_thread(lambda: results.test(test).lines(width), "reading what was said")
        if self.visits.here is not here:
            return
        if lines is None:
            here.test = ""
            self.show_front()
            return
        same = self._text_width != width and self.trace.lines != ()
        self._text_width = width
        self.trace.show_lines(trace_lines(lines, ascii_only=self.ascii_only), keep_place=same)
        self.show_front()

    def action_neighbour(self, step: int) -> None:
        """Open the next or the previous test of the list, as it is sorted and filtered."""
        here = self.visits.here
        place = self.table.cursor + step
        if here.sheet is not None and 0 <= place < len(self.table.order):
            self.table.go_to(place)
            self._open_test(here.sheet.row(self.table.order[place]).id)

    def on_resize(self) -> None:
        """Break the text of a test anew."""
        self.place_text()
        if self.visits.here.test:
            self._open_test(self.visits.here.test)
