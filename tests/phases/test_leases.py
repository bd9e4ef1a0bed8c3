"""Keys are lent first come, first served, to no more holders than the rule says, and none lies idle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.phases.order import Order
from console.vocabulary.lane import LeaseRule

KEYS = ("p/a", "p/b", "p/c")


def order_with(wants, *, rules=None, models=None, stagger=0):
    return Order([frozenset()] * len(wants), [stagger] * len(wants), wants, models=models, rules=rules)


def start_all(order, now=0):
    """Start what may start; return job → key."""
    started = {}
    while (job := order.startable(now)) is not None:
        started[job] = order.start(job, now)
    return started


def test_every_job_gets_the_key_it_prefers_while_it_is_free_and_the_next_one_when_it_is_not():
    order = order_with([("p/a", "p/b"), ("p/a", "p/b"), ("p/a", "p/b")])
    assert start_all(order) == {0: "p/a", 1: "p/b"}
    assert order.leases() == {0: "p/a", 1: "p/b"}
    assert order.waits_for_key(2)
    assert order.next_start_ns() is None
    with pytest.raises(ValueError, match="finds no key"):
        order.start(2, 0)
    order.finish(1)
    assert start_all(order) == {2: "p/b"}
    assert order.holders("p/b") == (2,)


def test_a_job_that_finds_no_key_holds_up_nobody_behind_it():
    order = order_with([("p/a",), ("p/a",), ("p/b",), None])
    assert start_all(order) == {0: "p/a", 2: "p/b", 3: None}
    assert not order.waits_for_key(3)


def test_a_freed_key_goes_to_the_job_that_was_ready_first_not_to_the_one_that_stands_first():
    # Job 2 is ready from the beginning, job 1 only when job 0 is done.
    order = Order([frozenset(), frozenset({0}), frozenset()], [0, 0, 0], [("p/a",), ("p/a", "p/b"), ("p/a",)])
    assert start_all(order) == {0: "p/a"}
    order.finish(0)
    assert start_all(order) == {2: "p/a", 1: "p/b"}


def test_a_key_lent_to_a_model_is_shared_by_its_jobs_and_by_nobody_else():
    rule = {key: LeaseRule("model", 1) for key in KEYS}
    order = order_with([KEYS[:2]] * 4, rules=rule, models=["m", "n", "m", "o"])
    assert start_all(order) == {0: "p/a", 1: "p/b", 2: "p/a"}
    order.finish(0)
    assert order.waits_for_key(3), "job 2 of the same model still holds it"
    order.finish(2)
    assert start_all(order) == {3: "p/a"}


def test_a_key_may_have_several_holders():
    order = order_with([("p/a",)] * 3, rules={"p/a": LeaseRule("job", 2)})
    assert start_all(order) == {0: "p/a", 1: "p/a"}
    assert order.holders("p/a") == (0, 1)


def test_a_stagger_holds_between_starts_also_of_jobs_that_waited_for_a_key():
    order = order_with([("p/a",), ("p/a",), ("p/b",)], stagger=15)
    assert start_all(order, 0) == {0: "p/a"}
    assert order.next_start_ns() == 15, "of job 2: for job 1 there is no key"
    assert start_all(order, 15) == {2: "p/b"}
    order.finish(0)
    assert order.next_start_ns() == 30
    assert start_all(order, 29) == {}
    assert start_all(order, 30) == {1: "p/a"}


def test_what_is_not_lendable_beyond_this_run_is_not_lent():
    order = order_with([KEYS, KEYS])
    assert order.startable(0, lambda key: key == "p/c") == 0
    assert order.start(0, 0, lambda key: key == "p/c") == "p/c"
    assert order.startable(0, lambda key: key == "p/c") is None
    assert order.next_start_ns(lambda key: key == "p/c") is None
    assert order.startable(0) == 1


def test_a_job_whose_key_is_taken_out_gets_the_next_free_one_before_all_that_wait():
    order = order_with([("p/a", "p/b"), ("p/b", "p/a"), ("p/b", "p/a")])
    assert start_all(order) == {0: "p/a", 1: "p/b"}
    assert order.key_off("p/a") == (0,)
    assert order.key_of(0) is None
    assert order.waits_for_key(0)
    assert order.relendable() is None
    order.finish(1)
    assert order.startable(0) is None, "job 0 comes first"
    assert order.relendable() == 0
    assert order.relend(0) == "p/b"
    assert order.startable(0) is None
    order.key_on("p/a")
    assert start_all(order) == {2: "p/a"}
    with pytest.raises(ValueError, match="did not lose"):
        order.relend(0)


def test_a_job_whose_keys_are_all_off_is_told_and_can_be_given_up():
    order = Order([frozenset(), frozenset(), frozenset({1})], [0, 0, 0], [("p/a",), ("p/a",), None])
    assert start_all(order) == {0: "p/a"}
    assert order.stranded() == ()
    order.key_off("p/a")
    assert order.stranded() == (0, 1)
    order.finish(0)
    order.finish(1)
    assert order.stranded() == ()
    assert start_all(order) == {2: None}
    order.finish(2)
    assert order.finished


JOBS = st.integers(1, 10).flatmap(
    lambda count: st.tuples(
        *(
            st.tuples(
                st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True).map(tuple) | st.none(),
                st.sampled_from("mno"),
                st.sets(st.integers(0, max(0, index - 1)), max_size=2 if index else 0),
                st.integers(0, 12),
                st.integers(1, 20),
            )
            for index in range(count)
        )
    )
)
RULES = st.fixed_dictionaries(
    {key: st.builds(LeaseRule, st.sampled_from(["job", "model"]), st.integers(1, 3)) for key in KEYS}
)
EVENTS = st.lists(st.tuples(st.integers(0, 80), st.sampled_from(KEYS), st.booleans()), max_size=6)


class Replay:
    """Starts and ends jobs as an engine would, and checks what holds at every instant."""

    def __init__(self, jobs, rules, events):
        self.wants, self.models, before, stagger, self.durations = zip(*jobs, strict=True)
        self.rules = rules
        self.order = Order(
            list(map(frozenset, before)),
            list(stagger),
            list(self.wants),
            models=list(self.models),
            rules=rules,
        )
        self.before, self.events = before, sorted(events)
        self.off, self.now, self.ends, self.log = set(), 0, {}, []
        self.done = set()

    def run(self):
        for _ in range(1000):
            self.settle()
            if self.order.finished:
                return self.log
            self.step()
        raise AssertionError("it does not end")

    def settle(self):
        order = self.order
        while stranded := order.stranded():
            for job in stranded:
                assert set(self.wants[job]) <= self.off
                self.end(job)
        while (job := order.relendable()) is not None:
            self.log.append((self.now, job, order.relend(job)))
        while (job := order.startable(self.now)) is not None:
            assert self.before[job] <= self.done
            self.log.append((self.now, job, order.start(job, self.now)))
            self.ends[job] = self.now + self.durations[job]
        self.check()

    def end(self, job):
        self.order.finish(job)
        self.ends.pop(job, None)
        self.done.add(job)

    def check(self):
        order = self.order
        for key in KEYS:
            holders = order.holders(key)
            assert not holders or key not in self.off
            names = [self.models[job] for job in holders] if self.rules[key].to == "model" else list(holders)
            assert len(set(names)) <= self.rules[key].holders
        for job in range(len(self.wants)):
            if self.wants[job] is not None and order.waits_for_key(job):
                for key in self.wants[job]:  # work is conserved: none of its keys has room
                    names = {
                        self.models[one] if self.rules[key].to == "model" else one
                        for one in order.holders(key)
                    }
                    assert key in self.off or len(names) >= self.rules[key].holders

    def step(self):
        times = [*self.ends.values(), *(time for time, _, _ in self.events)]
        if (planned := self.order.next_start_ns()) is not None:
            times.append(planned)
        self.now = min(time for time in times if time > self.now or time in self.ends.values())
        while self.events and self.events[0][0] <= self.now:
            _, key, on = self.events.pop(0)
            (self.off.discard if on else self.off.add)(key)
            (self.order.key_on if on else self.order.key_off)(key)
        for job in [job for job, end in self.ends.items() if end <= self.now]:
            if self.wants[job] is not None and self.order.key_of(job) is None:
                self.ends[job] = self.now + 1  # it waits for another key
                continue
            self.end(job)


@given(JOBS, RULES, EVENTS)
def test_keys_never_have_too_many_holders_none_is_idle_while_wanted_and_every_job_ends(jobs, rules, events):
    events = [event for event in events if event[0] > 0]
    log = Replay(jobs, rules, events).run()
    assert log == Replay(jobs, rules, events).run(), "the same every time"


@given(
    st.lists(
        st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True).map(tuple),
        min_size=1,
        max_size=10,
    ),
    st.lists(st.integers(1, 20), min_size=10, max_size=10),
)
def test_a_key_goes_to_the_first_that_waits_for_it(wants, durations):
    """With one holder a key and no stagger, nobody gets a key that one who waited longer could have had."""
    order = order_with(wants)
    now, ends, waiting = 0, {}, list(range(len(wants)))
    while not order.finished:
        for job, key in start_all(order, now).items():
            assert all(key not in wants[other] for other in waiting[: waiting.index(job)])
            waiting.remove(job)
            ends[job] = now + durations[job]
        now = min(ends.values())
        for job in [job for job, end in ends.items() if end == now]:
            order.finish(job)
            del ends[job]
    assert waiting == []
