"""Results of runs for the console."""

from __future__ import annotations

from pathlib import Path

from console.screens.results.needs import RunResults, Watch


class Reading:
    """What the results screen asks."""

    def read(self, run_dir: Path, watch: Watch) -> RunResults:
        """Return the results of a run, ended or not; from the files of its summary where they are still true."""
        from console.cli.backend.results.opened import (
            read_results,  # brings Polars: half a start of the console
        )

        return read_results(run_dir, watch)
