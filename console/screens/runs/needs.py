"""What the runs screen asks of the rest of the program, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from console.screens.results.sheet import Sheet

RunKind = Literal["live", "finished", "interrupted", "partial"]
"""partial: its journal has no end and no engine answers."""


@dataclass(frozen=True, slots=True)
class RunChoice:
    """A run that can be opened."""

    id: str
    run_dir: Path
    title: str
    profile: str
    kind: RunKind
    done: int | None = 0
    """None: it would take long to count."""
    planned: int | None = 0
    simulated: bool = False
    started: str = ""
    """ISO 8601 with zone."""
    took_s: float | None = None
    """How long it ran, or has run; None: not known."""
    search: bool = False
    """It is a capacity search, which has a screen of its own."""
    error: str = ""
    """Why its run.toml cannot be read; empty: it can."""
    lost: int = 0
    """Done by its last row, and without a row of their own: lines of the journal are missing."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What is lost with some runs."""

    runs: int
    tests: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs held against each other."""

    heads: tuple[str, str]
    """Each of them in one line, SIMULATED where it is."""
    refused: tuple[str, ...]
    """What cannot be compared, and why."""
    table: Sheet
    """A row for each model: verdicts, difference and speed of the first and of the second."""


class RunsNeeds(Protocol):
    """Calls may take a moment: screens make them in a thread. Errors meant for the user are ConsoleError."""

    def runs(self) -> list[RunChoice]:
        """Return the runs of this machine, newest first; quick where nothing has changed since the last call."""
        ...

    def compare(self, first: Path, second: Path, watch: Callable[[float], None]) -> Comparison:
        """Hold two runs against each other; `watch` is told how far the reading has come, and may end it."""
        ...

    def weight(self, run_dirs: Sequence[Path]) -> Weight:
        """Return what would be lost with these runs."""
        ...

    def delete(self, run_dirs: Sequence[Path]) -> list[str]:
        """Delete runs for good and return a line for each that could not be; a live run never is."""
        ...
