"""The runs of this machine, newest first: open, watch, compare, delete."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

import anyio.to_thread
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from console.screens.filter_line import FilterLine
from console.screens.results.sheet import Listed, Sort
from console.screens.results.shown import ShownRows, shown_columns, shown_text, sort_by
from console.screens.runs.acting import RunActs
from console.screens.runs.keys import KEYS, NOTES
from console.screens.runs.reasons import why_not
from console.screens.runs.run_rows import detail, runs_sheet
from console.screens.session import Session
from console.vocabulary.errors import ConsoleError
from widgets.ordered_table import OrderedTable
from widgets.paragraphs import Paragraph, Paragraphs, paragraph

LOOK_S: Final = 3.0
"""How often runs are looked at while they are shown; nothing is painted unless something changed."""


def now() -> datetime:
    """Return the local time, by which a list tells today from before."""
    return datetime.now().astimezone()


class Runs(RunActs):
    """Lists runs; Enter watches a live one, or shows the results of one that is over."""

    PLACE = "runs"
    CSS_PATH = "runs.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#table"
    HELP_NOTES: ClassVar[tuple[str, ...]] = NOTES
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(self, session: Session) -> None:
        """List what `session` has."""
        super().__init__(session)
        self._sheet: Listed | None = None
        self._sort: Sort | None = None
        self._filter = ""
        self._row_id = ""
        self._detail = Paragraphs(id="detail")

    def compose_body(self) -> ComposeResult:
        """Lay out the list and what is said of the run under the cursor."""
        yield self.notice
        yield self.table
        yield self._detail
        yield FilterLine(id="filter")

    def on_mount(self) -> None:
        """Look at the runs from time to time."""
        self.set_interval(LOOK_S, self._look_again)

    def moment(self) -> datetime:
        """Return the local time."""
        return now()

    def on_screen_resume(self) -> None:
        """Read everything again: runs come and go while other screens are shown."""
        self.action_reload()

    def action_reload(self) -> None:
        """Read the runs."""
        self.run_worker(self._load, group="load", exclusive=True)

    def _look_again(self) -> None:
        if self.on_top and not self.working:
            self.action_reload()

    async def _load(self) -> None:
        try:
            runs = await anyio.to_thread.run_sync(self.session.backend.runs.runs, abandon_on_cancel=True)
        except ConsoleError as error:
            self.say(error.lines(), "bad")
            return
        if self._sheet is None or runs != self.runs:
            self.runs = runs
            self._sheet = runs_sheet(runs, now())
            self._fill()

    def _fill(self) -> None:
        """Show the runs, the cursor staying on its own."""
        sheet = self._sheet
        if sheet is None:
            return
        order = sheet.order(self._sort, tuple(self._filter.casefold().split()))
        index = sheet.index_of(self._row_id)
        self.table.set_empty_text(f" {sheet.empty}")
        self.table.mark(self.table.marked & {row.id for row in sheet.rows})
        self.table.take(
            shown_columns(sheet, ascii_only=self.ascii_only),
            ShownRows(sheet, ascii_only=self.ascii_only),
            order,
            sort=sort_by(self._sort),
            filter_text=self._filter,
            noun="runs",
            cursor=order.index(index) if index is not None and index in order else self.table.cursor,
        )
        self._tell()

    # The run under the cursor

    @on(OrderedTable.RowHighlighted, "#table")
    def row_highlighted(self, event: OrderedTable.RowHighlighted) -> None:
        """Tell of the run, and which keys it has."""
        self._row_id = event.row_id
        self._tell()

    @on(OrderedTable.MarksChanged, "#table")
    def marks_changed(self) -> None:
        """Two can be compared."""
        self.refresh_bindings()

    @on(OrderedTable.OrderWanted, "#table")
    def order_wanted(self, event: OrderedTable.OrderWanted) -> None:
        """Sort or filter."""
        wanted = None if event.sort is None else Sort(event.sort.column, event.sort.descending)
        if wanted != self._sort:
            self._sort, self._row_id = wanted, ""  # sorted rows are seen from their top
            self.table.go_to(0)
        self._filter = event.filter_text
        self._fill()

    def _tell(self) -> None:
        run = self.here
        lines: list[Paragraph] = []
        if run is not None:
            text, tone = detail(run)
            lines = [paragraph(shown_text(text, 400, ascii_only=self.ascii_only), tone)]
        self._detail.show(lines)
        self.refresh_bindings()

    @on(OrderedTable.RowChosen, "#table")
    def run_chosen(self) -> None:
        """Watch a live run, or show the results of one that is over; a capacity search on its own screen."""
        run = self.here
        if run is None:
            return
        if run.error:
            self.say([f"cannot be opened: {run.error}"], "bad")
        elif run.search:
            self.session.search = run.run_dir
            self.go("capacity")
        elif run.kind == "live":
            self.action_attach()
        else:
            self.action_results()

    def action_attach(self) -> None:
        """Watch the run."""
        run = self.here
        if run is not None:
            self.session.watched = run.run_dir
            self.go("live")

    def action_results(self) -> None:
        """Show its results as they are now."""
        run = self.here
        if run is not None:
            self.session.shown = run.run_dir
            self.go("results")

    def action_copy(self) -> None:
        """Copy its id."""
        run = self.here
        if run is not None:
            self._console_app.copy_to_clipboard(run.id)
            self.say([f"copied {run.id}"], "good")

    # Filter, keys, what is said

    def action_filter(self) -> None:
        """Let somebody type a filter."""
        self.query_one(FilterLine).open(self._filter, "words that runs must have")

    @on(FilterLine.Typed)
    def filter_typed(self, event: FilterLine.Typed) -> None:
        """Filter at once."""
        self.table.filter(event.text)

    @on(FilterLine.Left)
    def filter_left(self) -> None:
        """Go back to the list."""
        self.table.focus()

    def action_back(self) -> None:
        """Give up what is under way, else clear what was marked, else the filter."""
        if self.working:
            self.give_up(("work",), "")
        elif self.table.marked:
            self.table.mark(())
            self.refresh_bindings()
        elif self._filter:
            self._filter = ""
            self._fill()
        else:
            self.say(())

    def action_resume(self) -> None:
        """Say why it cannot be done; the key is shown, but does not work."""

    def why_not(self, action: str) -> str:
        """Return why a key does nothing now."""
        return why_not(action, self.here)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only keys that do something."""
        run = self.here
        match action:
            case "attach":
                return run is not None and run.kind == "live"
            case "results" | "copy":
                return run is not None and not run.error
            case "delete":
                return run is not None and (run.kind != "live" or bool(self.table.marked))
            case "compare":
                return len(self.runs) > 1
            case "prune" | "filter":
                return bool(self.runs)
            case "back":
                return bool(self.working or self.table.marked or self._filter or self.notice.lines)
            case "resume":
                dead = run is not None and run.kind in ("partial", "interrupted") and not run.error
                return None if dead else False
            case _:
                return True
