"""Random fleets that lease keys on several processes, while processes die, lanes are switched and other runs take keys."""

from __future__ import annotations

import random

import anyio
import msgspec
import pytest
import trio
from other_runs import OtherRuns
from part_rig import Client, guard, ids, job, lane, now_ns
from random_trouble import answers, assert_nothing_lost_or_twice, murderer, operator
from seeds import seeds

from console.processes.plan_run import PlanRun
from console.vocabulary.command import Switch, name_of
from console.vocabulary.lane import LeaseRule


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

    rules = {
        f"p/{key}": LeaseRule(to=dice.choice(["job", "model"]), holders=dice.choice([1, 1, 2]))
        for key in keys
    }
    rig = make_rig(lanes, Client(answers(dice, trouble, refused)), delay_s=dice.choice([0.0, 0.01, 0.5]))
    return rig, jobs, rules, OtherRuns(dice, [f"p/{key}" for key in keys])


@pytest.mark.parametrize("seed", seeds(30, quick=15))
def test_whatever_dies_and_whoever_takes_keys_nothing_is_lost_or_played_twice(seed, make_rig):
    dice = random.Random(seed)
    trio._core._run._r.seed(seed)  # which of the tasks that are ready goes first
    rig, jobs, rules, others = draw(dice, make_rig)
    ended = []

    async def switch(rig):
        for _ in range(dice.choice([0, 0, 1, 3])):
            await anyio.sleep(dice.random() * 30)
            setup = dice.choice(rig.lanes)
            kind = dice.choice(["key", "deployment", "lane"])
            name = name_of(kind, setup.lane)
            rig.coordinator.steering.obey(Switch(kind, name, on=False))
            await anyio.sleep(dice.random() * 30)
            rig.coordinator.steering.obey(Switch(kind, name, on=True))

    async def watch(rig):
        while True:
            await anyio.sleep(dice.choice([0.2, 1, 10]) if now_ns() < 60e9 else 100)
            picture = rig.coordinator.look()
            assert picture.done == sum(view.done for view in picture.jobs) <= picture.planned

    def make(seat):
        plan = msgspec.structs.replace(rig.plan(jobs), leases=rules)
        return PlanRun(seat, plan, dice.randint(2, 4), others)

    state = rig.run(make, guard, murderer(dice, [0, 0, 1, 2, 4]), operator(dice, ended), switch, watch)
    assert_nothing_lost_or_twice(rig, jobs, state, ended)
    assert not others.ours
