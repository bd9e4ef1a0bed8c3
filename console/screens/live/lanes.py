"""Lanes as they are picked in the grid: which ones a key acts on, what they are called, and what they share. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from console.vocabulary.lane import Scope, ScopeKind, key_scope
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import LaneView
from widgets.lane_selection import Selection, SelectionKind

Place = tuple[str, str, str]
"""Provider, deployment and key as the grid shows them."""
NAME_LIMIT: Final = 120
BY_HAND: Final = "switched off by hand"
"""The note of lanes that somebody has switched off; any other says why the engine did."""


@dataclass(frozen=True, slots=True)
class Picked:
    """The lanes that keys act on now, in the order of the grid."""

    kind: SelectionKind
    lanes: tuple[LaneView, ...]

    @property
    def off(self) -> bool:
        """Whether none of them is on."""
        return all(lane.state == "off" for lane in self.lanes)

    @property
    def label(self) -> str:
        """What they are called in a line."""
        first, count = self.lanes[0], lanes_text(len(self.lanes))
        match self.kind:
            case "cell":
                return safe(f"{first.deployment}@{first.key}")
            case "row":
                return f"{safe(first.deployment)}, {count}"
            case "family":
                return f"model {safe(first.model)}, {count}"
            case "group":
                return f"provider {safe(first.provider)}, {count}"
            case "column":
                return f"{' '.join(key_scopes(self.lanes))}, {count}"
            case "all":
                return f"all {count}"


def picked(lanes: Sequence[LaneView], chosen: Selection | None) -> Picked | None:
    """Return the lanes in sight that the grid's cursor selects; None where there are none."""
    if chosen is None:
        return None
    kind, group, name, column = chosen

    def is_meant(lane: LaneView) -> bool:
        match kind:
            case "all":
                return True
            case "column":
                return safe(lane.key) == column
            case "group":
                return safe(lane.provider) == group
            case "family":
                return (safe(lane.provider), safe(lane.model)) == (group, name)
            case "row":
                return (safe(lane.provider), safe(lane.deployment)) == (group, name)
            case "cell":
                return place_of(lane) == (group, name, column)

    found = tuple(lane for lane in lanes if is_meant(lane))
    return Picked(kind, found) if found else None


def place_of(lane: LaneView) -> Place:
    """Return where a lane stands in the grid."""
    return safe(lane.provider), safe(lane.deployment), safe(lane.key)


@lru_cache(maxsize=8192)
def safe(name: str) -> str:
    """Return a name as it may be shown; the names of lanes come again with every look."""
    return safe_line(name, NAME_LIMIT)


def lanes_text(count: int) -> str:
    """Write how many lanes."""
    return "1 lane" if count == 1 else f"{count} lanes"


def key_scopes(lanes: Iterable[LaneView]) -> list[str]:
    """Return the keys of lanes, as `provider/key0`, each once."""
    return list(dict.fromkeys(safe(key_scope(lane.provider, lane.key)) for lane in lanes))


def scope_of(lane: LaneView, kind: ScopeKind) -> Scope:
    """Return the scope of one kind that a lane passes."""
    names: dict[ScopeKind, str] = {
        "lane": lane.lane_id,
        "key": key_scope(lane.provider, lane.key),
        "deployment": f"{lane.provider}/{lane.deployment}",
        "model": lane.model,
        "provider": lane.provider,
    }
    return Scope(kind, names[kind])


def passing(lanes: Iterable[LaneView], scope: Scope) -> list[LaneView]:
    """Return the lanes whose requests pass a scope."""
    return [lane for lane in lanes if scope_of(lane, scope.kind) == scope]


def binding_scope(lane: LaneView) -> Scope | None:
    """Return the gate that lets least through per second on a lane; None: none limits it."""
    for kind in ("lane", "key", "deployment", "model", "provider"):
        if lane.qps_scope == kind and lane.most_qps is not None:
            return scope_of(lane, kind)
    return None


def most_in_flight(lane: LaneView) -> int | None:
    """Return what may be in flight on a lane: its workers, or what adaptive mode has found."""
    limits = [limit for limit in (lane.workers, lane.window) if limit is not None]
    return min(limits, default=None)


def changed_by_hand(lane: LaneView) -> bool:
    """Whether its own limits differ from the profile's because somebody changed them."""
    if lane.profile_workers is None and lane.profile_qps is None:
        return False  # an engine that does not tell
    return lane.workers != lane.profile_workers or (not lane.adaptive and lane.qps != lane.profile_qps)


def state_word(lane: LaneView) -> str:
    """Return the state of a lane as people call it: an engine switches off what it finds broken, a person by hand."""
    if lane.state == "off":
        return "off by hand" if lane.note == BY_HAND or not lane.note else "quarantined"
    return "at limit" if lane.state == "full" else lane.state


def matches(lane: LaneView, words: Iterable[str]) -> bool:
    """Whether a lane has every word of a filter in its names or its state; `!word`: has it not."""
    text = " ".join(
        (lane.provider, lane.model, lane.deployment, lane.key, lane.state, state_word(lane), lane.holder)
    ).casefold()
    return all((word[1:] not in text) if word[:1] == "!" and word[1:] else word in text for word in words)


def filtered(lanes: Sequence[LaneView], text: str) -> tuple[LaneView, ...]:
    """Return the lanes that a filter leaves, in their order."""
    words = text.casefold().split()
    return tuple(lane for lane in lanes if matches(lane, words)) if words else tuple(lanes)
