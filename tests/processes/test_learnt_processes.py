"""What is known of limits goes to the process that has the lane, and what it finds comes back, on virtual time."""

from __future__ import annotations

import time
from collections import Counter

import anyio
import msgspec
from part_rig import Client, events, guard, ids, job, lane, now_ns, terminal

from console.processes.merge import latest_learnt
from console.processes.messages import Seen, line_of, read_from_part
from console.processes.plan_run import PlanRun
from console.vocabulary.learnt import Learnt
from console.vocabulary.outcome import Outcome

LIMIT = 5


def limited():
    sent: Counter[int] = Counter()

    def answer(endpoint, number):
        second = int(now_ns() // 10**9)
        sent[second] += 1
        if sent[second] > LIMIT:
            return 0.05, {"outcome": Outcome.RATE_LIMITED, "status": 429, "error": "rate limit reached"}
        return 1.0, {}

    return Client(answer)


def adaptive(*names):
    return [msgspec.structs.replace(lane(name, workers=40), adaptive=True) for name in names]


def play(rig, jobs, *beside, known=None):
    return rig.run(lambda seat: PlanRun(seat, rig.plan(jobs), 2, known=known), guard, *beside)


def test_what_a_process_finds_comes_back(make_rig):
    lanes = adaptive("a")
    rig = make_rig(lanes, limited())
    assert play(rig, [job(ids(200), lanes)]) == "finished"
    found = rig.coordinator.learnt(0.0)
    assert set(found) == {"p/a@key0"}
    assert 3.0 < found["p/a@key0"].requests_per_s < 6.0
    assert abs(found["p/a@key0"].at_s - time.time()) < 600


def test_what_is_known_goes_to_whoever_has_the_lane_and_to_who_takes_its_place(make_rig):
    lanes = adaptive("a", "b")
    known = {"p/a@key0": Learnt(at_s=time.time(), requests_per_s=8.0)}
    rig = make_rig(lanes)

    async def kill(rig):
        await anyio.sleep(5)
        for process in rig.processes[:2]:
            process.kill()

    assert play(rig, [job(ids(120), lanes)], kill, known=known) == "finished"
    assert terminal(rig) == Counter(ids(120))
    said = [(row.subject, row.text) for row in events(rig, "learnt")]
    assert len(said) == 2
    assert all(subject == "p/a@key0" for subject, _ in said)
    assert all(text.startswith("begins at 7.6 requests/s, learnt ") for _, text in said)
    assert rig.coordinator.learnt(0.0)["p/a@key0"] == known["p/a@key0"]  # nobody met it again


def test_of_two_pictures_of_a_lane_the_younger_counts(make_rig):
    lanes = adaptive("a")
    rig = make_rig(lanes)
    assert play(rig, [job(ids(5), lanes)]) == "finished"
    (picture,) = [seen for _, seen in rig.coordinator.pictures()]
    old, young = ({"x": Learnt(at_s=at_s, window=2)} for at_s in (1.0, 2.0))
    pictures = [Seen(picture.snapshot, {}, young), Seen(picture.snapshot, {}, old)]
    assert latest_learnt(pictures) == young
    assert read_from_part(line_of(pictures[0])).learnt == young
