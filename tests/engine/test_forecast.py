"""When a run will end, from what its tests took so far."""

from __future__ import annotations

import msgspec
import pytest
from engine_rig import S, ids, job, lane

from console.engine.forecast import Durations, Outlook, eta_s
from console.phases.plan import Plan
from console.vocabulary.chat import Timeouts

KEYS = ("p/key0", "p/key1")


def plan(*jobs):
    return Plan(
        title="x",
        profile="t",
        rate_mode="fixed",
        seed=0,
        lanes=(),
        jobs=jobs,
        timeouts=Timeouts(),
        attempts=1,
    )


def durations(seconds=2):
    found = Durations()
    for _ in range(5):
        found.add("any", "p", seconds * S)
    return found


def jobs(count, tests=10, **more):
    return [job(ids(tests), [lane("a")], name=f"job-{number}", **more) for number in range(count)]


def leased(count, tests=10):
    return [msgspec.structs.replace(each, lease=KEYS) for each in jobs(count, tests)]


def test_jobs_side_by_side_and_one_after_another():
    side, after = jobs(1), job(ids(10), [lane("a")], name="after", before=(0,))
    assert eta_s(plan(*side, after), [Outlook(4, 2), Outlook(0, 5)], durations()) == pytest.approx(6 + 4)
    assert eta_s(plan(*jobs(2)), [Outlook(4, 2), Outlook(0, 5)], durations()) == pytest.approx(6)


def test_a_job_begins_when_its_stagger_is_over():
    three = plan(*jobs(3, stagger_s=15))
    ran_at_once = [Outlook(10, 2, started_s=-20), Outlook(4, 2, started_s=-5), Outlook(0, 2)]
    # The third one begins 15 s after the second, 10 s from now, and takes 10 s.
    assert eta_s(three, ran_at_once, durations()) == pytest.approx(20)
    none_yet = [Outlook(0, 2, started_s=0), Outlook(0, 2), Outlook(0, 2)]
    assert eta_s(three, none_yet, durations()) == pytest.approx(40)
    long_ago = [Outlook(10, 2, started_s=-60), Outlook(10, 2, started_s=-40), Outlook(0, 2)]
    assert eta_s(three, long_ago, durations()) == pytest.approx(10)


def test_a_job_after_others_counts_its_stagger_from_those_beside_it_only():
    first, beside = jobs(2)[0], job(ids(10), [lane("a")], name="b", before=(0,), stagger_s=15)
    last = job(ids(10), [lane("a")], name="c", before=(0,), stagger_s=15)
    outlooks = [Outlook(5, 1, started_s=-10), Outlook(0, 1), Outlook(0, 1)]
    # 10 s, then the second at once, and the third 15 s after that; each takes 20 s.
    assert eta_s(plan(first, beside, last), outlooks, durations()) == pytest.approx(10 + 15 + 20)


def test_jobs_that_lease_keys_take_turns_on_them():
    five = plan(*leased(5))
    outlooks = [
        Outlook(5, 1, "p/key0"),
        Outlook(0, 1, "p/key1"),
        *[Outlook(0, 0, None, {"p/key0": 1, "p/key1": 1})] * 3,
    ]
    # key0: 10 s left, then two of 20 s; key1: 20 s, then one of 20 s.
    assert eta_s(five, outlooks, durations()) == pytest.approx(50)


def test_nothing_is_told_where_a_job_finds_no_lane_that_works():
    assert eta_s(plan(*leased(1)), [Outlook(0, 0)], durations()) is None
    assert eta_s(plan(*jobs(1)), [Outlook(0, 0)], durations()) is None
    assert eta_s(plan(*jobs(1)), [Outlook(0, 1)], Durations()) is None


def test_what_is_done_takes_no_time():
    assert eta_s(plan(*leased(1)), [Outlook(10, 0)], durations()) == 0
