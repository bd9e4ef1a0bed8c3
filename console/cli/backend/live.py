"""Engines of runs for the console."""

from __future__ import annotations

from pathlib import Path

from console.control.client import Watcher
from console.records.read_journal import read_end
from console.records.run_dir import list_runs
from console.records.run_file import read_run_file
from console.screens.live.needs import RunEnd
from console.vocabulary.errors import ExitCode


class Watching:
    """What the live screen asks."""

    def newest(self) -> Path | None:
        """Return the directory of the newest live run, if there is one."""
        return next((info.run_dir for info in list_runs() if info.state == "live"), None)

    def watch(self, run_dir: Path) -> Watcher:
        """Return a line to the engine of a run."""
        return Watcher(Path(read_run_file(run_dir).control_socket))

    def ended(self, run_dir: Path) -> RunEnd | None:
        """Return how a run ended, or None while its journal has no end."""
        ended = read_end(run_dir)
        if ended is None:
            return None
        if ended.state == "interrupted":
            return RunEnd("interrupted", ExitCode.INTERRUPTED, ended.done, ended.planned)
        code = ExitCode.DONE if ended.done >= ended.planned else ExitCode.INCOMPLETE
        return RunEnd("finished", code, ended.done, ended.planned)
