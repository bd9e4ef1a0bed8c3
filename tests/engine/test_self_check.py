"""The engine tells how late it is itself: counted while it matters, written once, told without flapping."""

from __future__ import annotations

import anyio
import pytest
import trio
from engine_rig import MemoryJournal, Rig, S, ids, job, lane, now_ns
from trio.testing import MockClock

from console.engine.client_watch import BETTER_AFTER, WORSE_AFTER, ClientWatch, SteadyVerdict
from console.engine.recording import Recorder
from console.engine.self_check import RECENT_S, SelfCheck
from console.engine.valve import Valve
from console.vocabulary.client_health import ClientHealth
from console.vocabulary.rows import ClientRow, EventRow

MS = 1_000_000


def checking() -> SelfCheck:
    return SelfCheck(cpu_ns=lambda: now_ns() // 2)


def test_delays_count_only_while_a_request_is_in_flight():
    check = SelfCheck(cpu_ns=lambda: 7)
    check.turn(0)
    check.read_delay(MS)
    check.loop_lag(MS)
    check.in_flight += 1
    check.read_delay(2 * MS)
    check.loop_lag(2 * MS)
    check.turn(S)
    taken = check.take()
    assert sum(taken.read_delay.values()) == sum(taken.loop_lag.values()) == 1
    assert taken.wall_ns == S


def test_every_second_goes_into_one_row_and_the_last_ten_stay_for_the_live_figures():
    cpu = iter(range(0, 10_000, 100))
    check = SelfCheck(cpu_ns=lambda: next(cpu))
    check.in_flight = 1
    check.turn(0)
    for second in range(1, 26):
        check.read_delay(second * MS)
        check.turn(second * S)
    first = check.take()
    assert (sum(first.read_delay.values()), first.cpu_ns, first.wall_ns) == (25, 2500, 25 * S)
    assert check.take().wall_ns == 0
    recent = check.recent()
    assert (sum(recent.read_delay.values()), recent.wall_ns) == (RECENT_S, RECENT_S * S)


def heard(verdicts: str) -> str:
    """Play judgements, a letter each (u v s c), and return the letters told after each; a capital is a change."""
    names = {"u": "unknown", "v": "valid", "s": "suspect", "c": "client_bound"}
    steady = SteadyVerdict()
    told = ""
    for letter in verdicts:
        changed = steady.hear(ClientHealth(verdict=names[letter]))
        now = "-" if steady.told is None else steady.told.verdict[0]
        told += now.upper() if changed else now
    return told


def test_a_worse_verdict_is_told_once_when_it_stands_and_a_better_one_when_it_lasts():
    assert (WORSE_AFTER, BETTER_AFTER) == (2, 5)
    assert heard("vvccc") == "vvvCc"
    assert heard("uvcvcvcv") == "uvvvvvvv"
    assert heard("vsscc") == "vvSsC"
    assert heard("ccvvvvvv") == "-CccccVv"
    assert heard("ccvvvvcvv") == "-Cccccccc"
    assert heard("ccsssssvvvvv") == "-CccccSssssV"
    assert heard("ssuuuuu") == "-SssssU"


class Watched:
    """A watch on virtual time whose loop lags as told."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        recorder = Recorder(
            self.journal, now_ns=now_ns, start_ns=now_ns(), valve=Valve(), observe=lambda row: None
        )
        self.check = checking()
        self.check.in_flight = 1
        self.watch = ClientWatch(self.check, recorder, now_ns, lambda: 100.0)

    async def lag(self, seconds: int, delay_ns: int) -> None:
        """Read that late for a while."""
        for _ in range(seconds * 100):
            await anyio.sleep(0.01)
            self.check.read_delay(delay_ns)


def test_a_client_that_falls_behind_and_recovers_is_told_twice_and_written_every_ten_seconds():
    async def main() -> Watched:
        watched = Watched()
        async with anyio.create_task_group() as group:
            group.start_soon(watched.watch.run)
            await watched.lag(12, MS)
            assert watched.watch.health is not None
            assert watched.watch.health.verdict == "valid"
            await watched.lag(5, 18 * MS)
            assert watched.watch.health.verdict == "client_bound"
            await watched.lag(28, MS)
            assert watched.watch.health.verdict == "valid"
            group.cancel_scope.cancel()
        return watched

    watched = trio.run(main, clock=MockClock(autojump_threshold=0))
    events = watched.journal.of(EventRow)
    assert [(event.level, event.kind) for event in events] == [
        ("warn", "client_bound"),
        ("info", "client_bound"),
    ]
    assert events[0].text.startswith("INVALID: client-bound: stream read delay p99 18.")
    assert "quieter" in events[0].text
    rows = watched.journal.of(ClientRow)
    assert [round(row.at_ns / S) for row in rows] == [10, 20, 30, 40, 45]
    assert sum(row.measure.wall_ns for row in rows) == pytest.approx(45 * S, rel=0.01)
    assert sum(count for row in rows for count in row.measure.read_delay.values()) == 4500
    assert all(row.measure.cpu_ns / row.measure.wall_ns == pytest.approx(0.5, rel=0.01) for row in rows)


def test_an_engine_writes_what_its_self_check_found_before_its_end_and_shows_it():
    rig = Rig([job(ids(25), [lane("d", workers=1)])], [lane("d", workers=1)])
    rig.self_check = checking()
    seen: list[ClientHealth | None] = []

    async def probe(engine) -> None:
        while True:
            await anyio.sleep(0.01)
            rig.self_check.read_delay(300 * MS)
            seen.append(engine.look().health)

    rig.run(probe)
    rows = rig.journal.of(ClientRow)
    assert len(rows) == 3
    assert type(rig.journal.rows[-1]).__name__ == "RunEnded"
    assert isinstance(rig.journal.rows[-2], ClientRow)
    assert sum(sum(row.measure.schedule_delay.values()) for row in rows) == 25
    assert rig.self_check.in_flight == 0
    assert seen[0] is None
    assert any(health is not None and health.verdict == "client_bound" for health in seen)
    assert rig.last.health is None  # from here on the journal tells


def test_without_a_probe_there_is_no_row_and_no_verdict():
    rig = Rig([job(ids(3), [lane("d")])], [lane("d")])
    rig.run()
    assert rig.journal.of(ClientRow) == []
    assert rig.last.health is None


def test_the_burst_at_the_start_of_a_run_is_no_alarm():
    async def main() -> Watched:
        watched = Watched()
        async with anyio.create_task_group() as group:
            group.start_soon(watched.watch.run)
            for _ in range(4):
                watched.check.read_delay(80 * MS)
            await watched.lag(15, MS)
            group.cancel_scope.cancel()
        return watched

    watched = trio.run(main, clock=MockClock(autojump_threshold=0))
    assert watched.journal.of(EventRow) == []
