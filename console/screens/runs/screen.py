"""The runs of this machine, newest first: open, watch, compare, delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import ClassVar, Final, TypeVar

import anyio.to_thread
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from console.screens.filter_line import FilterLine
from console.screens.pane import Pane
from console.screens.question import Answer, Question
from console.screens.results.needs import GivenUp
from console.screens.results.sheet import Listed, Sort
from console.screens.results.shown import ShownRows, shown_columns, shown_text, sort_by
from console.screens.runs.compare import Compare
from console.screens.runs.needs import RunChoice, Weight
from console.screens.runs.run_rows import detail, doomed, loss_text, runs_sheet
from console.screens.session import Session
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.ordered_table import OrderedTable
from widgets.paragraphs import Paragraph, Paragraphs, paragraph
from widgets.text_lines import Tone

ValueT = TypeVar("ValueT")
LOOK_S: Final = 3.0
"""How often runs are looked at while they are shown; nothing is painted unless something changed."""
_PATIENCE_S: Final = 0.3
_LISTED: Final = 8
"""Runs that a question names one by one."""
_PRUNES: Final[dict[str, tuple[str, int | None, float | None]]] = {
    "1": ("all but the newest 10", 10, None),
    "2": ("all but the newest 50", 50, None),
    "3": ("older than 7 days", None, 7.0),
    "4": ("older than 30 days", None, 30.0),
}


def now() -> datetime:
    """Return the local time, by which a list tells today from before."""
    return datetime.now().astimezone()


class Runs(Pane):
    """Lists runs; Enter watches a live one, or shows the results of one that is over."""

    PLACE = "runs"
    CSS_PATH = "runs.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#table"
    HELP_NOTES: ClassVar[tuple[str, ...]] = (
        "Enter on a run watches it, or shows its results where it is over.",
        "Space marks runs: two to compare, any number to delete.",
        "A run that died cannot be resumed yet; `run --reuse` takes over what it finished.",
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape",
            "back",
            "clear",
            key_display="esc",
            show=False,
            id="runs.back",
            tooltip="Clear marks and filter; give up what is under way",
        ),
        Binding("a", "attach", "attach", id="runs.attach", tooltip="Watch the live run under the cursor"),
        Binding(
            "o",
            "results",
            "Results",
            show=False,
            id="runs.results",
            tooltip="Results so far, also of a live run",
        ),
        Binding(
            "c",
            "compare",
            "compare",
            id="runs.compare",
            tooltip="Hold the two marked runs against each other",
        ),
        Binding(
            "d",
            "delete",
            "delete",
            id="runs.delete",
            tooltip="Delete the marked runs, or the one under the cursor; asks first",
        ),
        Binding("p", "prune", "prune", id="runs.prune", tooltip="Delete old runs; asks first"),
        Binding("R", "resume", "resume", id="runs.resume", tooltip="Resume a run that died: not there yet"),
        Binding(
            "slash",
            "filter",
            "filter",
            key_display="/",
            id="runs.filter",
            tooltip="Show only runs with these words",
        ),
        Binding("y", "copy", "Copy", show=False, id="runs.copy", tooltip="Copy the id of the run"),
        Binding("r", "reload", "Reload", show=False, id="runs.reload", tooltip="Look at the runs again now"),
    ]

    def __init__(self, session: Session) -> None:
        """List what `session` has."""
        super().__init__(session)
        self._runs: list[RunChoice] | None = None
        self._sheet: Listed | None = None
        self._sort: Sort | None = None
        self._filter = ""
        self._row_id = ""
        self._working = ""
        self._share = 0.0
        self._given_up = [False]

    @property
    def ascii_only(self) -> bool:
        """Whether only ASCII is drawn."""
        return bool(getattr(self._console_app, "ascii_only", False))

    def compose_body(self) -> ComposeResult:
        """Lay out the list and what is said of the run under the cursor."""
        yield Paragraphs(id="notice")
        yield OrderedTable(
            can_mark=True,
            noun="runs",
            ascii_only=self.ascii_only,
            empty_text=" looking for runs",
            id="table",
        )
        yield Paragraphs(id="detail")
        yield FilterLine(id="filter")

    def on_mount(self) -> None:
        """Look at the runs from time to time."""
        self._table = self.query_one(OrderedTable)
        self._notice = self.query_one("#notice", Paragraphs)
        self._detail = self.query_one("#detail", Paragraphs)
        self.set_interval(LOOK_S, self._look_again)

    def on_screen_resume(self) -> None:
        """Read everything again: runs come and go while other screens are shown."""
        self.action_reload()

    def action_reload(self) -> None:
        """Read the runs."""
        self.run_worker(self._load, group="load", exclusive=True)

    def _look_again(self) -> None:
        if self.on_top and not self._working:
            self.action_reload()

    async def _load(self) -> None:
        try:
            runs = await anyio.to_thread.run_sync(self.session.backend.runs.runs, abandon_on_cancel=True)
        except ConsoleError as error:
            self._say_lines(error.lines(), "bad")
            return
        if runs != self._runs:
            self._runs = runs
            self._sheet = runs_sheet(runs, now())
            self._fill()

    def _fill(self) -> None:
        """Show the runs, the cursor staying on its own."""
        sheet = self._sheet
        if sheet is None:
            return
        order = sheet.order(self._sort, tuple(self._filter.casefold().split()))
        index = sheet.index_of(self._row_id)
        self._table.set_empty_text(f" {sheet.empty}")
        self._table.mark(self._table.marked & {row.id for row in sheet.rows})
        self._table.take(
            shown_columns(sheet, ascii_only=self.ascii_only),
            ShownRows(sheet, ascii_only=self.ascii_only),
            order,
            sort=sort_by(self._sort),
            filter_text=self._filter,
            noun="runs",
            cursor=order.index(index) if index is not None and index in order else self._table.cursor,
        )
        self._tell()

    # The run under the cursor, and those that are marked

    @property
    def _here(self) -> RunChoice | None:
        index = self._table.index
        return None if index is None or not self._runs else self._runs[index]

    def _marked(self) -> list[RunChoice]:
        return [run for run in self._runs or () if run.id in self._table.marked]

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
            self._table.go_to(0)
        self._filter = event.filter_text
        self._fill()

    def _tell(self) -> None:
        run = self._here
        lines: list[Paragraph] = []
        if run is not None:
            text, tone = detail(run)
            lines = [paragraph(shown_text(text, 400, ascii_only=self.ascii_only), tone)]
        self._detail.show(lines)
        self.refresh_bindings()

    @on(OrderedTable.RowChosen, "#table")
    def run_chosen(self) -> None:
        """Watch a live run, or show the results of one that is over."""
        run = self._here
        if run is None:
            return
        if run.error:
            self._say_lines([f"cannot be opened: {run.error}"], "bad")
        elif run.kind == "live":
            self.action_attach()
        else:
            self.action_results()

    def action_attach(self) -> None:
        """Watch the run."""
        run = self._here
        if run is not None:
            self.session.watched = run.run_dir
            self.go("live")

    def action_results(self) -> None:
        """Show its results as they are now."""
        run = self._here
        if run is not None:
            self.session.shown = run.run_dir
            self.go("results")

    def action_copy(self) -> None:
        """Copy its id."""
        run = self._here
        if run is not None:
            self._console_app.copy_to_clipboard(run.id)
            self._say_lines([f"copied {run.id}"], "good")

    # Comparing

    def action_compare(self) -> None:
        """Compare the two runs that are marked, the older one first."""
        marked = self._marked()
        if len(marked) != 2:
            self._say_lines(["mark two runs with space, then c compares them"], "warn")
            return
        second, first = marked
        self._given_up, self._share = [False], 0.0
        self.run_worker(partial(self._compare, first, second, self._given_up), group="work", exclusive=True)

    async def _compare(self, first: RunChoice, second: RunChoice, given_up: list[bool]) -> None:
        def watch(share: float) -> None:
            self._share = share
            if given_up[0]:
                raise GivenUp

        compare = self.session.backend.runs.compare
        found = await self._thread(lambda: compare(first.run_dir, second.run_dir, watch), "reading both runs")
        if found is not None and self.on_top:
            self.open_screen(Compare(found, ascii_only=self.ascii_only))

    # Deleting

    def action_delete(self) -> None:
        """Delete the marked runs, or the one under the cursor, once that was asked."""
        here = self._here
        marked = self._marked() or ([here] if here is not None else [])
        self._ask(marked)

    def action_prune(self) -> None:
        """Ask which old runs to delete."""
        runs, moment = self._runs or [], now()
        answers: list[Answer] = []
        for key, (words, keep, days) in _PRUNES.items():
            found = doomed(runs, moment, keep=keep, days=days)
            if found:
                answers.append(Answer((key,), f"{words}: {len(found)} of {len(runs)} runs", key))
        text = ["Live runs stay, whatever their age. What would be lost is said next."]
        if not answers:
            text = ["Nothing to prune: there are no more than 10 runs, and none is older than 7 days."]
        self.open_screen(Question("Delete which old runs?", text, answers), self._pruned)

    def _pruned(self, value: str | None) -> None:
        if value:
            _, keep, days = _PRUNES[value]
            self._ask(doomed(self._runs or [], now(), keep=keep, days=days))

    def _ask(self, runs: Sequence[RunChoice]) -> None:
        over = [run for run in runs if run.kind != "live" and not run.error]
        if not over:
            self._say_lines(["nothing to delete here: live and damaged runs are left alone"], "warn")
            return
        self.run_worker(partial(self._weigh, over, len(runs) - len(over)), group="work", exclusive=True)

    async def _weigh(self, runs: list[RunChoice], left: int) -> None:
        weigh = self.session.backend.runs.weight
        weight = await self._thread(
            lambda: weigh([run.run_dir for run in runs]), "looking what would be lost"
        )
        if weight is None:
            return
        title = "Delete this run?" if len(runs) == 1 else f"Delete {len(runs)} runs?"
        answers = [Answer(("y",), "delete for good", "delete")]
        self.open_screen(
            Question(title, _what_is_lost(runs, weight, left), answers), partial(self._deleted, runs)
        )

    def _deleted(self, runs: list[RunChoice], value: str | None) -> None:
        if value:
            self.run_worker(partial(self._delete, runs), group="work", exclusive=True)

    async def _delete(self, runs: list[RunChoice]) -> None:
        delete = self.session.backend.runs.delete
        failed = await self._thread(lambda: delete([run.run_dir for run in runs]), "deleting")
        if failed is None:
            return
        if self.session.shown in {run.run_dir for run in runs}:
            self.session.shown = None
        self._table.mark(())
        self._say_lines(
            failed or [f"deleted {len(runs)} {'run' if len(runs) == 1 else 'runs'}"],
            "bad" if failed else "good",
        )
        self.action_reload()

    # Filter, keys, what is said

    def action_filter(self) -> None:
        """Let somebody type a filter."""
        self.query_one(FilterLine).open(self._filter, "words that runs must have")

    @on(FilterLine.Typed)
    def filter_typed(self, event: FilterLine.Typed) -> None:
        """Filter at once."""
        self._table.filter(event.text)

    @on(FilterLine.Left)
    def filter_left(self) -> None:
        """Go back to the list."""
        self._table.focus()

    def action_back(self) -> None:
        """Give up what is under way, else clear what was marked, else the filter."""
        if self._working:
            self._given_up[0] = True
            self.workers.cancel_group(self, "work")  # pyright: ignore[reportUnknownMemberType]
            self._say_lines(["given up"], "warn")
        elif self._table.marked:
            self._table.mark(())
            self.refresh_bindings()
        elif self._filter:
            self._filter = ""
            self._fill()
        else:
            self._say_lines([], "")

    def action_resume(self) -> None:
        """Say why it cannot be done; the key is shown, but does not work."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only keys that do something."""
        if not self.is_mounted:
            return True
        run = self._here
        match action:
            case "attach":
                return run is not None and run.kind == "live"
            case "results" | "copy":
                return run is not None and not run.error
            case "delete":
                return run is not None and (run.kind != "live" or bool(self._table.marked))
            case "compare":
                return len(self._runs or ()) > 1
            case "prune" | "filter":
                return bool(self._runs)
            case "resume":
                dead = run is not None and run.kind in ("partial", "interrupted") and not run.error
                return None if dead else False
            case _:
                return True

    async def _thread(self, work: Callable[[], ValueT], doing: str) -> ValueT | None:
        """Do what takes time elsewhere; speak of it where it is long, and of what goes wrong."""
        self._working = doing
        timer = self.set_interval(_PATIENCE_S, self._tell_work)
        try:
            found = await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
        except ConsoleError as error:
            self._say_lines(error.lines(), "bad")
            return None
        except GivenUp:
            return None
        finally:
            self._working = ""
            timer.stop()
        self._say_lines([], "")
        return found

    def _tell_work(self) -> None:
        if self._working:
            share = f" {100 * self._share:.0f} %" if 0 < self._share < 1 else ""
            self._say_lines([f"{self._working}{share}; Esc gives it up"], "muted")

    def _say_lines(self, lines: Sequence[str], tone: Tone) -> None:
        self._notice.show([paragraph(f" {safe_line(line, 400)}", tone, 1) for line in lines])


def _what_is_lost(runs: Sequence[RunChoice], weight: Weight, left: int) -> list[str]:
    lines = [
        f"{run.id}  {run.title}, {run.done if run.done is not None else '?'} results"
        for run in runs[:_LISTED]
    ]
    if len(runs) > _LISTED:
        lines.append(f"and {len(runs) - _LISTED} more")
    lines += ["", loss_text(weight)]
    if left:
        lines.append(f"{left} of those marked are left alone: they are live, or damaged")
    return lines
