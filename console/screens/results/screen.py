"""The results of a run: tables that lead from a model down to what was said in one test."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar, Final, TypeVar

import anyio.to_thread
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer

from console.screens.filter_line import FilterLine
from console.screens.help import Help
from console.screens.pane import Pane
from console.screens.results import headline
from console.screens.results.export_dialog import ExportDialog
from console.screens.results.needs import Export, Fact, GivenUp, RunHead, RunResults
from console.screens.results.places import Step, next_outcome, next_view
from console.screens.results.sheet import Sort
from console.screens.results.shown import ShownRows, shown_columns, shown_text, sort_by, table_text
from console.screens.results.trace_lines import trace_lines
from console.screens.results.visits import Made, Visits, made
from console.screens.session import Session
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.ordered_table import OrderedTable
from widgets.paragraphs import Paragraph, Paragraphs, paragraph
from widgets.text_lines import TextLines
from widgets.text_view import TextView

ValueT = TypeVar("ValueT")
_WATCH_S: Final = 0.5
"""How often the progress of a reading is shown."""
_PATIENCE_S: Final = 0.3
"""Work that takes longer is spoken of."""
_TALL: Final = 36
"""From so many lines on, the overview has blank ones between its parts."""
_COPIED_ROWS: Final = 2_000
"""More rows are no text to paste: they are exported."""


class Results(Pane):
    """Shows tables that are made in threads; what is there stays until the next one is ready."""

    PLACE = "results"
    CSS_PATH = "results.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#overview"
    HELP_NOTES: ClassVar[tuple[str, ...]] = (
        "Enter goes down: model, prompt type, difficulty, rate, task type, tests, one test; Esc goes up.",
        "Levels at which there is nothing to choose are passed over.",
        "Left and right move the columns behind the first one.",
        "Tests are judged by the goal here; `report --scoring original` judges them the other way.",
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape",
            "back",
            "up",
            key_display="esc",
            id="results.back",
            tooltip="Up one level; clears a filter, gives up a reading",
        ),
        Binding("v,tab", "view(1)", "view", id="results.view", tooltip="The next view"),
        Binding(
            "V,shift+tab",
            "view(-1)",
            "View before",
            show=False,
            id="results.view_before",
            tooltip="The view before",
        ),
        Binding(
            "slash",
            "filter",
            "filter",
            key_display="/",
            id="results.filter",
            tooltip="Show only rows with these words; in a test: search",
        ),
        Binding("t", "tests", "tests", id="results.tests", tooltip="The tests of the row, at once"),
        Binding(
            "f",
            "outcome(1)",
            "outcome",
            id="results.outcome",
            tooltip="All tests, those not full, failures, …",
        ),
        Binding(
            "F",
            "outcome(-1)",
            "Outcome before",
            show=False,
            id="results.outcome_before",
            tooltip="The same, the other way round",
        ),
        Binding("n", "neighbour(1)", "next", id="results.next", tooltip="The next test of the list"),
        Binding(
            "p", "neighbour(-1)", "previous", id="results.previous", tooltip="The previous test of the list"
        ),
        Binding(
            "x",
            "export",
            "export",
            id="results.export",
            tooltip="Write the table, tests or the summary into a file",
        ),
        Binding(
            "y",
            "copy_row",
            "Copy",
            show=False,
            id="results.copy",
            tooltip="Copy the row, or of a test all of it",
        ),
        Binding(
            "Y",
            "copy_table",
            "Copy table",
            show=False,
            id="results.copy_table",
            tooltip="Copy the table as it is shown",
        ),
        Binding("i", "notes", "notes", show=False, id="results.notes", tooltip="What the figures mean"),
        Binding(
            "r", "reload", "reload", id="results.reload", tooltip="Read the run again; a live one has gone on"
        ),
    ]

    def __init__(self, session: Session) -> None:
        """Show the run that the session says."""
        super().__init__(session)
        self._run_dir: Path | None = None
        self._results: RunResults | None = None
        self._head: RunHead | None = None
        self._visits = Visits()
        self._facts: tuple[Fact, ...] = ()
        self._share = 0.0
        self._given_up = [False]
        """A new one for each reading: the thread that reads looks at its own."""
        self._working = ""
        self._watch_timer: Timer | None = None
        self._text_width = 0

    @property
    def ascii_only(self) -> bool:
        """Whether only ASCII is drawn."""
        return bool(getattr(self._console_app, "ascii_only", False))

    def compose_body(self) -> ComposeResult:
        """Lay out what is said of the run, the views, and what is in front of them."""
        yield TextLines((((headline.NO_RUN, "muted"),),), id="head")
        yield Paragraphs(id="warnings")
        yield TextLines(((),), id="views")
        yield TextLines(((),), id="where")
        yield Paragraphs(id="notice")
        yield TextView(ascii_only=self.ascii_only, empty_text="", id="overview")
        yield OrderedTable(ascii_only=self.ascii_only, empty_text="", id="table")
        yield TextView(ascii_only=self.ascii_only, empty_text="", id="trace")
        yield Paragraphs(id="notes")
        yield FilterLine(id="filter")

    def on_mount(self) -> None:
        """Show the part that is in front."""
        self._table = self.query_one(OrderedTable)
        self._notice = self.query_one("#notice", Paragraphs)
        self._trace = self.query_one("#trace", TextView)
        self._overview = self.query_one("#overview", TextView)
        self._arrange()

    def on_screen_resume(self) -> None:
        """Read the run that the session says now."""
        wanted = self.session.shown or self.session.watched
        if wanted is not None and wanted != self._run_dir:
            self._run_dir, self._results, self._head = wanted, None, None
            self._visits, self._facts = Visits(), ()
            self._arrange()
            self.action_reload()

    # Reading

    def action_reload(self) -> None:
        """Read the run; what is shown stays until that is done."""
        if self._run_dir is not None:
            self._given_up[0] = True
            self._given_up, self._share = [False], 0.0
            self.run_worker(partial(self._read, self._run_dir, self._given_up), group="read", exclusive=True)

    async def _read(self, run_dir: Path, given_up: list[bool]) -> None:
        def watch(share: float) -> None:
            self._share = share
            if given_up[0]:
                raise GivenUp

        read = partial(self.session.backend.results.read, run_dir, watch)
        results = await self._thread(read, "reading the journal")
        if results is None:
            return
        head, facts = await anyio.to_thread.run_sync(lambda: (results.head, tuple(results.overview())))
        self._results, self._head, self._facts = results, head, facts
        self._visits.forget_tables()
        self._arrange()
        self._show_here()

    async def _thread(self, work: Callable[[], ValueT], doing: str) -> ValueT | None:
        """Do what takes time elsewhere; speak of it where it is long, and of what goes wrong."""
        self._working = doing
        timer = self.set_timer(_PATIENCE_S, self._tell_work)
        self._watch_timer = self.set_interval(_WATCH_S, self._tell_work)
        try:
            found = await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
        except ConsoleError as error:
            self._say([paragraph(f" {safe_line(line, 300)}", "bad", 1) for line in error.lines()])
            return None
        except GivenUp:
            return None
        finally:
            self._working = ""
            timer.stop()
            self._watch_timer.stop()
        self._say(())
        return found

    def _tell_work(self) -> None:
        if self._working:
            share = f" {100 * self._share:.0f} %" if 0 < self._share < 1 else ""
            self._say([paragraph(f" {self._working}{share}; Esc gives it up", "muted", 1)])

    def _give_up(self) -> None:
        self._given_up[0] = True
        for group in ("read", "table", "test"):
            self.workers.cancel_group(self, group)  # pyright: ignore[reportUnknownMemberType]
        rest = "r reads it" if self._results is None else "what was there stays, r reads again"
        self._say([paragraph(f" given up: {rest}", "warn", 1)])

    # Going about

    def action_view(self, step: int) -> None:
        """Show another view, as it was left."""
        self._visits.view = next_view(self._visits.view, step)
        self._show_here()

    def action_back(self) -> None:
        """Give up what is under way, close a test, clear a filter, or go up."""
        here = self._visits.here
        if self._working:
            self._give_up()
        elif here.test:
            if self._trace.sought:
                self._trace.find("")
            else:
                here.test = ""
                self._arrange()
        elif here.filter_text:
            here.filter_text = ""
            self._show_here()
        elif self._visits.depth:
            self._visits.up()
            self._show_here()

    @on(OrderedTable.RowChosen, "#table")
    def row_chosen(self, event: OrderedTable.RowChosen) -> None:
        """Go down, or open a test."""
        here = self._visits.here
        if here.sheet is None or self._table.index is None:
            return
        if here.sheet.tests:
            self._open_test(event.row_id)
            return
        row = here.sheet.row(self._table.index)
        if row.opens:
            self._visits.down(here.sheet.place.down(row.opens))
            self._show_here()

    def action_tests(self) -> None:
        """Go straight to the tests of the row under the cursor; on a total to all of them."""
        here = self._visits.here
        if here.sheet is not None and self._table.index is not None:
            steps: tuple[Step, ...] = here.sheet.row(self._table.index).opens
            self._visits.down(here.sheet.place.down(steps, as_tests=True))
            self._show_here()

    def action_outcome(self, step: int) -> None:
        """Show the tests of this list that ended in another way."""
        place = self._visits.here.place
        self._visits.replace(place.with_outcome(next_outcome(place.value("verdict") or "", step)))
        self._show_here()

    @on(OrderedTable.RowHighlighted, "#table")
    def row_highlighted(self, event: OrderedTable.RowHighlighted) -> None:
        """Keep the row, for when one comes back."""
        if self._visits.here.sheet is not None:
            self._visits.here.row_id = event.row_id

    @on(OrderedTable.OrderWanted, "#table")
    def order_wanted(self, event: OrderedTable.OrderWanted) -> None:
        """Have the table in another order."""
        here = self._visits.here
        wanted = None if event.sort is None else Sort(event.sort.column, event.sort.descending)
        if wanted != here.sort:
            here.sort, here.row_id = wanted, ""  # sorted rows are seen from their top
        here.filter_text = event.filter_text
        self._show_here()

    def _show_here(self) -> None:
        """Show the table of where one is, once it is made."""
        here = self._visits.here
        if here.test:
            self._open_test(here.test)
        elif self._visits.view == "overview" or self._results is None:
            self._arrange()
        else:
            self._place_text()
            self.run_worker(partial(self._make, self._results), group="table", exclusive=True)

    async def _make(self, results: RunResults) -> None:
        here = self._visits.here

        def work() -> Made:
            return made(here.sheet if here.sheet is not None else results.sheet(here.place), here)

        found = await self._thread(work, "making the table")
        if found is None or self._visits.here is not here:
            return
        here.sheet, here.place = found.sheet, found.sheet.place
        self._table.set_empty_text(f" {shown_text(found.sheet.empty, ascii_only=self.ascii_only)}")
        self._table.take(
            shown_columns(found.sheet, ascii_only=self.ascii_only),
            ShownRows(found.sheet, ascii_only=self.ascii_only),
            found.order,
            sort=sort_by(here.sort),
            filter_text=here.filter_text,
            cursor=found.cursor,
            noun="tests" if found.sheet.tests else "rows",  # a total is a row, but no model
            can_choose=found.sheet.tests or any(found.sheet.row(index).opens for index in found.order[:2]),
        )
        self._arrange()

    # One test

    def _open_test(self, test: str) -> None:
        if self._results is not None:
            self._visits.here.test = test
            width = max(40, self.size.width - 3)
            self.run_worker(
                partial(self._read_test, self._results, test, width), group="test", exclusive=True
            )

    async def _read_test(self, results: RunResults, test: str, width: int) -> None:
        here = self._visits.here
        lines = await self._thread(lambda: results.test(test).lines(width), "reading what was said")
        if self._visits.here is not here:
            return
        if lines is None:
            here.test = ""
            self._arrange()
            return
        same = self._text_width != width and self._trace.lines != ()
        self._text_width = width
        self._trace.show_lines(trace_lines(lines, ascii_only=self.ascii_only), keep_place=same)
        self._arrange()

    def action_neighbour(self, step: int) -> None:
        """Open the next or the previous test of the list, as it is sorted and filtered."""
        here = self._visits.here
        place = self._table.cursor + step
        if here.sheet is not None and 0 <= place < len(self._table.order):
            self._table.go_to(place)
            self._open_test(here.sheet.row(self._table.order[place]).id)

    def on_resize(self) -> None:
        """Break the text of a test anew."""
        self._place_text()
        if self._visits.here.test:
            self._open_test(self._visits.here.test)

    # Filter, notes, copies, files

    def action_filter(self) -> None:
        """Let somebody type a filter, or in a test what to look for."""
        here = self._visits.here
        line = self.query_one(FilterLine)
        if here.test:
            line.open(self._trace.sought, "search in this test")
        else:
            line.open(here.filter_text, "words that rows must have")

    @on(FilterLine.Typed)
    def filter_typed(self, event: FilterLine.Typed) -> None:
        """Filter at once."""
        if self._visits.here.test:
            self._trace.find(event.text)
        else:
            self._table.filter(event.text)

    @on(FilterLine.Left)
    def filter_left(self) -> None:
        """Go on where one was."""
        self._arrange()

    def action_notes(self) -> None:
        """Show what the figures mean."""
        sheet = self._visits.here.sheet
        if sheet is not None:
            lines = headline.note_paragraphs(sheet.notes, ascii_only=self.ascii_only)
            self.open_screen(Help("what the figures mean", lines or [paragraph("nothing to add", "muted")]))

    def action_copy_row(self) -> None:
        """Copy what is under the cursor."""
        here = self._visits.here
        if here.test:
            self._copy("\n".join("".join(text for text, _ in line) for line in self._trace.lines), "the test")
        elif self._visits.view == "overview":
            self._copy(
                "\n".join(f"{fact.label}\t{safe_line(fact.text)}" for fact in self._facts), "the overview"
            )
        elif here.sheet is not None and self._table.index is not None:
            cells = here.sheet.row(self._table.index).cells
            self._copy("\t".join(map(safe_line, cells)), "the row")

    def action_copy_table(self) -> None:
        """Copy all rows shown."""
        here = self._visits.here
        if here.sheet is None or self._visits.view == "overview":
            return
        rows = len(self._table.order)
        if rows > _COPIED_ROWS:
            self._say(
                [paragraph(f" {rows:,} rows are too many to copy: x writes them into a file", "warn", 1)]
            )
            return
        self._copy(table_text(here.sheet, self._table.order), f"{rows:,} rows")

    def _copy(self, text: str, what: str) -> None:
        self.app.copy_to_clipboard(text)  # pyright: ignore[reportUnknownMemberType]
        self._say([paragraph(f" copied {what}", "good", 1)])

    def action_export(self) -> None:
        """Ask what to write where."""
        if self._head is not None:
            here = self._visits.here
            on_table = self._visits.view != "overview" and here.sheet is not None
            self.open_screen(ExportDialog(self._head, here.place if on_table else None), self._export)

    async def _export(self, wanted: Export | None) -> None:
        results = self._results
        if wanted is not None and results is not None:
            here = self._visits.here
            sheet = None if self._visits.view == "overview" else here.sheet
            write = partial(results.export, wanted, sheet, tuple(self._table.order))
            try:
                written = await self._thread(write, "writing")
            except FileExistsError:
                self._say(
                    [paragraph(f" not written: {safe_line(str(wanted.path))} is there already", "bad", 1)]
                )
                return
            if written is not None:
                self._say([paragraph(f" written: {safe_line(str(written), 500)}", "good", 1)])

    # What is seen

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only keys that do something here."""
        here, overview = self._visits.here, self._visits.view == "overview"
        in_test, on_tests = bool(here.test), here.sheet is not None and here.sheet.tests
        match action:
            case "neighbour":
                return in_test
            case "outcome":
                tests = self._head is not None and self._head.unit == "tests"
                return tests and on_tests and not in_test and not overview
            case "tests":
                levels = not overview and not on_tests and here.sheet is not None and len(here.sheet) > 0
                return levels and self._head is not None and self._head.unit == "tests"
            case "filter" | "copy_table" | "notes":
                return not overview and here.sheet is not None
            case "back":
                return bool(self._working or in_test or here.filter_text or self._visits.depth)
            case "view" | "export" | "copy_row":
                return self._results is not None
            case "reload":
                return self._run_dir is not None
            case _:
                return True

    def _say(self, lines: list[Paragraph] | tuple[()]) -> None:
        self._notice.show(lines)

    def _arrange(self) -> None:
        """Show the part that is in front, and put the keys into it."""
        here, overview = self._visits.here, self._visits.view == "overview"
        parts = {"#overview": overview, "#trace": bool(here.test), "#table": not overview and not here.test}
        for selector, shown in parts.items():
            self.query_one(selector).display = shown
        notes = here.sheet.notes if here.sheet is not None and parts["#table"] else ()
        self.query_one("#notes", Paragraphs).show(headline.note_paragraphs(notes, ascii_only=self.ascii_only))
        self._place_text()
        if not self.query_one(FilterLine).display:
            front = next(selector for selector, shown in parts.items() if shown)
            self.query_one(front).focus()
        self.refresh_bindings()

    def _place_text(self) -> None:
        """Write the lines above."""
        width, here = self.size.width, self._visits.here
        head = self._head
        if head is not None:
            self.query_one("#head", TextLines).show_lines((headline.head_line(head),))
            self.query_one("#warnings", Paragraphs).show(headline.warnings(head))
        elif self._run_dir is not None:
            self.query_one("#head", TextLines).show_lines(
                (((f" {safe_line(self._run_dir.name)}", "strong"),),)
            )
        shown = head is not None
        views = headline.views_line(self._visits.view, width) if shown else ()
        self.query_one("#views", TextLines).show_lines((views,))
        facts = headline.fact_lines(
            self._facts, width - 2, spaced=self.size.height >= _TALL, ascii_only=self.ascii_only
        )
        if facts != self._overview.lines:
            self._overview.show_lines(facts, keep_place=True)
        title, behind = "", ""
        if here.test and here.sheet is not None:
            title, behind = "", f"{self._table.cursor + 1:,} of {len(self._table.order):,}"
        elif here.sheet is not None:
            title, behind = here.sheet.title, headline.count_text(here.sheet.count, here.sheet.noun)
        where = self.query_one("#where", TextLines)
        where.display = shown and self._visits.view != "overview"
        where.show_lines(
            (headline.place_line(here.place, here.test, title, behind, width, ascii_only=self.ascii_only),)
        )
