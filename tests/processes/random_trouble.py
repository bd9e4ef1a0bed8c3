"""What befalls random runs on several processes: answers go wrong, processes die and hang, somebody steers."""

from __future__ import annotations

import anyio
from part_rig import events, terminal

from console.records.read_journal import read_end, read_rows
from console.vocabulary.command import Accepted, Adapt, Change, Drain, Pause, Resume, Stop, Tune
from console.vocabulary.lane import Scope
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import TestRow

FAILURES = (
    {"outcome": Outcome.SERVER_ERROR},
    {"outcome": Outcome.TIMEOUT_TOTAL},
    {"outcome": Outcome.RATE_LIMITED, "retry_after_s": 3.0},
    {"outcome": Outcome.RATE_LIMITED, "retry_after_s": 130.0},
    {"outcome": Outcome.AUTH},
)


def answers(dice, trouble, refused):
    """Return how servers answer: late, some wrong, and on keys that end in `refused` not at all."""

    def answer(endpoint, number):
        delay = dice.choice([0.0, 0.01, 0.3, 1, 3, 10])
        if refused and endpoint.deployment.endswith(refused):
            return delay, {"outcome": Outcome.AUTH}
        return delay, dice.choice(FAILURES) if dice.random() < trouble else {}

    return answer


def murderer(dice, times):
    """Return who kills processes, or lets them hang, as often as is drawn of `times`."""

    async def murder(rig):
        for _ in range(dice.choice(times)):
            await anyio.sleep(dice.choice([0.0, 0.005, 1, 5, 20]) * dice.random())
            for process in dice.sample(rig.alive, dice.randint(0, len(rig.alive))):
                if dice.random() < 0.8 or rig.now_s < 1:  # what hangs at its start is no run
                    process.kill()
                else:
                    process.hang()

    return murder


def operator(dice, ended):
    """Return who pauses, drains and stops; `ended` takes the commands that end the run."""

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

    return steer


def assert_nothing_lost_or_twice(rig, jobs, state, ended):
    """Check that a run which ended as `state` has every test once, but for what no lane could take."""
    assert state == ("interrupted" if ended else "finished")
    played = terminal(rig)
    assert max(played.values(), default=1) == 1
    end = read_end(rig.run_dir)
    assert end is not None
    assert not [row.text for row in events(rig, "our_fault")]
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


def tuner(dice, most):
    """Return who changes limits and adaptive mode of lanes; `most` keeps the most workers that each lane ever had."""

    async def tune(rig):
        steering, lanes = rig.coordinator.steering, [setup.lane for setup in rig.lanes]
        for _ in range(dice.randint(1, 8)):
            await anyio.sleep(dice.choice([0.1, 1, 6]) * dice.random())
            lane = dice.choice(lanes)
            scope = dice.choice(
                [Scope("lane", lane.id), Scope("key", lane.key_scope), Scope("model", lane.model)]
            )
            change = dice.choice(
                [Change("=", dice.randint(1, 20)), Change("+", 3), Change("-", 2), Change("reset")]
            )
            rate = dice.choice([None, None, None, Change("=", dice.choice([2, 30])), Change("reset")])
            steering.obey(Tune(scopes=(scope,), workers=change, qps=rate))
            if dice.random() < 0.2:
                steering.obey(Adapt((lane.id,), on=dice.random() < 0.7))
            for one in lanes:
                most[one.id] = max(most.get(one.id, 0), rig.coordinator.tuning.workers(one.id))

    return tune
