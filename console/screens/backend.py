"""What the screens need from below, together. No Textual here.

The screens know nothing of files, profiles or engines: tests give them a backend of fakes, the command line the
real one (`console/cli/backend/`). What each screen needs stands in its `needs.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from console.screens.capacity.needs import CapacityNeeds
from console.screens.launch.needs import LaunchNeeds
from console.screens.live.needs import LiveNeeds
from console.screens.profiles.needs import ProfilesNeeds
from console.screens.results.needs import ResultsNeeds
from console.screens.runs.needs import RunsNeeds


@dataclass(frozen=True, slots=True)
class Backend:
    """Who answers each screen."""

    profiles: ProfilesNeeds
    launch: LaunchNeeds
    live: LiveNeeds
    results: ResultsNeeds
    runs: RunsNeeds
    capacity: CapacityNeeds
