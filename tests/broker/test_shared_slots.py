"""Slots in flight over all runs never exceed the limit, come back from the dead, and are shared fairly."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import pytest
from broker_player import NAME, playing
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from seeds import examples

from console.broker.place import Place
from console.broker.share import Share
from console.broker.shared_slots import SharedSlots

MS = 1_000_000
LIMIT = 5
RUNS = 3
RUN = st.integers(0, RUNS - 1)


class Clock:
    def __init__(self) -> None:
        self.now_ns = 1_000_000 * MS

    def __call__(self) -> int:
        return self.now_ns


class SlotsMachine(RuleBasedStateMachine):
    """Runs that take, give, wait and die, against what each of them holds."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.place = Place(Path(self.folder.name) / "share")
        self.clock = Clock()
        self.shares = [Share(self.place, self.clock) for _ in range(RUNS)]
        self.slots = [share.slots(NAME, LIMIT) for share in self.shares]
        self.held = [0] * RUNS
        self.asked_ns = [-(10**12)] * RUNS
        self.somebody_died_ns = -(10**12)

    def teardown(self) -> None:
        for share in self.shares:
            share.close()
        self.folder.cleanup()

    @rule(gap_ms=st.sampled_from([1, 50, 150, 400]))
    def time_goes_on(self, gap_ms: int) -> None:
        self.clock.now_ns += gap_ms * MS

    @rule(run=RUN, n=st.sampled_from([1, 1, 1, 2]))
    def take(self, run: int, n: int) -> None:
        others_wait = any(
            self.clock.now_ns - asked_ns <= 300 * MS
            for other, asked_ns in enumerate(self.asked_ns)
            if other != run
        )
        fits = sum(self.held) + n <= LIMIT
        taken = self.slots[run].take(n)
        if taken:
            assert fits
            self.held[run] += n
            self.asked_ns[run] = -(10**12)
        else:
            assert not fits or others_wait or self.somebody_died_ns + 100 * MS > self.clock.now_ns
            self.asked_ns[run] = self.clock.now_ns

    @rule(run=RUN)
    def give(self, run: int) -> None:
        if self.held[run]:
            self.slots[run].give()
            self.held[run] -= 1

    @rule(run=RUN)
    def withdraw(self, run: int) -> None:
        self.slots[run].withdraw()
        self.asked_ns[run] = -(10**12)

    @rule(run=RUN)
    def die_and_begin_again(self, run: int) -> None:
        os.close(self.shares[run]._claimant._fd)  # as the kernel does: the lock goes, nothing is given back
        self.shares[run]._claimant._fd = -1
        self.shares[run] = Share(self.place, self.clock)
        self.slots[run] = self.shares[run].slots(NAME, LIMIT)
        self.held[run] = 0
        # What it wanted is wanted until it is stale; its row is swept when somebody is refused.
        self.somebody_died_ns = self.clock.now_ns

    @invariant()
    def no_more_than_the_limit(self) -> None:
        assert sum(self.held) <= LIMIT
        assert [slots.mine for slots in self.slots] == self.held


TestSlotsMachine = SlotsMachine.TestCase
TestSlotsMachine.settings = settings(max_examples=examples(40), stateful_step_count=40, deadline=None)


def two_runs(place: Place, clock: Clock, *limits: int | None) -> list[SharedSlots]:
    return [Share(place, clock).slots(NAME, limit) for limit in limits]


def test_what_all_hold_is_seen_by_all(place):
    one, two = two_runs(place, Clock(), 5, 5)
    assert one.take(3)
    assert two.take(2)
    assert not one.take()
    assert one.in_use() == two.in_use() == 5
    assert two.holders() == {os.getpid(): 5}
    with pytest.raises(ValueError, match="given back"):
        two.give(3)


def test_a_busy_run_leaves_slots_to_one_that_begins_later_until_both_have_the_same(place):
    clock = Clock()
    busy, late = two_runs(place, clock, 4, 4)
    while busy.take():
        pass
    for _ in range(8):
        assert not late.take() or late.mine <= 2
        busy.give()
        busy.take()
        late.take()
        clock.now_ns += MS
    assert (busy.mine, late.mine) == (2, 2)


def test_with_one_slot_two_runs_take_turns(place):
    clock = Clock()
    runs = two_runs(place, clock, 1, 1)
    taken = []
    for _ in range(10):
        for number, slots in enumerate(runs):
            if slots.mine:
                slots.give()
            if slots.take():
                taken.append(number)
        clock.now_ns += MS
    assert abs(taken.count(0) - taken.count(1)) <= 1


def test_a_slot_is_not_left_free_for_who_no_longer_asks(place):
    clock = Clock()
    one, two = two_runs(place, clock, 1, 1)
    assert one.take()
    assert not two.take()
    one.give()
    clock.now_ns += MS
    assert not one.take(), "the other was first"
    clock.now_ns += 301 * MS
    assert one.take()
    one.give()
    assert two.take()
    two.give()
    assert one.take()
    assert not two.take()
    one.give()
    clock.now_ns += MS
    two.withdraw()
    assert one.take()


def test_a_run_with_a_low_limit_is_let_in_by_one_with_a_high_one(place):
    clock = Clock()
    high, low = two_runs(place, clock, 10, 3)
    while high.take():
        pass
    for _ in range(30):
        if high.mine:
            high.give()
            high.take()
        low.take()
        clock.now_ns += MS
    assert low.mine >= 1
    assert low.in_use() <= 3 or low.mine >= high.mine


def test_who_has_no_limit_never_waits_and_is_counted(place):
    free, bound = two_runs(place, Clock(), None, 2)
    assert free.take(7)
    assert not bound.take()
    free.give(6)
    assert bound.take()


def test_a_lowered_limit_preempts_nobody(place):
    (one,) = two_runs(place, Clock(), 3)
    assert one.take(3)
    one.set_limit(1)
    one.give(2)
    assert not one.take()
    one.give()
    assert one.take()


def test_slots_of_the_stopped_stay_taken_and_those_of_the_killed_come_back(place):
    clock = Clock()
    (mine,) = two_runs(place, clock, 4)
    with playing(place, "hold_slots", 3, 4) as other:
        assert mine.take()
        os.kill(other.pid, signal.SIGSTOP)
        clock.now_ns += 3_600_000 * MS
        assert not mine.take(), "its requests are in flight"
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
    clock.now_ns += 100 * MS
    assert mine.take(3)
    assert len([path for path in place.folder.iterdir() if path.name.startswith("alive-")]) == 1


def test_a_spoilt_table_holds_again_what_each_holds_with_its_next_step(place):
    clock = Clock()
    one, two = two_runs(place, clock, 5, 5)
    assert one.take(2)
    assert two.take(2)
    (path,) = place.folder.glob("slots-*")
    with path.open("r+b") as file:
        file.write(b"\xff" * path.stat().st_size)
    assert one.take()
    one.give()
    assert two.take()
    assert one.in_use() == 5
    assert not one.take()


def test_the_table_takes_many_runs_and_says_no_to_one_more(place):
    share = Share(place, Clock())
    many = [share.slots(NAME, 1000) for _ in range(256)]
    assert [slots.take() for slots in many] == [True] * 255 + [False]
    many[0].close()
    assert many[-1].take()
    share.close()
