"""What preflight sees ahead is what the real engine does on virtual time, to the millisecond."""

from __future__ import annotations

import msgspec
import pytest
from engine_rig import Rig, S, ScriptedClient, ids, job, lane

from console.phases.load_curve import load_curve
from console.phases.lookahead import look_ahead
from console.phases.plan import Plan
from console.vocabulary.chat import ChatRequest, Timeouts
from console.vocabulary.lane import LeaseRule
from console.vocabulary.outcome import Verdict
from console.vocabulary.rows import EventRow
from console.work.contract import TestResult

GATE = [("key", "p/key0", {"qps": 4})]
SLOTS = [("key", "p/key0", {"workers": 3})]


def fleet(case):
    a, b = lane("a", workers=3), lane("b", workers=2)
    match case:
        case "workers":
            return [job(ids(20), [a, b])], [a, b]
        case "shared":
            return [job(ids(20), [a], name="one"), job(ids(9), [a, b], name="two", stagger_s=2.5)], [a, b]
        case "series":
            return [job(ids(10), [a, b], name="one"), job(ids(8), [b], name="two", before=(0,))], [a, b]
        case "delays":
            return [job(ids(30), [a, b], delays=(0, 3))], [a, b]
        case "dealt":
            return [job(ids(15), [a, b], dealt=True)], [a, b]
        case "paced":
            c = lane("c", workers=10, qps=3)
            return [job(ids(25), [c])], [c]
        case "gate":
            a, b = lane("a", workers=6, outer=GATE), lane("b", workers=6, outer=GATE)
            return [job(ids(20), [a], name="one"), job(ids(20), [b], name="two")], [a, b]
        case "slots":
            a, b = lane("a", workers=3, outer=SLOTS), lane("b", workers=3, outer=SLOTS)
            return [job(ids(10), [a], name="one"), job(ids(10), [b], name="two")], [a, b]
        case _:
            a = lane("a", workers=2, per="job")
            return [job(ids(10), [a], name="one"), job(ids(6), [a], name="two", stagger_s=1)], [a]


def leasing(models, *, keys=("key0", "key1"), deployments=1, delays=(), **more):
    """Return a job a model that leases one of `keys`, with a lane a deployment on each of them."""
    jobs, lanes = [], []
    for number, model in enumerate(models):
        own = [lane(f"{model}{at}", workers=2, key=key) for key in keys for at in range(deployments)]
        prefers = keys[number % len(keys) :] + keys[: number % len(keys)]
        made = job(ids(6 + 5 * number, model), own, name=f"{number}{model}", delays=delays, **more)
        lease = tuple(f"p/{key}" for key in prefers)
        jobs.append(msgspec.structs.replace(made, model=model, lease=lease))
        lanes += own
    return jobs, list({setup.lane.id: setup for setup in lanes}.values())


LEASES = {
    "one holder": (leasing("abcde"), {}),
    "three keys": (leasing("abcdefg", keys=("key0", "key1", "key2")), {}),
    "delays on every key": (leasing("abcd", delays=(1, 4)), {}),
    "delays within a key": (leasing("abc", deployments=3, delays=(0, 3, 2, 4, 3, 2)), {}),
    "staggered": (leasing("abcde", stagger_s=2.5), {}),
    "two holders": (leasing("abcde"), {"p/key0": LeaseRule(holders=2)}),
    "jobs of a model together": (
        leasing("aabba"),
        {key: LeaseRule(to="model") for key in ("p/key0", "p/key1")},
    ),
}


@pytest.mark.parametrize("case", LEASES)
def test_jobs_that_lease_run_when_and_where_it_was_seen_ahead(case):
    (jobs, lanes), rules = LEASES[case]
    models = sorted({setup.lane.deployment[0] for setup in lanes})
    seconds = {setup.lane.id: 1.3 + 0.17 * models.index(setup.lane.deployment[0]) for setup in lanes}
    plan = Plan(
        title="x", profile="x", rate_mode="fixed", seed=0, lanes=tuple(lanes), jobs=tuple(jobs),
        timeouts=Timeouts(), attempts=1, leases=rules,
    )  # fmt: skip
    seen = look_ahead(plan, {lane_id: round(one * S) for lane_id, one in seconds.items()})
    rig = Rig(jobs, lanes, ScriptedClient(answer=lambda endpoint, *_: (seconds[endpoint.deployment], {})))
    rig.leases = rules
    assert rig.run() == "finished"
    events = {(row.kind, row.subject): row for row in rig.journal.of(EventRow)}
    for one, span in zip(jobs, seen.jobs, strict=True):
        began, ended = events["job_started", one.id], events["job_done", one.id]
        assert (began.key, began.at_ns / S) == (span.key, pytest.approx(span.start_ns / S, abs=0.002))
        if case != "jobs of a model together":  # who of them gets a worker that is free is a toss
            assert ended.at_ns / S == pytest.approx(span.end_ns / S, abs=0.002)
    assert rig.ended_s == pytest.approx(seen.end_ns / S, abs=0.002)


@pytest.mark.parametrize(
    "case", ["workers", "shared", "series", "delays", "dealt", "paced", "gate", "slots", "copies"]
)
def test_jobs_end_when_it_was_seen_ahead(case):
    jobs, lanes = fleet(case)
    plan = Plan(
        title="x", profile="x", rate_mode="fixed", seed=0, lanes=tuple(lanes), jobs=tuple(jobs),
        timeouts=Timeouts(), attempts=1,
    )  # fmt: skip
    seen = look_ahead(plan, {setup.lane.id: round(1.7 * S) for setup in lanes})
    rig = Rig(jobs, lanes, ScriptedClient(answer=lambda endpoint, request, number: (1.7, {})))
    assert rig.run() == "finished"
    assert rig.ended_s == pytest.approx(seen.end_ns / S, abs=0.002)
    sent = {setup.lane.id: len(seen.sent[setup.lane.id]) for setup in lanes}
    done = {lane_id: sum(row.lane.id == lane_id for row in rig.journal.requests) for lane_id in sent}
    assert sum(done.values()) == sum(sent.values())
    # Workers of two lanes that are free at the same instant toss for the next test.
    assert all(abs(done[lane_id] - count) <= 1 for lane_id, count in sent.items())


class SeveralTurns:
    """Tests of several requests one after another, `turns` of them on average, spread as evenly as can be."""

    def __init__(self, turns):
        self.turns = turns

    async def run(self, test, ask, said):
        count = round(test.instance * self.turns) - round((test.instance - 1) * self.turns)
        for _ in range(count):
            await ask(ChatRequest(messages=({"role": "user", "content": "hello"},), max_tokens=10))
        return TestResult(verdict=Verdict.FULL, score=1.0, turns=count)


@pytest.mark.parametrize("turns", [1.0, 3.0, 5.625])
@pytest.mark.parametrize(
    "case", ["workers", "shared", "series", "delays", "dealt", "paced", "gate", "slots", "copies"]
)
def test_tests_of_several_turns_end_when_it_was_seen_ahead(case, turns):
    jobs, lanes = fleet(case)
    jobs = [msgspec.structs.replace(one, turns=turns) for one in jobs]
    plan = Plan(
        title="x", profile="x", rate_mode="fixed", seed=0, lanes=tuple(lanes), jobs=tuple(jobs),
        timeouts=Timeouts(), attempts=1,
    )  # fmt: skip
    seen = look_ahead(plan, {setup.lane.id: round(1.7 * S) for setup in lanes})
    client = ScriptedClient(answer=lambda endpoint, request, number: (1.7, {}))
    rig = Rig(jobs, lanes, client, work=SeveralTurns(turns))
    assert rig.run() == "finished"
    requests = sum(round(len(one.tests) * turns) for one in jobs)
    assert len(rig.journal.requests) == sum(map(len, seen.sent.values())) == requests
    within_s = 0.002 if turns.is_integer() else 1.7 * 2
    # Where tests differ in length it is a toss who of several that are free gets the longer one.
    assert rig.ended_s == pytest.approx(seen.end_ns / S, abs=within_s)
    for setup in lanes:
        curve = load_curve(seen.sent[setup.lane.id], seen.end_ns, seen.unit)
        copies = len(jobs) if setup.per == "job" else 1
        assert curve.peak_workers <= setup.limits.workers * copies
