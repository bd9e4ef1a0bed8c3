"""Made-up figures for trying the widgets by hand: `python -m widgets.lane_grid` and its like."""

from __future__ import annotations

import random

from textual.app import App, ComposeResult
from textual.widget import Widget
from textual.widgets import Footer

from widgets.event_log import EventLog, LogEvent
from widgets.lane_grid import LaneGrid
from widgets.lane_values import CellState, GridCell, GridData, GridRow
from widgets.phase_progress import Count, JobLine, PhaseProgress, Progress
from widgets.summary_table import SummaryTable, SummaryTables

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


def fake_progress(step: int) -> Progress:
    """Return progress that grows with `step`."""
    done = min(800, 13 * step)
    counts = (
        Count("full", str(done * 3 // 4), "good"),
        Count("failure", str(done // 4)),
        Count("429", "7", "warn"),
    )
    jobs = tuple(
        JobLine(f"model-{n} easy", "running" if n < 2 else "waiting", done // 8, 100) for n in range(8)
    )
    return Progress(done, 800, counts, jobs)


def fake_events(step: int) -> list[LogEvent]:
    """Return one event more at each step."""
    levels = ("info", "warn", "error")
    return [
        LogEvent(3.0 * n, levels[n % 3], f"azure/model-{n % 4}@key0", f"limit {n} -> {n + 1}")
        for n in range(step)
    ]


def fake_tables() -> list[SummaryTable]:
    """Return two tables, one wider than a narrow screen."""
    columns = (
        "model",
        "tests",
        "full",
        "failure",
        "infra",
        "req/s",
        "TTFT p50",
        "p95",
        "p99",
        "TPOT p50",
        "e2e p50",
        "p99",
    )
    rows = tuple((f"model-{n}", *(str(n * column) for column in range(1, 12))) for n in range(12))
    return [
        SummaryTable("by model (SIMULATED)", columns, rows, ("p99 needs 100 requests",)),
        SummaryTable("by key", columns[:4], ()),
    ]


class Demo(App[None]):
    """One widget over the whole screen, stepped once a second."""

    def __init__(self, shown: Widget, step_s: float = 1.0) -> None:
        super().__init__()
        self._shown = shown
        self._step_s = step_s
        self._count = 0

    def compose(self) -> ComposeResult:
        """Lay the widget over the whole screen."""
        yield self._shown
        yield Footer()

    def on_mount(self) -> None:
        """Step once a second."""
        self.set_interval(self._step_s, self.step)

    def step(self) -> None:
        """Show the next made-up figures."""
        self._count += 1
        if isinstance(self._shown, LaneGrid):
            data = self._shown.data
            self._shown.show(fake_grid(len(data.rows), len(data.columns), self._count))
        elif isinstance(self._shown, PhaseProgress):
            self._shown.show(fake_progress(self._count))
        elif isinstance(self._shown, EventLog):
            self._shown.show(fake_events(self._count))


def show_lane_grid() -> None:
    """Run the demo of the grid."""
    Demo(LaneGrid(fake_grid(40, 4, 0))).run(mouse=False)


def show_progress() -> None:
    """Run the demo of the progress."""
    Demo(PhaseProgress(fake_progress(0), most_jobs=6)).run(mouse=False)


def show_events() -> None:
    """Run the demo of the event log."""
    Demo(EventLog()).run(mouse=False)


def show_tables() -> None:
    """Run the demo of the tables."""
    Demo(SummaryTables(fake_tables())).run(mouse=False)
