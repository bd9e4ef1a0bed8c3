"""Phases, plans and engines for the console."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from console.cli.spawn import spawn_engine
from console.screens.launch.command_line import arguments
from console.screens.launch.needs import Asked, Matrix, Planned, Played

_EARLIER_SHOWN: Final = 30


class Launching:
    """What the launch screen asks."""

    def matrix(self, asked: Asked) -> Matrix:
        """Return what can be chosen, and how many tests the choice has."""
        from console.cli.backend.launch.matrix import matrix_of

        return matrix_of(asked)

    def plan(self, asked: Asked, superseded: Callable[[], bool]) -> Planned | None:
        """Return what a launch would do; None as soon as it is superseded."""
        from console.cli.backend.launch.planning import planned

        return planned(asked, superseded)

    def earlier(self) -> list[str]:
        """Return the ids of runs of phases, newest first."""
        from console.records.run_dir import list_runs
        from console.records.run_list import CAPACITY

        return [info.run_id for info in list_runs() if info.title not in CAPACITY][:_EARLIER_SHOWN]

    def rehearse(self, asked: Asked) -> Played:
        """Begin to play it through on a virtual clock, in a process of its own."""
        from console.cli.backend.launch.playing import PlayedRun

        return PlayedRun(asked)

    def compare(self, asked: Asked) -> Played:
        """Begin to rehearse it under each policy that applies, in a process of its own."""
        from console.cli.backend.launch.playing import PlayedPolicies

        return PlayedPolicies(asked)

    def launch(self, asked: Asked) -> Path:
        """Start an engine that outlives this console."""
        return spawn_engine(["run", *arguments(asked)])
