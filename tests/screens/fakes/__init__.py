"""A backend and engines of fakes: recorded snapshots, no profile, no file, no network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from console.app import ConsoleApp, StartAt
from console.screens.backend import Backend
from console.screens.profiles.needs import TotalsRow
from console.screens.results.needs import ResultsView, ResultTable
from console.screens.runs.needs import RunChoice
from fakes.launch import LaunchTold
from fakes.live import AZURE, QWEN, RUN_DIR, FakeWatch, LiveTold, lanes, snapshot
from fakes.profiles import FakeProfiles

__all__ = ["AZURE", "QWEN", "RUN_DIR", "FakeWatch", "Told", "lanes", "opened", "snapshot"]

TOTALS = tuple(TotalsRow("azure", model, 3, 150) for model in AZURE) + tuple(
    TotalsRow("ideallab", model, 3, 6, 30.0) for model in QWEN
)


@dataclass
class Told(LiveTold, LaunchTold):
    """Holds what each screen is told; one object that answers them all."""

    totals: tuple[TotalsRow, ...] = field(default=TOTALS, kw_only=True)
    profiles: FakeProfiles = field(default_factory=FakeProfiles, kw_only=True)

    def __post_init__(self) -> None:
        if self.empty:
            self.profiles = FakeProfiles(builtin={}, own={})

    def runs(self) -> list[RunChoice]:
        if self.empty:
            return []
        return [
            RunChoice("a", RUN_DIR, "5.1", "sim", "live", 338, 800, True, "2026-11-20T23:15:07+00:00"),
            RunChoice(
                "b", RUN_DIR, "5.2", "mine", "finished", 1000, 1000, False, "2026-11-19T08:01:00+00:00"
            ),
            RunChoice("c", RUN_DIR, "5.1", "mine", "partial", 12, 800, False, "2026-11-18T02:40:00+00:00"),
        ]

    def newest(self) -> Path | None:
        return None if self.empty else super().newest()

    @property
    def backend(self) -> Backend:
        return Backend(self.profiles, self, self, self, self)

    def results(self, run_dir: Path) -> ResultsView:
        columns = (
            "model",
            "tests",
            "full",
            "partial",
            "failure",
            "infra",
            "req/s",
            "tok/s",
            "TTFT p50",
            "p95",
            "p99",
            "e2e p50",
        )
        rows = tuple(
            (model, "100", "71", "12", "16", "1", "12.3", "801", "212ms", "388ms", "1.21s", "3.4s")
            for model in AZURE + QWEN
        )
        return ResultsView(
            RUN_DIR.name,
            RUN_DIR,
            "5.1",
            "sim",
            "finished",
            True,
            (
                ResultTable("by model (SIMULATED)", columns, rows, ("p99 from 1,912 requests",)),
                ResultTable(
                    "by key (SIMULATED)",
                    ("key", "requests", "ok", "429"),
                    (("azure/key0", "1912", "1896", "14"),),
                ),
            ),
        )


def opened(told: Told, start: StartAt | None = None) -> ConsoleApp:
    """The console on these fakes."""
    return ConsoleApp(told.backend, start)
