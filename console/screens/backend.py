"""What the screens ask of the rest of the program, as plain values. No Textual here.

The screens know nothing of files, profiles or engines: tests give them a backend of fakes, the command line the
real one. Calls that are not async may take a moment; screens make them in a thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from console.vocabulary.command import Accepted, Command, Refused
from console.vocabulary.inspection import History, LaneDetail
from console.vocabulary.snapshot import Snapshot

Origin = Literal["built-in", "yours", "file"]
RunKind = Literal["live", "finished", "interrupted", "partial"]
"""partial: its journal has no end and no engine answers."""


@dataclass(frozen=True, slots=True)
class TotalsRow:
    """What one model may use under a profile, from the function that enforces it."""

    provider: str
    model: str
    lanes: int
    workers: int | None
    """Sum over its lanes; None: unlimited."""
    qps: float | None = None


@dataclass(frozen=True, slots=True)
class ProfileChoice:
    """A profile that can be chosen."""

    name: str
    description: str = ""
    origin: Origin = "built-in"
    error: str | None = None
    """Why it cannot be used; then the totals are empty."""
    totals: tuple[TotalsRow, ...] = ()
    rate_mode: str = "fixed"
    simulated: bool = False
    """All its providers are simulated."""


@dataclass(frozen=True, slots=True)
class PhaseChoice:
    """A phase that can be chosen."""

    id: str
    title: str = ""
    origin: Origin = "built-in"
    error: str | None = None
    tests: Mapping[str, int] = field(default_factory=dict[str, int])
    """Profile name → tests it would run; a profile may be missing."""


@dataclass(frozen=True, slots=True)
class LaunchPreview:
    """What a launch would do."""

    profile: str
    phase: str
    title: str
    tests: int
    """New ones, to be run."""
    requests: int = 0
    """About so many, for those tests; 0: not known."""
    reused: int = 0
    jobs: int = 0
    lanes: int = 0
    simulated: bool = False
    totals: tuple[TotalsRow, ...] = ()
    warnings: tuple[str, ...] = ()
    place: str = ""
    """Where its run directory goes."""


@dataclass(frozen=True, slots=True)
class RunChoice:
    """A run that can be opened."""

    id: str
    run_dir: Path
    title: str
    profile: str
    kind: RunKind
    done: int = 0
    planned: int = 0
    simulated: bool = False
    started: str = ""
    """Local time, as people write it."""


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended in order."""

    state: Literal["finished", "interrupted"]
    exit_code: int
    """0, 3 or 130, as the engine's own."""
    done: int = 0
    planned: int = 0


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table with all cells written out."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultsView:
    """The results of a run."""

    run_id: str
    run_dir: Path
    title: str
    profile: str
    kind: RunKind
    simulated: bool
    tables: tuple[ResultTable, ...]
    notes: tuple[str, ...] = ()
    """What a reader must know first, such as that the run is partial."""


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


class Backend(Protocol):
    """Everything the screens need. Errors meant for the user are ConsoleError."""

    def profiles(self) -> list[ProfileChoice]:
        """Return all profiles, the one to start with first; one with an error is in it, not raised."""
        ...

    def phases(self) -> list[PhaseChoice]:
        """Return all phases in their order."""
        ...

    def preview(self, profile: str, phase: str) -> LaunchPreview:
        """Return what a launch would do."""
        ...

    def launch(self, profile: str, phase: str) -> Path:
        """Start an engine in a session of its own and return its run directory once that exists."""
        ...

    def runs(self) -> list[RunChoice]:
        """Return recent runs, newest first."""
        ...

    def watch(self, run_dir: Path) -> RunWatch:
        """Return a line to the engine of a run; nothing is connected yet."""
        ...

    def ended(self, run_dir: Path) -> RunEnd | None:
        """Return how a run ended, or None while its journal has no end."""
        ...

    def results(self, run_dir: Path) -> ResultsView:
        """Return the results of a run, ended or not."""
        ...
