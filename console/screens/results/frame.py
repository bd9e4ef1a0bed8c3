"""What is seen of results: the lines above, the overview, a table or one test, and the keys that each of them has."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult

from console.screens.filter_line import FilterLine
from console.screens.results import headline
from console.screens.results.needs import Fact, RunHead, RunResults, Scoring
from console.screens.results.reasons import why_not
from console.screens.results.visits import Visits
from console.screens.session import Session
from console.screens.working import WorkingPane
from console.vocabulary.safe_text import safe_line
from widgets.ordered_table import OrderedTable
from widgets.paragraphs import Paragraphs
from widgets.text_lines import TextLines
from widgets.text_view import TextView

_TALL = 36
"""From so many lines on, the overview has blank ones between its parts."""


class ResultsFrame(WorkingPane):
    """Holds what was read and where one is, and shows it."""

    def __init__(self, session: Session) -> None:
        """Show the run that the session says."""
        super().__init__(session)
        self.run_dir: Path | None = None
        self.results: RunResults | None = None
        self.head: RunHead | None = None
        self.facts: tuple[Fact, ...] = ()
        self.visits = Visits()
        self.scoring: Scoring = "goal"
        self.overview = TextView(ascii_only=self.ascii_only, empty_text="", id="overview")
        self.table = OrderedTable(ascii_only=self.ascii_only, empty_text="", id="table")
        self.trace = TextView(ascii_only=self.ascii_only, empty_text="", id="trace")
        self.filter_line = FilterLine(id="filter")

    def compose_body(self) -> ComposeResult:
        """Lay out what is said of the run, the views, and what is in front of them."""
        yield TextLines((((headline.NO_RUN, "muted"),),), id="head")
        yield Paragraphs(id="warnings")
        yield TextLines(((),), id="views")
        yield TextLines(((),), id="where")
        yield self.notice
        yield self.overview
        yield self.table
        yield self.trace
        yield Paragraphs(id="notes")
        yield self.filter_line

    @property
    def on_overview(self) -> bool:
        """Whether the overview is in front."""
        return self.visits.view == "overview"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only keys that do something here."""
        here, overview = self.visits.here, self.on_overview
        in_test, on_tests = bool(here.test), here.sheet is not None and here.sheet.tests
        match action:
            case "neighbour":
                return in_test
            case "outcome":
                tests = self.head is not None and self.head.unit == "tests"
                return tests and on_tests and not in_test and not overview
            case "scoring":
                return self.head is not None and self.head.unit == "tests"
            case "tests":
                levels = not overview and not on_tests and here.sheet is not None and len(here.sheet) > 0
                return levels and self.head is not None and self.head.unit == "tests"
            case "filter":
                return not overview and here.sheet is not None
            case "copy_table" | "notes":
                return not overview and not in_test and here.sheet is not None
            case "back":
                return bool(self.working or in_test or here.filter_text or self.visits.depth)
            case "view" | "export" | "copy_row":
                return self.results is not None
            case "reload":
                return self.run_dir is not None
            case _:
                return True

    def why_not(self, action: str) -> str:
        """Return why a key does nothing now."""
        return why_not(
            action,
            read=self.results is not None,
            overview=self.on_overview,
            in_test=bool(self.visits.here.test),
            level=self.head is not None and self.head.unit != "tests",
        )

    def show_front(self) -> None:
        """Show the part that is in front, and put the keys into it."""
        here, overview = self.visits.here, self.on_overview
        parts = {"#overview": overview, "#trace": bool(here.test), "#table": not overview and not here.test}
        for selector, shown in parts.items():
            self.query_one(selector).display = shown
        notes = here.sheet.notes if here.sheet is not None and parts["#table"] else ()
        self.query_one("#notes", Paragraphs).show(headline.note_paragraphs(notes, ascii_only=self.ascii_only))
        self.place_text()
        if not self.filter_line.display:
            front = next(selector for selector, shown in parts.items() if shown)
            self.query_one(front).focus()
        self.refresh_bindings()

    def place_text(self) -> None:
        """Write the lines above."""
        width, here = self.size.width, self.visits.here
        head = self.head
        if head is not None:
            self.query_one("#head", TextLines).show_lines((headline.head_line(head, self.scoring),))
            self.query_one("#warnings", Paragraphs).show(headline.warnings(head))
        elif self.run_dir is not None:
            self.query_one("#head", TextLines).show_lines(
                (((f" {safe_line(self.run_dir.name)}", "strong"),),)
            )
        shown = head is not None
        views = headline.views_line(self.visits.view, width) if shown else ()
        self.query_one("#views", TextLines).show_lines((views,))
        facts = headline.fact_lines(
            self.facts, width - 2, spaced=self.size.height >= _TALL, ascii_only=self.ascii_only
        )
        if facts != self.overview.lines:
            self.overview.show_lines(facts, keep_place=True)
        title, behind = "", ""
        if here.test and here.sheet is not None:
            title, behind = "", f"{self.table.cursor + 1:,} of {len(self.table.order):,}"
        elif here.sheet is not None:
            title, behind = here.sheet.title, headline.count_text(here.sheet.count, here.sheet.noun)
        where = self.query_one("#where", TextLines)
        where.display = shown and not self.on_overview
        where.show_lines(
            (headline.place_line(here.place, here.test, title, behind, width, ascii_only=self.ascii_only),)
        )
