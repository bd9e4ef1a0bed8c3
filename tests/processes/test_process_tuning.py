"""Limits of a run on several processes are changed by hand: dealt out exactly, known to those that come later."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import anyio
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from part_rig import Client, events, guard, ids, job, lane, terminal

from console.engine.load import Level
from console.processes.deal import moved, scope_shares
from console.processes.level_run import LevelOnProcesses
from console.processes.plan_run import PlanRun
from console.records.read_journal import read_rows
from console.vocabulary.chat import ChatRequest, Timeouts
from console.vocabulary.command import Accepted, Adapt, Change, Refused, Tune
from console.vocabulary.lane import Scope
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import LimitRow, RequestRow

A, B = Scope("lane", "p/a@key0"), Scope("lane", "p/b@key0")
KEY = Scope("key", "p/key0")


def put(*scopes, workers=None, qps=None):
    def change(value):
        if value is None:
            return None
        if isinstance(value, tuple):
            return Change(*value)
        return Change("=", None if value == "none" else value)

    return Tune(scopes=scopes, workers=change(workers), qps=change(qps))


def at(*steps):
    """Return what gives commands at times, and what was said, filled as they are given."""
    said = []

    async def operate(rig):
        begin = anyio.current_time()
        for at_s, command in steps:
            await anyio.sleep(begin + at_s - anyio.current_time())
            said.append(command(rig) if callable(command) else rig.coordinator.steering.obey(command))

    return operate, said


def play(rig, jobs, *beside, processes=2):
    return rig.run(lambda seat: PlanRun(seat, rig.plan(jobs), processes), guard, *beside)


def flying(rig, at_s, name="p/a@key0"):
    rows = [row for row in read_rows(rig.run_dir) if isinstance(row, RequestRow) and row.lane.id == name]
    return sum(row.at_ns <= at_s * 1e9 < row.at_ns + row.total_ns for row in rows)


def view(rig, index=0):
    return rig.coordinator.look().lanes[index]


def test_a_figure_is_dealt_out_so_that_the_parts_add_up_to_it(make_rig):
    lanes = [lane("a", workers=6)]
    operate, said = at(
        (5.5, put(A, workers=3)),
        (9.9, view),
        (10.5, put(A, workers=21)),
        (14.9, view),
        (15.5, put(A, workers=("-", 2))),
        (18.5, put(A, workers=("reset",))),
        (22.9, view),
    )
    rig = make_rig(lanes)
    assert play(rig, [job(ids(400), lanes)], operate) == "finished"
    assert [one.text for one in said if isinstance(one, Accepted)] == [
        "p/a@key0: workers 6 → 3",
        "p/a@key0: workers 3 → 21",
        "p/a@key0: workers 21 → 19",
        "p/a@key0: workers 19 → 6",
    ]
    low, high, again = (one for one in said if not isinstance(one, Accepted))
    assert [(one.workers, one.profile_workers) for one in (low, high, again)] == [(3, 6), (21, 6), (6, 6)]
    assert [flying(rig, at_s) for at_s in (5.4, 9.8, 14.8, 18.4, 22.8)] == [6, 3, 21, 19, 6]
    assert terminal(rig) == Counter(ids(400))
    assert [row.text for row in events(rig, "tune")] == [
        "workers 6 → 3, by hand",
        "workers 3 → 21, by hand",
        "workers 21 → 19, by hand",
        "workers 19 → 6, by hand",
    ]


@given(
    workers=st.integers(1, 10_000),
    of_parts=st.lists(
        st.lists(st.integers(1, 99) | st.none(), min_size=1, max_size=3), min_size=1, max_size=8
    ),
)
def test_parts_of_a_scope_add_up_to_its_figure(workers, of_parts):
    parts = [[lane("a", workers=count) for count in counts] for counts in of_parts]
    workers = max(workers, len(parts))
    dealt = scope_shares(workers, parts)
    assert sum(dealt) == workers
    assert min(dealt) >= 1
    assert scope_shares(None, parts) == [None] * len(parts)


@given(
    parts=st.lists(st.integers(1, 500), min_size=1, max_size=9),
    totals=st.lists(st.integers(1, 5000), min_size=1),
)
def test_parts_that_move_add_up_and_all_move_the_same_way(parts, totals):
    for total in totals:
        total = max(total, len(parts))
        after = moved(parts, total)
        assert sum(after) == total
        assert min(after) >= 1
        steps = [new - old for new, old in zip(after, parts, strict=True)]
        assert all(step >= 0 for step in steps) or all(step <= 0 for step in steps)
        parts = after


def test_a_gate_on_a_scope_is_made_in_every_process_that_has_lanes_of_it(make_rig):
    lanes = [lane("a", workers=6), lane("b", workers=6), lane("c", workers=6, key="key1")]
    seen = []

    async def inspect(rig):
        await anyio.sleep(9)
        seen.append(await rig.coordinator.inspect("p/a@key0"))

    operate, said = at((5.5, put(KEY, workers=5)), (12.5, put(KEY, workers="none")))
    rig = make_rig(lanes)
    assert play(rig, [job(ids(500), lanes)], operate, inspect) == "finished"
    assert said == [
        Accepted("key p/key0: workers none → 5"),
        Accepted("key p/key0: workers 5 → none"),
    ]

    def of_key(at_s):
        return flying(rig, at_s) + flying(rig, at_s, "p/b@key0")

    assert (of_key(5.4), of_key(7.5), of_key(16.2)) == (12, 5, 12)
    assert max(of_key(6.7 + step / 3) for step in range(17)) == 5
    assert flying(rig, 8, "p/c@key1") == 6
    assert terminal(rig) == Counter(ids(500))
    (detail,) = seen
    of_scope = detail.gates[-1]
    assert (of_scope.kind, of_scope.name, of_scope.most, of_scope.profile_most) == ("key", "p/key0", 5, None)
    assert of_scope.changed
    assert of_scope.in_flight <= 5
    (change,) = detail.changes
    assert (change.what, change.old, change.new, change.why) == ("workers", None, 5, "by hand, key p/key0")


def test_a_rate_stays_whole_on_the_process_of_its_lane(make_rig):
    lanes = [lane("a", workers=9, qps=20.0), lane("b", workers=1)]
    operate, said = at((5.5, put(A, qps=2)), (15.4, view), (15.5, put(B, qps=("reset",), workers=3)))
    rig = make_rig(lanes)
    assert play(rig, [job(ids(150), lanes)], operate) == "finished"
    assert [one.text for one in (said[0], said[2])] == ["p/a@key0: qps 20 → 2", "p/b@key0: workers 1 → 3"]
    assert (said[1].qps, said[1].profile_qps, said[1].qps_scope) == (2, 20, "lane")
    rows = [
        row for row in read_rows(rig.run_dir) if isinstance(row, RequestRow) and row.lane.deployment == "a"
    ]
    slow = sorted(row.at_ns for row in rows if row.at_ns > 5.6e9)
    assert min(later - sooner for sooner, later in pairwise(slow)) >= 0.5e9 - 1000


def test_what_is_set_before_the_processes_have_started_holds(make_rig):
    lanes = [lane("a", workers=8), lane("b", workers=1)]
    operate, said = at((0.0, put(A, workers=4)), (0.0, Adapt(("p/b@key0",), on=True)), (5.0, view))
    rig = make_rig(lanes)
    assert play(rig, [job(ids(90), lanes)], operate) == "finished"
    assert said[0] == Accepted("p/a@key0: workers 8 → 4")
    assert said[2].workers == 4
    assert max(flying(rig, step / 4) for step in range(40)) == 4


def test_what_cannot_be_exact_over_processes_is_refused_in_words(make_rig):
    lanes = [lane("a", workers=6), lane("b", workers=6)]
    operate, said = at(
        (2.0, put(A, workers=1)),
        (2.0, put(A, workers=("-", 99))),
        (2.0, put(A, qps=3)),
        (2.0, put(KEY, qps=3)),
        (2.0, put(Scope("lane", "p/x@key0"), qps=3)),
        (2.0, Adapt(("p/a@key0",), on=True)),
        (2.0, Adapt(("p/a@key0",), on=False)),
        (2.0, Adapt(("p/zzz",), on=False)),
    )
    rig = make_rig(lanes)
    assert play(rig, [job(ids(60), lanes)], operate) == "finished"
    texts = [one.text for one in said]
    assert [isinstance(one, Refused) for one in said] == [True, False, True, True, True, True, True, True]
    assert texts[0] == "p/a@key0 is spread over 2 engine processes: give it 2 workers at least"
    assert texts[1] == "p/a@key0: workers 6 → 2"
    assert "p/a@key0 is spread over 2 engine processes, and a rate is kept exactly by one only" in texts[2]
    assert "key p/key0 is spread over 2 engine processes" in texts[3]
    assert "did you mean p/" in texts[4]
    assert "p/a@key0 is spread over 2 engine processes, which cannot find one limit together" in texts[5]
    assert texts[6] == "nothing changes: adaptive mode is off for p/a@key0 already"
    assert "no lane p/zzz in this run" in texts[7]


def test_a_process_that_takes_the_place_of_another_is_told_the_limits_of_now(make_rig):
    lanes = [lane("a", workers=8), lane("b", workers=1, qps=9.0)]
    operate, said = at(
        (3.5, put(A, workers=4)),
        (3.6, put(B, qps=1, workers=2)),
        (6.0, lambda rig: [process.kill() for process in rig.alive]),
        (14.9, view),
        (14.9, lambda rig: view(rig, 1)),
    )
    rig = make_rig(lanes)
    assert play(rig, [job(ids(120), lanes)], operate) == "finished"
    assert terminal(rig) == Counter(ids(120))
    a, b = said[3:]
    assert (a.workers, a.profile_workers, b.workers, b.qps) == (4, 8, 2, 1)
    assert max(flying(rig, 7 + step / 4) for step in range(60)) == 4
    rows = [
        row for row in read_rows(rig.run_dir) if isinstance(row, RequestRow) and row.lane.deployment == "b"
    ]
    late = sorted(row.at_ns for row in rows if row.at_ns > 7e9)
    assert min(later - sooner for sooner, later in pairwise(late)) >= 1e9 - 1000


def test_the_figure_of_the_whole_goes_to_those_that_live(make_rig):
    lanes = [lane("a", workers=8)]
    alone = []

    async def operate(rig):
        await anyio.sleep(3.5)
        rig.alive[0].kill()
        for _ in range(3):
            await anyio.sleep(3)
            rig.alive[-1].kill()  # who took its place, until nobody does any more
        await anyio.sleep(3)
        alone.append(len(rig.alive))
        assert rig.coordinator.steering.obey(put(A, workers=("+", 2))) == Accepted("p/a@key0: workers 8 → 10")
        alone.append(rig.now_s)

    rig = make_rig(lanes)
    assert play(rig, [job(ids(300), lanes)], operate) == "finished"
    assert terminal(rig) == Counter(ids(300))
    assert alone[0] == 1
    assert (flying(rig, alone[1] - 0.1), flying(rig, alone[1] + 2)) == (4, 10)


def crowded(most):
    def answer(endpoint, number):
        if client.live[endpoint.deployment] > most:
            return 0.05, {
                "outcome": Outcome.RATE_LIMITED,
                "status": 429,
                "error": "too many concurrent requests",
            }
        return 1.0, {}

    client = Client(answer)
    return client


def test_adaptive_mode_is_switched_in_the_process_that_has_the_lane(make_rig):
    lanes = [msgspec.structs.replace(lane("a", workers=30, qps=90.0), adaptive=True), lane("b", workers=1)]
    b = "p/b@key0"
    operate, said = at(
        (40.0, Adapt(("p/a@key0",), on=False)),
        (42.0, view),
        (60.0, view),
        (60.0, put(A, workers=("+", 1))),
        (60.0, put(A, workers=("+", 1))),
        (62.0, view),
        (62.0, Adapt(("p/a@key0", b), on=True)),
        (65.0, view),
        (65.0, lambda rig: view(rig, 1)),
    )
    rig = make_rig(lanes, crowded(8))
    plan = [job(ids(700), lanes)]
    rig.run(lambda seat: PlanRun(seat, rig.plan(plan, attempts=60), 2), guard, operate)
    off, held, still, one, two, wider, on, again, other = said
    assert off == Accepted("p/a@key0: adaptive off, holds the limits of now")
    assert not held.adaptive
    assert held.window
    assert (still.window, still.qps) == (held.window, held.qps)
    assert not [
        row for row in read_rows(rig.run_dir) if isinstance(row, LimitRow) and 40.5e9 < row.at_ns < 62e9
    ]
    assert one == Accepted(f"p/a@key0: workers {held.window} → {held.window + 1}")
    assert two == Accepted(f"p/a@key0: workers {held.window + 1} → {held.window + 2}")
    assert (wider.workers, wider.window) == (held.window + 2, None)
    assert isinstance(on, Accepted)
    assert again.adaptive
    assert other.adaptive
    assert len(events(rig, "adapt")) == 2


@pytest.mark.parametrize("command", [put(A, workers=3), Adapt(("p/a@key0",), on=True)])
def test_a_level_keeps_its_limits_and_says_why(make_rig, command):
    lanes = [lane("a", workers=6)]
    requests = [ChatRequest(messages=({"role": "user", "content": f"prompt {n}"},)) for n in range(30)]
    operate, said = at((1.5, command))
    rig = make_rig(lanes)

    def make(seat):
        asked = Level(max_concurrency=6, request_rate=None)
        return LevelOnProcesses(seat, asked, requests, rig.lanes, processes=2, timeouts=Timeouts(), seed=0)

    assert rig.run(make, guard, operate) == "finished"
    assert isinstance(said[0], Refused)
    assert "a capacity level measures one load" in said[0].text
