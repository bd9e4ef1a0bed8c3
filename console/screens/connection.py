"""What a lasting line to an engine says from one look to the next: a small state machine without a screen.

An engine that does not answer may be starting, busy, just ended, or dead; which one it is depends on the
journal and on its process, and is decided here and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import anyio.to_thread

from console.control.client import NotLive
from console.screens.backend import RunEnd, RunWatch
from console.vocabulary.errors import ConsoleError
from console.vocabulary.snapshot import Snapshot

Standing = Literal["connecting", "live", "silent", "ended", "gone"]
PATIENCE_LOOKS = 15
"""Looks in vain before an engine that never answered is given up."""


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
        *,
        patience: int = PATIENCE_LOOKS,
    ) -> None:
        """Watch over `watch`, asking `ended` (blocking) how the journal ends where no engine answers."""
        self.watch = watch
        self.view = View("connecting")
        self._run_dir = run_dir
        self._ended = ended
        self._patience = patience
        self._in_vain = 0

    async def look(self) -> View:
        """Ask for a snapshot and return what is known now; never raises for a run's sake."""
        if self.view.standing in ("ended", "gone"):
            return self.view
        try:
            snapshot = await self.watch.look()
        except NotLive as error:
            self.view = await self._unanswered(error)
        except ConsoleError as error:
            self.view = View("silent", self.view.snapshot, said="\n".join(error.lines()))
        else:
            self._in_vain = 0
            self.view = View("live", snapshot)
        return self.view

    async def aclose(self) -> None:
        """Let go of the line."""
        await self.watch.aclose()

    async def _unanswered(self, error: NotLive) -> View:
        last = self.view.snapshot
        end = await self._how_it_ended()
        if end is not None:
            return View("ended", last, end)
        self._in_vain += 1
        if last is None:
            if self._in_vain < self._patience:
                return View("connecting", None, said="waiting for the engine")
            return View("gone", None, said=error.message)
        if process_lives(last.pid):
            return View("silent", last, said="the engine does not answer; trying again")
        end = await self._how_it_ended()  # it may have written its end between the two questions
        return View("gone", last) if end is None else View("ended", last, end)

    async def _how_it_ended(self) -> RunEnd | None:
        try:
            return await anyio.to_thread.run_sync(self._ended, self._run_dir)
        except ConsoleError:
            return None  # a journal that cannot be read has no end we know of


def process_lives(pid: int) -> bool:
    """Return whether there is such a process; one of another user counts."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Return whether it is dead, but was started by this console and is not yet taken leave of."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] == ["Z"]
