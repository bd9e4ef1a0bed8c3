"""What the screens of one console have in common: the profile chosen, the run watched, the results shown. No Textual here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from console.screens.backend import Backend
from console.screens.leaving import Leaving


@dataclass(slots=True)
class Session:
    """Screens read it when they come to the front, and change it before they go to another one."""

    backend: Backend
    profile: str = "sim"
    """Name or path of the profile that a launch uses."""
    changes: tuple[str, ...] = ()
    """What is changed in that profile and not saved, as texts of `--set`: a launch uses it as it is seen."""
    watched: Path | None = None
    """The run that the live screen shows."""
    shown: Path | None = None
    """The run whose results are shown."""
    search: Path | None = None
    """The capacity search that the capacity screen shows; None: its form."""
    detached: Path | None = None
    """The run that somebody has just said to leave alone; nobody asks about it again while the console closes."""
    leaving: Leaving | None = None
    """How the run watched last stands, for the line printed after the console has closed."""
