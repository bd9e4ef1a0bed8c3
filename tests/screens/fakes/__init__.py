"""A backend and engines of fakes: recorded snapshots, no profile, no file, no network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from console.app import ConsoleApp, StartAt
from console.screens.backend import Backend
from console.screens.profiles.needs import TotalsRow
from fakes.capacity import FakeCapacity
from fakes.launch import LaunchTold
from fakes.live import AZURE, QWEN, RUN_DIR, FakeWatch, LiveTold, lanes, snapshot
from fakes.profiles import FakeProfiles
from fakes.results import FakeReading
from fakes.runs import FakeListing

__all__ = ["AZURE", "QWEN", "RUN_DIR", "FakeWatch", "Told", "lanes", "opened", "snapshot"]

TOTALS = tuple(TotalsRow("azure", model, 3, 150) for model in AZURE) + tuple(
    TotalsRow("ideallab", model, 3, 6, 30.0) for model in QWEN
)


@dataclass
class Told(LiveTold, LaunchTold):
    """Holds what each screen is told; one object that answers them all."""

    totals: tuple[TotalsRow, ...] = field(default=TOTALS, kw_only=True)
    profiles: FakeProfiles = field(default_factory=FakeProfiles, kw_only=True)
    reading: FakeReading = field(default_factory=FakeReading, kw_only=True)
    listing: FakeListing = field(default_factory=FakeListing, kw_only=True)
    capacity: FakeCapacity = field(default_factory=FakeCapacity, kw_only=True)

    def __post_init__(self) -> None:
        if self.empty:
            self.profiles = FakeProfiles(builtin={}, own={})
            self.listing = FakeListing([])

    def newest(self) -> Path | None:
        return None if self.empty else super().newest()

    @property
    def backend(self) -> Backend:
        return Backend(self.profiles, self, self, self.reading, self.listing, self.capacity)


def opened(told: Told, start: StartAt | None = None) -> ConsoleApp:
    """The console on these fakes."""
    return ConsoleApp(told.backend, start)
