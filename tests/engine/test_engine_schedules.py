"""Random fleets, faults and operators on virtual time: limits hold, nothing leaks, nothing is lost or counted twice."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from itertools import pairwise

import anyio
import msgspec
import pytest
from engine_rig import Rig, ScriptedClient, ids, job, lane, now_ns
from seeds import seeds

from console.engine.quarantine import BY_HAND
from console.vocabulary.command import Accepted, Drain, Pause, Resume, Stop, Switch, name_of
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.rows import EventRow, RequestRow

FAILURES = (
    {"outcome": Outcome.SERVER_ERROR},
    {"outcome": Outcome.CONNECTION},
    {"outcome": Outcome.TIMEOUT_TOTAL},
    {"outcome": Outcome.RATE_LIMITED, "retry_after_s": 3.0},
    {"outcome": Outcome.RATE_LIMITED, "retry_after_s": 119.0},
    {"outcome": Outcome.RATE_LIMITED, "retry_after_s": 130.0},
    {"outcome": Outcome.AUTH},
)


class Truth(ScriptedClient):
    """Knows on its own what was in flight and when things were sent, per scope."""

    def __init__(self, answer, lanes):
        super().__init__(answer)
        self.scopes = {
            setup.lane.id: [
                ("lane", setup.lane.id),
                *((one.scope.kind, one.scope.name) for one in setup.outer),
            ]
            for setup in lanes
        }
        self.live, self.peaks, self.sends = Counter(), Counter(), defaultdict(list)

    async def warm(self, endpoint):
        pass

    async def complete(self, endpoint, request, on_sent=None):
        scopes = self.scopes[endpoint.deployment]
        for scope in scopes:
            self.live[scope] += 1
            self.peaks[scope] = max(self.peaks[scope], self.live[scope])
            self.sends[scope].append(now_ns())
        try:
            return await super().complete(endpoint, request)
        finally:
            for scope in scopes:
                self.live[scope] -= 1


def some_limits(rng, chance):
    wanted = {"workers": rng.randint(1, 3), "qps": rng.choice([0.5, 2, 10]), "rpm": rng.choice([20, 120])}
    return {name: value for name, value in wanted.items() if rng.random() < chance}


def make_rig(rng):
    """Draw a fleet, its jobs, and a provider with its moods."""
    keys = {f"k{number}": some_limits(rng, 0.35) for number in range(rng.randint(1, 3))}
    whole = some_limits(rng, 0.2)
    lanes = []
    for number in range(rng.randint(1, 5)):
        key = rng.choice(list(keys))
        outer = [("key", f"p/{key}", keys[key]), ("provider", "p", whole)]
        own = {name: value for name, value in some_limits(rng, 0.3).items() if name != "workers"}
        lanes.append(
            lane(
                f"d{number}",
                workers=rng.randint(1, 4),
                key=key,
                outer=[one for one in outer if one[2]],
                **own,
            )
        )
    if rng.random() < 0.3:
        lanes = [msgspec.structs.replace(setup, adaptive=rng.random() < 0.7) for setup in lanes]
    jobs = []
    for number in range(rng.randint(1, 3)):
        used = rng.sample(lanes, rng.randint(1, len(lanes)))
        leases = tuple(dict.fromkeys(f"p/{setup.lane.key}" for setup in used))
        leases = leases if rng.random() < 0.35 else None
        jobs.append(
            job(
                ids(rng.randint(0, 25), f"m{number}"),
                used,
                name=f"j{number}",
                before=(rng.randrange(number),) if number and rng.random() < 0.5 else (),
                stagger_s=rng.choice([0, 0, 5]),
                delays=tuple(rng.choice([0, 0, 3, 20]) for _ in used),
                dealt=leases is None and rng.random() < 0.3,
            )
        )
        jobs[-1] = msgspec.structs.replace(jobs[-1], lease=leases)
    trouble = rng.choice([0.0, 0.0, 0.1, 0.4])
    refused = rng.choice([*keys, None])

    def answer(endpoint, request, number):
        delay = rng.choice([0.0, 0.01, 0.3, 1, 3, 10])
        if endpoint.deployment.endswith(f"@{refused}"):
            return delay, {"outcome": Outcome.AUTH}
        return delay, (rng.choice(FAILURES) if rng.random() < trouble else {})

    return Rig(jobs, lanes, Truth(answer, lanes), attempts=rng.randint(1, 5))


def operators(rng, rig, ended):
    """Return somebody who steers the run, and a disk that fills up."""

    async def steer(engine):
        if rng.random() < 0.5:
            return
        await anyio.sleep(rng.random() * 60)
        if rng.random() < 0.5:
            engine.steering.obey(Pause())
            await anyio.sleep(rng.random() * 30)
            engine.steering.obey(Resume())
        for chance, command in ((0.3, Drain()), (0.3, Stop())):
            await anyio.sleep(rng.random() * 20)
            if rng.random() < chance and isinstance(engine.steering.obey(command), Accepted):
                ended.append(command)

    async def switch(engine):
        for _ in range(rng.choice([0, 0, 1, 3])):
            await anyio.sleep(rng.random() * 30)
            setup = rng.choice(rig.lanes)
            kind = rng.choice(["key", "deployment", "lane"])
            name = name_of(kind, setup.lane)
            engine.steering.obey(Switch(kind, name, on=False))
            await anyio.sleep(rng.random() * 30)
            engine.steering.obey(Switch(kind, name, on=True))

    async def disk(engine):
        await anyio.sleep(rng.random() * 40)
        rig.journal.blocked = rng.random() < 0.3
        await anyio.sleep(rng.random() * 10)
        rig.journal.blocked = False

    async def guard(engine):
        await anyio.sleep(80_000)
        raise AssertionError("it hangs")

    return steer, switch, disk, guard


def assert_limits_held(rig):
    for setup in rig.lanes:
        scopes = [(("lane", setup.lane.id), setup.limits)]
        scopes += [((one.scope.kind, one.scope.name), one.limits) for one in setup.outer]
        for scope, limits in scopes:
            assert limits.workers is None or rig.client.peaks[scope] <= limits.workers, scope
            for rate in (limits.qps, None if limits.rpm is None else limits.rpm / 60):
                times = rig.client.sends[scope] if rate else []
                assert all(later - earlier >= 1e9 / rate - 2000 for earlier, later in pairwise(times)), scope


def assert_nothing_leaked(rig):
    for view in rig.last.lanes:
        assert (view.held, view.in_flight, view.waiting) == (0, 0, 0)


def assert_nothing_lost(rig, ended):
    assert not [row.text for row in rig.journal.of(EventRow) if row.kind == "our_fault"]
    tests = rig.journal.tests
    assert max(Counter(row.test for row in tests if row.verdict is Verdict.FULL).values(), default=1) == 1
    # A run stopped on a full disk keeps its last rows for the moment the journal is closed.
    kept = [row for row in (*rig.journal.rows, *rig.journal.pending) if isinstance(row, RequestRow)]
    assert len(kept) == len(rig.client.sent)
    off = {view.deployment for view in rig.last.lanes if view.state == "off"}
    for row in rig.journal.of(
        EventRow
    ):  # a job may have ended for want of a lane that was switched on again later
        if row.kind.startswith("lane") and "off" in row.text and row.text != BY_HAND:
            off.add(row.subject.split("/")[1].split("@")[0])
    played = {row.test for row in tests}
    for one in [] if ended else rig.jobs:
        usable = [shard for shard in one.shards if shard.lane_id.split("/")[1].split("@")[0] not in off]
        assert not usable or played.issuperset(one.tests), one.id


@pytest.mark.parametrize("seed", seeds(120, quick=60))
def test_whatever_happens_limits_hold_and_nothing_is_lost(seed):
    rng = random.Random(seed)
    rig = make_rig(rng)
    ended = []
    assert rig.run(*operators(rng, rig, ended)) == ("interrupted" if ended else "finished")
    assert_limits_held(rig)
    assert_nothing_leaked(rig)
    assert_nothing_lost(rig, ended)
