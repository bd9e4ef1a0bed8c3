"""Random fleets on several processes that die, hang and are steered: nothing is lost, nothing is played twice."""

from __future__ import annotations

import random

import anyio
import pytest
from part_rig import Client, guard, ids, job, lane
from random_trouble import answers, assert_nothing_lost_or_twice, murderer, operator, tuner
from seeds import seeds

from console.processes.plan_run import PlanRun


def draw(dice, make_rig):
    lanes = []
    for number in range(dice.randint(1, 5)):
        outer = [("key", f"p/k{number % 2}", {"workers": 3})] if number % 2 and dice.random() < 0.5 else []
        limits = {"qps": dice.choice([0.5, 5])} if dice.random() < 0.3 else {}
        lanes.append(
            lane(
                f"d{number}", workers=dice.choice([1, 2, 5, 16]), key=f"k{number % 2}", outer=outer, **limits
            )
        )
    jobs = []
    for number in range(dice.randint(1, 4)):
        used = dice.sample(lanes, dice.randint(1, len(lanes)))
        jobs.append(
            job(
                ids(dice.randint(0, 40), f"m{number}"), used, name=f"j{number}",
                before=(dice.randrange(number),) if number and dice.random() < 0.5 else (),
                stagger_s=dice.choice([0, 0, 5]), delays=tuple(dice.choice([0, 0, 3, 20]) for _ in used),
                dealt=dice.random() < 0.3,
            )
        )  # fmt: skip
    trouble, refused = dice.choice([0.0, 0.0, 0.1, 0.4]), dice.choice(["@k0", "@k1", None, None])

    return make_rig(
        lanes, Client(answers(dice, trouble, refused)), delay_s=dice.choice([0.0, 0.01, 0.5])
    ), jobs


@pytest.mark.parametrize("seed", seeds(80, quick=25))
def test_whatever_dies_nothing_is_lost_or_played_twice(seed, make_rig):
    dice = random.Random(seed)
    rig, jobs = draw(dice, make_rig)
    ended = []

    async def watch(rig):
        while True:
            await anyio.sleep(dice.choice([0.2, 1, 10]))
            picture = rig.coordinator.look()
            assert picture.done == sum(view.done for view in picture.jobs) <= picture.planned

    state = rig.run(
        lambda seat: PlanRun(seat, rig.plan(jobs), dice.randint(2, 4)),
        guard,
        murderer(dice, [0, 1, 2, 4]),
        operator(dice, ended),
        watch,
    )
    assert_nothing_lost_or_twice(rig, jobs, state, ended)
    for setup in rig.lanes:
        assert rig.client.peaks[setup.lane.id] <= setup.limits.workers


@pytest.mark.parametrize("seed", seeds(40, quick=12))
def test_whatever_is_tuned_meanwhile_nothing_is_lost_or_played_twice(seed, make_rig):
    dice = random.Random(seed)
    rig, jobs = draw(dice, make_rig)
    ended, most = [], {setup.lane.id: setup.limits.workers for setup in rig.lanes}
    state = rig.run(
        lambda seat: PlanRun(seat, rig.plan(jobs), dice.randint(2, 4)),
        guard,
        murderer(dice, [0, 0, 1, 2]),
        operator(dice, ended),
        tuner(dice, most),
    )
    assert_nothing_lost_or_twice(rig, jobs, state, ended)
    for setup in rig.lanes:
        assert rig.client.peaks[setup.lane.id] <= most[setup.lane.id]
