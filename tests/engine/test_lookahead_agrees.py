"""What preflight sees ahead is what the real engine does on virtual time, to the millisecond."""

from __future__ import annotations

import pytest
from engine_rig import Rig, S, ScriptedClient, ids, job, lane

from console.phases.lookahead import look_ahead
from console.phases.plan import Plan
from console.vocabulary.chat import Timeouts

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
    assert done == sent
