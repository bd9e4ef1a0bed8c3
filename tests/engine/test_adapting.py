"""Adaptive mode of lanes is switched on and off by hand while a run goes on."""

from __future__ import annotations

from collections import Counter

import anyio
import msgspec
import pytest
from engine_rig import Rig, ScriptedClient, ids, job, lane, now_ns
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples

from console.engine.jobs import TEST_ATTEMPTS
from console.vocabulary.command import Accepted, Adapt, Change, Refused, Stop, Switch, Tune
from console.vocabulary.lane import Scope
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.rows import EventRow, LimitRow

A = "p/a@key0"


def crowded(most, delay_s=1.0):
    """Return a client whose server refuses what is more than `most` at once on a lane."""
    client = ScriptedClient()

    def answer(endpoint, request, number):
        if client.in_flight[endpoint.deployment] > most:
            return 0.05, {
                "outcome": Outcome.RATE_LIMITED,
                "status": 429,
                "error": "too many concurrent requests",
            }
        return delay_s, {}

    client.answer = answer
    return client


def adaptive(setup):
    return msgspec.structs.replace(setup, adaptive=True)


def tune(**changes):
    return Tune(scopes=(Scope("lane", A),), **changes)


def at(steps):
    said = []

    async def operate(engine):
        begin = anyio.current_time()
        for at_s, command in steps:
            await anyio.sleep(begin + at_s - anyio.current_time())
            said.append(command(engine) if callable(command) else engine.steering.obey(command))

    return operate, said


def view(engine):
    return engine.look().lanes[0]


def rows_between(rig, kind, since_s, until_s):
    return [row for row in rig.journal.of(kind) if since_s * 1e9 < row.at_ns < until_s * 1e9]


def test_off_holds_what_was_found_and_on_goes_on_from_there():
    operate, said = at(
        [
            (60.1, view),
            (60.1, Adapt((A,), on=False)),
            (60.2, view),
            (119.9, view),
            (120.0, Adapt((A,), on=True)),
            (120.1, view),
            (240.0, view),
            (240.0, Stop()),
        ]
    )
    lanes = [adaptive(lane("a", workers=60, qps=90.0))]
    rig = Rig([job(ids(9000), lanes)], lanes, crowded(12), attempts=50)
    assert rig.run(operate) == "interrupted"
    before, off, held, still, on, goes_on, later, _ = said
    assert before.adaptive
    assert 8 <= before.window <= 14
    assert isinstance(off, Accepted)
    assert off.text == f"p/a@key0: adaptive off, holds {before.qps:.3g} requests/s, {before.window} in flight"
    assert not held.adaptive
    assert (held.window, held.qps, held.moved) == (before.window, before.qps, 0)
    assert (still.window, still.qps, still.in_flight) == (before.window, before.qps, before.window)
    assert (still.workers, still.profile_workers) == (60, 60)
    assert not rows_between(rig, LimitRow, 60.1, 120)
    assert on == Accepted(
        f"p/a@key0: adaptive on, from {before.qps:.3g} requests/s, {before.window} in flight"
    )
    assert goes_on.adaptive
    assert goes_on.window == before.window
    assert rows_between(rig, LimitRow, 120, 240)
    assert 8 <= later.window <= 14
    told = [(row.level, row.subject, row.text) for row in rig.journal.of(EventRow) if row.kind == "adapt"]
    assert [text.partition(",")[0] for _, _, text in told] == [
        f"adaptive mode off by hand, holds {before.qps:.3g} requests/s".partition(",")[0],
        "adaptive mode on by hand",
    ]
    assert {(level, subject) for level, subject, _ in told} == {("note", A)}


def test_a_lane_of_a_fixed_run_finds_its_limit_from_the_moment_it_is_told_to():
    operate, said = at([(20.5, Adapt((A,), on=True)), (20.6, view), (200.0, view), (200.0, Stop())])
    lanes = [lane("a", workers=40)]
    client = crowded(10)
    rig = Rig([job(ids(9000), lanes)], lanes, client, attempts=50)
    rig.run(operate)
    on, at_once, later, _ = said
    assert isinstance(on, Accepted)
    assert on.text.startswith("p/a@key0: adaptive on, from ")
    assert at_once.adaptive
    assert at_once.workers == 40
    refused = Counter(
        "before" if row.at_ns < 20.5e9 else "late" if row.at_ns > 80e9 else "between"
        for row in rig.journal.requests
        if row.outcome is Outcome.RATE_LIMITED
    )
    late = [row for row in rig.journal.requests if row.at_ns > 80e9]
    assert refused["before"] > 100
    assert refused["late"] <= 0.02 * len(late)
    assert len(late) >= 0.85 * 10 * 120
    assert 8 <= later.window <= 11
    assert rig.engine.learnt(0.0) == {}  # the plan does not leave it to be found


def test_what_is_in_flight_when_it_begins_counts_and_leaves():
    operate, said = at(
        [
            (2.5, Adapt((A,), on=True)),
            (2.5, lambda engine: engine.adapting),
            (2.6, view),
            (50, view),
            (50, Stop()),
        ]
    )
    lanes = [lane("a", workers=30)]
    rig = Rig([job(ids(2000), lanes)], lanes)
    rig.run(operate)
    assert said[2].window == 30
    assert said[2].in_flight == 30
    assert said[3].in_flight == 30
    (runtime,) = said[1]._lanes.values()
    assert runtime.found.gate.in_flight == runtime.found.controller.in_flight == 0


def test_limits_now_are_the_ceiling_and_follow_the_hand():
    operate, said = at(
        [
            (5.5, tune(workers=Change("=", 6), qps=Change("=", 4))),
            (6.5, Adapt((A,), on=True)),
            (60.0, view),
            (60.0, tune(workers=Change("=", 3), qps=Change("=", 2))),
            (60.1, view),
            (90.0, Stop()),
        ]
    )
    lanes = [lane("a", workers=30)]
    rig = Rig([job(ids(2000), lanes)], lanes)
    rig.run(operate)
    assert (said[2].window, said[2].qps) == (6, 4)
    assert (said[4].window, said[4].qps, said[4].workers) == (3, 2, 3)
    late = sorted(row.at_ns for row in rig.journal.requests if row.at_ns > 62e9)
    assert len(late) <= 2 * 28 + 1


def test_what_is_set_by_hand_while_it_is_held_is_in_force_and_steps_start_from_what_is_held():
    operate, said = at(
        [
            (60.1, Adapt((A,), on=False)),
            (60.2, view),
            (60.3, tune(workers=Change("+", 3))),
            (65.0, view),
            (65.1, tune(qps=Change("=", 5))),
            (75.0, view),
            (75.1, Adapt((A,), on=True)),
            (75.2, view),
            (76.0, Stop()),
        ]
    )
    lanes = [adaptive(lane("a", workers=60))]
    rig = Rig([job(ids(9000), lanes)], lanes, crowded(12), attempts=50)
    rig.run(operate)
    _, held, more, wider, slower, slow, _, again, _ = said
    assert more == Accepted(f"p/a@key0: workers {held.window} → {held.window + 3}")
    assert (wider.workers, wider.window) == (held.window + 3, None)
    assert wider.in_flight >= held.window - 3
    assert isinstance(slower, Accepted)
    assert (slow.qps, slow.qps_scope, slow.most_qps) == (5, "lane", 5)
    assert slow.rate == pytest.approx(5, abs=0.5)
    assert again.adaptive
    assert again.window is not None
    assert again.qps <= 5


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (Adapt(("p/b@key0",), on=True), "no lane p/b@key0 in this run: did you mean p/a@key0?"),
        (Adapt((A, "p/\x1b[2J"), on=True), "no lane p/"),
        (Adapt((A,), on=False), "nothing changes: adaptive mode is off for p/a@key0 already"),
        (Adapt((), on=True), "nothing to change: name a lane"),
    ],
)
def test_what_changes_nothing_is_refused_in_words(command, text):
    operate, said = at([(1.5, command), (1.6, view)])
    lanes = [lane("a", workers=2)]
    rig = Rig([job(ids(9), lanes)], lanes)
    assert rig.run(operate) == "finished"
    assert isinstance(said[0], Refused)
    assert text in said[0].text
    assert "\x1b" not in said[0].text
    assert not said[1].adaptive
    assert not [row for row in rig.journal.of(EventRow) if row.kind == "adapt"]


def test_many_lanes_are_one_event():
    lanes = [lane(name, workers=3) for name in "abcde"]
    operate, said = at([(1.5, Adapt(tuple(one.lane.id for one in lanes), on=True))])
    rig = Rig([job(ids(60), lanes)], lanes)
    rig.run(operate)
    assert said[0].text.endswith(" and 2 more")
    (event,) = [row for row in rig.journal.of(EventRow) if row.kind == "adapt"]
    assert event.text.startswith("adaptive mode on by hand, from ")
    assert all(f" on {one.lane.id}" in event.text for one in lanes)


names = ("p/a@key0", "p/b@key0")
figures = st.builds(Change, st.sampled_from("=+-"), st.integers(1, 9)) | st.just(Change("reset"))
scopes = st.sampled_from([Scope("lane", name) for name in names]).map(lambda scope: (scope,))
commands = st.one_of(
    st.builds(Adapt, st.sets(st.sampled_from(names), min_size=1).map(tuple), on=st.booleans()),
    st.builds(Tune, scopes=scopes, workers=st.none() | figures, qps=st.none() | figures),
    st.builds(Switch, st.just("lane"), st.sampled_from(names), on=st.booleans()),
)


@settings(max_examples=examples(20), deadline=None)
@given(
    schedule=st.lists(st.tuples(st.integers(1, 60), commands), max_size=15),
    per=st.sampled_from(["lane", "job"]),
)
def test_whatever_is_switched_no_limit_is_passed_and_no_test_is_lost(schedule, per):
    client = crowded(5, 0.7)
    complete = client.complete

    async def watched(endpoint, request, on_sent=None):
        own = rig.engine._lanes[endpoint.deployment].limits
        flying = client.in_flight.get(endpoint.deployment, 0)
        assert flying < own.most_in_flight, f"{flying + 1} in flight of {own.most_in_flight} at {now_ns()}"
        return await complete(endpoint, request, on_sent)

    client.complete = watched

    async def operate(engine):
        for gap, command in schedule:
            await anyio.sleep(gap / 10 + 0.0137)
            engine.steering.obey(command)
        for name in names:
            engine.steering.obey(Switch("lane", name, on=True))
            engine.steering.obey(
                Tune(scopes=(Scope("lane", name),), workers=Change("reset"), qps=Change("reset"))
            )

    lanes = [lane("a", workers=6, per=per), adaptive(lane("b", workers=8))]
    rig = Rig([job(ids(80), lanes)], lanes, client, attempts=30)
    assert rig.run(operate) == "finished"
    last = {row.test: row for row in rig.journal.tests}
    assert set(last) == set(ids(80))
    assert all(row.verdict is Verdict.FULL or row.attempt == TEST_ATTEMPTS for row in last.values())
    for runtime in rig.engine._lanes.values():
        assert runtime.limits.in_flight == 0
        if runtime.found is not None:
            assert runtime.found.gate.in_flight == runtime.found.controller.in_flight == 0
