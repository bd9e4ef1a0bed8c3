"""What tests of widgets share: an app that holds one, what it tells and paints, and made-up figures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from widgets.event_log import LogEvent
from widgets.phase_progress import Count, JobLine, Progress
from widgets.summary_table import SummaryTable


class Holder(App[None]):
    """Holds one widget over the whole screen."""

    def __init__(self, held: Widget) -> None:
        super().__init__()
        self.held = held

    def compose(self) -> ComposeResult:
        yield self.held


class Shown:
    """A widget on the screen: its text, what it told, and what it was asked to paint."""

    def __init__(self, widget: Widget, pilot: Pilot[None]) -> None:
        self.widget = widget
        self.pilot = pilot
        self.told: list[Any] = []
        self.painted: list[Region] = []
        self.whole = 0

    @property
    def lines(self) -> list[str]:
        """The text of its lines."""
        return [self.widget.render_line(y).text.rstrip() for y in range(self.widget.size.height)]

    async def press(self, *keys: str) -> None:
        """Press keys, and wait until what they caused is over."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def tells(self, kind: type[Message]) -> list[Any]:
        """Return what it told of one kind."""
        return [message for message in self.told if isinstance(message, kind)]

    def forget(self) -> None:
        """Forget what was told and painted."""
        self.told.clear()
        self.painted.clear()
        self.whole = 0


@asynccontextmanager
async def shown(widget: Widget, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Shown]:
    """Show a widget and watch it."""
    seen: list[Message] = []

    def hook(message: Message) -> None:
        if not any(message is other for other in seen):  # each pump that it passes tells it again
            seen.append(message)
            found.told.append(message)

    app = Holder(widget)
    found = Shown(widget, None)  # type: ignore[arg-type]
    refresh = widget.refresh

    def counting(*regions: Region, **options: Any) -> Widget:
        if regions:
            found.painted += regions
        elif options.get("repaint", True):
            found.whole += 1
        return refresh(*regions, **options)

    async with app.run_test(size=size, message_hook=hook) as pilot:
        found.pilot = pilot
        await pilot.pause()
        widget.refresh = counting  # type: ignore[method-assign]
        widget.focus()
        await pilot.pause()
        found.forget()
        yield found


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
    titles = (
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
    columns = ("model", *titles)
    rows = tuple((f"model-{n}", *(str(n * column) for column in range(1, 12))) for n in range(12))
    return [
        SummaryTable("by model (SIMULATED)", columns, rows, ("p99 needs 100 requests",)),
        SummaryTable("by key", columns[:4], ()),
    ]
