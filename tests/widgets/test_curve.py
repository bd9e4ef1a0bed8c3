"""Curves: where points stand, what marks mean without colour, and that only what differs is painted."""

from __future__ import annotations

import pytest
from widget_fakes import shown

from widgets.curve import Curve
from widgets.curve_lines import CurveData, CurvePoint, Series, curve_lines, scale_text, top_of
from widgets.line_paint import text_of, width_of

pytestmark = pytest.mark.anyio

LEGEND = (("pass", "passes"), ("fail", "fails"))


def data(count: int = 6, **changes: object) -> CurveData:
    ladder = (1, 10, 100, 1000, 300, 150)[:count]
    whole = tuple(CurvePoint(x, min(10.0 * x, 2_000.0), "pass" if x < 200 else "fail") for x in ladder)
    each = tuple(CurvePoint(x, min(10.0, 2_000.0 / x)) for x in ladder)
    made = CurveData(
        (Series("tok/s", whole), Series("each", each, "right", dotted=False)),
        "in flight",
        span=(150, 300),
        legend=LEGEND,
    )
    return made._replace(**changes)


def texts(made: CurveData, width: int = 64, height: int = 10, *, ascii_only: bool = False) -> list[str]:
    lines = curve_lines(made, width, height, ascii_only=ascii_only)
    assert len(lines) <= height
    assert max(map(width_of, lines)) <= width
    return [text_of(line) for line in lines]


def test_what_stands_round_the_field() -> None:
    top, *_, axis, ticks = texts(data())
    assert top.startswith("tok/s by in flight   ● passes  × fails")
    assert top.endswith("+ each")
    assert axis.index("[") < axis.index("]")
    assert ticks.split() == ["1", "10", "150", "300", "1,000"]


def test_decades_are_equally_far_apart_where_x_is_logarithmic_and_not_otherwise() -> None:
    points = tuple(CurvePoint(x, 1.0, "pass") for x in (1, 10, 100))
    made = CurveData((Series("y", points, dotted=False),), "x")
    for log_x, ratio in ((True, 1.0), (False, 0.1)):
        row = texts(made._replace(log_x=log_x))[1]
        first, second, third = (at for at, glyph in enumerate(row) if glyph == "●")
        assert (second - first) / (third - second) == pytest.approx(ratio, abs=0.06)


def test_where_points_fall_into_one_cell_the_one_that_fails_is_seen() -> None:
    for marks in (("fail", "pass"), ("pass", "fail"), ("open", "fail")):
        points = tuple(CurvePoint(5, 1.0, mark) for mark in marks)
        drawn = "".join(texts(CurveData((Series("y", points),), "x"))[1:])
        assert "×" in drawn
        assert "●" not in drawn
        assert "?" not in drawn


def test_the_answer_is_a_line_from_top_to_bottom_that_hides_no_point() -> None:
    lines = texts(data(knee=100.0))
    at = lines[2].index("┊")
    assert [line[at] for line in lines[1:-2]].count("┊") == 5
    assert sum(line.count("●") for line in lines[1:-2]) == 4


def test_ascii_has_another_shape_for_each_meaning() -> None:
    whole = "".join(texts(data(now=40.0), ascii_only=True))
    assert whole.isascii()
    assert {"O", "x", "+", "[", "]", "^"} <= set(whole)


@pytest.mark.parametrize("height", [0, 1, 3])
def test_where_there_is_no_room_nothing_breaks(height: int) -> None:
    assert len(curve_lines(data(), 64, height)) == 1
    assert text_of(curve_lines(data(0), 64, 12)[0]) == " no points yet"


def test_scales_end_not_far_above_the_highest_point() -> None:
    assert [top_of([value]) for value in (0.0, 0.9, 1.1, 47.0, 1_659.0, 9_999.0)] == [
        1,
        1,
        1.2,
        50,
        2000,
        10_000,
    ]
    assert [scale_text(value) for value in (0, 0.5, 40, 1200, 25_000, 3e6)] == [
        "0", "0.5", "40", "1,200", "25k", "3M",
    ]  # fmt: skip


async def test_one_more_point_paints_only_lines_that_differ() -> None:
    async with shown(Curve(data(3)), size=(64, 10)) as curve:
        assert curve.widget.can_focus is False
        curve.forget()
        curve.widget.show(data(3))
        await curve.pilot.pause()
        assert curve.painted == []
        curve.widget.show(data(3, now=40.0))
        await curve.pilot.pause()
        assert {region.y for region in curve.painted} <= {8, 9}
        assert curve.painted
