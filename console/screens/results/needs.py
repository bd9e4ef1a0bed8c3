"""What the results screen asks of the rest of the program, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from console.screens.runs.needs import RunKind


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


class ResultsNeeds(Protocol):
    """Calls may take a moment: screens make them in a thread. Errors meant for the user are ConsoleError."""

    def results(self, run_dir: Path) -> ResultsView:
        """Return the results of a run, ended or not."""
        ...
