"""Progress, events and tables: what they show, and that equal values paint nothing."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.widget import Widget

from widgets.demo import fake_events, fake_progress, fake_tables
from widgets.durations import clock_text
from widgets.event_log import EventLog, LogEvent
from widgets.phase_progress import JobLine, PhaseProgress, Progress, job_lines
from widgets.summary_table import SummaryTable, SummaryTables

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Holder(App[None]):
    def __init__(self, held: Widget) -> None:
        super().__init__()
        self.held = held

    def compose(self) -> ComposeResult:
        yield self.held


def lines(widget: Widget) -> list[str]:
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]


async def test_progress_shows_figures_at_any_width_and_fills_its_line() -> None:
    for width in (40, 80, 160):
        progress = PhaseProgress(fake_progress(20))
        async with Holder(progress).run_test(size=(width, 10)) as pilot:
            await pilot.pause()
            first = lines(progress)[0]
            assert len(first) == width
            assert first.endswith("260/800 tests  32%")
            progress.show(Progress())
            assert "0/0 tests    ?" in lines(progress)[0]


async def test_running_jobs_come_first_and_the_rest_is_counted() -> None:
    jobs = tuple(
        JobLine(f"job {n}", "done" if n < 4 else "running" if n == 4 else "waiting", n, 9) for n in range(9)
    )
    text = ["".join(run for run, _ in line) for line in job_lines(jobs, 3)]
    assert text[0].startswith(">    4/9")
    assert text[-1] == "jobs: 9 in all: 1 running, 4 waiting, 4 done"
    assert len(text) == 3
    assert job_lines((), 3) == ()


async def test_the_log_shows_the_last_events_that_fit_newest_last() -> None:
    log = EventLog()
    async with Holder(log).run_test(size=(60, 4)) as pilot:
        await pilot.pause()
        assert lines(log)[0] == "no events yet"
        log.show(fake_events(9))
        assert [line.split()[-1] for line in lines(log)] == ["6", "7", "8", "9"]
        await pilot.resize_terminal(60, 2)
        await pilot.pause()
        assert [line.split()[-1] for line in lines(log)] == ["8", "9"]


async def test_text_is_never_read_as_markup_and_wide_characters_keep_the_line_in_bounds() -> None:
    log = EventLog()
    async with Holder(log).run_test(size=(30, 3)) as pilot:
        await pilot.pause()
        log.show([LogEvent(1.0, "warn", "[b]x[/b]", "[red]" + "模型" * 20)])
        strip = log.render_line(0)
        assert "[b]x[/b]  [red]" in strip.text
        assert strip.cell_length == 30


async def test_equal_lines_paint_nothing_and_one_new_line_paints_one() -> None:
    painted: list[Region] = []

    class Counting(EventLog):
        def refresh(
            self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
        ):
            painted.extend(regions or [Region(0, 0, 999, 999)])
            return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    log = Counting()
    async with Holder(log).run_test(size=(60, 3)) as pilot:
        log.show(fake_events(3))
        await pilot.pause()
        painted.clear()
        log.show(fake_events(3))
        assert painted == []
        log.show([*fake_events(2), LogEvent(9.0, "info", "", "new")])
        assert [region.y for region in painted] == [2]


async def test_tables_keep_their_first_column_when_moved_sideways() -> None:
    tables = SummaryTables(fake_tables())
    async with Holder(tables).run_test(size=(50, 12)) as pilot:
        await pilot.pause()
        assert lines(tables)[1].startswith("model")
        assert lines(tables)[1].endswith(">")
        for _ in range(20):
            await pilot.press("right")
        assert lines(tables)[1].startswith("model")
        assert lines(tables)[1].endswith("p99")
        assert lines(tables)[2].startswith("model-0")
        await pilot.press("G")
        await pilot.pause()
        assert any("nothing to show" in line for line in lines(tables))
        tables.show([SummaryTable("small", ("a", "b"), (("1", "2"),))])
        assert lines(tables)[:3] == ["small", "a  b", "1  2"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(7, "0:07"), (751, "12:31"), (11109, "3:05:09"), (-3, "0:00"), (None, "?")]
)
def test_a_span_is_written_as_a_clock_and_an_unknown_one_as_a_question_mark(
    seconds: float | None, text: str
) -> None:
    assert clock_text(seconds) == text
