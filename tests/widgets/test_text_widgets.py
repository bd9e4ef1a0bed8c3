"""Progress, events and tables: what they show, and that equal values paint nothing."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.widget import Widget
from widget_fakes import fake_events, fake_progress, fake_tables

from widgets.durations import clock_text
from widgets.event_log import EventLog, LogEvent
from widgets.line_paint import Line, cut_line, text_of
from widgets.paragraphs import Paragraph, broken
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


def test_a_cut_line_ends_in_a_mark_unless_only_blanks_were_cut() -> None:
    line: Line = (("ok 4,", "good"), ("439 中文", "warn"))
    assert cut_line(line, 13) == line
    assert cut_line(line, 8) == (("ok 4,", "good"), ("43", "warn"), ("~", "warn"))
    assert text_of(cut_line(line, 12)) == "ok 4,439 中~"
    assert text_of(cut_line(line, 11)) == "ok 4,439  ~"
    assert cut_line((("ready", ""), ("    ", "cursor")), 7) == (("ready", ""), ("  ", "cursor"))
    assert cut_line(line, 0) == (("", "good"), ("", "good"))


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


async def test_tables_move_by_whole_columns_and_keep_two_spaces_after_the_first() -> None:
    tables = SummaryTables(fake_tables())
    async with Holder(tables).run_test(size=(50, 40)) as pilot:
        await pilot.pause()
        for _ in range(12):
            text = lines(tables)
            for row in text[2:14]:
                assert row.startswith("model-")
                name = row.split()[0]
                number = int(name.removeprefix("model-"))
                assert row[len("model-11") : len("model-11") + 2] == "  "
                for cell in row[len("model-11") :].split():
                    column, rest = divmod(int(cell), number) if number else (1, 0)
                    assert rest == 0  # no figure is cut
                    assert 1 <= column <= 11
            await pilot.press("right")
        assert lines(tables)[1].split()[0] == "model"
        assert lines(tables)[1].startswith("model   < ")


async def test_a_table_that_fits_stays_where_it_is_when_a_wider_one_is_moved() -> None:
    tables = SummaryTables(fake_tables())
    async with Holder(tables).run_test(size=(50, 40)) as pilot:
        await pilot.pause()
        before = [line for line in lines(tables) if line.startswith("model  tests")]
        await pilot.press("right", "right")
        assert [line for line in lines(tables) if line.startswith("model  tests")] == before != []


async def test_the_first_column_gives_way_so_that_the_second_is_in_sight() -> None:
    rows = tuple((f"qwen2.5-{size}b-instruct", "6") for size in (72, 32, 7))
    tables = SummaryTables([SummaryTable("", ("model", "workers"), rows, ("a note " * 6,))])
    async with Holder(tables).run_test(size=(24, 10)) as pilot:
        await pilot.pause()
        text = lines(tables)
        assert text[0].split() == ["model", "workers"]
        assert [line.split() for line in text[1:4]] == [
            ["qwen2.5-72b~", "6"],
            ["qwen2.5-32b~", "6"],
            ["qwen2.5-7b~", "6"],
        ]
        assert " ".join(" ".join(text[4:]).split()) == ("a note " * 6).strip()


@pytest.mark.parametrize("width", [80, 40, 20, 12, 7, 3])
def test_a_paragraph_loses_no_word_and_no_line_is_too_wide(width: int) -> None:
    whole = Paragraph((("Enter  ", "accent"), ("detach: leave/the/run/alone, and come back", "")), 7)
    made = ["".join(text for text, _ in line) for line in broken(whole, width)]
    assert all(len(line) <= width for line in made)
    assert "".join("".join(made).split()) == "Enterdetach:leave/the/run/alone,andcomeback"
