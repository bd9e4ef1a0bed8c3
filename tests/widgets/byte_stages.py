"""Apps that a pty rig starts in a child, to count what widgets write."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from benchmarks.grid_stage import busy_grid
from benchmarks.pty_rig import Stage
from widgets.event_log import EventLog, LogEvent
from widgets.lane_grid import LaneGrid
from widgets.made_up import fake_grid
from widgets.table import Table
from widgets.table_rows import TableColumn, TableRow


class Beside(App[None]):
    """Widgets beside one another."""

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        self._held = widgets

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield from self._held


def table(ascii_only: str) -> Stage:
    """Return a table of which one cell changes at each step."""
    columns = (TableColumn("name"), TableColumn("figure", "right", numeric=True), TableColumn("note"))

    def rows(step: int) -> list[TableRow]:
        return [TableRow(str(n), (f"row {n}", str(step if n == 3 else n), "a note " * 5)) for n in range(200)]

    held = Table(columns, rows(0), ascii_only=bool(ascii_only))
    return Stage(Beside(held), lambda step: held.show(columns, rows(step)))


def log() -> Stage:
    """Return a log that gets an event at each step, and a step of 0 tells the same again."""
    events = [
        LogEvent(float(n), "info", f"azure/model-{n % 5}@key0", f"limit {n} -> {n + 1}") for n in range(300)
    ]
    held = EventLog()
    return Stage(Beside(held), lambda step: held.merge(events[: 100 + step][-50:]))


def any_grid(ascii_only: str, filter_text: str) -> Stage:
    """Return a grid of lanes in every state."""
    held = LaneGrid(fake_grid(40, 6, 0), ascii_only=bool(ascii_only))
    held.filter(filter_text)
    return Stage(Beside(held), lambda step: held.show(fake_grid(40, 6, step)))


def one_lane() -> Stage:
    """Return a grid of which one lane in the first column changes."""
    data = busy_grid(60, 12, 1)

    def step(number: int) -> None:
        first, *cells = data.rows[0].cells
        row = data.rows[0]._replace(cells=(first._replace(in_flight=number % 10), *cells))
        held.show(data._replace(rows=(row, *data.rows[1:])))

    held = LaneGrid(data)
    return Stage(Beside(held), step)
