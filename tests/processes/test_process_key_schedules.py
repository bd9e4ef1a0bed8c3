"""Random fleets that lease keys on several processes, while processes die, lanes are switched and other runs take keys."""

from __future__ import annotations

import random

import anyio
import msgspec
import pytest
import trio
from part_rig import Client, Rig, events, guard, ids, job, lane, now_ns, terminal

from console.processes.plan_run import PlanRun
from console.records.read_journal import read_end, read_rows
from console.vocabulary.command import Accepted, Drain, Pause, Resume, Stop, Switch, name_of
from console.vocabulary.lane import LeaseRule
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import TestRow

FAILURES = (
    {"outcome": Outcome.SERVER_ERROR},
    {"outcome": Outcome.TIMEOUT_TOTAL},
    {"outcome": Outcome.RATE_LIMITED, "retry_after_s": 3.0},
    {"outcome": Outcome.RATE_LIMITED, "retry_after_s": 130.0},
    {"outcome": Outcome.AUTH},
)


class OtherRuns:
    """Keys that other runs have at times, also where this run had them."""

    def __init__(self, dice, keys):
        self.taken = {key: self._spans(dice) for key in keys}
        self.ours = set()

    @staticmethod
    def _spans(dice):
        at, spans = 0.0, []
        for _ in range(dice.choice([0, 0, 1, 3])):
            begin = at + dice.random() * 40
            at = begin + dice.random() * 40
            spans.append((begin * 1e9, at * 1e9))
        return spans

    def _has_other(self, key, at_ns):
        return any(begin <= at_ns < end for begin, end in self.taken[key])

    def ask(self, key, at_ns):
        assert key not in self.ours
        if self._has_other(key, at_ns):
            return False
        self.ours.add(key)
        return True

    def give_back(self, key, at_ns):
        self.ours.discard(key)

    def still_ours(self, key, at_ns):
        assert key in self.ours
        if self._has_other(key, at_ns):
            self.ours.discard(key)
            return False
        return True

    def holder(self, key, at_ns):
        return "run x"


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch):
    monkeypatch.setattr("console.records.journal._sync_data", lambda fd: None)
    monkeypatch.setattr("console.records.journal.sync_directory", lambda directory: None)


@pytest.fixture
def make_rig(monkeypatch, tmp_path):
    def make(lanes, client=None, **options):
        rig = Rig(tmp_path, lanes, client, **options)
        monkeypatch.setattr("console.processes.child.started", rig.started)
        return rig

    return make


def draw(dice, make_rig):
    keys = [f"k{number}" for number in range(dice.randint(1, 3))]
    lanes, of_model = [], {}
    for model in "abc"[: dice.randint(1, 3)]:
        for key in dice.sample(keys, dice.randint(1, len(keys))):
            setup = lane(f"d{model}", workers=dice.choice([1, 2, 5, 16]), key=key)
            setup = msgspec.structs.replace(setup, lane=msgspec.structs.replace(setup.lane, model=model))
            lanes.append(setup)
            of_model.setdefault(model, []).append(setup)
    jobs = []
    for number in range(dice.randint(1, 5)):
        model = dice.choice(list(of_model))
        used = of_model[model]
        made = job(
            ids(dice.randint(0, 30), f"m{number}"), used, name=f"j{number}",
            before=(dice.randrange(number),) if number and dice.random() < 0.3 else (),
            stagger_s=dice.choice([0, 0, 5]), delays=tuple(dice.choice([0, 0, 3, 20]) for _ in used),
        )  # fmt: skip
        leases = tuple(dict.fromkeys(f"p/{setup.lane.key}" for setup in used))
        jobs.append(
            msgspec.structs.replace(made, model=model, lease=leases if dice.random() < 0.85 else None)
        )
    trouble, refused = dice.choice([0.0, 0.0, 0.1, 0.4]), dice.choice(["@k0", "@k1", None, None, None])

    def answer(endpoint, number):
        delay = dice.choice([0.0, 0.01, 0.3, 1, 3, 10])
        if refused and endpoint.deployment.endswith(refused):
            return delay, {"outcome": Outcome.AUTH}
        return delay, dice.choice(FAILURES) if dice.random() < trouble else {}

    rules = {
        f"p/{key}": LeaseRule(to=dice.choice(["job", "model"]), holders=dice.choice([1, 1, 2]))
        for key in keys
    }
    rig = make_rig(lanes, Client(answer), delay_s=dice.choice([0.0, 0.01, 0.5]))
    return rig, jobs, rules, OtherRuns(dice, [f"p/{key}" for key in keys])


@pytest.mark.parametrize("seed", range(30))
def test_whatever_dies_and_whoever_takes_keys_nothing_is_lost_or_played_twice(seed, make_rig):
    dice = random.Random(seed)
    trio._core._run._r.seed(seed)  # which of the tasks that are ready goes first
    rig, jobs, rules, others = draw(dice, make_rig)
    ended = []

    async def murder(rig):
        for _ in range(dice.choice([0, 0, 1, 2, 4])):
            await anyio.sleep(dice.choice([0.0, 0.005, 1, 5, 20]) * dice.random())
            for process in dice.sample(rig.alive, dice.randint(0, len(rig.alive))):
                if dice.random() < 0.8 or rig.now_s < 1:  # what hangs at its start is no run
                    process.kill()
                else:
                    process.hang()

    async def switch(rig):
        for _ in range(dice.choice([0, 0, 1, 3])):
            await anyio.sleep(dice.random() * 30)
            setup = dice.choice(rig.lanes)
            kind = dice.choice(["key", "deployment", "lane"])
            name = name_of(kind, setup.lane)
            rig.coordinator.steering.obey(Switch(kind, name, on=False))
            await anyio.sleep(dice.random() * 30)
            rig.coordinator.steering.obey(Switch(kind, name, on=True))

    async def steer(rig):
        steering = rig.coordinator.steering
        if dice.random() < 0.5:
            return
        await anyio.sleep(dice.random() * 40)
        if dice.random() < 0.5:
            steering.obey(Pause())
            await anyio.sleep(dice.random() * 30)
            steering.obey(Resume())
        for chance, command in ((0.3, Drain()), (0.3, Stop())):
            await anyio.sleep(dice.random() * 20)
            if dice.random() < chance and isinstance(steering.obey(command), Accepted):
                ended.append(command)

    async def watch(rig):
        while True:
            await anyio.sleep(dice.choice([0.2, 1, 10]) if now_ns() < 60e9 else 100)
            picture = rig.coordinator.look()
            assert picture.done == sum(view.done for view in picture.jobs) <= picture.planned

    def make(seat):
        plan = msgspec.structs.replace(rig.plan(jobs), leases=rules)
        return PlanRun(seat, plan, dice.randint(2, 4), others)

    state = rig.run(make, guard, murder, steer, switch, watch)
    assert state == ("interrupted" if ended else "finished")
    played = terminal(rig)
    assert max(played.values(), default=1) == 1
    end = read_end(rig.run_dir)
    assert end is not None
    if not ended or not isinstance(ended[-1], Stop):
        assert (end.state, end.done) == (state, len(played))
    tried = {row.test for row in read_rows(rig.run_dir) if isinstance(row, TestRow)}
    off = {row.subject for row in events(rig, "lane_off") if "by hand" not in row.text}
    off |= {row.subject for row in events(rig, "lane") if "switched off" in row.text}
    buried = [row for row in events(rig, "process_lost") if "unused" in row.text]
    for one in [] if ended or buried else jobs:
        usable = [shard for shard in one.shards if shard.lane_id not in off]
        assert not usable or tried.issuperset(one.tests), one.id
    assert not rig.alive
    assert not others.ours
