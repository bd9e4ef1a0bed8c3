"""What is seen ahead is what would be: held against limits, arithmetic, and sums that must come out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples

from console.phases.load_curve import load_curve
from console.phases.lookahead import MOST_EVENTS, Sent, look_ahead
from console.phases.order import Order
from console.phases.plan import Job, Plan, Shard
from console.vocabulary.chat import Timeouts
from console.vocabulary.lane import Lane, LaneSetup, Limits, Scope, ScopedLimits

S = 1_000_000_000


def lane(deployment="a", *, key="k", workers=1, outer=(), per="lane", **limits):
    return LaneSetup(
        lane=Lane("p", "m", deployment, key),
        model_class="open",
        limits=Limits(workers=workers, **limits),
        outer=tuple(ScopedLimits(Scope(kind, name), Limits(**values)) for kind, name, values in outer),
        per=per,
    )


def job(count, lanes, *, before=(), stagger_s=0.0, delays=(), dealt=False, lease=None, turns=1.0):
    tests = tuple(str(number) for number in range(count))
    shards = tuple(
        Shard(
            lane_id=setup.lane.id,
            delay_s=delays[index] if delays else 0.0,
            tests=tests[index :: len(lanes)] if dealt else None,
        )
        for index, setup in enumerate(lanes)
    )
    return Job(
        id="j", phase="x", model="m", provider="p", difficulty="easy", group="g", rate="0.8", prompt_types=("cot",),
        tests=tests, shards=shards, before=tuple(before), stagger_s=stagger_s, lease=lease, turns=turns,
    )  # fmt: skip


def plan(jobs, lanes):
    return Plan(
        title="x", profile="x", rate_mode="fixed", seed=0, lanes=tuple(lanes), jobs=tuple(jobs),
        timeouts=Timeouts(), attempts=1,
    )  # fmt: skip


def ahead(jobs, lanes, latency_s=2.0):
    return look_ahead(plan(jobs, lanes), {setup.lane.id: round(latency_s * S) for setup in lanes})


@pytest.mark.parametrize(
    ("jobs", "lanes", "seconds"),
    [
        (lambda a: [job(10, a)], [lane(workers=4)], 6),  # three rounds of four
        (lambda a: [job(3, a)], [lane(workers=100)], 2),
        (lambda a: [job(3, a)], [lane(workers=None)], 2),
        (lambda a: [job(11, a)], [lane(workers=100, qps=5)], 4),  # the last is sent after 2 s
        (lambda a: [job(11, a)], [lane(workers=100, rpm=300)], 4),
        (lambda a: [job(10, a)], [lane(workers=5, qps=100)], pytest.approx(4.04)),
        (lambda a: [job(8, a)], [lane("a", workers=2), lane("b", workers=2)], 4),
        (lambda a: [job(8, a, dealt=True)], [lane("a", workers=1), lane("b", workers=4)], 8),
        (lambda a: [job(8, a, delays=(0, 3))], [lane("a"), lane("b")], 10),
        (lambda a: [job(2, a), job(2, a)], [lane()], 8),  # they share the worker
        (lambda a: [job(2, a), job(2, a)], [lane(per="job")], 4),
        (lambda a: [job(2, a), job(2, a, before=(0,))], [lane(per="job")], 8),
        (lambda a: [job(2, a), job(2, a, stagger_s=3)], [lane(per="job")], 7),
        (lambda a: [job(0, a), job(2, a, before=(0,))], [lane()], 4),
        (lambda a: [job(4, a)], [lane(workers=4, outer=[("key", "p/k", {"workers": 2})])], 4),
        (lambda a: [job(11, a)], [lane(workers=20, outer=[("key", "p/k", {"qps": 5})])], 4),
        (lambda a: [job(3, a, turns=3)], [lane()], 18),  # a worker plays a test from first to last turn
        (lambda a: [job(4, a, turns=3)], [lane(workers=100, qps=5)], pytest.approx(6.6)),
        (lambda a: [job(4, a, turns=2)], [lane(workers=4, outer=[("key", "p/k", {"workers": 2})])], 8),
        (lambda a: [job(4, a, turns=2.5)], [lane()], 20),
        (lambda a: [job(2, a, lease=("p/k",)), job(2, a, lease=("p/k",))], [lane()], 8),
        (
            lambda a: [job(2, a, lease=("p/k", "p/l")), job(2, a, lease=("p/k", "p/l"))],
            [lane(), lane(key="l")],
            4,
        ),
    ],
)  # fmt: skip
def test_it_takes_as_long_as_can_be_worked_out_by_hand(jobs, lanes, seconds):
    assert ahead(jobs(lanes), lanes).end_ns / S == seconds


def test_a_rate_on_a_key_is_shared_by_its_lanes_and_none_holds_it_for_later():
    slow = lane("slow", workers=50, qps=1, outer=[("key", "p/k", {"qps": 10})])
    quick = lane("quick", workers=50, outer=[("key", "p/k", {"qps": 10})])
    seen = ahead([job(20, [slow]), job(90, [quick])], [slow, quick])
    assert max(one.sent_ns for one in seen.sent["p/quick@k"]) / S == pytest.approx(10, abs=0.6)
    assert max(one.sent_ns for one in seen.sent["p/slow@k"]) / S == pytest.approx(19, abs=0.6)


def test_a_leased_key_has_one_job_and_only_its_lanes_are_open():
    lanes = [lane(key=key, workers=2) for key in "kl"]
    seen = ahead([job(4, lanes, lease=("p/k", "p/l")) for _ in range(3)], lanes)
    assert [span.key for span in seen.jobs] == ["p/k", "p/l", "p/k"]
    assert [span.lanes for span in seen.jobs] == [("p/a@k",), ("p/a@l",), ("p/a@k",)]
    assert [span.start_ns // S for span in seen.jobs] == [0, 0, 4]


def test_of_very_many_tests_several_count_as_one():
    lanes = [lane(workers=10, qps=100)]
    many = MOST_EVENTS * 5 // 2
    seen = ahead([job(many, lanes)], lanes, latency_s=0.1)
    assert seen.unit == 3
    assert seen.end_ns / S == pytest.approx(many / 100, rel=0.01)
    curve = load_curve(seen.sent["p/a@k"], seen.end_ns, seen.unit)
    assert curve.mean_requests_per_s == pytest.approx(100, rel=0.01)


def test_of_tests_with_very_many_requests_several_count_as_one_too():
    lanes = [lane(workers=10, qps=100)]
    many = MOST_EVENTS // 2
    seen = ahead([job(many, lanes, turns=5)], lanes, latency_s=0.1)
    assert seen.unit == 3
    assert seen.end_ns / S == pytest.approx(many * 5 / 100, rel=0.01)
    curve = load_curve(seen.sent["p/a@k"], seen.end_ns, seen.unit)
    assert curve.mean_requests_per_s == pytest.approx(100, rel=0.01)


LIMITS = st.fixed_dictionaries(
    {}, optional={"qps": st.integers(1, 20), "rpm": st.integers(30, 600), "workers": st.integers(1, 5)}
)


@settings(max_examples=examples(60), deadline=None)
@given(st.data())
def test_no_limit_is_passed_all_tests_are_sent_and_no_worker_idles_beside_work(data):
    gate = data.draw(LIMITS)
    lanes = [
        lane(
            name,
            workers=data.draw(st.integers(1, 6)),
            per=data.draw(st.sampled_from(["lane", "job"])),
            outer=[("key", "p/k", gate)] if gate else (),
            **{key: value for key, value in data.draw(LIMITS).items() if key != "workers"},
        )
        for name in "ab"
    ]
    jobs = [
        job(
            data.draw(st.integers(0, 12)),
            data.draw(st.sampled_from([lanes, lanes[:1], lanes[1:]])),
            before=data.draw(st.sampled_from([(), tuple(range(index))])),
            stagger_s=data.draw(st.sampled_from([0, 1.5])),
            dealt=data.draw(st.booleans()),
            turns=data.draw(st.sampled_from([1.0, 2.0, 2.6])),
        )
        for index in range(data.draw(st.integers(1, 4)))
    ]
    seen = ahead(jobs, lanes, latency_s=1.3)
    sent = {setup.lane.id: seen.sent[setup.lane.id] for setup in lanes}
    assert sum(map(len, sent.values())) == sum(round(len(one.tests) * one.turns) for one in jobs)
    for setup in lanes:
        copies = len(jobs) if setup.per == "job" else 1
        curve = load_curve(sent[setup.lane.id], max(1, seen.end_ns), 1)
        assert curve.peak_workers <= setup.limits.workers * copies
        if setup.per == "lane":
            holds_rate(sent[setup.lane.id], setup.limits)
    if gate:
        together = [one for own in sent.values() for one in own]
        holds_rate(together, Limits(**gate))
        assert load_curve(together, max(1, seen.end_ns), 1).peak_in_flight <= gate.get("workers", 10**9)
    assert seen == ahead(jobs, lanes, latency_s=1.3)


def holds_rate(sent, limits):
    rates = [rate for rate in (limits.qps, limits.rpm and limits.rpm / 60) if rate]
    times = sorted(one.sent_ns for one in sent)
    for early, late in pairwise(times):
        assert all(late - early >= S / rate - 1 for rate in rates)


def test_a_curve_has_peaks_means_and_steps_that_add_up():
    sent = [Sent(0, 1 * S, 3 * S), Sent(0, 2 * S, 4 * S), Sent(3 * S, 3 * S, 5 * S)]
    curve = load_curve(sent, 5 * S, 1)
    assert (curve.peak_in_flight, curve.peak_workers, curve.peak_requests_per_s) == (2, 2, 1)
    assert curve.in_flight == (0, 1, 2, 2, 1)
    assert curve.workers == (2, 2, 2, 2, 1)
    assert curve.requests_per_s == (0, 1, 1, 1, 0)
    assert curve.mean_in_flight == 6 / 5
    assert curve.mean_requests_per_s == 3 / 5
    long = load_curve([Sent(0, 0, 1000 * S)], 1000 * S, 1)
    assert len(long.in_flight) <= 240
    assert set(long.in_flight) == {1.0}
    assert load_curve([], 0, 1).peak_in_flight == 0


@given(
    spans=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 900), st.integers(1, 900)), max_size=30),
    end_s=st.integers(1, 1000),
)
def test_a_curve_holds_the_means_of_its_steps(spans, end_s):
    sent = [Sent(begin * S, (begin + wait) * S, (begin + wait + took) * S) for begin, wait, took in spans]
    curve = load_curve(sent, end_s * S, 1)
    for index, (in_flight, workers) in enumerate(zip(curve.in_flight, curve.workers, strict=True)):
        begin_ns, step_ns = round(index * curve.step_s * 1e9), round(curve.step_s * 1e9)

        def mean(begin, end, begin_ns=begin_ns, step_ns=step_ns):
            return max(0, min(end, begin_ns + step_ns) - max(begin, begin_ns)) / step_ns

        assert in_flight == pytest.approx(sum(mean(one.sent_ns, one.end_ns) for one in sent), abs=1e-3)
        assert workers == pytest.approx(sum(mean(one.held_ns, one.end_ns) for one in sent), abs=1e-3)


def test_many_staggered_jobs_that_end_as_others_may_start_are_looked_at_once_each(monkeypatch):
    looks = []
    startable = Order.startable

    def counted(self, *asked):
        looks.append(asked[0])
        return startable(self, *asked)

    monkeypatch.setattr(Order, "startable", counted)
    fleet = [lane(workers=5)]
    seen = ahead([job(2, fleet, stagger_s=1.0) for _ in range(100)], fleet, 1.0)
    assert seen.end_ns == 100 * S
    assert len(looks) < 500
