"""A snapshot turned into lines: figures that fit, curves, the selection, everything about a lane, filters."""

from __future__ import annotations

from fakes import QWEN, snapshot
from fakes.live import detail, history
from msgspec.structs import replace

from console.screens.live.curves import binned, curve_line, curve_lines, curve_rows
from console.screens.live.detail import detail_paragraphs
from console.screens.live.figures import figure_lines, headline
from console.screens.live.lane_text import copied_text, selection_line
from console.screens.live.lanes import changed_by_hand, filtered, picked, state_word
from console.vocabulary.inspection import Point
from widgets.lane_selection import Selection


def text_of(line) -> str:
    return "".join(run[0] for run in line)


def test_all_figures_fit_two_lines_of_80_and_one_of_160():
    busy = snapshot(requests={"ok": 1_912_345, "rate_limited": 14_321, "timeout_idle": 2, "connection": 7})
    for width, lines in ((80, 2), (160, 1)):
        drawn = [text_of(line) for line in figure_lines(busy, width, lines)]
        assert all(len(line) <= width for line in drawn)
        for name in (
            "in flight",
            "req/s",
            "tok/s",
            "TTFT p50",
            "p95",
            "ok",
            "429",
            "timeout",
            "err",
            "queued",
            "waiting",
        ):
            assert f" {name} " in " ".join(drawn), name
    (low,) = figure_lines(busy, 60, 1)
    assert "in flight" in text_of(low)


def test_the_headline_keeps_the_pace_of_looks_at_its_end():
    for width in (60, 80, 160):
        text = text_of(headline(snapshot(), width, pace="line slow: every 4 s", frozen=True))
        assert text.endswith(" line slow: every 4 s ")
        assert len(text) <= max(width, 72)
        assert " FROZEN " in text


def test_curves_are_as_wide_as_they_may_be_and_the_newest_stands_at_the_right():
    past = history(snapshot()).total
    for width in (60, 80, 160):
        names, *rows = curve_lines(past, 5.0, width, 2)
        assert len(text_of(names)) <= width
        assert all(len(text_of(row)) <= width for row in rows)
        assert "req/s" in text_of(names)
        assert len(text_of(curve_line(past, 5.0, width))) <= width
    assert curve_rows([0, 1, 8], 5, 1) == ["  ▁▁█"]
    assert curve_rows([16, 8], 3, 2) == [" █ ", " ██"]
    assert curve_rows([4, 8], 3, 1, ascii_only=True)[0].isascii()
    assert curve_rows([0, 0], 3, 1) == [" ▁▁"]  # nothing happened, and that is known


def points(values, begin=0):
    return [Point(5.0 * (begin + n), rate=value) for n, value in enumerate(values)]


def rates(values, width, begin=0):
    return binned(points(values, begin), lambda point: point.rate, width, 5.0)


def test_a_short_burst_is_not_lost_where_a_place_stands_for_several_points():
    drawn = rates([0.0] * 90 + [5.0] + [0.0] * 30, 20)
    assert max(drawn) == 5.0
    assert len(drawn) <= 20


def test_a_curve_moves_by_whole_places_and_only_the_last_one_changes():
    values = [float(n * 7 % 11) for n in range(200)]
    for now in range(60, 200):
        before, after = rates(values[:now], 20), rates(values[: now + 1], 20)
        assert after[:-1] in (before[:-1], before, before[1:])


def test_a_time_in_which_nobody_looked_is_as_long_as_any_other():
    seen = [*points([1.0]), *points([3.0], begin=40)]
    assert binned(seen, lambda point: point.rate, 120, 5.0) == [1.0] * 40 + [3.0]


def test_the_selection_tells_what_limits_a_lane_and_what_somebody_changed():
    lane = replace(
        snapshot().lanes[0], workers=40, adaptive=True, window=12, moved=-1, qps_scope="key", most_qps=11.0,
        waiting=3, holder="job 5.1",
    )  # fmt: skip
    chosen = picked([lane], Selection("cell", "azure", "DeepSeek-V3-0324", "key0"))
    text = text_of(selection_line(chosen))
    for part in (
        "held 50/40 (profile 50)",
        "adaptive 12↓",
        "req/s 12/11 by key",
        "waiting 3",
        "leased by job 5.1",
    ):
        assert part in text
    assert "changing…" in text_of(selection_line(chosen, {lane.lane_id}))
    assert "12v" in text_of(selection_line(chosen, ascii_only=True))


def test_a_row_is_told_by_its_sums():
    text = text_of(selection_line(picked(snapshot().lanes, Selection("row", "ideallab", QWEN[1]))))
    assert " qwen2.5-32b-instruct, 3 lanes " in text
    assert "in flight 2/4" in text
    assert "off 1" in text
    assert "429 14" in text


def test_who_switched_a_lane_off_makes_a_difference():
    lane = snapshot().lanes[0]
    assert state_word(replace(lane, state="off", note="switched off by hand")) == "off by hand"
    assert state_word(replace(lane, state="off", note="401: invalid key")) == "quarantined"
    assert not changed_by_hand(lane)
    assert changed_by_hand(replace(lane, workers=49))
    assert not changed_by_hand(replace(lane, qps=3.0, adaptive=True))


def test_a_filter_takes_names_and_states_and_leaves_out():
    lanes = snapshot().lanes
    assert {lane.model for lane in filtered(lanes, "72B")} == {QWEN[0]}
    assert {lane.state for lane in filtered(lanes, "throttled ideallab")} == {"throttled"}
    assert all(lane.provider == "azure" for lane in filtered(lanes, "!ideallab"))
    assert len(filtered(lanes, "")) == len(lanes)
    assert filtered(lanes, "nothing like it") == ()


def test_everything_about_a_lane_is_told():
    shown = snapshot()
    whole = detail(shown, shown.lanes[0].lane_id)
    text = "\n".join(text_of(part.line) for part in detail_paragraphs(whole, 58))
    for part in (
        "at limit", "azure · DeepSeek-V3-0324", "lane       50/50", "key        50/150", "3 waiting  key0",
        "429 14", "timeout idle 2", "<400ms", "more", "workers 50 → 40  by hand", "429  Requests rate limit",
        "sequential/17", "DeepSeek-V3-0324 easy baseline 0",
    ):  # fmt: skip
        assert part in text, part
    assert text.index("by hand") < text.index("429 that names concurrency")  # newest first


def test_a_selection_is_copied_a_line_a_lane():
    text = copied_text(picked(snapshot().lanes, Selection("row", "ideallab", QWEN[4])))
    assert len(text.splitlines()) == 3
    assert "ideallab/qwen2.5-3b-instruct@key0 (qwen2.5-3b-instruct) · parked: 401: key quarantined" in text


def test_hostile_names_are_made_safe_everywhere():
    evil = "\x1b]0;owned\x07[red]\x1b[31mX\u202e"
    lane = replace(snapshot().lanes[0], deployment=evil, key=evil, note=evil, holder=evil, model=evil)
    chosen = picked([lane], Selection("all"))
    whole = replace(detail(snapshot(), snapshot().lanes[0].lane_id), lane=lane, holder=evil, jobs=(evil,))
    texts = [
        text_of(selection_line(replace_kind(chosen, "cell"))),
        copied_text(chosen),
        *(text_of(part.line) for part in detail_paragraphs(whole, 58)),
    ]
    assert not any(sign in text for text in texts for sign in ("\x1b", "\x07", "\u202e"))


def replace_kind(chosen, kind):
    import dataclasses

    return dataclasses.replace(chosen, kind=kind)
