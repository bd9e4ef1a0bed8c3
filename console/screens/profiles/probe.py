"""Every lane of a profile asked once: what it costs first, then the answers as they come, then what mends the rest."""

from __future__ import annotations

from threading import Event
from typing import ClassVar

import anyio.to_thread
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from console.profile.places import ProfileSource
from console.screens.dialog import Dialog
from console.screens.profiles.needs import ProbeCost, ProfilesNeeds
from console.screens.profiles.probe_lines import PROBE_COLUMNS, counts_text, detail_text, lane_rows
from console.screens.profiles.review import Reading
from console.vocabulary.errors import ConsoleError
from console.vocabulary.probed import Probed
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, Paragraphs, paragraph
from widgets.table import Table


class Probe(Dialog[tuple[Probed, ...]]):
    """Gives back what was found, if anything was asked."""

    CSS_PATH = "probe.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#lanes"
    HELP_NOTES: ClassVar[tuple[str, ...]] = ("Each lane is asked once, within the limits of the profile.",)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "ask", "ask", id="probe.ask", tooltip="Send the requests", priority=True),
        Binding("escape,q,ctrl+c", "back", "back", id="probe.back", tooltip="Stop asking, or go back"),
        Binding("question_mark", "app.help", "help", key_display="?", id="app.help"),
    ]

    def __init__(self, needs: ProfilesNeeds, source: ProfileSource, *, ascii_only: bool = False) -> None:
        """Ask the lanes of this text, once that is confirmed."""
        super().__init__()
        self._needs = needs
        self._source = source
        self._ascii_only = ascii_only
        self._cost: ProbeCost | None = None
        self._found: dict[str, Probed] = {}
        self._stop = Event()
        self._state = "reckoning"
        """reckoning, offered, asking, stopped, done, failed"""

    def compose(self) -> ComposeResult:
        """Show what it costs, the lanes, what mends them, and the keys."""
        with Vertical(classes="box") as box:
            box.border_title = f"live probe: {safe_line(self._source.name, 60)}"
            yield Paragraphs(id="cost")
            yield Table(PROBE_COLUMNS, empty_text="", ascii_only=self._ascii_only, id="lanes")
            yield Paragraphs(id="detail")
            with Reading(id="fixes"):
                yield Paragraphs()
            yield Paragraphs(id="state")

    def on_mount(self) -> None:
        """Reckon; the key that opened this does not confirm it."""
        self.settle_key()
        self.query_one("#fixes").display = False
        self._say("counting lanes", "muted")
        self.run_worker(self._reckon, group="probe", exclusive=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Ask once."""
        return self._state == "offered" if action == "ask" else True

    def action_back(self) -> None:
        """Stop asking; what was answered stays to be read. Without that, go back."""
        if self._state == "asking":
            self._state = "stopped"
            self._stop.set()
            self._show()
            return
        self.dismiss(tuple(self._found.values()))

    def action_ask(self) -> None:
        """Send the requests."""
        self._state = "asking"
        self._show()
        self.refresh_bindings()
        self.run_worker(self._ask, group="probe", exclusive=True)

    def on_unmount(self) -> None:
        """Leave nothing behind that goes on asking."""
        self._stop.set()

    @on(Table.RowHighlighted)
    def lane_highlighted(self) -> None:
        """Say all that is known of the lane under the cursor."""
        lane = self.query_one("#lanes", Table).highlighted
        one = self._found.get(lane) if lane is not None else None
        detail = [] if one is None or one.state == "answers" else [paragraph(detail_text(one), "warn", 2)]
        self.query_one("#detail", Paragraphs).show(detail)

    async def _reckon(self) -> None:
        try:
            self._cost = await anyio.to_thread.run_sync(self._needs.probe_cost, self._source)
        except ConsoleError as error:
            self._fail(error)
            return
        if not self._cost.lanes:
            self._fail(ConsoleError("no lane is on: there is nothing to ask"))
            return
        self._state = "offered"
        self._show()
        self.refresh_bindings()

    async def _ask(self) -> None:
        try:
            fixes = await anyio.to_thread.run_sync(
                self._needs.probe, self._source, self._told, self._stop, abandon_on_cancel=True
            )
        except ConsoleError as error:
            self._fail(error)
            return
        if self._state == "asking":
            self._state = "done"
        self._show_fixes(fixes)
        self._show()

    def _told(self, one: Probed) -> None:
        """Take an answer, in the thread that asks."""
        self._holder.call_from_thread(self._take, one)

    def _take(self, one: Probed) -> None:
        if self.is_attached:
            self._found[one.lane.id] = one
            self._show()

    def _show(self) -> None:
        cost = self._cost
        if cost is None or not self.is_attached:
            return
        lines = [paragraph(safe_line(cost.text, 300), "strong")]
        if cost.simulated:
            lines.append(Paragraph(((" SIMULATED ", "badge"), (" nothing leaves this machine", "muted"))))
        self.query_one("#cost", Paragraphs).show(lines)
        rows = lane_rows(cost.lanes, self._found, asking=self._state == "asking")
        self.query_one("#lanes", Table).show(PROBE_COLUMNS, rows)
        self.lane_highlighted()
        counts = counts_text(len(cost.lanes), list(self._found.values()))
        if self._state == "offered":
            self._keys("", "Enter", "ask", "back")
        else:
            said = {"asking": "asking", "stopped": "stopped", "done": "done"}[self._state]
            self._keys(f"{said}: {counts}", "", "", "stop" if self._state == "asking" else "back")

    def _show_fixes(self, fixes: list[str]) -> None:
        if not fixes or not self.is_attached:
            return
        box = self.query_one("#fixes")
        box.display = True
        box.query_one(Paragraphs).show(
            [paragraph(safe_line(line, 400), hang=len(line) - len(line.lstrip()) + 2) for line in fixes]
        )

    def _fail(self, error: ConsoleError) -> None:
        self._state = "failed"
        self.query_one("#cost", Paragraphs).show(
            [paragraph(safe_line(line, 400), "" if n else "bad", 2) for n, line in enumerate(error.lines())]
        )
        self._keys("", "", "", "back")

    def _say(self, text: str, tone: str) -> None:
        self.query_one("#state", Paragraphs).show((paragraph(text, "muted" if tone == "muted" else ""),))

    def _keys(self, said: str, key: str, does: str, esc: str) -> None:
        parts = Paragraph(
            (
                (f"{said}   " if said else "", "strong"),
                (key, "accent"),
                (f" {does}   " if key else "", ""),
                ("Esc", "accent"),
                (f" {esc}", ""),
            )
        )
        self.query_one("#state", Paragraphs).show((parts,))
