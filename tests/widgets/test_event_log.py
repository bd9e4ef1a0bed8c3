"""The event log: it follows the end until one scrolls up, filters, remembers, and tells which event is meant."""

from __future__ import annotations

import pytest
from widget_fakes import fake_events, shown

from widgets.event_log import MOST_KEPT, EventLog, LogEvent

pytestmark = pytest.mark.anyio


async def test_the_end_is_followed_until_one_goes_up_and_again_after_g() -> None:
    log = EventLog()
    log.show(fake_events(30))
    async with shown(log, (60, 6)) as seen:
        assert [line.split()[-1] for line in seen.lines] == ["25", "26", "27", "28", "29", "30"]
        await seen.press("k", "k")
        assert not log.following
        assert seen.lines[-1] == "2 newer below, G follows"
        assert seen.lines[-3].startswith(">")
        assert log.highlighted == fake_events(30)[27]
        before = seen.lines[:-1]
        log.merge(fake_events(40)[20:])
        assert seen.lines[:-1] == before
        assert seen.lines[-1] == "12 newer below, G follows"
        await seen.press("G")
        assert log.following
        assert seen.lines[-1].split()[-1] == "40"
        await seen.press("g", *["j"] * 39)
        assert log.following


async def test_events_that_come_again_are_kept_once_and_only_so_many() -> None:
    log = EventLog()
    async with shown(log, (60, 6)):
        for end in range(0, 3_000, 50):
            log.merge(fake_events(end)[-80:])
        assert len(log.events) == MOST_KEPT
        assert log.events == tuple(fake_events(2950)[-MOST_KEPT:])
        log.merge([])
        log.merge(fake_events(2950)[-80:])
        assert len(log.events) == MOST_KEPT
        log.show(fake_events(2))
        assert len(log.events) == 2


async def test_where_old_events_are_dropped_what_is_looked_at_stays_where_it_is() -> None:
    log = EventLog()
    events = fake_events(MOST_KEPT + 50)
    log.show(events[:MOST_KEPT])
    async with shown(log, (60, 6)) as seen:
        await seen.press("pageup", "pageup")
        before = seen.lines[:-1]
        log.merge(events)
        assert len(log.events) == MOST_KEPT
        assert seen.lines[:-1] == before


async def test_only_problems_and_words_are_filtered_and_said() -> None:
    log = EventLog()
    log.show(fake_events(9))
    async with shown(log, (70, 8)) as seen:
        await seen.press("e")
        assert len(log.events_shown) == 6
        assert seen.lines[-1] == "filter: errors and warnings   6 of 9 events"
        log.filter("MODEL-1 limit")
        assert [event.text for event in log.events_shown] == ["limit 1 -> 2", "limit 5 -> 6"]
        assert "errors and warnings   MODEL-1 limit   2 of 9" in seen.lines[-1]
        log.filter("nowhere")
        assert seen.lines[0].startswith("nothing matches `errors and warnings   nowhere`")
        await seen.press("j", "enter", "e")
        log.filter("")
        assert len([line for line in seen.lines if line]) == 8


async def test_enter_and_moving_tell_the_event() -> None:
    log = EventLog()
    log.show(fake_events(9))
    async with shown(log, (60, 6)) as seen:
        await seen.press("k", "enter")
        assert [told.event.at_s for told in seen.tells(EventLog.EventHighlighted)] == [21.0]
        assert [told.event.at_s for told in seen.tells(EventLog.EventChosen)] == [21.0]


async def test_a_new_event_while_one_reads_paints_only_the_line_that_says_so() -> None:
    log = EventLog()
    log.show(fake_events(30))
    async with shown(log, (60, 6)) as seen:
        await seen.press("k")
        seen.forget()
        log.merge(fake_events(31)[-20:])
        assert [region.y for region in seen.painted] == [5]
        assert seen.whole == 0


async def test_after_an_hour_times_still_stand_under_one_another() -> None:
    log = EventLog()
    log.show([LogEvent(3.0, "info", "", "early"), LogEvent(40_000.0, "error", "a", "late")])
    async with shown(log, (60, 3)) as seen:
        assert [line.index(word) for line, word in zip(seen.lines, ("early", "a  late"), strict=False)] == [
            12,
            12,
        ]
