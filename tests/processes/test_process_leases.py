"""Jobs that lease keys in a run on several processes, on virtual time."""

from __future__ import annotations

from collections import Counter, defaultdict

import anyio
import msgspec
import pytest
from part_rig import Client, events, guard, ids, job, lane, terminal

from console.processes.plan_run import PlanRun
from console.vocabulary.command import Accepted, Switch
from console.vocabulary.outcome import Outcome

KEYS = ("k0", "k1", "k2")


def fleet(models, keys=KEYS, *, workers=4):
    made = []
    for model in models:
        for key in keys:
            setup = lane(model, workers=workers, key=key)
            made.append(msgspec.structs.replace(setup, lane=msgspec.structs.replace(setup.lane, model=model)))
    return made


def leasing(lanes, models, count=40, keys=KEYS):
    made = []
    for model in models:
        own = [setup for setup in lanes if setup.lane.model == model]
        one = job(ids(count, model), own, name=f"job-{model}")
        made.append(msgspec.structs.replace(one, model=model, lease=tuple(f"p/{key}" for key in keys)))
    return made


class Watching(Client):
    """Notes how many models are on a key at once."""

    def __init__(self, answer=lambda endpoint, number: (1.0, {})):
        super().__init__(answer)
        self.on_key = defaultdict(Counter)
        self.most_models = Counter()

    async def complete(self, endpoint, request, on_sent=None):
        model, key = endpoint.deployment.removeprefix("p/").split("@")
        self.on_key[key][model] += 1
        self.most_models[key] = max(self.most_models[key], len(+self.on_key[key]))
        try:
            return await super().complete(endpoint, request, on_sent)
        finally:
            self.on_key[key][model] -= 1


def play(rig, jobs, *beside, processes=2):
    return rig.run(lambda seat: PlanRun(seat, rig.plan(jobs), processes), guard, *beside)


def test_a_key_serves_one_job_at_a_time_over_all_processes(make_rig):
    models = "abcde"
    lanes = fleet(models)
    rig = make_rig(lanes, Watching())
    seen = []

    async def look(rig):
        await anyio.sleep(5)
        seen.extend(rig.coordinator.look().jobs)

    assert play(rig, leasing(lanes, models), look) == "finished"
    assert terminal(rig) == Counter(test for model in models for test in ids(40, model))
    assert rig.client.most_models == dict.fromkeys(KEYS, 1)
    assert sorted(view.key for view in seen) == ["", "", "p/k0", "p/k1", "p/k2"]
    assert [view.waits_for_key for view in seen].count(True) == 2


def test_a_job_whose_key_is_refused_goes_on_with_another_one(make_rig):
    def answer(endpoint, number):
        dead = endpoint.deployment.endswith("@k1") and rig.now_s > 3
        return 1.0, {"outcome": Outcome.AUTH} if dead else {}

    models = "abc"
    lanes = fleet(models)
    rig = make_rig(lanes, Watching(answer))
    assert play(rig, leasing(lanes, models)) == "finished"
    assert terminal(rig) == Counter(test for model in models for test in ids(40, model))
    assert rig.client.most_models == dict.fromkeys(KEYS, 1)
    leaves, goes_on = events(rig, "lease")
    assert (leaves.subject, leaves.text) == ("job-b", "leaves key p/k1")
    assert goes_on.text == f"goes on with key {goes_on.key}"
    assert goes_on.key in ("p/k0", "p/k2")


def test_a_process_that_dies_is_replaced_and_the_job_keeps_its_key(make_rig):
    lanes = fleet("ab", keys=("k0", "k1"))
    rig = make_rig(lanes, Watching())

    async def kill(rig):
        await anyio.sleep(3.5)
        rig.processes[0].kill()

    assert play(rig, leasing(lanes, "ab", keys=("k0", "k1")), kill) == "finished"
    assert terminal(rig) == Counter(test for model in "ab" for test in ids(40, model))
    assert len(events(rig, "process_lost")) == 1


def test_jobs_end_when_no_key_serves_them_and_wait_for_one_that_was_switched_off_by_hand(make_rig):
    lanes = fleet("ab", keys=("k0",))
    rig = make_rig(lanes, Watching())

    async def operate(rig):
        await anyio.sleep(3.5)
        assert isinstance(rig.coordinator.steering.obey(Switch("key", "p/k0", on=False)), Accepted)
        await anyio.sleep(30)
        assert rig.coordinator.look().in_flight == 0
        assert isinstance(rig.coordinator.steering.obey(Switch("key", "p/k0", on=True)), Accepted)

    assert play(rig, leasing(lanes, "ab", keys=("k0",)), operate) == "finished"
    assert terminal(rig) == Counter(test for model in "ab" for test in ids(40, model))
    assert rig.ended_s > 33


def test_a_run_without_any_key_left_ends(make_rig):
    lanes = fleet("abc", keys=("k0", "k1"))
    rig = make_rig(lanes, Watching(lambda endpoint, number: (1.0, {"outcome": Outcome.AUTH})))
    assert play(rig, leasing(lanes, "abc", keys=("k0", "k1"))) == "finished"
    assert not terminal(rig)
    assert rig.ended_s < 10


def test_requests_that_still_run_on_the_key_before_do_not_end_a_job_that_goes_on_with_another_one(make_rig):
    def answer(endpoint, number):
        if endpoint.deployment.endswith("@k0"):
            return (0.1 if number == 1 else 3.0), {"outcome": Outcome.AUTH}
        return 1.0, {}

    lanes = fleet("a", keys=("k0", "k1"))
    rig = make_rig(lanes, Watching(answer))
    assert play(rig, leasing(lanes, "a", keys=("k0", "k1"))) == "finished"
    assert terminal(rig) == Counter(ids(40, "a"))
    assert rig.last.done == 40
    assert rig.ended_s < 13  # 40 tests of a second for four workers, and those that went wrong


class TakenAway:
    """Keys of which one goes to another run after four seconds, for ten."""

    def __init__(self):
        self.lost = False

    def ask(self, key, now_ns):
        return key != "p/k0" or not self.lost or now_ns >= 14e9

    def give_back(self, key, now_ns):
        pass

    def still_ours(self, key, now_ns):
        self.lost = self.lost or now_ns >= 4e9
        return self.ask(key, now_ns)

    def holder(self, key, now_ns):
        return "run x"


@pytest.mark.parametrize("keys", [("k0",), ("k0", "k1")])
def test_a_key_that_was_lost_to_another_run_is_used_by_no_process_any_more(make_rig, keys):
    lanes = fleet("a", keys=keys)
    rig = make_rig(lanes, Watching())
    used = []

    async def watch(rig):
        while True:
            await anyio.sleep(0.1)
            if 5.1 < rig.now_s < 14:
                used.append(sum(rig.client.on_key["k0"].values()))

    plan = rig.plan(leasing(lanes, "a", count=60, keys=keys))
    assert rig.run(lambda seat: PlanRun(seat, plan, 2, TakenAway()), guard, watch) == "finished"
    assert terminal(rig) == Counter(ids(60, "a"))
    assert len(used) > 80
    assert not any(used)
    assert [row.subject for row in events(rig, "lease") if "lost" in row.text] == ["p/k0"]
