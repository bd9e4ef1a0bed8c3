"""Keys and deployments are switched off and on by hand while a run goes on."""

from __future__ import annotations

from collections import Counter

import anyio
import pytest
from engine_rig import Rig, ScriptedClient, ids, job, lane, now_ns

from console.vocabulary.command import Accepted, Drain, Pause, Refused, Resume, Switch
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.rows import EventRow


def full(rig):
    return Counter(row.test for row in rig.journal.tests if row.verdict is Verdict.FULL)


def switched(rig):
    return [(row.kind, row.subject) for row in rig.journal.of(EventRow) if row.kind.startswith("lane_o")]


def test_a_key_that_is_switched_off_sends_nothing_until_it_is_switched_on_again():
    async def operate(engine):
        await anyio.sleep(5.5)
        said = engine.steering.obey(Switch("key", "p/key1", on=False))
        assert isinstance(said, Accepted)
        assert "2 lanes" in said.text
        await anyio.sleep(10)
        assert {view.state for view in engine.look().lanes if view.key == "key1"} == {"off"}
        assert isinstance(engine.steering.obey(Switch("key", "p/key1", on=True)), Accepted)

    lanes = [lane("a", key="key0"), lane("a", key="key1"), lane("b", key="key1")]
    rig = Rig([job(ids(60), lanes)], lanes)
    assert rig.run(operate) == "finished"
    assert full(rig) == Counter(ids(60))
    by_key = [at / 1e9 for at, name in rig.client.sent if name.endswith("@key1")]
    assert not [at for at in by_key if 5.5 < at < 15.5]
    assert [at for at in by_key if at < 5.5]
    assert [at for at in by_key if at > 15.5]
    assert switched(rig) == [
        ("lane_off", "p/a@key1"),
        ("lane_off", "p/b@key1"),
        ("lane_on", "p/a@key1"),
        ("lane_on", "p/b@key1"),
    ]


@pytest.mark.parametrize("dealt", [False, True])
def test_a_job_without_a_lane_waits_for_the_one_that_was_switched_off_by_hand(dealt):
    async def operate(engine):
        await anyio.sleep(3.5)
        engine.steering.obey(Switch("deployment", "p/a", on=False))
        await anyio.sleep(100)
        assert engine.look().in_flight == 0
        engine.steering.obey(Switch("deployment", "p/a", on=True))

    lanes = [lane("a", workers=2)]
    rig = Rig([job(ids(20), lanes, dealt=dealt)], lanes)
    assert rig.run(operate) == "finished"
    assert full(rig) == Counter(ids(20))
    assert rig.ended_s > 100


def test_a_run_without_a_lane_can_still_be_drained():
    async def operate(engine):
        await anyio.sleep(3.5)
        engine.steering.obey(Switch("lane", "p/a@key0", on=False))
        await anyio.sleep(10)
        engine.steering.obey(Drain())

    lanes = [lane("a", workers=2)]
    rig = Rig([job(ids(20), lanes)], lanes)
    assert rig.run(operate) == "interrupted"
    assert rig.ended_s == pytest.approx(13.5)


def test_a_key_that_was_refused_can_be_switched_on_again():
    def answer(endpoint, request, number):
        dead = endpoint.deployment.endswith("key1") and now_ns() < 3e9
        return 1.0, ({"outcome": Outcome.AUTH, "status": 401} if dead else {})

    async def operate(engine):
        await anyio.sleep(10)
        engine.steering.obey(Switch("key", "p/key1", on=True))

    lanes = [lane("a", key="key0"), lane("a", key="key1")]
    rig = Rig([job(ids(40), lanes)], lanes, ScriptedClient(answer))
    assert rig.run(operate) == "finished"
    assert full(rig) == Counter(ids(40))
    assert [at for at, name in rig.client.sent if name.endswith("key1") and at > 10e9]


def test_what_changes_nothing_is_refused_in_words():
    async def operate(engine):
        await anyio.sleep(0.5)
        for switch, text in (
            (Switch("key", "p/key9", on=False), "no lane of this run uses key p/key9; it uses p/key0"),
            (Switch("lane", "p/a@key0", on=True), "lane p/a@key0 is on already"),
            (Switch("deployment", "\x1b[31mp", on=True), "no lane"),
        ):
            said = engine.steering.obey(switch)
            assert isinstance(said, Refused)
            assert text in said.text
            assert "\x1b" not in said.text

    lanes = [lane("a")]
    rig = Rig([job(ids(3), lanes)], lanes)
    assert rig.run(operate) == "finished"
    assert not switched(rig)


def test_a_deployment_that_is_switched_on_does_not_undo_a_key_that_is_off():
    async def operate(engine):
        await anyio.sleep(3.5)
        assert isinstance(engine.steering.obey(Switch("key", "p/key0", on=False)), Accepted)
        assert isinstance(engine.steering.obey(Switch("deployment", "p/a", on=False)), Accepted)
        said = engine.steering.obey(Switch("deployment", "p/a", on=True))
        assert isinstance(said, Accepted)
        assert "1 lane" in said.text  # the one on the other key
        await anyio.sleep(5)
        said = engine.steering.obey(Switch("lane", "p/a@key0", on=True))
        assert isinstance(said, Refused)
        assert "another switch keeps its lanes off" in said.text
        await anyio.sleep(5)
        assert isinstance(engine.steering.obey(Switch("key", "p/key0", on=True)), Accepted)

    lanes = [lane("a", key="key0"), lane("a", key="key1")]
    rig = Rig([job(ids(40), lanes)], lanes)
    assert rig.run(operate) == "finished"
    assert full(rig) == Counter(ids(40))
    by_key = [at / 1e9 for at, name in rig.client.sent if name.endswith("@key0")]
    assert not [at for at in by_key if 3.5 < at < 13.5]
    assert [at for at in by_key if at > 13.5]


def test_a_paused_run_begins_no_job():
    async def operate(engine):
        await anyio.sleep(1.5)
        engine.steering.obey(Pause())
        await anyio.sleep(30)
        assert [view.state for view in engine.look().jobs] == ["running", "staggered"] or [
            view.state for view in engine.look().jobs
        ] == ["running", "waiting"]
        engine.steering.obey(Resume())

    lanes = [lane("a"), lane("b")]
    jobs = [job(ids(5), [lanes[0]], name="one"), job(ids(5, "n"), [lanes[1]], name="two", stagger_s=10)]
    rig = Rig(jobs, lanes)
    assert rig.run(operate) == "finished"
    begun = [row.at_ns / 1e9 for row in rig.journal.of(EventRow) if row.kind == "job_started"]
    assert begun == [0, pytest.approx(31.5)]


def test_requests_that_wait_at_the_gates_of_a_lane_that_is_switched_off_need_not_wait_for_their_turn():
    async def operate(engine):
        await anyio.sleep(5)
        engine.steering.obey(Switch("deployment", "p/slow", on=False))

    outer = [("key", "p/key0", {"workers": 2})]
    lanes = [lane("slow", workers=5, rpm=0.5), lane("fast", workers=5), lane("busy", outer=outer, workers=5)]
    rig = Rig([job(ids(30), lanes[:2])], lanes)
    assert rig.run(operate) == "finished"
    assert full(rig) == Counter(ids(30))
    assert rig.ended_s < 20
