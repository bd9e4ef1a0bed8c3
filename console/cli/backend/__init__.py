"""The console's way to everything else, one file for each screen."""

from __future__ import annotations

from console.cli.backend.capacity import Searching
from console.cli.backend.launch import Launching
from console.cli.backend.live import Watching
from console.cli.backend.profiles import Profiles
from console.cli.backend.results import Reading
from console.cli.backend.runs import Listing
from console.screens.backend import Backend


def real_backend(profile: str | None = None, *, ask_setup: bool = False) -> Backend:
    """Return what the screens ask, answered by the rooms below; `profile` is offered first, and may be a path.

    With `ask_setup` somebody who has no profile yet is asked for one.
    """
    profiles = Profiles(profile, ask_setup=ask_setup)
    return Backend(profiles, Launching(), Watching(), Reading(), Listing(), Searching())
