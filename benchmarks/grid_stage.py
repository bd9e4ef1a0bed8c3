"""The live grid on its own, all lanes busy and all of them changing at every step."""

from __future__ import annotations

import random
import time

from textual.app import App, ComposeResult

from benchmarks.pty_rig import Stage
from widgets.lane_grid import LaneGrid
from widgets.lane_values import GridCell, GridData, GridRow


def busy_grid(rows: int, columns: int, seed: int, troubled: float = 1 / 40) -> GridData:
    """Return a grid in which every lane works, a few at their limit and some in trouble: as a rule one in forty."""
    draw = random.Random(seed)

    def cell(column: int) -> GridCell:
        limit = 50 if column % 3 else 200
        in_flight = draw.randrange(1, limit + 1)
        state = "throttled" if draw.random() < troubled else "full" if in_flight == limit else "busy"
        if state == "throttled" and troubled > 0.1 and draw.random() < 0.3:
            state = "parked"
        return GridCell(in_flight, limit, in_flight / 4 + draw.random(), state)

    made = []
    for index in range(rows):
        provider, model = ("azure", "gateway", "local")[index * 3 // rows], f"model-{index // 3}"
        name = model if index % 3 == 0 else f"{model}-{index % 3 + 1}"
        made.append(GridRow(provider, model, name, tuple(cell(column) for column in range(columns))))
    return GridData(tuple(f"key{number}" for number in range(columns)), tuple(made))


class GridApp(App[None]):
    def __init__(self, grid: LaneGrid) -> None:
        super().__init__()
        self.grid = grid

    def compose(self) -> ComposeResult:
        yield self.grid


def build(rows: str, columns: str, quantity: str = "in-flight", troubled: str = "0.025") -> Stage:
    """Return the grid; steps show one picture after another, and step -1 the same one again."""
    pictures = [busy_grid(int(rows), int(columns), seed, float(troubled)) for seed in range(12)]
    grid = LaneGrid(pictures[0])
    if quantity != "in-flight":
        grid.quantity = quantity
    last = 0

    def step(number: int) -> None:
        nonlocal last
        last = last if number < 0 else number
        copied = pictures[last % len(pictures)]
        grid.show(
            GridData(
                copied.columns,
                tuple(
                    row._replace(cells=tuple(cell._replace() for cell in row.cells)) for row in copied.rows
                ),
            )
        )

    return Stage(GridApp(grid), step)


async def widget_ms(rows: int, columns: int, size: tuple[int, int], steps: int) -> list[float]:
    """Return the CPU time of the grid's own update and rendering, all cells changed and all lines in sight drawn."""
    pictures = [busy_grid(rows, columns, seed) for seed in range(12)]
    grid = LaneGrid(pictures[0])
    took: list[float] = []
    async with GridApp(grid).run_test(size=size) as pilot:
        await pilot.pause()
        for number in range(1, steps + 1):
            begun = time.process_time()
            grid.show(pictures[number % len(pictures)])
            for y in range(grid.size.height):
                grid.render_line(y)
            took.append((time.process_time() - begun) * 1000)
            await pilot.pause(0.01)
    return took
