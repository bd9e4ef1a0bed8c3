"""Made-up values for trying and measuring the grid; the widget itself knows nothing of them."""

from __future__ import annotations

import random

from widgets.lane_values import CellState, GridCell, GridData, GridRow

_STATES: tuple[CellState, ...] = ("busy", "busy", "busy", "full", "idle", "throttled", "parked", "off")


def fake_grid(rows: int, columns: int, seed: int) -> GridData:
    """Return a grid of any size, the same for the same seed."""
    draw = random.Random(seed)
    made: list[GridRow] = []
    for index in range(rows):
        cells: list[GridCell | None] = []
        for column in range(columns):
            state = draw.choice(_STATES)
            limit = 50 if column % 3 else 200
            in_flight = {"full": limit, "idle": 0, "off": 0, "parked": 0}.get(state, draw.randrange(1, limit))
            cells.append(GridCell(in_flight, limit, in_flight / 4, state))
        provider, model = ("azure", "gateway", "local")[index * 3 // rows], f"model-{index // 3}"
        made.append(
            GridRow(provider, model, model if index % 3 == 0 else f"{model}-{index % 3 + 1}", tuple(cells))
        )
    return GridData(tuple(f"key{number}" for number in range(columns)), tuple(made))
