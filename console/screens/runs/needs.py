"""What the runs screen asks of the rest of the program, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

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
    done: int = 0
    planned: int = 0
    simulated: bool = False
    started: str = ""
    """Local time, as people write it."""


class RunsNeeds(Protocol):
    """Calls may take a moment: screens make them in a thread. Errors meant for the user are ConsoleError."""

    def runs(self) -> list[RunChoice]:
        """Return recent runs, newest first."""
        ...
