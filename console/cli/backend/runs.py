"""The runs of this machine for the console."""

from __future__ import annotations

from typing import Final

from console.records.run_dir import list_runs
from console.screens.runs.needs import RunChoice

RUNS_SHOWN: Final = 50


class Listing:
    """What the runs screen asks."""

    def runs(self) -> list[RunChoice]:
        """Return recent runs, newest first."""
        return [
            RunChoice(
                id=info.run_id,
                run_dir=info.run_dir,
                title=info.title,
                profile=info.profile,
                kind=info.state,
                done=info.done or 0,
                planned=info.planned or 0,
                simulated=info.simulated,
                started=info.started,
            )
            for info in list_runs()[:RUNS_SHOWN]
        ]
