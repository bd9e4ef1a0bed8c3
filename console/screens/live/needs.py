"""What the live screen asks of the rest of the program, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from console.vocabulary.command import Accepted, Command, Refused
from console.vocabulary.inspection import History, LaneDetail
from console.vocabulary.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended in order."""

    state: Literal["finished", "interrupted"]
    exit_code: int
    """0, 3 or 130, as the engine's own."""
    done: int = 0
    planned: int = 0


class RunWatch(Protocol):
    """A line to the engine of one run; `console.control.client.Watcher` is one."""

    async def look(self) -> Snapshot:
        """Return the newest snapshot; ConsoleError (NotLive, NoAnswer) if there is none."""
        ...

    async def inspect(self, lane: str) -> LaneDetail:
        """Return everything about the lane of that id; ConsoleError if there is no answer."""
        ...

    async def recall(self) -> History:
        """Return the figures of the last minutes; ConsoleError if there is no answer."""
        ...

    async def send(self, command: Command) -> Accepted | Refused:
        """Send a command and return the answer."""
        ...

    async def aclose(self) -> None:
        """Let go of the line; the run goes on."""
        ...


class LiveNeeds(Protocol):
    """Calls may take a moment: screens make them in a thread. Errors meant for the user are ConsoleError."""

    def newest(self) -> Path | None:
        """Return the directory of the newest live run, if there is one."""
        ...

    def watch(self, run_dir: Path) -> RunWatch:
        """Return a line to the engine of a run; nothing is connected yet."""
        ...

    def ended(self, run_dir: Path) -> RunEnd | None:
        """Return how a run ended, or None while its journal has no end."""
        ...
