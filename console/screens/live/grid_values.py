"""Lanes as rows and columns of the grid. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from console.screens.live.lanes import most_in_flight, safe
from console.vocabulary.snapshot import LaneView
from widgets.lane_values import GridCell, GridData, GridRow


def grid_data(lanes: Sequence[LaneView]) -> GridData:
    """Return rows for deployments and columns for the names of keys, in the order of the lanes."""
    columns = tuple(dict.fromkeys(safe(lane.key) for lane in lanes))
    place = {name: index for index, name in enumerate(columns)}
    rows: dict[tuple[str, str, str], list[GridCell | None]] = {}
    for lane in lanes:
        identity = (safe(lane.provider), safe(lane.model), safe(lane.deployment))
        cells = rows.setdefault(identity, [None] * len(columns))
        cells[place[safe(lane.key)]] = GridCell(lane.in_flight, most_in_flight(lane), lane.rate, lane.state)
    return GridData(columns, tuple(GridRow(*identity, tuple(cells)) for identity, cells in rows.items()))
