"""The runs of this machine for the console."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from console.cli.backend.runs.listing import KnownRuns, weigh
from console.records.run_list import remove_run
from console.screens.runs.needs import Comparison, RunChoice, Weight
from console.vocabulary.errors import ConsoleError


class Listing:
    """What the runs screen asks."""

    def __init__(self) -> None:
        """Know no run yet."""
        self._known = KnownRuns()

    def runs(self) -> list[RunChoice]:
        """Return all runs, newest first; only those that changed since the last call are looked into."""
        return self._known.runs()

    def compare(self, first: Path, second: Path, watch: Callable[[float], None]) -> Comparison:
        """Hold two runs against each other."""
        from console.cli.backend.runs.comparing import compare_runs  # brings Polars

        return compare_runs(first, second, watch)

    def weight(self, run_dirs: Sequence[Path]) -> Weight:
        """Return what would be lost."""
        return weigh(run_dirs)

    def delete(self, run_dirs: Sequence[Path]) -> list[str]:
        """Delete runs and return what could not be."""
        failed: list[str] = []
        for run_dir in run_dirs:
            try:
                remove_run(run_dir)
            except ConsoleError as error:  # the others can still go
                failed += error.lines()
        return failed
