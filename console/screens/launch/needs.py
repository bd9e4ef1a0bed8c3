"""What the launch screen asks of the rest of the program, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from console.screens.profiles.needs import Origin, TotalsRow


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


class LaunchNeeds(Protocol):
    """Calls may take a moment: screens make them in a thread. Errors meant for the user are ConsoleError."""

    def phases(self) -> list[PhaseChoice]:
        """Return all phases in their order."""
        ...

    def preview(self, profile: str, phase: str) -> LaunchPreview:
        """Return what a launch would do."""
        ...

    def launch(self, profile: str, phase: str) -> Path:
        """Start an engine in a session of its own and return its run directory once that exists."""
        ...
