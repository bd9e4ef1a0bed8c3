"""Random fleets whose keys other runs want as well, on virtual time: nothing is lost, every key is given back, nobody hangs."""

from __future__ import annotations

import random
from collections import Counter

import anyio
import msgspec
import pytest
import trio
from engine_rig import Rig, ids, job, lane, now_ns
from other_runs import OtherRuns
from seeds import seeds
from test_engine_schedules import (
    FAILURES,
    Truth,
    assert_limits_held,
    assert_nothing_leaked,
    assert_nothing_lost,
    operators,
    some_limits,
)

from console.vocabulary.lane import LeaseRule
from console.vocabulary.outcome import Outcome


class OtherRunsAndLimits(OtherRuns):
    """They use up limits at times as well."""

    def __init__(self, rng, keys):
        super().__init__(rng, keys)
        self.busy = self._spans(rng)
        self.in_flight = 0

    def beyond(self, lane_id):
        return self

    def tell(self, told):
        pass

    # What requests pass besides the gates of their run

    def try_pass(self, at_ns, estimated_tokens, ahead_ns=0):
        for begin, end in self.busy:
            if begin <= at_ns < end:
                return min(int(end) + 1, at_ns + 50_000_000)
        self.in_flight += 1
        return 0

    def wait_ns(self, at_ns):
        return 0

    def claim(self, at_ns):
        return 0

    def sent(self, sent_ns, *, again):
        pass

    def unsent(self):
        pass

    def leave(self, at_ns, estimated_tokens, used_tokens):
        self.in_flight -= 1


def make_rig(rng):
    keys = [f"k{number}" for number in range(rng.randint(1, 3))]
    limits = {key: some_limits(rng, 0.3) for key in keys}
    lanes, of_model = [], {}
    for model in "abcd"[: rng.randint(1, 4)]:
        for key in rng.sample(keys, rng.randint(1, len(keys))):
            outer = [("key", f"p/{key}", limits[key])] if limits[key] else []
            per = "job" if rng.random() < 0.1 else "lane"
            setup = lane(f"d{model}", workers=rng.randint(1, 4), key=key, outer=outer, per=per)
            setup = msgspec.structs.replace(
                setup,
                lane=msgspec.structs.replace(setup.lane, model=model),
                adaptive=rng.random() < 0.2,
            )
            lanes.append(setup)
            of_model.setdefault(model, []).append(setup)
    jobs = []
    for number in range(rng.randint(1, 6)):
        model = rng.choice(list(of_model))
        used = of_model[model]
        made = job(
            ids(rng.randint(0, 15), f"m{number}"),
            used,
            name=f"j{number}",
            before=(rng.randrange(number),) if number and rng.random() < 0.3 else (),
            stagger_s=rng.choice([0, 0, 5]),
            delays=tuple(rng.choice([0, 0, 3, 20]) for _ in used),
        )
        leases = tuple(dict.fromkeys(f"p/{setup.lane.key}" for setup in used))
        jobs.append(msgspec.structs.replace(made, model=model, lease=leases if rng.random() < 0.85 else None))
    trouble = rng.choice([0.0, 0.0, 0.1, 0.4])
    refused = rng.choice([*keys, None, None])

    def answer(endpoint, request, number):
        delay = rng.choice([0.0, 0.01, 0.3, 1, 3, 10])
        if endpoint.deployment.endswith(f"@{refused}"):
            return delay, {"outcome": Outcome.AUTH}
        return delay, (rng.choice(FAILURES) if rng.random() < trouble else {})

    rig = Rig(jobs, lanes, Truth(answer, lanes), attempts=rng.randint(1, 5))
    rig.leases = {
        f"p/{key}": LeaseRule(to=rng.choice(["job", "model"]), holders=rng.choice([1, 1, 2])) for key in keys
    }
    rig.sharing = OtherRunsAndLimits(rng, [f"p/{key}" for key in keys])
    return rig


def watcher(rig):
    """Look at what the engine shows, and hold it against the rules."""

    async def watch(engine):
        while True:
            await anyio.sleep(0.7 if now_ns() < 60e9 else 50)
            picture = engine.look()
            assert picture.done <= picture.planned
            held = Counter()
            models = {}
            for view, one in zip(picture.jobs, rig.jobs, strict=True):
                if view.key and view.state == "running":
                    held[view.key] += 1
                    models.setdefault(view.key, set()).add(one.model)
                    assert view.key in one.lease
            for key, rule in rig.leases.items():
                holders = held[key] if rule.to == "job" else len(models.get(key, ()))
                assert holders <= rule.holders, key

    return watch


def assert_waits_stay_apart(rig):
    for row in rig.journal.tests:
        apart = (row.service_ns, row.limiter_wait_ns, row.held_ns, row.retry_wait_ns)
        assert min(apart) >= 0, row
        assert sum(apart) <= row.duration_ns + 1000, row


@pytest.mark.parametrize("seed", seeds(80, quick=30))
def test_whatever_other_runs_do_nothing_is_lost_and_every_key_is_given_back(seed):
    rng = random.Random(seed)
    trio._core._run._r.seed(seed)  # which of the tasks that are ready goes first
    rig = make_rig(rng)
    ended = []
    state = rig.run(*operators(rng, rig, ended), watcher(rig))
    assert state == ("interrupted" if ended else "finished")
    if not any(setup.per == "job" for setup in rig.lanes):
        assert_limits_held(rig)
    assert_waits_stay_apart(rig)
    assert_nothing_leaked(rig)
    assert_nothing_lost(rig, ended)
    assert not rig.sharing.ours
    assert rig.sharing.in_flight == 0
