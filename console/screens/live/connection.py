"""What a lasting line to an engine says from one look to the next: a small state machine without a screen.

An engine that does not answer may be starting, busy, just ended, or dead; which one it is depends on the
journal and on the lock of the run, and is decided here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import anyio.to_thread
import msgspec

from console.control.client import NotLive
from console.records.run_lock import is_live
from console.screens.live.needs import RunEnd, RunWatch
from console.vocabulary.errors import ConsoleError
from console.vocabulary.snapshot import Snapshot

Standing = Literal["none", "connecting", "live", "silent", "ended", "gone"]
"""none: no run is watched."""


@dataclass(frozen=True, slots=True)
class View:
    """What is known after a look."""

    standing: Standing
    snapshot: Snapshot | None = None
    """The last one, also when the engine no longer answers."""
    end: RunEnd | None = None
    said: str = ""
    """Why there is no new snapshot."""


class Connection:
    """Looks at one run; each look gives a view."""

    def __init__(
        self,
        watch: RunWatch,
        run_dir: Path,
        ended: Callable[[Path], RunEnd | None],
    ) -> None:
        """Watch over `watch`, asking `ended` (blocking) how the journal ends where no engine answers."""
        self.watch = watch
        self.view = View("connecting")
        self._run_dir = run_dir
        self._ended = ended

    async def look(self) -> View:
        """Ask for a snapshot and return what is known now; never raises for a run's sake."""
        if self.view.standing in ("ended", "gone"):
            return self.view
        try:
            snapshot = await self.watch.look()
        except NotLive:
            self.view = await self._unanswered()
        except ConsoleError as error:
            self.view = View("silent", self.view.snapshot, said="\n".join(error.lines()))
        else:
            before = self.view.snapshot
            only_the_clock = before is not None and _without_clock(before) == _without_clock(snapshot)
            self.view = View("live", before if only_the_clock else snapshot)
        return self.view

    async def aclose(self) -> None:
        """Let go of the line."""
        await self.watch.aclose()

    async def _unanswered(self) -> View:
        last = self.view.snapshot
        end = await self._how_it_ended()
        if end is not None:
            return View("ended", last, end)
        if await anyio.to_thread.run_sync(is_live, self._run_dir):
            if last is None:
                return View(
                    "connecting", said="waiting for the engine: it holds the run, and does not answer yet"
                )
            return View("silent", last, said="the engine does not answer; trying again")
        end = await self._how_it_ended()  # it may have written its end between the two questions
        return View("gone", last) if end is None else View("ended", last, end)

    async def _how_it_ended(self) -> RunEnd | None:
        try:
            return await anyio.to_thread.run_sync(self._ended, self._run_dir)
        except ConsoleError:
            return None  # a journal that cannot be read has no end we know of


def _without_clock(snapshot: Snapshot) -> Snapshot:
    """Leave out what moves while nothing happens: no clock is drawn for its own sake."""
    eta_s = None if snapshot.eta_s is None else 0.0
    search = snapshot.search
    if search is not None and snapshot.state in ("paused", "blocked"):
        now = None if search.now is None else msgspec.structs.replace(search.now, stage_s=0.0)
        search = msgspec.structs.replace(search, spent_s=0.0, eta_s=eta_s, now=now)
    return msgspec.structs.replace(snapshot, seq=0, elapsed_s=0.0, eta_s=eta_s, search=search)
