"""Whether the lanes of a profile under edit answer, asked from a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING, Final

import anyio

from console.event_loop import loop_options
from console.profile.live_fixes import live_fixes
from console.profile.load import LoadedProfile, load_source
from console.profile.places import ProfileSource
from console.screens.profiles.needs import ProbeCost
from console.vocabulary.probed import Probed

if TYPE_CHECKING:
    from console.vocabulary.lane import LaneSetup

TIMEOUT_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.05
"""How long a wish to stop may go unseen."""


def probe_cost(source: ProfileSource) -> ProbeCost:
    """Return what it costs to ask every lane of this text once."""
    from console.live_check import cost_text

    loaded, lanes = _lanes(source)
    providers = {setup.lane.provider for setup in lanes}
    where = "1 provider" if len(providers) == 1 else f"{len(providers)} providers"
    return ProbeCost(
        lanes=tuple(setup.lane.id for setup in lanes),
        text=f"{cost_text(len(lanes))}, to {where}",
        simulated=all(loaded.profile.providers[name].api == "sim" for name in providers),
    )


def probe_lanes(source: ProfileSource, told: Callable[[Probed], None], stop: Event) -> list[str]:
    """Ask every lane once, until `stop` is set; return what mends those that do not answer."""
    from console.live_check import probe

    loaded, lanes = _lanes(source)
    probed: list[Probed] = []

    def tell(one: Probed) -> None:
        if not stop.is_set():  # what is broken off says nothing of its lane
            probed.append(one)
            told(one)

    async def ask() -> None:
        async with anyio.create_task_group() as tasks:

            async def stop_when_told() -> None:
                while not stop.is_set():  # noqa: ASYNC110 - it is set by another thread
                    await anyio.sleep(_LOOK_EVERY_S)
                tasks.cancel_scope.cancel()

            tasks.start_soon(stop_when_told)
            await probe(loaded, lanes, TIMEOUT_S, tell)
            tasks.cancel_scope.cancel()

    anyio.run(ask, backend_options=loop_options())
    return live_fixes(loaded.profile, probed)


def _lanes(source: ProfileSource) -> tuple[LoadedProfile, tuple[LaneSetup, ...]]:
    from console.live_check import lanes_to_probe

    loaded = load_source(source)
    return loaded, lanes_to_probe(loaded)
