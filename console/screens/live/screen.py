"""The live screen: the state of a run, its grid, its progress and events, and the keys that control it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

import anyio.to_thread
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.timer import Timer
from textual.worker import Worker

from console.screens.leaving import Leaving
from console.screens.live import picture
from console.screens.live.connection import Connection, View
from console.screens.live.following import Following
from console.screens.pane import Pane
from console.screens.question import Answer, Question
from console.screens.session import Session
from console.vocabulary.command import Accepted, Command, Drain, Pause, Resume, Stop
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.event_log import EventLog
from widgets.lane_grid import LaneGrid
from widgets.lane_values import LEGEND
from widgets.paragraphs import Paragraph, Paragraphs, paragraph
from widgets.phase_progress import PhaseProgress
from widgets.text_lines import Line, TextLines, plain

REFRESH_S = 1.0
"""From one answer to the next look, so a slow line is never asked faster than it answers."""
SAID_FOR_S = 8.0
"""How long the answer to a command stays in the notice line."""


class Live(Pane):
    """Watches one run, by looking once a second and never by events."""

    PLACE = "live"
    CSS_PATH = "live.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#grid"
    HELP_NOTES: ClassVar[tuple[str, ...]] = (
        "A cell shows requests in flight / worker limit, and requests per second.",
        "The cursor follows what runs until you move it; f follows again.",
        LEGEND,
        "Leaving the console never touches the run.",
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause_run", "pause", id="run.pause", tooltip="Pause: send nothing new"),
        Binding("space", "resume_run", "resume", id="run.resume", tooltip="Go on after a pause"),
        Binding("d", "drain_run", "drain", id="run.drain", tooltip="Drain: finish what is begun, then end"),
        Binding(
            "s", "stop_run", "stop", id="run.stop", tooltip="Stop now (asks first); what is finished is kept"
        ),
        Binding(
            "enter",
            "open_results",
            "results",
            key_display="enter",
            id="run.results",
            tooltip="Show the results",
        ),
    ]

    def __init__(self, session: Session) -> None:
        """Watch the run that `session` says, or the newest live one."""
        super().__init__(session)
        self._run_dir: Path | None = None
        self._connection: Connection | None = None
        self._headline = TextLines((plain(" no run is watched", "muted"), ()), id="headline")
        self._notice = Paragraphs(id="notice")
        self._grid = LaneGrid(id="grid")
        self._lane = TextLines(((),), id="lane")
        self._progress = PhaseProgress(id="progress", most_jobs=1)
        self._events = EventLog(id="events")
        self._said: Line = ()
        self._hush_timer: Timer | None = None
        self._following = Following()
        self._follower: Worker[None] | None = None
        self._stop_sent = False
        self._closes_at_end = False
        self._keys_shown = ""

    def compose_body(self) -> ComposeResult:
        """Lay out from the headline to the events."""
        yield self._headline
        yield self._notice
        yield self._grid
        yield self._lane
        with Container(id="below"):
            yield self._progress
            yield self._events

    @property
    def view(self) -> View:
        """What is known of the run."""
        return View("none") if self._connection is None else self._connection.view

    async def on_screen_resume(self) -> None:
        """Look at the run that the session says now; where it says none, at the newest live one."""
        if self.session.watched is None:
            self.session.watched = await anyio.to_thread.run_sync(self.session.backend.live.newest)
        if self.session.watched != self._run_dir:
            await self._attend(self.session.watched)
        elif self.view.standing == "ended":
            self._go_on_after_the_end()
        elif self._connection is not None:
            self._start_following()
        else:
            self._draw()

    def on_screen_suspend(self) -> None:
        """Do not look while another screen is in front: nothing would be drawn of it."""
        if self._console_app.screen.is_modal:
            return
        self._stop_following()

    async def on_unmount(self) -> None:
        """Let go of the line; the run goes on."""
        if self._connection is not None:
            await self._connection.aclose()

    async def _attend(self, run_dir: Path | None) -> None:
        self._stop_following()
        if self._connection is not None:
            await self._connection.aclose()
        self._run_dir, self._connection, self._following = run_dir, None, Following()
        self._stop_sent = self._closes_at_end = False
        self._keys_shown = ""
        if run_dir is not None:
            live = self.session.backend.live
            self._connection = Connection(live.watch(run_dir), run_dir, live.ended)
            self._headline.show_lines((plain(" connecting to the run", "muted"), ()))
            self._start_following()
        self._draw()

    def on_resize(self) -> None:
        """Show more jobs where there is room, and the lines at the new width."""
        tall, wide = self.size.height >= 36, self.size.width >= 140
        self._progress.most_jobs = 8 if tall and wide else 5 if tall else 1
        self._draw()

    @on(LaneGrid.LaneHighlighted)
    def lane_highlighted(self) -> None:
        """Tell more of the lane under the cursor."""
        self._draw_lane()

    def leaving(self) -> Leaving | None:
        """Return how the run stands, for the line printed after the console has closed."""
        view = self.view
        if self._run_dir is None:
            return None
        state = (
            view.standing if view.standing in ("ended", "gone") else "stopping" if self._stop_sent else "live"
        )
        run_id = view.snapshot.run_id if view.snapshot else self._run_dir.name
        done, planned = (view.snapshot.done, view.snapshot.planned) if view.snapshot else (0, 0)
        if view.end is not None:
            done, planned = view.end.done or done, view.end.planned or planned
        return Leaving(self._run_dir, run_id, state, done, planned, view.end)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only keys that do something now."""
        snapshot, standing = self.view.snapshot, self.view.standing
        commanded = standing == "live" and snapshot is not None and snapshot.state not in picture.OVER
        state = snapshot.state if snapshot else "starting"
        match action:
            case "pause_run":
                return commanded and state in ("starting", "running", "blocked")
            case "resume_run":
                return commanded and state == "paused"
            case "drain_run":
                return commanded and state not in ("draining", "stopping")
            case "stop_run":
                return commanded and state != "stopping"
            case "open_results":
                return standing in ("ended", "gone")
            case _:
                return True

    async def action_pause_run(self) -> None:
        """Send nothing new."""
        await self._command(Pause(), "paused: what is in flight ends")

    async def action_resume_run(self) -> None:
        """Go on."""
        await self._command(Resume(), "running again")

    async def action_drain_run(self) -> None:
        """Finish what is begun, then end; nothing is lost by it, so nothing is asked."""
        await self._command(Drain(), "draining: tests that have begun are finished, then the run ends")

    def action_stop_run(self) -> None:
        """Ask, then cancel what is in flight."""
        self.open_screen(self._stop_question("stop now"), self._stop_answered)

    def leave_question(self) -> Question | None:
        """Ask how to leave; without a live run there is nothing to ask."""
        leaving = self.leaving()
        if leaving is None or self.view.standing in ("ended", "gone", "none"):
            return None
        answers = [Answer(("enter", "q", "ctrl+c"), "detach: leave the run alone", "detach")]
        if self.check_action("stop_run", ()):
            answers.append(Answer(("s",), "stop the run, then leave (asks first)", "stop"))
        text = ("The run goes on without it. Come back with", f"  ultra-console attach {leaving.run_id}")
        if self._stop_sent:
            text = (
                "The run is stopping, and ends without it. See it with",
                f"  ultra-console summary {leaving.run_id}",
            )
        return Question("Leave the console?", text, answers)

    def leave_answered(self, value: str) -> bool:
        """Leave the run alone, or stop it first and leave at its end."""
        if value == "stop":
            self.open_screen(self._stop_question("stop now, then leave"), self._stop_and_leave_answered)
        return value == "detach"

    def _stop_question(self, label: str) -> Question:
        in_flight = self.view.snapshot.in_flight if self.view.snapshot else 0
        text = f"{in_flight} requests in flight are cancelled, and their tests have no verdict. What is finished is kept."
        answers = (Answer(("y",), label, "stop"),)
        return Question(
            "Stop the run now?", (text,), answers, way_out="let it run", way_out_keys=("escape", "n")
        )

    def action_open_results(self) -> None:
        """Show what is in the journal."""
        self.session.shown, self.session.leaving = self._run_dir, self.leaving()
        self.go("results")

    def _start_following(self) -> None:
        self._stop_following()
        self._follower = self.run_worker(self._follow, group="follow", exclusive=True)

    def _stop_following(self) -> None:
        if self._follower is not None:
            self._follower.cancel()
            self._follower = None

    async def _follow(self) -> None:
        while self._connection is not None:
            view = await self._connection.look()
            self._draw()
            if view.standing == "gone":
                return
            if view.standing == "ended":
                self._go_on_after_the_end()
                return
            await asyncio.sleep(REFRESH_S)

    def _go_on_after_the_end(self) -> None:
        if self._closes_at_end:
            self.close_console(self.leaving())
        elif self.on_top:
            self.action_open_results()

    async def _command(self, command: Command, done: str) -> bool:
        """Send a command and say what came of it; return whether it was taken."""
        if self._connection is None:
            return False
        try:
            answer = await self._connection.watch.send(command)
        except ConsoleError as error:
            self._say(((f" {safe_line('; '.join(error.lines()), 300)}", "bad"),))
            return False
        if isinstance(answer, Accepted):
            self._say(((f" {safe_line(answer.text or done, 300)}", "accent"),))
        else:
            self._say(((f" not done: {safe_line(answer.text, 300)}", "warn"),))
        self.set_timer(0.3, self._look_once)  # the snapshot may be that old
        return isinstance(answer, Accepted)

    def _look_once(self) -> None:
        if self.view.standing == "live":
            self._start_following()

    def _stop_answered(self, value: str | None) -> None:
        if value == "stop":
            self.run_worker(self._stop(closes=False), group="command")

    def _stop_and_leave_answered(self, value: str | None) -> None:
        if value == "stop":
            self.run_worker(self._stop(closes=True), group="command")

    async def _stop(self, *, closes: bool) -> None:
        """Stop the run; with `closes` the console stays until the run has ended, to say how it did."""
        self._closes_at_end = closes
        self._stop_sent = await self._command(
            Stop(), "stopping; the console closes at its end" if closes else "stopping"
        )
        if not self._stop_sent and self.view.standing != "ended":
            self._closes_at_end = False

    def _say(self, line: Line) -> None:
        if self._hush_timer is not None:
            self._hush_timer.stop()
        self._said = line
        self._hush_timer = self.set_timer(SAID_FOR_S, self._hush)
        self._draw()

    def _hush(self) -> None:
        self._said = ()
        self._draw()

    def _draw(self) -> None:
        view = self.view
        self._notice.show(self._notices())
        snapshot = view.snapshot
        if snapshot is not None:
            width = self.size.width
            head = (picture.headline(snapshot, width, view.standing), picture.figures_line(snapshot, width))
            self._headline.show_lines(head)
            self._grid.show(picture.grid_data(snapshot), picture.place_of(self._following.lane(snapshot)))
            self._progress.show(picture.progress(snapshot))
            self._events.show(picture.log_events(snapshot.events))
            self._draw_lane()
        elif view.standing == "gone" and self._run_dir is not None:
            run = safe_line(self._run_dir.name, 100)
            self._headline.show_lines((((" ENGINE GONE ", "bad"), (f"  {run}", "muted")), ()))
        keys = f"{view.standing} {snapshot.state if snapshot else ''}"
        if keys != self._keys_shown:  # drawing the footer anew costs bytes
            self._keys_shown = keys
            self.refresh_bindings()

    def _draw_lane(self) -> None:
        snapshot, place = self.view.snapshot, self._grid.highlighted
        if snapshot is not None and place is not None:
            self._lane.show_lines((picture.lane_line(snapshot, *place),))

    def _notices(self) -> list[Paragraph]:
        """Return what must be known now, the shortest-lived first: one line of them has its place reserved."""
        view, leaving = self.view, self.leaving()
        if leaving is None:
            return [paragraph(" no run is live: 2 launches one, 6 lists those that are over", "muted", 1)]
        if view.standing == "gone":
            run = safe_line(leaving.run_id, 100)
            return [
                paragraph(
                    " the engine is gone, without an end; what is finished is kept in the journal", "bad", 1
                ),
                paragraph(f" Enter shows it, and so does `ultra-console summary {run}`", hang=1),
            ]
        if self._said:
            return [Paragraph(self._said, 1)]
        if view.said:
            return [
                paragraph(
                    f" {safe_line(view.said, 300)}", "warn" if view.standing == "silent" else "muted", 1
                )
            ]
        if view.snapshot is not None and view.snapshot.notice:
            return [paragraph(f" {safe_line(view.snapshot.notice, 300)}", "bad", 1)]
        if view.snapshot is not None and view.snapshot.health is not None and view.snapshot.health.bad:
            return [paragraph(*picture.client_notice(view.snapshot.health), 1)]
        return []
