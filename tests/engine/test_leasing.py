"""Jobs that lease keys, on virtual time: one holder a key, moving on when a key is lost, taking turns with other runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import anyio
import msgspec
import pytest
from engine_rig import Rig, ScriptedClient, ids, job, lane, now_ns

from console.vocabulary.chat import ChatRequest
from console.vocabulary.command import Drain, Switch
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.rows import EventRow
from console.work.contract import TestResult

KEYS = ("key0", "key1", "key2")


def fleet(models, keys=KEYS, *, workers=2):
    """Return a lane a model and key."""
    lanes = []
    for model in models:
        for key in keys:
            setup = lane(model, workers=workers, key=key)
            lanes.append(
                msgspec.structs.replace(setup, lane=msgspec.structs.replace(setup.lane, model=model))
            )
    return lanes


def leasing(lanes, models, count=20, *, keys=KEYS, **more):
    """Return a job a model that leases one of `keys`."""
    jobs = []
    for model in models:
        own = [setup for setup in lanes if setup.lane.model == model]
        made = job(ids(count, model), own, name=f"job-{model}", **more)
        jobs.append(msgspec.structs.replace(made, model=model, lease=tuple(f"p/{key}" for key in keys)))
    return jobs


class Watching(ScriptedClient):
    """Notes which models are on which key at the same time."""

    def __init__(self, answer=lambda *_: (1.0, {})):
        super().__init__(answer)
        self.on_key = defaultdict(Counter)
        self.most_models = Counter()

    async def complete(self, endpoint, request, on_sent=None):
        deployment, key = endpoint.deployment.removeprefix("p/").split("@")
        self.on_key[key][deployment] += 1
        self.most_models[key] = max(self.most_models[key], len(+self.on_key[key]))
        try:
            return await super().complete(endpoint, request, on_sent)
        finally:
            self.on_key[key][deployment] -= 1


def full(rig):
    return Counter(row.test for row in rig.journal.tests if row.verdict is Verdict.FULL)


def texts(rig, kind):
    return [(row.subject, row.text) for row in rig.journal.of(EventRow) if row.kind == kind]


def test_a_key_serves_one_job_at_a_time_and_no_key_is_idle_while_a_job_waits():
    models = "abcdefg"
    lanes = fleet(models)
    rig = Rig(leasing(lanes, models), lanes, Watching())
    seen = []

    async def look(engine):
        await anyio.sleep(5)
        seen.append(engine.look().jobs)

    assert rig.run(look) == "finished"
    assert full(rig) == Counter(test for model in models for test in ids(20, model))
    assert rig.client.most_models == {"key0": 1, "key1": 1, "key2": 1}
    assert rig.ended_s == pytest.approx(30)  # seven jobs of ten seconds on three keys
    assert [(view.key, view.waits_for_key) for view in seen[0]] == [
        *[(f"p/{key}", False) for key in KEYS],
        *[("", True)] * 4,
    ]


def test_a_job_whose_key_is_refused_goes_on_with_another_one():
    def answer(endpoint, request, number):
        dead = endpoint.deployment.endswith("key1") and now_ns() > 3e9
        return 1.0, ({"outcome": Outcome.AUTH, "status": 401} if dead else {})

    models = "abc"
    lanes = fleet(models)
    rig = Rig(leasing(lanes, models), lanes, Watching(answer))
    assert rig.run() == "finished"
    assert full(rig) == Counter(test for model in models for test in ids(20, model))
    assert rig.client.most_models == {"key0": 1, "key1": 1, "key2": 1}
    leaves, goes_on = [row for row in rig.journal.of(EventRow) if row.kind == "lease"]
    assert (leaves.subject, leaves.text, leaves.key) == ("job-b", "leaves key p/key1", "")
    assert goes_on.subject == "job-b"
    assert goes_on.key in ("p/key0", "p/key2")  # the jobs there end at the same instant
    assert goes_on.text == f"goes on with key {goes_on.key}"
    started = {row.subject: row.key for row in rig.journal.of(EventRow) if row.kind == "job_started"}
    assert started == {"job-a": "p/key0", "job-b": "p/key1", "job-c": "p/key2"}


def test_a_lane_that_is_off_costs_its_job_the_key_but_not_others():
    def answer(endpoint, request, number):
        broken = endpoint.deployment == "p/a@key0"
        return 0.1, ({"outcome": Outcome.RATE_LIMITED, "error_code": "insufficient_quota"} if broken else {})

    models = "ab"
    lanes = fleet(models, keys=("key0", "key1"))
    jobs = leasing(lanes, models, keys=("key0", "key1"))
    rig = Rig(jobs, lanes, Watching(answer))
    assert rig.run() == "finished"
    assert full(rig) == Counter(test for model in models for test in ids(20, model))
    assert not [name for _, name in rig.client.sent if name == "p/a@key0"][2:]


def test_jobs_end_when_no_key_serves_them_any_more():
    lanes = fleet("abcd", keys=("key0", "key1"))
    dead = {"outcome": Outcome.AUTH, "status": 401}
    rig = Rig(leasing(lanes, "abcd", keys=("key0", "key1")), lanes, Watching(lambda *_: (1.0, dead)))
    assert rig.run() == "finished"
    assert not full(rig)
    assert rig.ended_s < 5
    assert [text for _, text in texts(rig, "job_done")] == [
        *["ended: 0 answered, 2 without an answer, 18 not run"] * 2,
        *["ended: 0 answered, 0 without an answer, 20 not run"] * 2,
    ] or len(texts(rig, "job_done")) == 4


def test_a_key_that_is_switched_off_by_hand_moves_its_job_and_jobs_wait_for_it_if_it_is_the_last():
    async def operate(engine):
        await anyio.sleep(2.5)
        engine.steering.obey(Switch("key", "p/key0", on=False))
        await anyio.sleep(3)
        engine.steering.obey(Switch("key", "p/key1", on=False))
        await anyio.sleep(50)
        assert engine.look().in_flight == 0
        assert all(view.waits_for_key for view in engine.look().jobs)
        engine.steering.obey(Switch("key", "p/key0", on=True))

    lanes = fleet("ab", keys=("key0", "key1"))
    rig = Rig(leasing(lanes, "ab", keys=("key0", "key1")), lanes, Watching())
    assert rig.run(operate) == "finished"
    assert full(rig) == Counter(test for model in "ab" for test in ids(20, model))
    assert rig.client.most_models == {"key0": 1, "key1": 1}
    assert rig.ended_s > 55


def test_a_run_whose_jobs_wait_for_keys_can_be_drained():
    async def operate(engine):
        await anyio.sleep(2.5)
        engine.steering.obey(Drain())

    lanes = fleet("abc", keys=("key0",))
    rig = Rig(leasing(lanes, "abc", keys=("key0",)), lanes, Watching())
    assert rig.run(operate) == "interrupted"
    assert rig.ended_s == pytest.approx(3)


class OtherRuns:
    """Keys that other runs have until some time, or take away at some time."""

    def __init__(self, free_from_s=None, taken_at_s=None):
        self.free_from_s = free_from_s or {}
        self.taken_at_s = taken_at_s or {}
        self.ours = set()
        self.log = []

    def ask(self, key, now_ns):
        if now_ns >= self.free_from_s.get(key, 0) * 1e9:
            self.ours.add(key)
            self.log.append((round(now_ns / 1e9), "got", key))
            return True
        return False

    def give_back(self, key, now_ns):
        if key in self.ours:
            self.ours.discard(key)
            self.log.append((round(now_ns / 1e9), "gave", key))

    def still_ours(self, key, now_ns):
        if now_ns >= self.taken_at_s.get(key, 1e9) * 1e9:
            del self.taken_at_s[key]
            self.free_from_s[key] = now_ns / 1e9 + 10
            self.ours.discard(key)
        return key in self.ours

    def holder(self, key, now_ns):
        return "run x"

    def beyond(self, lane_id):
        return None

    def shares(self, scope):
        return False

    def claim(self, scope, *, workers, qps):
        pass

    def tell(self, told):
        pass


def test_runs_take_turns_job_by_job():
    others = OtherRuns(free_from_s={"p/key1": 12})
    lanes = fleet("abc", keys=("key0", "key1"))
    rig = Rig(leasing(lanes, "abc", keys=("key0", "key1")), lanes, Watching())
    rig.sharing = others
    notes = []

    async def look(engine):
        await anyio.sleep(5)
        notes.extend(view.note for view in engine.look().jobs if view.waits_for_key)

    assert rig.run(look) == "finished"
    assert full(rig) == Counter(test for model in "abc" for test in ids(20, model))
    assert notes == ["run x", "run x"]
    assert not others.ours
    by_key = {key: [entry[:2] for entry in others.log if entry[2] == key] for key in ("p/key0", "p/key1")}
    assert by_key["p/key1"][0] == (12, "got")
    for log in by_key.values():
        assert all(one[1] != other[1] for one, other in pairwise(log))  # got, gave, got, gave


def test_a_key_that_was_lost_to_another_run_is_used_no_more_and_asked_for_anew():
    others = OtherRuns(taken_at_s={"p/key0": 4})
    lanes = fleet("a", keys=("key0",))
    rig = Rig(leasing(lanes, "a", keys=("key0",)), lanes, Watching())
    rig.sharing = others
    assert rig.run() == "finished"
    assert full(rig) == Counter(ids(20, "a"))
    times = [at / 1e9 for at, _ in rig.client.sent]
    assert not [at for at in times if 5 < at < 13.9]
    assert [subject for subject, text in texts(rig, "lease") if "lost" in text] == ["p/key0"]


def test_a_job_that_a_stagger_keeps_back_asks_for_its_key_when_its_time_has_come():
    lanes = fleet("ab", keys=("key0", "key1"))
    rig = Rig(leasing(lanes, "ab", keys=("key0", "key1"), stagger_s=5.0), lanes, Watching())
    rig.sharing = OtherRuns()
    assert rig.run() == "finished"
    assert rig.sharing.log[:2] == [(0, "got", "p/key0"), (0, "got", "p/key1")]
    started = [row.at_ns / 1e9 for row in rig.journal.of(EventRow) if row.kind == "job_started"]
    assert started == pytest.approx([0, 5])


class Rival(OtherRuns):
    """Another run that waits for a key, and has it for ten seconds as soon as it is given back."""

    def give_back(self, key, now_ns):
        if key in self.ours and key not in self.free_from_s:
            self.free_from_s[key] = now_ns / 1e9 + 10
        super().give_back(key, now_ns)


def test_a_key_goes_to_a_run_that_waits_for_it_between_two_jobs():
    lanes = fleet("ab", keys=("key0",))
    rig = Rig(leasing(lanes, "ab", keys=("key0",)), lanes, Watching())
    rig.sharing = Rival()
    assert rig.run() == "finished"
    assert rig.sharing.log == [
        (0, "got", "p/key0"),
        (10, "gave", "p/key0"),
        (20, "got", "p/key0"),
        (30, "gave", "p/key0"),
    ]


class TwoTurns:
    """A test that asks twice."""

    async def run(self, test, ask, said):
        for _ in range(2):
            await ask(ChatRequest(messages=({"role": "user", "content": "hello"},), max_tokens=10))
        return TestResult(verdict=Verdict.FULL, score=1.0)


def test_tests_begun_on_a_key_that_was_lost_send_nothing_more_on_it_and_are_played_elsewhere():
    lanes = fleet("a", keys=("key0", "key1"))
    client = Watching(lambda *_: (3.0, {}))
    rig = Rig(leasing(lanes, "a", count=8, keys=("key0", "key1")), lanes, client, work=TwoTurns())
    rig.sharing = OtherRuns(taken_at_s={"p/key0": 4})
    assert rig.run() == "finished"
    assert full(rig) == Counter(ids(8, "a"))
    assert max(at for at, name in client.sent if name == "p/a@key0") < 4e9
    broken_off = [row.lane.id for row in rig.journal.tests if row.verdict is Verdict.CANCELLED]
    assert broken_off == ["p/a@key0"] * 2
    assert {view.held for view in rig.last.lanes} == {0}
