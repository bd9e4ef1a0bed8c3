"""Requests pass all gates of their scopes at one instant: limits hold, work is conserved, nobody starves."""

from __future__ import annotations

import itertools
import random

import anyio
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples
from trio.testing import MockClock

from console.engine.arbiter import CLAIM_AFTER, Arbiter
from console.engine.gates import Gate
from console.vocabulary.lane import Limits, Scope


def now_ns() -> int:
    return round(trio.current_time() * 1e9)


def virtual(function, *arguments):
    """Run on trio's clock, which jumps when everybody sleeps, with an arbiter."""

    async def main():
        arbiter = Arbiter(now_ns)
        async with anyio.create_task_group() as group:
            group.start_soon(arbiter.run)
            result = await function(arbiter, *arguments)
            group.cancel_scope.cancel()
        return result

    return trio.run(main, clock=MockClock(autojump_threshold=0))


class Open:
    """A door that is open, or closed as somebody says."""

    def __init__(self):
        self.open = True
        self.taken_back = 0

    def is_open(self):
        return self.open

    def let_in(self):
        return "yes"

    def take_back(self, entry):
        self.taken_back += 1


def gate(name="k", **limits):
    return Gate(Scope("key", name), Limits(**limits))


class Fleet:
    """Random gates and passages through them, and what was in flight and sent when."""

    def __init__(self, arbiter, rng):
        self.arbiter = arbiter
        self.rng = rng
        self.gates = [self._gate(number) for number in range(rng.randint(1, 5))]
        self.passages = [
            arbiter.passage(rng.sample(self.gates, rng.randint(1, len(self.gates))))
            for _ in range(rng.randint(1, 5))
        ]
        self.sent = {gate: [] for gate in self.gates}
        self.passed = 0

    def _gate(self, number):
        rng = self.rng
        self.limits = {
            "workers": rng.choice([None, rng.randint(1, 4)]),
            "qps": rng.choice([None, rng.uniform(0.5, 20)]),
            "rpm": rng.choice([None, None, rng.uniform(30, 600)]),
            "tpm": rng.choice([None, None, rng.uniform(600, 60_000)]),
        }
        made = Gate(Scope("key", str(number)), Limits(**self.limits), burst=rng.choice([0, 0, 3]))
        made.limits = Limits(**self.limits)
        return made

    async def request(self, passage):
        tokens = self.rng.uniform(1, 300)
        with anyio.move_on_after(self.rng.choice([1e6, 1e6, self.rng.uniform(0, 30)])):
            await passage.enter(self.arbiter.next_order(), tokens, Open())
            self.passed += 1
            for each in passage.gates:
                self.sent[each].append((now_ns(), tokens))
                assert each.most is None or each.in_flight <= each.most
            try:
                await anyio.sleep(self.rng.uniform(0, 2))
            finally:
                passage.leave(tokens, self.rng.choice([None, self.rng.uniform(0, 300)]))

    def nobody_waits_for_nothing(self):
        """Whoever waits is stopped by a gate of its own now."""
        for passage in self.passages:
            if passage.waiting:
                stopping, _ = passage.stops(now_ns())
                claimed = self.arbiter.claimed_against(passage)
                assert stopping or claimed, "all its gates are open, and it waits"


@given(seed=st.integers(0, 2**32))
@settings(max_examples=examples(50), deadline=None)
def test_random_fleets_hold_every_limit_lose_no_place_and_let_nobody_wait_for_nothing(seed):
    async def main(arbiter):
        rng = random.Random(seed)
        fleet = Fleet(arbiter, rng)

        async def watch():
            while True:
                fleet.nobody_waits_for_nothing()
                await anyio.sleep(rng.uniform(0.01, 0.3))

        async with anyio.create_task_group() as watching:
            watching.start_soon(watch)
            async with anyio.create_task_group() as group:
                for _ in range(rng.randint(1, 60)):
                    group.start_soon(fleet.request, rng.choice(fleet.passages))
                    if rng.random() < 0.3:
                        await anyio.sleep(rng.uniform(0, 0.5))
            watching.cancel_scope.cancel()
        for each in fleet.gates:
            assert each.in_flight == 0
            assert each.waiting == 0
            holds(each, fleet.sent[each])
        assert not any(passage.waiting for passage in fleet.passages)

    virtual(main)


def holds(each, sent):
    """Check each rate of a gate in every window that begins and ends with a request."""
    limits, burst = each.limits, each._burst
    rates = [rate for rate in (limits.qps, limits.rpm and limits.rpm / 60) if rate]
    for first, last in itertools.combinations(range(len(sent)), 2):
        window_s = (sent[last][0] - sent[first][0]) / 1e9
        for rate in rates:
            assert last - first + 1 <= rate * window_s + burst + 1 + 1e-6
        if limits.tpm:
            per_s = limits.tpm / 60
            tokens = sum(tokens for _, tokens in sent[first:last])  # the last one may be late in paying
            assert tokens <= per_s * window_s + per_s + 300 + 1e-6


def test_a_place_is_not_kept_for_somebody_who_waits_at_another_gate():
    async def main(arbiter):
        key = gate("key", workers=1)
        slow = arbiter.passage([gate("slow", qps=0.1), key])
        quick = arbiter.passage([gate("quick", qps=10), key])
        sent = []

        async def send(passage, name, seconds):
            await passage.enter(arbiter.next_order(), 0, Open())
            sent.append((name, now_ns()))
            await anyio.sleep(seconds)
            passage.leave()

        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(send, slow, "slow", 0.05)
            await anyio.sleep(0.01)
            for _ in range(20):
                group.start_soon(send, quick, "quick", 0.05)
        assert sum(1 for name, at in sent if name == "quick" and at < 2.5e9) == 20
        assert sent[-1] == ("slow", 10_000_000_000)

    virtual(main)


def test_first_come_first_served_among_those_that_all_other_gates_admit():
    async def main(arbiter):
        key = gate("key", qps=1)
        passages = {name: arbiter.passage([gate(name, workers=10), key]) for name in "abc"}
        order = []

        async def send(name, number):
            await passages[name].enter(number, 0, Open())
            order.append(number)
            passages[name].leave()

        async with anyio.create_task_group() as group:
            numbers = list(range(1, 31))
            random.Random(1).shuffle(numbers)
            for number in numbers:  # whatever the order of the tasks
                group.start_soon(send, "abc"[number % 3], number)
        # The first one to come found nobody before it; all others were there when the next turn came.
        assert order[1:] == sorted(order[1:])

    virtual(main)


@pytest.mark.parametrize("others", [8, 40])
def test_one_that_needs_two_gates_is_not_starved_by_those_who_need_one(others):
    async def main(arbiter):
        left, right = gate("left", workers=1), gate("right", workers=1)
        both = arbiter.passage([left, right])
        only = {"left": arbiter.passage([left]), "right": arbiter.passage([right])}
        stop = False
        overtaking = 0

        async def keep_busy(name, first_s):
            # Left and right are free in turn, never both, and somebody waits for each all the time.
            nonlocal overtaking
            await anyio.sleep(first_s)
            while not stop:
                await only[name].enter(arbiter.next_order(), 0, Open())
                overtaking += 1
                await anyio.sleep(1.0)
                only[name].leave()

        async with anyio.create_task_group() as group:
            for name in only:
                for number in range(others // 2):
                    group.start_soon(keep_busy, name, 0.5 * (name == "right") + 0.01 * number)
            await anyio.sleep(3)
            before = overtaking
            await both.enter(arbiter.next_order(), 0, Open())
            # Overtaken so often at each of the two gates, and then nobody more than those who are in.
            assert overtaking - before <= 2 * (CLAIM_AFTER + others)
            assert left.in_flight == right.in_flight == 1
            both.leave()
            stop = True

    virtual(main)


def test_waiting_for_ones_own_busy_lane_claims_nothing():
    async def main(arbiter):
        key = gate("key", workers=2)
        lane = arbiter.passage([gate("lane", workers=1), key])
        other = arbiter.passage([key])
        await lane.enter(arbiter.next_order(), 0, Open())  # holds the lane for a long time

        async def wait_for_lane():
            await lane.enter(arbiter.next_order(), 0, Open())
            lane.leave()

        passed = 0
        async with anyio.create_task_group() as group:
            group.start_soon(wait_for_lane)
            await anyio.sleep(0.1)
            for _ in range(100):
                with anyio.fail_after(1):
                    await other.enter(arbiter.next_order(), 0, Open())
                passed += 1
                await anyio.sleep(0.01)
                other.leave()
            lane.leave()
        assert passed == 100

    virtual(main)


def test_a_closed_door_sends_away_and_keeps_nothing():
    async def main(arbiter):
        key = gate(workers=1, qps=1)
        passage = arbiter.passage([key])
        door = Open()
        door.open = False
        assert (await passage.enter(arbiter.next_order(), 0, door))[0] == "no"
        assert key.in_flight == 0
        door.open = True
        assert (await passage.enter(arbiter.next_order(), 0, door))[0] == "yes"
        assert now_ns() == 0  # the refused one was not charged

    virtual(main)


def test_a_limit_that_is_raised_lets_those_through_who_wait():
    async def main(arbiter):
        lane = gate("lane", workers=1, qps=0.01)
        passage = arbiter.passage([lane])
        times = []

        async def send():
            await passage.enter(arbiter.next_order(), 0, Open())
            times.append(now_ns() / 1e9)

        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(send)
            await anyio.sleep(5)
            lane.retune(now_ns(), most=10, per_second=2, tokens_per_second=None)
            arbiter.look_at([lane])
        assert times == pytest.approx([0, 5.475, 5.975, 6.475])

    virtual(main)


class Elsewhere:
    """Another run that shares a rate: free at certain times only."""

    def __init__(self, free_ns):
        self.free_ns = list(free_ns)
        self.in_flight = 0

    def try_pass(self, now_ns, estimated_tokens, ahead_ns=0):
        if now_ns < self.free_ns[0]:
            return self.free_ns[0]
        self.free_ns.pop(0)
        self.in_flight += 1
        return 0

    def leave(self, now_ns, estimated_tokens, used_tokens):
        self.in_flight -= 1


def test_what_other_runs_share_is_asked_last_and_waited_for():
    async def main(arbiter):
        elsewhere = Elsewhere([0, 3_000_000_000, 3_500_000_000])
        key = gate(qps=1)
        passage = arbiter.passage([key], elsewhere)
        times = []
        for _ in range(3):
            if passage.enter_at_once(0, now_ns()) is None:
                await passage.enter(arbiter.next_order(), 0, Open())
            times.append(now_ns() / 1e9)
            passage.leave()
        assert times == [0, 3, 4]
        assert elsewhere.in_flight == 0

    virtual(main)


def test_who_waits_for_other_runs_keeps_nobody_off_the_gates_that_would_let_both_through():
    async def main(arbiter):
        elsewhere = Elsewhere([3_000_000_000])
        key, own = gate(workers=1), gate(workers=1)
        both, one, other = (
            arbiter.passage([key, own], elsewhere),
            arbiter.passage([key]),
            arbiter.passage([own]),
        )
        passed = []

        async def wait():
            await both.enter(arbiter.next_order(), 0, Open())
            passed.append(now_ns())
            both.leave()

        async def by_turns(passage):
            for _ in range(30):
                await passage.enter(arbiter.next_order(), 0, Open())
                await anyio.sleep(0.05)
                passage.leave()
                await anyio.sleep(0.001)

        async with anyio.create_task_group() as group:
            for passage in (one, other):
                group.start_soon(by_turns, passage)
                group.start_soon(by_turns, passage)
            await anyio.sleep(0.01)
            group.start_soon(wait)
        assert 3.0e9 <= passed[0] < 3.3e9
        assert now_ns() < 3.7e9  # by turns alone it takes 3.06 s

    virtual(main)


def test_what_other_runs_share_is_waited_for_also_where_this_run_has_no_gate():
    async def main(arbiter):
        elsewhere = Elsewhere([3_000_000_000])
        passage = arbiter.passage([], elsewhere)
        assert not passage.enter_at_once(0, now_ns())
        await passage.enter(arbiter.next_order(), 0, Open())
        assert now_ns() == 3_000_000_000
        passage.leave()
        assert elsewhere.in_flight == 0

    virtual(main)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_one_that_is_cancelled_as_it_passes_gives_everything_back(backend):
    async def main():
        arbiter = Arbiter(lambda: 0)
        key = gate(workers=1)
        passage = arbiter.passage([key])
        door = Open()
        await passage.enter(arbiter.next_order(), 0, door)
        scope = anyio.CancelScope()
        passed = 0

        async def wait():
            nonlocal passed
            with scope:
                await passage.enter(arbiter.next_order(), 0, door)
                passed += 1  # trio lets it go on: it holds its place, and gives it back itself
                passage.leave()

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            passage.leave()  # it passes now …
            scope.cancel()  # … and is cancelled before it runs
        assert key.in_flight == 0
        assert passed + door.taken_back == 1

    anyio.run(main, backend=backend)


def test_a_gate_reaches_its_rate_when_there_is_work():
    async def main(arbiter):
        passage = arbiter.passage([gate(qps=10)])
        for _ in range(101):
            await passage.enter(arbiter.next_order(), 0, Open())
            passage.leave()
        return now_ns()

    assert virtual(main) == pytest.approx(10e9, rel=1e-6)


def token_pace(by_estimate, used):
    async def main(arbiter):
        each = Gate(Scope("lane", "l"), Limits(tpm=6000), tokens_by_estimate=by_estimate)
        passage = arbiter.passage([each])
        for _ in range(11):
            await passage.enter(arbiter.next_order(), 1000, Open())
            passage.leave(1000, used)
        return now_ns() / 1e9

    return virtual(main)


def test_tokens_per_minute_hold_by_estimate_and_by_actual_usage():
    # Ten requests of 1,000 tokens at 100 tokens/s; the first second's worth may pass at once.
    assert token_pace(True, 500) == pytest.approx(99, abs=0.1)
    assert token_pace(False, 500) == pytest.approx(49, abs=0.1)


def test_a_server_that_sends_no_usage_or_nonsense_does_not_lift_a_token_limit():
    assert token_pace(False, None) == pytest.approx(99, abs=0.1)
    assert token_pace(False, 2.0**80) < 10 * 2_000_000 / 100 + 1000


@given(seed=st.integers(0, 2**32), tpm=st.floats(600, 60_000))
@settings(max_examples=examples(30), deadline=None)
def test_by_actual_usage_the_overshoot_is_bounded_by_the_tokens_in_flight(seed, tpm):
    rng = random.Random(seed)
    done = []  # (sent, left, estimate, used)

    async def main(arbiter):
        each = Gate(Scope("lane", "l"), Limits(tpm=tpm, workers=rng.randint(1, 8)), tokens_by_estimate=False)
        passage = arbiter.passage([each])

        async def one():
            estimate, used = rng.uniform(1, 300), rng.uniform(1, 300)
            await passage.enter(arbiter.next_order(), estimate, Open())
            sent = now_ns()
            await anyio.sleep(rng.uniform(0, 3))
            passage.leave(estimate, used)
            done.append((sent, now_ns(), estimate, used))

        async with anyio.create_task_group() as group:
            for _ in range(40):
                group.start_soon(one)

    virtual(main)
    done.sort()
    per_s = tpm / 60
    for first, last in itertools.combinations(range(len(done)), 2):
        since, until = done[first][0], done[last][0]
        used = sum(entry[3] for entry in done[first:last])  # the last one may be late in paying
        # What was in flight at the beginning may be refunded since; what is in flight at the end is not settled yet.
        in_flight = sum(
            max(entry[2], entry[3])
            for entry in done
            if entry[0] <= since <= entry[1] or entry[0] <= until <= entry[1]
        )
        assert used <= per_s * (until - since) / 1e9 + per_s + in_flight + 300 + 1e-6
