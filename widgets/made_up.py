"""Made-up values for trying and measuring the grid; the widget itself knows nothing of them."""

from __future__ import annotations

import random

from widgets.lane_values import CellState, GridCell, GridData, GridRow

_BUSY: tuple[CellState, ...] = ("busy",) * 12
_STATES: tuple[CellState, ...] = (
    *_BUSY, "full", "full", "full", "idle", "idle", "throttled", "throttled", "parked", "off", "quarantined", "leased",
)  # fmt: skip
_AT_REST = ("idle", "off", "parked", "quarantined", "leased")


def fake_grid(rows: int, columns: int, seed: int) -> GridData:
    """Return a grid of any size, the same for the same seed."""
    draw = random.Random(seed)
    made: list[GridRow] = []
    for index in range(rows):
        cells: list[GridCell | None] = []
        for column in range(columns):
            state = draw.choice(_STATES)
            limit = 50 if column % 3 else 200
            in_flight = limit if state == "full" else 0 if state in _AT_REST else draw.randrange(1, limit)
            cells.append(_cell(in_flight, limit, state, draw))
        provider, model = ("azure", "gateway", "local")[index * 3 // rows], f"model-{index // 3}"
        made.append(
            GridRow(provider, model, model if index % 3 == 0 else f"{model}-{index % 3 + 1}", tuple(cells))
        )
    return GridData(tuple(f"key{number}" for number in range(columns)), tuple(made))


def _cell(in_flight: int, limit: int, state: CellState, draw: random.Random) -> GridCell:
    return GridCell(
        in_flight,
        limit,
        in_flight / 4,
        state,
        tokens_per_s=in_flight * 31.5,
        ttft_p95_ms=draw.uniform(90, 3_000) if in_flight else None,
        errors=draw.randrange(9) if state in ("throttled", "parked") else 0,
        qps=limit / 3,
        moved=draw.choice((0, 0, 0, 0, 1, -1)) if in_flight else 0,
        leased_by="5.2/3" if state == "leased" else "",
        changed=draw.random() < 1 / 20,
    )
