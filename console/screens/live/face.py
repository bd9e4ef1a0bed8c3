"""The widgets of the live screen, and what each shows of a snapshot; equal lines are not painted again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget

from console.screens.filter_line import FilterLine
from console.screens.live.connection import Standing
from console.screens.live.curves import curve_line, curve_lines
from console.screens.live.detail_pane import DetailPane
from console.screens.live.figures import figure_lines, headline
from console.screens.live.grid_values import grid_data
from console.screens.live.lane_text import selection_line
from console.screens.live.lanes import Picked, Place
from console.screens.live.recollection import Recollection
from console.screens.live.work import Estimates, progress_line, work_lines
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import LaneView, Snapshot
from widgets.event_log import EventLog, LogEvent
from widgets.lane_grid import LaneGrid
from widgets.lane_values import GridData
from widgets.paragraphs import Paragraph, Paragraphs
from widgets.text_lines import TextLines, plain

Below = Literal["events", "jobs", "none"]
"""What stands below the grid where there is not room for all."""
CURVE_ROWS: Final = 2
MOST_EXTRA: Final = 12
"""Lines that events and jobs get at most of those that the grid leaves: each new event paints all of its log."""
NOTICE_ROOM: Final = 3
"""Lines kept for notices, so that one that comes or goes moves nothing else."""
NO_RUN: Final = " no run is watched"
CONNECTING: Final = " connecting to the run"


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a run now."""

    snapshot: Snapshot
    standing: Standing
    lanes: tuple[LaneView, ...]
    """Those that the filter leaves."""
    follow: Place | None
    pace: str
    frozen: bool
    pinned: bool
    """Whether the cursor stays where a key was used."""
    recollection: Recollection
    estimates: Estimates
    events: Sequence[LogEvent]
    unread: int
    pending: frozenset[str]
    """Lanes whose change is under way."""


class Face:
    """From the headline to the events."""

    def __init__(self, *, ascii_only: bool) -> None:
        """Make the widgets."""
        self._ascii_only = ascii_only
        self.headline = TextLines((plain(NO_RUN, "muted"),), id="headline")
        self.figures = TextLines(((),), id="figures")
        self.notice = Paragraphs(id="notice")
        self.curves = TextLines(((),), id="curves")
        self.grid = LaneGrid(id="grid", ascii_only=ascii_only)
        self.detail = DetailPane(id="detail", ascii_only=ascii_only)
        self.filter = FilterLine(id="filter")
        self.lane = TextLines(((),), id="lane")
        self.progress = TextLines(((),), id="progress")
        self.jobs = TextLines(((),), id="jobs")
        self.events = EventLog(id="events", ascii_only=ascii_only)
        self.middle = Container(self.grid, self.detail, id="middle")
        self.below = Container(Container(self.progress, self.jobs, id="work"), self.events, id="below")
        self._events_shown: Sequence[LogEvent] = ()
        self._heights: dict[Widget, int] = {}

    def compose(self) -> ComposeResult:
        """Lay them out."""
        yield self.headline
        yield self.figures
        yield self.notice
        yield self.curves
        yield self.middle
        yield self.filter
        yield self.lane
        yield self.below

    def share_room(self, *, beside: bool, keep: bool) -> bool:
        """Give lines that the grid leaves empty to events and jobs; return whether that changed anything.

        Args:
            beside: whether jobs stand beside the events, and not over them.
            keep: whether what stands beside the grid needs them.
        """
        if not self.below.size.height or not self.grid.display:
            return False
        parts: list[Widget] = [part for part in (self.events, self.jobs) if part.display]
        least = {part: int(part.styles.base.height.value) for part in parts if part.styles.base.height}
        at_least = max(least.values()) if beside else sum(least.values()) + self.progress.size.height
        room = self.middle.size.height + self.below.size.height + self.notice.size.height
        extra = min(MOST_EXTRA, room - at_least - self.grid.lines_wanted - NOTICE_ROOM)
        shares = _shares(0 if keep else max(0, extra), len(least), beside=beside)
        heights = {part: lines + share for (part, lines), share in zip(least.items(), shares, strict=True)}
        if heights == self._heights:
            return False
        self._heights = heights
        for part, height in heights.items():
            part.styles.height = height
        return True

    def begin(self, words: str) -> None:
        """Show that there is no picture yet, and nothing of the run before."""
        self.headline.show_lines((plain(words, "muted"),))
        for part in (self.figures, self.curves, self.lane, self.progress, self.jobs):
            part.show_lines([() for _ in part.lines])
        self.grid.show(GridData())
        self.events.show(())

    def show_gone(self, run_id: str) -> None:
        """Show that the engine is gone, where nothing else was ever seen of the run."""
        self.headline.show_lines((((" ENGINE GONE ", "bad"), (f"  {safe_line(run_id, 100)}", "muted")),))

    def show(self, shown: Shown, notice: Sequence[Paragraph]) -> None:
        """Show a run as it is now."""
        snapshot, width = shown.snapshot, self.headline.size.width
        head = headline(
            snapshot,
            width,
            standing=shown.standing,
            pace=shown.pace,
            frozen=shown.frozen,
            pinned=shown.pinned,
        )
        self.headline.show_lines((head,))
        self.figures.show_lines(figure_lines(snapshot, width, max(1, self.figures.size.height)))
        self._show_curves(shown.recollection, notice)
        self.grid.show(grid_data(shown.lanes, shown.pending), shown.follow)
        self._show_work(shown)
        if shown.events is not self._events_shown:
            self._events_shown = shown.events
            self.events.show(shown.events)

    def show_notice(self, notice: Sequence[Paragraph]) -> None:
        """Show what must be known now."""
        self.notice.show(notice)

    def show_lane(self, chosen: Picked | None, pending: Iterable[str]) -> None:
        """Show what is known of the selection."""
        line = () if chosen is None else selection_line(chosen, pending, ascii_only=self._ascii_only)
        self.lane.show_lines((line,))

    def _show_curves(self, recollection: Recollection, notice: Sequence[Paragraph]) -> None:
        """Show the last minutes in their own lines, or in the line of notices while there is none."""
        points, step_s, width = recollection.total, recollection.step_s, self.headline.size.width
        if self.curves.display:
            self.curves.show_lines(
                curve_lines(points, step_s, width, CURVE_ROWS, ascii_only=self._ascii_only)
            )
        if notice or self.curves.display or not points:
            self.notice.show(notice)
        else:
            line = curve_line(points, step_s, width, ascii_only=self._ascii_only)
            self.notice.show([Paragraph(line)])

    def _show_work(self, shown: Shown) -> None:
        snapshot, width = shown.snapshot, self.progress.size.width
        line = progress_line(snapshot, width, shown.unread, ascii_only=self._ascii_only)
        self.progress.show_lines((line,))
        room = self.jobs.size.height
        lines = work_lines(snapshot, shown.estimates, room, ascii_only=self._ascii_only)
        self.jobs.show_lines([*lines, *(() for _ in range(room - len(lines)))])


def _shares(extra: int, parts: int, *, beside: bool) -> list[int]:
    """Return how many of the extra lines each part gets."""
    if beside or parts < 2:
        return [extra] * parts
    return [extra - extra // 2, extra // 2]
