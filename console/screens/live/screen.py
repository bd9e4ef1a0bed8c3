"""The live screen: the state of a run, its grid, its work and events, and the keys that control it."""

from __future__ import annotations

import time
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from console.screens.filter_line import FilterLine
from console.screens.live.aim import Aim
from console.screens.live.connection import View
from console.screens.live.control import Controlled
from console.screens.live.face import CONNECTING, NO_RUN, Below, Face, Shown
from console.screens.live.keys import CONTROL_KEYS, VIEW_KEYS
from console.screens.live.lane_text import copied_text
from console.screens.live.lanes import Picked, filtered, picked, place_of
from console.screens.live.notices import filtered_text, notices
from console.screens.live.pace import INTERVALS_S
from console.screens.live.reasons import why_not
from console.screens.live.typed import EXAMPLE
from console.screens.session import Session
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import LaneView, Snapshot
from widgets.durations import clock_text
from widgets.event_log import EventLog
from widgets.lane_grid import LaneGrid
from widgets.lane_values import ASCII_MARKS_LEGEND, LEGEND, MARKS_LEGEND, QUANTITIES

REFRESH_S = 1.0
"""From one answer to the next look at first, so that a slow line is never asked faster than it answers."""
LOW = 20
"""Lines of a screen below which there is room for little but the grid."""


class Live(Controlled, inherit_bindings=False):
    """Shows what is known of the run, as much of it as there is room for."""

    PLACE = "live"
    CSS_PATH = "live.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#grid"
    HELP_NOTES: ClassVar[tuple[str, ...]] = (
        "A cell shows requests in flight / limit, and requests per second.",
        "The cursor follows what runs until you move it or change a limit (PINNED); f follows again.",
        "Left of the first key and above the first row the cursor selects rows, columns, all; v goes round.",
        LEGEND,
        MARKS_LEGEND,
        "Every change of a limit is an event of the run. Lowering breaks nothing off.",
        "Leaving the console never touches the run.",
    )
    COMMAND_EXAMPLE: ClassVar[str] = EXAMPLE
    BINDINGS: ClassVar[list[BindingType]] = [*CONTROL_KEYS, *VIEW_KEYS]

    def __init__(self, session: Session) -> None:
        """Watch the run that `session` says, or the newest live one."""
        super().__init__(session, REFRESH_S)
        self.face = Face(ascii_only=self.ascii_only)
        self._filter = ""
        self._sight: tuple[Snapshot | None, str, tuple[LaneView, ...]] = (None, "", ())
        self._below: Below = "events"
        self._filters: Literal["lanes", "events"] = "lanes"
        self._detail_lane = ""
        self._frozen: tuple[View, Snapshot | None] | None = None
        self._keys_shown = ""
        self.aim = Aim()

    def compose_body(self) -> ComposeResult:
        """Lay out from the headline to the events."""
        yield from self.face.compose()

    def on_resize(self) -> None:
        """Show more where there is room."""
        low = self.size.height < LOW
        if low != self.has_class("-low"):
            self.set_class(low, "-low")
            self._below = "none" if low else "events"
        self._show_below(self._below)
        self.call_after_refresh(self.draw)

    @property
    def picked(self) -> Picked | None:
        """The lanes that keys act on: those that the cursor selects, of the ones in sight."""
        return picked(self._in_sight, self.face.grid.selection)

    def aimed(self) -> Picked | None:
        """Return what a key just used is for; where the cursor moved by itself a moment ago, ask for it again."""
        grid = self.face.grid
        left = self.aim.take(time.monotonic(), follows=grid.following)
        grid.stay()
        self.draw()
        chosen = self.picked
        if left is None or chosen is None:
            return chosen
        self.say(f"the cursor has just left {left[1]}@{left[2]} for {chosen.label}: press again", "warn")
        return None

    @property
    def help_notes(self) -> tuple[str, ...]:
        """The notes with the marks that are drawn."""
        marks = ASCII_MARKS_LEGEND if self.ascii_only else MARKS_LEGEND
        return tuple(marks if note == MARKS_LEGEND else note for note in self.HELP_NOTES)

    @property
    def occupied(self) -> bool:
        """Whether a question, the filter or a lane is open."""
        return super().occupied or self.face.filter.has_focus or self.detail_open

    @property
    def detail_open(self) -> bool:
        """Whether everything about one lane is shown."""
        return bool(self._detail_lane)

    @property
    def selects(self) -> bool:
        """Whether the cursor selects anything."""
        return self.face.grid.selection is not None

    @property
    def _in_sight(self) -> tuple[LaneView, ...]:
        """The lanes that the filter leaves; worked out once for each picture."""
        shown = self._shown
        if shown is None:
            return ()
        if self._sight[0] is not shown or self._sight[1] != self._filter:
            self._sight = (shown, self._filter, filtered(shown.lanes, self._filter))
        return self._sight[2]

    @property
    def _shown(self) -> Snapshot | None:
        return self.snapshot if self._frozen is None else self._frozen[1]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only keys that do something now."""
        match action:
            case "open_results":
                return self.view.standing in ("ended", "gone")
            case "open_detail":
                return self.view.standing == "live" and not self.detail_open and self.selects
            case "copy":
                return self.selects
            case "filter" | "next_quantity" | "freeze":
                return self._shown is not None
            case "back":
                return self.detail_open or bool(self._filter) or self.face.events.has_focus
            case "next_below":
                return not self.has_class("-tall")
            case _:
                return super().check_action(action, parameters)

    def why_not(self, action: str) -> str:
        """Return why a key does nothing now."""
        return why_not(action, self.view, selects=self.selects, detail_open=self.detail_open)

    def begin(self) -> None:
        """Show that another run is watched from now on, or none."""
        self._frozen, self._keys_shown, self.aim = None, "", Aim()
        self._close_detail()
        self.face.begin(NO_RUN if self._connection is None else CONNECTING)

    def draw(self) -> None:
        """Show what is known now."""
        view, snapshot = self.view if self._frozen is None else self._frozen[0], self._shown
        notice = notices(self.view, self._run_dir, self.said, self._filtered_text)
        if snapshot is not None:
            if self._below == "events" or self.has_class("-tall"):
                self.chronicle.unread = 0
            followed = self.following.lane(snapshot)
            shown = Shown(
                snapshot,
                view.standing,
                self._in_sight,
                None if followed is None else place_of(followed),
                self.pace.text,
                self._frozen is not None,
                self.aim.pinned and not self.face.grid.following,
                self.recollection,
                self.estimates,
                self.chronicle.events,
                self.chronicle.unread,
                self.expected.lanes,
            )
            grid = self.face.grid
            before = grid.highlighted if grid.following else None
            self.face.show(shown, notice)
            if before is not None:
                self.aim.moved(before, grid.highlighted, time.monotonic())
            self._draw_lane()
            self._share_room()
        else:
            self.face.show_notice(notice)
            if view.standing == "gone" and self._run_dir is not None:
                self.face.show_gone(self._run_dir.name)
        self._draw_keys()

    def _share_room(self) -> None:
        wide = self.has_class("-wide")
        if not self.has_class("-low") and self.face.share_room(beside=wide, keep=self.detail_open):
            self.call_after_refresh(self.draw)

    def _draw_keys(self) -> None:
        """Show which keys work now, where they are others than before: drawing the footer anew costs bytes."""
        snapshot = self.view.snapshot
        state = snapshot.state if snapshot else ""
        keys = f"{self.view.standing} {state} {self.selects} {self.detail_open}"
        if keys != self._keys_shown:
            self._keys_shown = keys
            self.refresh_bindings()

    @on(LaneGrid.SelectionChanged)
    def selection_changed(self) -> None:
        """Tell more of what is selected."""
        self._draw_lane()
        self._draw_keys()
        if self.detail_open and self.picked is not None:
            self._aim_detail(self.picked.lanes[0])

    def _draw_lane(self) -> None:
        self.face.show_lane(self.picked, self.expected.lanes)

    # Everything about one lane

    def action_open_detail(self) -> None:
        """Show everything about the lane under the cursor, beside the grid or over it."""
        if self.picked is None:
            return
        self._aim_detail(self.picked.lanes[0])
        self.add_class("-detail")
        self._share_room()
        if not self.has_class("-wide"):
            self.face.detail.focus()
        self.refresh_bindings()

    def _aim_detail(self, lane: LaneView) -> None:
        if lane.lane_id != self._detail_lane:
            self._detail_lane = lane.lane_id
            self.face.detail.open_on(safe_line(lane.lane_id, 100))
            self.run_worker(self.look_closer, group="detail", exclusive=True)

    def _close_detail(self) -> None:
        self._detail_lane = ""
        self.remove_class("-detail")
        self._share_room()
        self.face.grid.focus()

    async def look_closer(self) -> None:
        """Ask for the lane whose pane is open."""
        lane, connection = self._detail_lane, self._connection
        if not lane or connection is None or self.view.standing != "live" or self._frozen is not None:
            return
        try:
            detail = await connection.watch.inspect(lane)
        except ConsoleError as error:
            if lane == self._detail_lane:
                self.face.detail.show_refusal(safe_line(error.lines()[0], 300))
            return
        if lane == self._detail_lane:
            self.face.detail.show(detail, self.recollection.lane(lane), self.recollection.step_s)

    # What is seen of it all

    def action_open_results(self) -> None:
        """Show what is in the journal."""
        self.open_results()

    def action_filter(self) -> None:
        """Type words that lanes must have, or events where the cursor is among them."""
        if self.face.events.has_focus:
            self._filters = "events"
            self.face.filter.open(self.face.events.filter_text, "words of events")
        else:
            self._filters = "lanes"
            self.face.filter.open(self._filter, "words of names or states; !word leaves out")

    @on(FilterLine.Typed)
    def filter_typed(self, event: FilterLine.Typed) -> None:
        """Show what is left."""
        if self._filters == "events":
            self.face.events.filter(event.text)
        else:
            self._filter = event.text
            self.draw()

    @on(FilterLine.Left)
    def filter_left(self) -> None:
        """Go back to what is filtered; the filter stays until Esc empties it."""
        (self.face.events if self._filters == "events" else self.face.grid).focus()
        self.refresh_bindings()

    @property
    def _filtered_text(self) -> str:
        """How many lanes the filter leaves; empty: nothing is filtered."""
        if not self._filter.strip() or self._shown is None:
            return ""
        return filtered_text(self._filter, len(self._in_sight), len(self._shown.lanes))

    def action_back(self) -> None:
        """Close the lane; where none is open, empty the filter, and go back to the grid."""
        if self.detail_open:
            self._close_detail()
        elif self.face.events.has_focus and self.face.events.filter_text:
            self.face.events.filter("")
        elif self.face.events.has_focus:
            self.face.grid.focus()
        else:
            self._filter = ""
            self.draw()
        self.refresh_bindings()

    def action_next_below(self) -> None:
        """Show jobs where events are, or events where jobs are."""
        choices: tuple[Below, ...] = ("none", "events", "jobs")
        choices = choices if self.has_class("-low") else choices[1:]
        self._show_below(choices[(choices.index(self._below) + 1) % len(choices)])
        self.call_after_refresh(self.draw)

    def _show_below(self, below: Below) -> None:
        self._below = below
        tall = self.has_class("-tall")
        self.set_class(tall or below == "jobs", "-jobs")
        self.set_class(tall or below == "events", "-events")
        if self.face.events.has_focus and not tall and below != "events":
            self.face.grid.focus()

    def action_next_quantity(self, step: int) -> None:
        """Show another figure in the grid, named in its heading."""
        grid = self.face.grid
        grid.quantity = QUANTITIES[(QUANTITIES.index(grid.quantity) + step) % len(QUANTITIES)]

    def action_next_level(self) -> None:
        """Show all events, or only warnings and errors."""
        self.face.events.only_problems = not self.face.events.only_problems

    @on(EventLog.EventChosen)
    def event_chosen(self, message: EventLog.EventChosen) -> None:
        """Tell all of an event that was cut."""
        happened = message.event
        tone = "bad" if happened.level == "error" else "warn" if happened.level == "warn" else "accent"
        self.say(f"{clock_text(happened.at_s)} {happened.subject}  {happened.text}", tone)

    def run_command(self, text: str) -> str | None:
        """Take `refresh 2` as well as limits."""
        name, _, rest = text.partition(" ")
        if name.casefold() != "refresh":
            return super().run_command(text)
        try:
            interval_s = float(rest.casefold().removesuffix("s").strip())
        except ValueError:
            return f"refresh: {INTERVALS_S[0]:g} to {INTERVALS_S[-1]:g} seconds"
        if not INTERVALS_S[0] <= interval_s <= INTERVALS_S[-1]:
            return f"refresh: {INTERVALS_S[0]:g} to {INTERVALS_S[-1]:g} seconds"
        self.pace.take(interval_s)
        self.say(f"looks every {interval_s:g} s", "muted")
        self.look_again()
        return ""

    def action_next_interval(self) -> None:
        """Look less often; after the longest interval the shortest."""
        self.pace.slower()
        self.say(f"looks every {self.pace.interval_s:g} s", "muted")
        self.look_again()

    def action_freeze(self) -> None:
        """Let the picture stand still, or go on."""
        self._frozen = (self.view, self.snapshot) if self._frozen is None else None
        words = "the picture stands still, the run goes on; m again shows it"
        self.say(words if self._frozen else "the picture goes on", "muted")

    def action_copy(self) -> None:
        """Copy the selection as text."""
        if self.picked is not None:
            self._console_app.copy_to_clipboard(copied_text(self.picked))
            self.say(f"copied: {self.picked.label}", "muted")
