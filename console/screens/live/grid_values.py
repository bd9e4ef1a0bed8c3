"""Lanes as rows and columns of the grid. Pure."""

from __future__ import annotations

from collections.abc import Sequence, Set

from console.screens.live.lanes import BY_HAND, changed_by_hand, most_in_flight, safe
from console.vocabulary.snapshot import LaneView
from widgets.lane_values import CellState, GridCell, GridData, GridRow


def grid_data(lanes: Sequence[LaneView], pending: Set[str] = frozenset()) -> GridData:
    """Return rows for deployments and columns for the names of keys, in the order of the lanes.

    Args:
        lanes: those in sight.
        pending: lanes whose change is under way; they are marked as changed.
    """
    columns = tuple(dict.fromkeys(safe(lane.key) for lane in lanes))
    place = {name: index for index, name in enumerate(columns)}
    rows: dict[tuple[str, str, str], list[GridCell | None]] = {}
    for lane in lanes:
        identity = (safe(lane.provider), safe(lane.model), safe(lane.deployment))
        cells = rows.setdefault(identity, [None] * len(columns))
        cells[place[safe(lane.key)]] = _cell(lane, changed=changed_by_hand(lane) or lane.lane_id in pending)
    return GridData(columns, tuple(GridRow(*identity, tuple(cells)) for identity, cells in rows.items()))


def _cell(lane: LaneView, *, changed: bool) -> GridCell:
    return GridCell(
        lane.in_flight,
        most_in_flight(lane),
        lane.rate,
        _state(lane),
        lane.tokens_per_s,
        lane.ttft_p95_ms,
        lane.rate_limited + lane.errors,
        lane.qps,
        (lane.moved > 0) - (lane.moved < 0) if lane.adaptive else 0,
        safe(lane.holder),
        changed,
    )


def _state(lane: LaneView) -> CellState:
    """Return the state of a lane, an idle one whose key a job has as leased, one that the engine gave up as quarantined."""
    if lane.state == "off":
        return "off" if lane.note in (BY_HAND, "") else "quarantined"
    return "leased" if lane.state == "idle" and lane.holder else lane.state
