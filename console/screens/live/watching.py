"""What the live screen does whether or not anybody looks at it closely: it keeps a line to one run, and what came over it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import anyio.to_thread
from textual.worker import Worker

from console.screens.leaving import Leaving
from console.screens.live.chronicle import Chronicle
from console.screens.live.connection import Connection, View
from console.screens.live.expected import Expected
from console.screens.live.following import Following
from console.screens.live.pace import Pace, line_is_behind
from console.screens.live.recollection import Recollection
from console.screens.live.work import Estimates
from console.screens.pane import Pane
from console.screens.session import Session
from console.vocabulary.errors import ConsoleError
from console.vocabulary.snapshot import Snapshot


class Watched(Pane):
    """A screen that follows one run by looking at it, never by events: the newest snapshot wins, and none waits."""

    def __init__(self, session: Session, every_s: float) -> None:
        """Watch the run that `session` says, or the newest live one, and look `every_s` at first."""
        super().__init__(session)
        self.pace = Pace(every_s)
        self._run_dir: Path | None = None
        self._connection: Connection | None = None
        self._follower: Worker[None] | None = None
        self._stop_sent = False
        self._closes_at_end = False
        self._end_told = False
        self._forget()

    def _forget(self) -> None:
        """Begin anew with another run."""
        self.following = Following()
        self.expected = Expected()
        self.recollection = Recollection()
        self.chronicle = Chronicle()
        self.estimates = Estimates()
        self._seq = -1

    @property
    def view(self) -> View:
        """What is known of the run."""
        return View("none") if self._connection is None else self._connection.view

    @property
    def snapshot(self) -> Snapshot | None:
        """The newest picture, as it will be once the commands under way have come through."""
        snapshot = self.view.snapshot
        return None if snapshot is None else self.expected.over(snapshot)

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

    def draw(self) -> None:
        """Show what is known now; nothing is painted that looks as before."""
        raise NotImplementedError

    def begin(self) -> None:
        """Show that another run is watched from now on, or none."""
        raise NotImplementedError

    async def look_closer(self) -> None:
        """Ask for more than the snapshot where more is shown."""

    @property
    def occupied(self) -> bool:
        """Whether somebody is in the middle of something that must not be taken away."""
        return not self.on_top

    async def on_screen_resume(self) -> None:
        """Look at the run that the session says now; where it says none or an old one, at the newest live one."""
        over = self._end_told and self.session.watched == self._run_dir
        if self.session.watched is None or over:
            newest = await anyio.to_thread.run_sync(self.session.backend.live.newest)
            self.session.watched = newest or self.session.watched
        if self.session.watched != self._run_dir:
            await self._attend(self.session.watched)
        elif self.view.standing == "ended":
            self._go_on_after_the_end()
        elif self._connection is not None:
            self._start_following()
        else:
            self.draw()

    def on_screen_suspend(self) -> None:
        """Do not look while another screen is in front: nothing would be drawn of it."""
        if self._console_app.screen.is_modal:
            return
        self._stop_following()
        self._seq = -1  # the engine knows by then what was not looked at

    async def on_unmount(self) -> None:
        """Let go of the line; the run goes on."""
        if self._connection is not None:
            await self._connection.aclose()

    async def _attend(self, run_dir: Path | None) -> None:
        self._stop_following()
        if self._connection is not None:
            await self._connection.aclose()
        self._run_dir, self._connection = run_dir, None
        self._stop_sent = self._closes_at_end = self._end_told = False
        self._forget()
        if run_dir is not None:
            live = self.session.backend.live
            self._connection = Connection(live.watch(run_dir), run_dir, live.ended)
        self.begin()
        if self._connection is not None:
            self._start_following()
        self.draw()

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
            await self._take_in(view)
            await self.look_closer()
            if view.standing == "live" and line_is_behind(self._console_app):
                self.pace.skipped()  # the newest picture is drawn once the line has taken the one before
            else:
                self.pace.drew(asyncio.get_running_loop().time())
                self.draw()
            if view.standing == "gone":
                return
            if view.standing == "ended":
                self._go_on_after_the_end()
                return
            await asyncio.sleep(self.pace.interval_s)

    async def _take_in(self, view: View) -> None:
        """Remember what a look brought; at the first one, what the engine remembers."""
        snapshot = view.snapshot
        if snapshot is None or view.standing != "live":
            return
        self.expected.looked(snapshot)
        if snapshot.seq == self._seq:
            return
        if self._seq < 0:
            await self._recall()
        self._seq = snapshot.seq
        self.recollection.add(snapshot)
        self.estimates.add(snapshot)
        self.chronicle.add(snapshot.events)

    async def _recall(self) -> None:
        """Take over the engine's last minutes; where it keeps none, the curves are of what was seen here."""
        if self._connection is None:
            return
        try:
            history = await self._connection.watch.recall()
        except ConsoleError:
            return
        self.recollection.take(history)

    def look_again(self) -> None:
        """Look now and not at the next turn."""
        if self.view.standing == "live":
            self._start_following()

    def _go_on_after_the_end(self) -> None:
        """Go to the results, once; whoever is in the middle of something, or comes back, stays here."""
        if self._closes_at_end:
            self.close_console(self.leaving())
        elif self.occupied or self._end_told:
            self.draw()
        else:
            self._end_told = True
            self.open_results()

    def open_results(self) -> None:
        """Show what is in the journal; of a capacity search what it found."""
        self._end_told = True
        self.session.shown, self.session.leaving = self._run_dir, self.leaving()
        snapshot = self.view.snapshot
        if snapshot is not None and snapshot.search is not None:
            self.session.search = self._run_dir
            self.go("capacity")
        else:
            self.go("results")
