"""What lanes are expected to show after a command, until a snapshot says so: a change is seen when the key is pressed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from console.vocabulary.snapshot import LaneView, Snapshot

PATIENCE_LOOKS: Final = 4
"""Looks after an accepted command until the engine's own figures count again, whatever they are."""
Fields = Mapping[str, object]


class Expected:
    """Changes under way, the newest last; each belongs to one command."""

    def __init__(self) -> None:
        self._ways: dict[int, Mapping[str, Fields]] = {}
        self._looks_left: dict[int, int] = {}
        self._next = 0
        self._version = 0
        self._made: tuple[Snapshot, int, Snapshot] | None = None
        """Of which snapshot and which changes the last picture was made, and it."""

    def put(self, lanes: Mapping[str, Fields]) -> int:
        """Expect fields of lanes to change; return the number by which that is known."""
        self._next += 1
        self._ways[self._next] = lanes
        self._version += 1
        return self._next

    def replace(self, number: int, lanes: Mapping[str, Fields]) -> None:
        """Expect something else of a command that has not been sent."""
        if number in self._ways:
            self._ways[number] = lanes
            self._version += 1

    def taken(self, number: int) -> None:
        """Wait a few looks for the engine to show it."""
        if number in self._ways:
            self._looks_left[number] = PATIENCE_LOOKS

    def drop(self, number: int) -> None:
        """Expect it no longer: it was refused."""
        self._ways.pop(number, None)
        self._looks_left.pop(number, None)
        self._version += 1

    def looked(self, snapshot: Snapshot) -> None:
        """Compare with what the engine shows; what it shows, or did not show for long, is expected no longer."""
        views = {lane.lane_id: lane for lane in snapshot.lanes}
        for number in list(self._looks_left):
            self._looks_left[number] -= 1
            if self._looks_left[number] <= 0 or _shown(self._ways[number], views):
                self.drop(number)

    @property
    def lanes(self) -> frozenset[str]:
        """Lanes whose change is under way."""
        return frozenset(lane for way in self._ways.values() for lane in way)

    def over(self, snapshot: Snapshot) -> Snapshot:
        """Return a snapshot as it will be."""
        changes: dict[str, dict[str, object]] = {}
        for way in self._ways.values():
            for lane, fields in way.items():
                changes.setdefault(lane, {}).update(fields)
        if not changes:
            return snapshot
        if self._made is not None and self._made[0] is snapshot and self._made[1] == self._version:
            return self._made[2]
        lanes = tuple(
            msgspec.structs.replace(lane, **changes[lane.lane_id]) if lane.lane_id in changes else lane
            for lane in snapshot.lanes
        )
        made = msgspec.structs.replace(snapshot, lanes=lanes)
        self._made = (snapshot, self._version, made)
        return made


def _shown(way: Mapping[str, Fields], views: Mapping[str, LaneView]) -> bool:
    return all(
        lane not in views or all(getattr(views[lane], name) == value for name, value in fields.items())
        for lane, fields in way.items()
    )
