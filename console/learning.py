"""What adaptive lanes learn, from one run to the next: read before the engine is made, kept while it runs and at its end.

Nothing here may harm a run: a file that cannot be read or written is told of once, and the run goes on without it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import anyio

from console.broker.naming import digest, plain_url
from console.records.learnt_store import KnownLane, LearntStore
from console.vocabulary.chat import Endpoint
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import LaneSetup
from console.vocabulary.learnt import Learnt

SAVE_EVERY_S: Final = 60.0
_TOLD_WITHIN_S: Final = 3.0
"""After a save its trouble is looked for."""
_LAST_SAVE_S: Final = 5.0
"""How long the end of a run waits for a disk that takes nothing."""
_PURPOSE: Final = "ultra-console learnt 1"
_NO_KEY: Final = "-"


def lane_identity(endpoint: Endpoint) -> str:
    """Return a hash of what makes a lane the same in two runs, whatever their profiles call it."""
    key = _NO_KEY if endpoint.secret is None else endpoint.secret.mark(_PURPOSE)
    return digest(_PURPOSE, plain_url(endpoint.base_url), endpoint.deployment, key)


class Learning:
    """What one run begins from, and what it leaves to the next one."""

    def __init__(
        self,
        setups: Iterable[LaneSetup],
        endpoints: Mapping[str, Endpoint],
        *,
        own_lanes: frozenset[str] = frozenset(),
        store: LearntStore | None = None,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        """Read what is known of the adaptive lanes of a run; of others nothing is read or written.

        Args:
            setups: the lanes.
            endpoints: where each sends to.
            own_lanes: ids of lanes of the run's own simulators, which are gone with it.
            store: where it is kept.
            wall_s: the Unix time.
        """
        self._wall_s = wall_s
        self._lanes = {
            setup.lane.id: (setup.lane, endpoints[setup.lane.id])
            for setup in setups
            if setup.adaptive and setup.lane.id not in own_lanes
        }
        self._identities = {
            lane_id: lane_identity(endpoint) for lane_id, (_, endpoint) in self._lanes.items()
        }
        self._store = LearntStore() if store is None else store
        self._source: Callable[[float], Mapping[str, Learnt]] | None = None
        self._tell: Callable[[str], None] | None = None
        self.trouble = ""
        """Why nothing is read or kept; empty: it is."""
        self._told = False
        self._garbage = ""
        """What was found in place of the file; empty: nothing, or it has been told."""
        self._garbage_seen = False
        self._own: set[str] = set()
        """Identities whose entry in the store is this run's."""
        self._saving: threading.Thread | None = None
        self.known: dict[str, Learnt] = self._read() if self._lanes else {}
        """By lane id, what earlier runs learnt."""
        self.found: dict[str, Learnt] = {}
        """By lane id, what this one has learnt; filled at its end, own simulators included."""

    @property
    def kept(self) -> frozenset[str]:
        """Ids of lanes of which something is kept."""
        return frozenset() if self.trouble else frozenset(self._lanes)

    def follow(self, learnt: Callable[[float], Mapping[str, Learnt]], tell: Callable[[str], None]) -> None:
        """Keep from now on what `learnt` returns for a Unix time; trouble is told to `tell`, that of before as well."""
        self._source, self._tell = learnt, tell
        self._tell_trouble()

    async def keep(self) -> None:
        """Save every minute, for as long as the run lasts."""
        while self._lanes:
            await anyio.sleep(SAVE_EVERY_S)
            self._save()
            await anyio.sleep(_TOLD_WITHIN_S)
            self._tell_trouble()

    def close(self) -> None:
        """Save for the last time. The run has written its last row: its trouble is only in `trouble`."""
        if self._source is not None:
            self.found = {
                lane_id: one for lane_id, one in self._source(self._wall_s()).items() if not one.says_nothing
            }
        if self._saving is not None:
            self._saving.join(_LAST_SAVE_S)
        self._save()
        if self._saving is not None:
            self._saving.join(_LAST_SAVE_S)
            if self._saving.is_alive():
                self._fail("the disk did not take it in time")

    # Inside

    def _read(self) -> dict[str, Learnt]:
        try:
            kept = self._store.read(self._wall_s(), self._note)
        except ConsoleError as error:
            self._fail("; ".join(error.lines()))
            return {}
        return {
            lane_id: kept[identity].learnt
            for lane_id, identity in self._identities.items()
            if identity in kept
        }

    def _save(self) -> None:
        """Save in a thread: a disk that hangs holds up nothing but that. A daemon, so that it keeps no process alive."""
        if self._source is None or not self._lanes or (self._saving is not None and self._saving.is_alive()):
            return
        wall_s = self._wall_s()
        found = self._news(self._source(wall_s))
        if found:
            self._saving = threading.Thread(
                target=self._put, args=(found, wall_s), name="learnt", daemon=True
            )
            self._saving.start()

    def _news(self, learnt: Mapping[str, Learnt]) -> dict[str, KnownLane]:
        """Return what is to be kept."""
        news: dict[str, KnownLane] = {}
        for lane_id, one in learnt.items():
            if lane_id not in self._lanes or one.says_nothing:
                continue
            lane, endpoint = self._lanes[lane_id]
            news[self._identities[lane_id]] = KnownLane(
                provider=lane.provider,
                model=lane.model,
                deployment=endpoint.deployment,
                key=lane.key,
                base_url=plain_url(endpoint.base_url),
                key_source="" if endpoint.secret is None else endpoint.secret.source,
                learnt=one,
            )
        return news

    def _put(self, found: Mapping[str, KnownLane], wall_s: float) -> None:
        try:
            self._store.put(found, wall_s, own=self._own, on_garbage=self._note)
        except ConsoleError as error:
            self._fail("; ".join(error.lines()))
        else:
            self._own.update(found)
            self.trouble = ""

    def _fail(self, why: str) -> None:
        self.trouble = f"what is learnt is not kept for the next run: {why}"

    def _note(self, text: str) -> None:
        """Take note of a file that is none: it is told of, and replaced by the next save."""
        if not self._garbage_seen:
            self._garbage_seen, self._garbage = True, text

    def _tell_trouble(self) -> None:
        if self._tell is None:
            return
        if self._garbage:
            text, self._garbage = self._garbage, ""
            self._tell(text)
        if self.trouble and not self._told:
            self._told = True
            self._tell(self.trouble)
