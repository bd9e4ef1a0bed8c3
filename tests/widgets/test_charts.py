"""Sparklines, the load chart and the histogram: heights, scales, figures, and their ASCII forms."""

from __future__ import annotations

import pytest
from widget_fakes import shown

from widgets.block_columns import columns_of, fitted
from widgets.histogram import Counted, Histogram, merged, trimmed
from widgets.load_chart import LoadChart, LoadRow, axis_text
from widgets.scales import round_up, tick_step_s, tick_text
from widgets.sparkline import Spark, Sparkline, Sparklines

pytestmark = pytest.mark.anyio


def test_columns_tell_nought_from_a_gap_and_stop_at_the_top() -> None:
    assert columns_of([0, None, 4, 8, 99], 8, 1, ascii_only=False) == ["▁ ▄██"]
    assert columns_of([0, None, 4, 7, 99], 7, 1, ascii_only=True) == [". =##"]
    assert columns_of([1, 8, 9, 16], 16, 2, ascii_only=False) == ["  ▁█", "▁███"]


def test_values_that_share_a_column_show_their_greatest_and_few_are_spread() -> None:
    assert fitted([1, 5, 2, None, None, None], 3) == [5, 2, None]
    assert fitted([1, 2], 4) == [1, 1, 2, 2]
    assert fitted([], 3) == [None] * 3
    assert fitted([1], 0) == []


async def test_a_sparkline_shows_the_newest_values_the_last_and_the_greatest() -> None:
    spark = Sparkline((0, 50, 100, None, 25), "req/s")
    async with shown(spark, (40, 1)) as seen:
        assert seen.lines == ["req/s" + " " * 12 + "▁▄█ ▂     25 max 100"]
        spark.show_values(())
        assert seen.lines == ["req/s" + " " * 23 + "? max ?"]


async def test_the_scale_of_a_sparkline_grows_in_steps_and_never_shrinks() -> None:
    spark = Sparkline((3,), "x")
    async with shown(spark, (40, 1)) as seen:
        spark.show_values((100, 10))
        high = seen.lines[0]
        seen.forget()
        spark.show_values((100, 10))
        assert (seen.painted, seen.whole) == ([], 0)
        spark.show_values((100, 101))
        assert high != seen.lines[0]
        spark.show_values((100, 10))
        assert "▄▁" in seen.lines[0]  # of 200


async def test_several_stand_aligned_and_the_ascii_form_is_ascii() -> None:
    sparks = [Spark("in flight", (1, 2, 3)), Spark("模型", (1000, 20_000)), Spark("none", ())]
    lines = Sparklines(sparks, lines_each=2, ascii_only=True)
    async with shown(lines, (50, 6)) as seen:
        texts = [lines.render_line(y).text for y in range(6)]
        assert "".join(texts).replace("模型", "").isascii()
        assert {lines.render_line(y).cell_length for y in range(6)} == {50}
        assert (
            len({text.rindex("max") + text.count("模") + text.count("型") for text in texts if "max" in text})
            == 1
        )
        for size in ((20, 6), (5, 6), (1, 1)):
            await seen.pilot.resize_terminal(*size)
            await seen.pilot.pause()
            assert all(len(line) <= size[0] for line in seen.lines)


async def test_load_over_time_marks_what_is_above_its_limit_by_a_glyph_and_a_figure() -> None:
    rows = [
        LoadRow("azure/key0", (0.0, 25.0, 50.0, 60.0), 50.0),
        LoadRow("lab", (None, 5.0, 5.0, 0.0)),
    ]
    chart = LoadChart(rows, 3600.0)
    async with shown(chart, (56, 4)) as seen:
        assert seen.lines == [
            ">azure/key0 ▁▁▁▁▁▁▁▁▄▄▄▄▄▄▄▄████████▲▲▲▲▲▲▲▲!peak 60/50",
            " lab                ████████████████▁▁▁▁▁▁▁▁ peak 5.0",
            "",
            "            |0              |30m",
        ]
        seen.forget()
        chart.show(list(rows), 3600.0)
        assert (seen.painted, seen.whole) == ([], 0)


async def test_a_load_chart_in_ascii_in_several_lines_and_at_any_size() -> None:
    rows = [LoadRow(f"模型-{n}", tuple(float(t) for t in range(60)), 40.0) for n in range(3)]
    chart = LoadChart(rows, 7200.0, row_height=2, ascii_only=True)
    async with shown(chart, (60, 8)) as seen:
        assert "".join(seen.lines).replace("模型", "").isascii()
        assert "!" in seen.lines[0]
        assert "|1h" in seen.lines[-1]
        for size in ((30, 5), (12, 3), (3, 2), (1, 1)):
            await seen.pilot.resize_terminal(*size)
            await seen.pilot.pause()
            assert all(chart.render_line(y).cell_length == max(0, size[0] - 1) for y in range(size[1]))
        chart.show([], 0)
        await seen.pilot.resize_terminal(40, 3)
        await seen.pilot.pause()
        assert seen.lines[0] == "no load to show"


@pytest.mark.parametrize("span_s", [1, 59, 60, 750, 3600, 5400, 86_400, 900_000])
@pytest.mark.parametrize("width", [12, 40, 130])
def test_ticks_stand_at_their_time_and_do_not_touch(span_s: float, width: int) -> None:
    text = axis_text(span_s, width)
    ticks = text.split("|")[1:]
    assert len(text) <= width
    assert ticks[0].strip() == "0"
    assert all(tick.endswith(" ") for tick in ticks[:-1])
    step = tick_step_s(span_s, max(1, width // 10))
    for number, tick in enumerate(ticks):
        assert tick.strip() == tick_text(number * step)


@pytest.mark.parametrize(
    ("value", "up"), [(0, 1), (1, 1), (1.1, 2), (3, 5), (6, 10), (0.03, 0.05), (2e6, 2e6), (float("inf"), 1)]
)
def test_scales_grow_by_one_two_five(value: float, up: float) -> None:
    assert round_up(value) == pytest.approx(up)


async def test_a_histogram_shows_bars_figures_shares_and_where_the_quantiles_lie() -> None:
    histogram = Histogram([0, 100, 200, 300, 400], [0, 30, 10, 0], {"p50": 150, "p95": 290}, text_of=str)
    async with shown(histogram, (40, 3)) as seen:
        assert seen.lines == [
            "100–200 ██████████████████ 30  75% < p50",
            "200–300 ██████             10  25% < p95",
        ]
        histogram.show([0, 100, 200, 300, 400], [0, 30, 10, 0], {"p50": 150, "p95": 290})
        assert (seen.painted, seen.whole) == ([], 0)
        histogram.show([0, 1], [0])
        assert seen.lines[0] == "nothing counted yet"
        histogram.show([], [])
        assert seen.lines[0] == "nothing counted yet"


def test_classes_are_joined_where_there_are_too_many_and_no_count_is_lost() -> None:
    counted = Counted(tuple(range(12)), (0, *range(1, 10), 0), (("p99", 10.5),))
    assert trimmed(counted).edges == tuple(range(1, 12))
    few = merged(trimmed(counted), 4)
    assert few.counts == (6, 15, 24, 0)
    assert few.edges == (1, 4, 7, 10, 11)
    assert merged(counted, 100) == counted


async def test_a_histogram_in_ascii_on_a_narrow_screen_keeps_its_figures() -> None:
    histogram = Histogram([0, 1000, 2000], [12_345, 7], ascii_only=True)
    async with shown(histogram, (24, 2)) as seen:
        assert all("".join(seen.lines).count(figure) == 1 for figure in ("12,345", "100%"))
        assert "".join(seen.lines).isascii()
