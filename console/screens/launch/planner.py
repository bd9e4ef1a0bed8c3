"""Plans in the background: a moment after the last change, one at a time, the newest wish only."""

from __future__ import annotations

import threading
from typing import Final

import anyio
import anyio.to_thread

from console.screens.launch.needs import Asked, LaunchNeeds, Planned

REST_S: Final = 0.25
"""After the last change: whoever goes through a list wants no plan for each of its lines."""


class Planner:
    """Makes plans for a screen. A plan that is under way ends as soon as another one is wanted."""

    def __init__(self, needs: LaunchNeeds) -> None:
        """Ask `needs`."""
        self._needs = needs
        self._newest = 0
        self._at_work = threading.Lock()

    def forget(self) -> None:
        """Want no plan any more."""
        self._newest += 1

    async def plan(self, asked: Asked) -> Planned | None:
        """Return the plan of what is asked for; None if another one was wanted meanwhile.

        Raises:
            ConsoleError: what `run` would say.
        """
        self._newest += 1
        number = self._newest
        await anyio.sleep(REST_S)
        return await anyio.to_thread.run_sync(self._made, asked, number, abandon_on_cancel=True)

    def _made(self, asked: Asked, number: int) -> Planned | None:
        """Make it in a thread; whoever was cancelled has left the thread to end by itself, which is waited for."""

        def superseded() -> bool:
            return number != self._newest

        with self._at_work:
            planned = None if superseded() else self._needs.plan(asked, superseded)
        return None if superseded() else planned
