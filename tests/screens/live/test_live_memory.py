"""What the live screen remembers from look to look: what it expects, the last minutes, events, estimates, its pace."""

from __future__ import annotations

import types

import pytest
from fakes import snapshot
from msgspec.structs import replace

from console.screens.live.chronicle import Chronicle
from console.screens.live.expected import PATIENCE_LOOKS, Expected
from console.screens.live.lanes import picked
from console.screens.live.pace import INTERVALS_S, Pace, line_is_behind
from console.screens.live.recollection import KEPT_S, Recollection
from console.screens.live.switching import adapting, switching
from console.screens.live.work import Estimates, work_lines
from console.vocabulary.command import Adapt, Switch
from console.vocabulary.inspection import History, Point
from console.vocabulary.snapshot import EventView, PhaseView
from widgets.event_log import MOST_KEPT
from widgets.lane_selection import Selection

LANE = "azure/DeepSeek-V3-0324@key0"


def lane_of(shown):
    return next(lane for lane in shown.lanes if lane.lane_id == LANE)


def with_workers(shown, workers):
    lanes = tuple(replace(lane, workers=workers) if lane.lane_id == LANE else lane for lane in shown.lanes)
    return replace(shown, lanes=lanes)


def test_what_is_expected_is_shown_at_once_and_until_the_engine_shows_it():
    expected, shown = Expected(), snapshot()
    number = expected.put({LANE: {"workers": 61}})
    assert lane_of(expected.over(shown)).workers == 61
    assert expected.lanes == {LANE}
    expected.looked(shown)
    assert expected.lanes == {LANE}  # not yet answered: looks do not count
    expected.taken(number)
    expected.looked(with_workers(shown, 61))
    assert expected.over(shown) is shown


def test_what_the_engine_does_not_show_is_forgotten_after_a_few_looks_and_a_refusal_at_once():
    expected, shown = Expected(), snapshot()
    expected.taken(expected.put({LANE: {"workers": 61}}))
    for _ in range(PATIENCE_LOOKS):
        assert lane_of(expected.over(shown)).workers == 61
        expected.looked(shown)
    assert lane_of(expected.over(shown)).workers == 50
    expected.drop(expected.put({LANE: {"workers": 61}}))
    assert expected.over(shown) is shown


def test_a_later_change_counts_before_an_earlier_one():
    expected = Expected()
    expected.put({LANE: {"workers": 61}})
    expected.put({LANE: {"workers": 40}})
    assert lane_of(expected.over(snapshot())).workers == 40


def test_the_last_minutes_begin_with_what_the_engine_remembers_and_go_on_at_its_step():
    memory = Recollection()
    memory.take(History(step_s=5.0, total=(Point(440.0, 1, 2.0),)))
    assert not memory.add(snapshot(elapsed_s=441.0, requests={"ok": 5}))
    assert not memory.add(snapshot(elapsed_s=444.9, requests={"ok": 50}))
    assert memory.add(snapshot(elapsed_s=451.0, requests={"ok": 90, "timeout_idle": 20, "cancelled": 9}))
    assert [point.at_s for point in memory.total] == [440.0, 451.0]
    assert memory.total[-1].errors_per_s == pytest.approx(2.0)
    assert memory.lane(LANE)[-1].limit == 50


def test_no_more_than_ten_minutes_are_kept():
    memory = Recollection()
    for n in range(400):
        memory.add(snapshot(elapsed_s=5.0 * n))
    assert memory.total[0].at_s >= memory.total[-1].at_s - KEPT_S
    assert len(memory.total) == KEPT_S / memory.step_s + 1


def event(n):
    return EventView(at_s=float(n), level="info", subject="", text=f"event {n}")


def test_events_that_left_the_snapshot_are_kept_once_each():
    log = Chronicle()
    assert log.add(tuple(map(event, range(4)))) == 4
    assert log.add(tuple(map(event, range(2, 7)))) == 3
    assert log.add(tuple(map(event, range(2, 7)))) == 0
    assert [happened.text for happened in log.events] == [f"event {n}" for n in range(7)]
    assert log.unread == 7


def test_a_gap_between_two_looks_is_said():
    log = Chronicle()
    log.add((event(1),))
    log.add((event(8), event(9)))
    texts = [happened.text for happened in log.events]
    assert texts == ["event 1", "… more happened between two looks …", "event 8", "event 9"]
    for n in range(10, 10 + 2 * MOST_KEPT):
        log.add((event(n - 1), event(n)))
    assert len(log.events) == MOST_KEPT


def test_the_time_left_of_a_job_is_told_by_what_was_seen_of_it():
    estimates = Estimates()
    for n in range(5):
        jobs = tuple(replace(job, done=38 + 3 * n) if n >= 0 else job for job in snapshot().jobs[:1])
        estimates.add(snapshot(elapsed_s=400.0 + 10 * n, jobs=jobs))
    assert estimates.eta_s(replace(jobs[0], done=50), 440.0) == pytest.approx(170, abs=10)
    assert estimates.eta_s(replace(jobs[0], state="waiting"), 440.0) is None
    assert Estimates().eta_s(jobs[0], 440.0) is None


def test_phases_stand_above_the_jobs_that_matter_now():
    phases = tuple(
        PhaseView(id=f"5.{n}", planned=100, done=100 if n == 1 else 7, state="done" if n == 1 else "running")
        for n in (1, 2)
    )
    lines = [
        "".join(text for text, _ in line) for line in work_lines(snapshot(phases=phases), Estimates(), 5)
    ]
    assert lines[0].startswith("+ 5.1")
    assert lines[1].startswith("> 5.2")
    assert "DeepSeek-V3-0324 easy" in lines[2]
    assert lines[-1] == " jobs: 8 in all: 1 running, 7 waiting"
    assert len(lines) == 5


def test_a_capacity_level_has_no_jobs_and_says_so():
    level = snapshot(jobs=(), phases=(), planned=0)
    (line,) = work_lines(level, Estimates(), 5)
    assert "no jobs" in line[0][0]


def test_the_interval_goes_round():
    pace = Pace(1.0)
    seen = []
    for _ in range(6):
        pace.slower()
        seen.append(pace.interval_s)
    assert seen == [2.0, 5.0, *INTERVALS_S[:3], 2.0]
    assert Pace(0.1).text == "every 0.1 s"


def test_a_line_that_holds_up_pictures_is_called_slow_until_it_keeps_up_again():
    pace = Pace(1.0)
    now = 0.0
    for _ in range(6):
        pace.drew(now)
        pace.skipped()
        now += 4.0
    assert pace.text == "line slow: every 4 s"
    for _ in range(4):
        now += 1.0
        pace.drew(now)
    pace.drew(now + 1)
    assert pace.text == "every 1 s"


def test_whether_the_line_is_behind_is_asked_of_our_driver_then_of_textual_and_else_not_known():
    space = types.SimpleNamespace
    assert not line_is_behind(object())
    assert line_is_behind(space(_driver=space(line=space(busy=True))))
    assert not line_is_behind(space(_driver=space(line=space(busy=False))))
    for waiting in (0, 3):
        queue = space(qsize=lambda waiting=waiting: waiting)
        assert line_is_behind(space(_driver=space(_writer_thread=space(_queue=queue)))) == (waiting > 0)


def test_switching_off_says_what_is_broken_off_and_where_the_work_goes():
    shown = snapshot()
    change = switching(picked(shown.lanes, Selection("row", "azure", "DeepSeek-V3-0324")), shown.lanes)
    assert change.commands == (Switch("deployment", "azure/DeepSeek-V3-0324", on=False),)
    assert change.asks
    broken, where = change.question(shown.lanes)
    assert broken == "50 requests in flight end; 50 tests under way break off there and begin anew."
    assert where == "DeepSeek-V3-0324: goes on on 2 lanes."
    lone = switching(
        picked(shown.lanes[:1], Selection("cell", "azure", "DeepSeek-V3-0324", "key0")), shown.lanes[:1]
    )
    assert "its tests wait until one is" in lone.question(shown.lanes[:1])[1]


def test_a_column_is_a_key_of_each_provider_and_what_is_idle_or_off_asks_nothing():
    shown = snapshot()
    change = switching(picked(shown.lanes, Selection("column", column="key0")), shown.lanes)
    assert [command.name for command in change.commands] == ["azure/key0", "ideallab/key0"]
    back = switching(picked(shown.lanes, Selection("column", column="key2")), shown.lanes)
    assert back.on
    assert not back.asks
    assert back.commands == (Switch("key", "ideallab/key2", on=True),)
    assert "space pauses" in switching(picked(shown.lanes, Selection("all")), shown.lanes)


def test_adaptive_mode_goes_on_where_any_has_it_not():
    lanes = [replace(lane, adaptive=place == 0) for place, lane in enumerate(snapshot().lanes[:3])]
    ids = tuple(lane.lane_id for lane in lanes)
    assert adapting(picked(lanes, Selection("all"))).command == Adapt(lanes=ids[1:], on=True)
    found = [replace(lane, adaptive=True) for lane in lanes]
    assert adapting(picked(found, Selection("all"))).command == Adapt(lanes=ids, on=False)
