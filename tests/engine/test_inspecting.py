"""One lane in full, and what a snapshot says of its limits."""

from __future__ import annotations

import anyio
import msgspec
from engine_rig import Rig, ScriptedClient, ids, job, lane

from console.vocabulary.command import Refused
from console.vocabulary.inspection import LaneDetail
from console.vocabulary.outcome import Outcome
from console.vocabulary.snapshot import PhaseView


def looked(rig, at_s, take):
    """Run `rig`, and return what `take` returns of its engine at `at_s`."""
    seen = []

    async def look(engine):
        await anyio.sleep(at_s)
        seen.append(await take(engine))

    rig.run(look)
    return seen[0]


async def detail_of_a(engine):
    return await engine.inspect("p/a@key0")


async def snapshot(engine):
    return engine.look()


def test_a_lane_in_full_says_what_limits_it_and_what_happened_on_it():
    hostile = "too much \x1b]0;title\x07 and \u202e" + "x" * 400

    def answer(endpoint, request, number):
        if number % 10 == 9:
            return 0.1, {"outcome": Outcome.BAD_REQUEST, "status": 400, "error": hostile}
        return 0.25, {}

    key = ("key", "p/key0", {"workers": 6, "qps": 50.0})
    lanes = [lane("a", workers=3, qps=100.0, outer=[key]), lane("b", workers=3, outer=[key])]
    found = looked(Rig([job(ids(300), lanes)], lanes, ScriptedClient(answer)), 7.9, detail_of_a)
    assert isinstance(found, LaneDetail)
    own, of_key = found.gates
    assert (own.kind, own.name, own.most, own.qps) == ("lane", "p/a@key0", 3, 100)
    assert (of_key.kind, of_key.name, of_key.most, of_key.qps) == ("key", "p/key0", 6, 50)
    assert 0 < own.in_flight < of_key.in_flight <= 6
    assert not own.changed
    assert not of_key.changed
    assert found.outcomes["ok"] == found.lane.ok > 60
    assert found.outcomes["bad_request"] == found.lane.errors > 8
    assert sum(found.ttft_counts) == found.lane.ok
    assert len(found.failures) == 8
    newest = found.failures[-1]
    assert (newest.outcome, newest.status, len(newest.text)) == ("bad_request", 400, 300)
    assert "\x1b" not in newest.text
    assert "\u202e" not in newest.text
    assert newest.at_s == max(failed.at_s for failed in found.failures) < 7.9
    assert newest.test.startswith("m/optimal/")
    assert found.jobs == ("m easy optimal 0.8",)
    assert (found.changes, found.holder) == ((), "")


def test_what_adaptive_mode_found_is_a_gate_and_its_changes_are_told():
    def answer(endpoint, request, number):
        if number % 40 == 39:
            return 0.1, {"outcome": Outcome.RATE_LIMITED, "status": 429, "error": "RPM exceeded"}
        return 0.5, {}

    lanes = [msgspec.structs.replace(lane("a", workers=50, qps=30.0), adaptive=True)]
    rig = Rig([job(ids(2000), lanes)], lanes, ScriptedClient(answer), attempts=50)
    found = looked(rig, 25, detail_of_a)
    assert [gate.kind for gate in found.gates] == ["lane", "found"]
    assert (found.gates[0].most, found.gates[0].qps) == (50, 30)
    assert (found.gates[1].qps, found.gates[1].most) == (found.lane.qps, found.lane.window)
    assert found.lane.qps < 30
    assert 1 <= len(found.changes) <= 20
    assert {change.what for change in found.changes} <= {"qps", "window", "tokens"}
    assert all(change.why for change in found.changes)
    last = [change for change in found.changes if change.at_s > 15]
    assert found.lane.moved == (0 if not last else 1 if (last[-1].new or 0) > (last[-1].old or 0) else -1)
    assert found.lane.adaptive


def test_a_lane_that_is_not_there_is_refused_with_the_one_that_may_be_meant():
    async def ask(engine):
        return await engine.inspect("p/b@key0\x1b[2J")

    lanes = [lane("a")]
    refused = looked(Rig([job(ids(3), lanes)], lanes), 0.5, ask)
    assert isinstance(refused, Refused)
    assert "did you mean p/a@key0?" in refused.text
    assert "\x1b" not in refused.text


def test_the_strictest_gate_is_named_with_what_it_lets_through():
    outer = [("key", "p/key0", {"rpm": 120.0}), ("model", "m", {"qps": 5.0})]
    lanes = [lane("a", qps=1.5, outer=outer), lane("b", outer=outer), lane("c")]
    views = looked(Rig([job(ids(9), lanes)], lanes), 0.5, snapshot).lanes
    assert [(view.qps_scope, view.most_qps) for view in views] == [("lane", 1.5), ("key", 2.0), ("", None)]
    assert [(view.qps, view.profile_qps) for view in views] == [(1.5, 1.5), (None, None), (None, None)]
    assert [(view.workers, view.profile_workers) for view in views] == [(1, 1)] * 3


def test_a_lane_with_a_copy_of_its_limits_for_each_job_shows_those_of_all():
    lanes = [lane("a", workers=4, per="job", qps=2.0)]
    jobs = [job(ids(9), lanes, name="one"), job(ids(9, "n"), lanes, name="two")]
    (view,) = looked(Rig(jobs, lanes), 0.5, snapshot).lanes
    assert (view.workers, view.profile_workers, view.qps, view.profile_qps) == (8, 8, 4, 4)


def test_phases_and_the_queue_are_in_the_picture():
    lanes = [lane("a", workers=2)]
    jobs = [
        msgspec.structs.replace(job(ids(6), lanes, name="one"), phase="5.1"),
        msgspec.structs.replace(job(ids(4, "n"), lanes, name="two", before=[0]), phase="5.1"),
        msgspec.structs.replace(job(ids(5, "o"), lanes, name="three", before=[1]), phase="5.2"),
    ]
    seen = looked(Rig(jobs, lanes), 3.5, snapshot)
    assert seen.phases == (
        PhaseView(id="5.1", planned=10, done=6, state="running"),
        PhaseView(id="5.2", planned=5, done=0, state="waiting"),
    )
    assert [view.phase for view in seen.jobs] == ["5.1", "5.1", "5.2"]
    assert (seen.planned, seen.done, seen.queued) == (15, 6, 7)
