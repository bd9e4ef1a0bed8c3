"""Made-up figures for trying the widgets by hand: `python -m widgets.lane_grid` and its like."""

from __future__ import annotations

import random

from textual.app import App, ComposeResult
from textual.widgets import Footer

from widgets.lane_grid import LaneGrid
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


class LaneGridDemo(App[None]):
    """A grid that changes every second."""

    def __init__(self, rows: int = 40, columns: int = 4) -> None:
        super().__init__()
        self._shape = (rows, columns)
        self._seed = 0

    def compose(self) -> ComposeResult:
        """Lay the grid over the whole screen."""
        yield LaneGrid(fake_grid(*self._shape, self._seed))
        yield Footer()

    def on_mount(self) -> None:
        """Change it once a second."""
        self.set_interval(1.0, self._step)

    def _step(self) -> None:
        self._seed += 1
        self.query_one(LaneGrid).show(fake_grid(*self._shape, self._seed))


def show_lane_grid() -> None:
    """Run the demo of the grid."""
    LaneGridDemo().run(mouse=False)
