"""Random fleets on several processes that die, hang and are steered: nothing is lost, nothing is played twice."""

from __future__ import annotations

import random

import anyio
import pytest
from part_rig import Client, Rig, events, guard, ids, job, lane, terminal

from console.processes.plan_run import PlanRun
from console.records.read_journal import read_end, read_rows
from console.vocabulary.command import Accepted, Drain, Pause, Resume, Stop
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import TestRow

FAILURES = (
    {"outcome": Outcome.SERVER_ERROR},
    {"outcome": Outcome.TIMEOUT_TOTAL},
    {"outcome": Outcome.RATE_LIMITED, "retry_after_s": 3.0},
    {"outcome": Outcome.RATE_LIMITED, "retry_after_s": 130.0},
    {"outcome": Outcome.AUTH},
)


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

    def answer(endpoint, number):
        delay = dice.choice([0.0, 0.01, 0.3, 1, 3, 10])
        if refused and endpoint.deployment.endswith(refused):
            return delay, {"outcome": Outcome.AUTH}
        return delay, dice.choice(FAILURES) if dice.random() < trouble else {}

    return make_rig(lanes, Client(answer), delay_s=dice.choice([0.0, 0.01, 0.5])), jobs


@pytest.mark.parametrize("seed", range(80))
def test_whatever_dies_nothing_is_lost_or_played_twice(seed, make_rig):
    dice = random.Random(seed)
    rig, jobs = draw(dice, make_rig)
    ended = []

    async def murder(rig):
        for _ in range(dice.choice([0, 1, 2, 4])):
            await anyio.sleep(dice.choice([0.0, 0.005, 1, 5, 20]) * dice.random())
            for process in dice.sample(rig.alive, dice.randint(0, len(rig.alive))):
                if dice.random() < 0.8 or rig.now_s < 1:  # what hangs at its start is no run
                    process.kill()
                else:
                    process.hang()

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
            await anyio.sleep(dice.choice([0.2, 1, 10]))
            picture = rig.coordinator.look()
            assert picture.done == sum(view.done for view in picture.jobs) <= picture.planned

    state = rig.run(
        lambda seat: PlanRun(seat, rig.plan(jobs), dice.randint(2, 4)), guard, murder, steer, watch
    )
    assert state == ("interrupted" if ended else "finished")
    played = terminal(rig)
    assert max(played.values(), default=1) == 1
    end = read_end(rig.run_dir)
    assert end is not None
    if not ended or not isinstance(ended[-1], Stop):
        assert (end.state, end.done) == (state, len(played))
    for setup in rig.lanes:
        assert rig.client.peaks[setup.lane.id] <= setup.limits.workers
    tried = {row.test for row in read_rows(rig.run_dir) if isinstance(row, TestRow)}
    off = {row.subject for row in events(rig, "lane_off")}
    off |= {row.subject for row in events(rig, "lane") if "switched off" in row.text}
    buried = [row for row in events(rig, "process_lost") if "unused" in row.text]
    for one in [] if ended or buried else jobs:
        usable = [shard for shard in one.shards if shard.lane_id not in off]
        assert not usable or tried.issuperset(one.tests), one.id
    assert not rig.alive
