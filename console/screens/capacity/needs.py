"""What the capacity screen asks of the rest of the program, as plain values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from console.vocabulary.level import LevelOutcome

SearchKind = Literal["ramp", "target"]


@dataclass(frozen=True, slots=True)
class SearchAsked:
    """What a search is asked for: what the command lines of `capacity ramp` and `capacity target` say."""

    profile: str = "sim"
    changes: tuple[str, ...] = ()
    """Texts of `--set`."""
    kind: SearchKind = "ramp"
    qps: float | None = None
    """To reach, of a target search."""
    model: str = ""
    most: int = 1000
    """In flight."""
    input_len: int = 1024
    output_len: int = 128
    max_ttft_ms: float = 1000.0
    """0: no such limit."""
    slos: tuple[str, ...] = ()
    level_s: float = 60.0
    """Of a target search: of a window."""
    budget_s: float | None = None
    budget_requests: int | None = None
    budget_tokens: int | None = None
    each: bool = False
    lift_workers: bool = False
    server_metrics: tuple[str, ...] = ()
    """Addresses of pages."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a search would drive."""

    lanes: tuple[str, ...]
    """Their ids."""
    caps: tuple[str, ...]
    """Where the profile allows less than is looked for."""
    simulated: bool
    most: int
    """In flight, as the profile allows it."""
    qps_bound: float | None
    missing: tuple[str, ...] = ()
    """Secrets that are not there."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found that has ended, or was killed."""

    run_id: str
    kind: str
    model: str
    profile: str
    simulated: bool
    state: Literal["finished", "interrupted", "partial"]
    """partial: it was killed, and nobody wrote what it found."""
    levels: tuple[LevelOutcome, ...]
    answer: Callable[[int], list[str]]
    """Its answers in full, folded to a width."""
    ends: tuple[int | None, int | None] = (None, None)
    """As in `SearchView.passes` and `fails`, of all lanes together."""
    knee: float | None = None
    target_qps: float | None = None

    @property
    def can_go_on(self) -> bool:
        """Whether it ended before it had its answer."""
        return self.state != "finished"


class CapacityNeeds(Protocol):
    """Calls may take a moment: screens make them in a thread. Errors meant for the user are ConsoleError."""

    def models(self, profile: str, changes: tuple[str, ...]) -> list[str]:
        """Return the models that have lanes under a profile."""
        ...

    def prospect(self, asked: SearchAsked) -> Prospect:
        """Return what a search would drive; ConsoleError, located at its option, where it would be refused."""
        ...

    def start(self, asked: SearchAsked) -> Path:
        """Start a search that outlives this console, and return its run directory."""
        ...

    def resume(self, run_dir: Path) -> Path:
        """Go on with a search in a process of its own."""
        ...

    def standing(self, run_dir: Path) -> Literal["live", "over", "other"]:
        """Say whether a run is a search that goes on, one that is over, or no search."""
        ...

    def newest(self) -> Path | None:
        """Return the directory of the newest live search, if there is one."""
        ...

    def found(self, run_dir: Path) -> Found:
        """Return what a search found that is over."""
        ...
