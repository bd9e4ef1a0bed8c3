"""What becomes of a run on several processes when one dies, hangs or loses its lanes, on virtual time."""

from __future__ import annotations

from collections import Counter

import anyio
import msgspec
import pytest
import trio
from part_rig import Client, events, guard, ids, job, lane, terminal

from console.engine.load import Level
from console.processes.level_run import LevelOnProcesses
from console.processes.plan_run import PlanRun
from console.records.read_journal import read_rows
from console.vocabulary.chat import ChatRequest, Timeouts
from console.vocabulary.command import Accepted, Pause, Refused, Resume, Switch
from console.vocabulary.errors import ConsoleError
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow


def play(rig, jobs, *beside, processes=2):
    return rig.run(lambda seat: PlanRun(seat, rig.plan(jobs), processes), guard, *beside)


def level(rig, count, *beside, most=8, rate=None):
    requests = [ChatRequest(messages=({"role": "user", "content": f"prompt {n}"},)) for n in range(count)]

    def make(seat):
        asked = Level(max_concurrency=most, request_rate=rate)
        return LevelOnProcesses(seat, asked, requests, rig.lanes, processes=2, timeouts=Timeouts(), seed=0)

    return rig.run(make, guard, *beside)


def test_shards_on_keys_that_are_not_leased_delay_nobody_on_several_processes(make_rig):
    lanes = [lane("a", key=key) for key in ("key0", "key1", "key2")]
    rig = make_rig(lanes)
    leases = msgspec.structs.replace(
        job(ids(10), lanes, delays=(0, 5, 5)), lease=("p/key2", "p/key0", "p/key1")
    )
    assert play(rig, [leases], processes=3) == "finished"
    assert terminal(rig) == Counter(ids(10))
    assert [(event.subject, event.key) for event in events(rig, "job_started")] == [("job", "p/key2")]
    first = min(row.at_ns for row in read_rows(rig.run_dir) if isinstance(row, RequestRow))
    assert first / 1e9 == pytest.approx(
        5, abs=0.5
    )  # as on one process: what key1 would have waited is not in it


def leasing(lanes, models, keys):
    return [
        msgspec.structs.replace(
            job(ids(12, model), [one for one in lanes if one.lane.deployment == model], name=model),
            model=model,
            lease=keys,
        )
        for model in models
    ]


@pytest.mark.parametrize("processes", [2, 3])
@pytest.mark.parametrize("dead", [False, True])
def test_jobs_lease_keys_over_several_processes(make_rig, processes, dead):
    keys = ("key0", "key1", "key2")
    lanes = [lane(model, key=key, workers=2) for model in "abcd" for key in keys]
    on_key = Counter()

    def answer(endpoint, number):
        refused = dead and endpoint.deployment.endswith("@key1") and trio.current_time() > 2.5
        return 1.0, {"outcome": Outcome.AUTH} if refused else {}

    class Watching(Client):
        async def complete(self, endpoint, request, on_sent=None):
            key = endpoint.deployment.rpartition("@")[2]
            try:
                return await super().complete(endpoint, request, on_sent)
            finally:
                # What is still in flight when an answer is there, this one's lane included.
                busy = {name for name, count in self.live.items() if count and name.endswith(key)}
                on_key[key] = max(on_key[key], len(busy | {endpoint.deployment}))

    rig = make_rig(lanes, Watching(answer))
    jobs = leasing(lanes, "abcd", tuple(f"p/{key}" for key in keys))
    assert play(rig, jobs, processes=processes) == "finished"
    assert terminal(rig) == Counter(test for model in "abcd" for test in ids(12, model))
    assert set(on_key.values()) == {1}
    gone_on = [event.key for event in events(rig, "lease") if event.key]
    assert gone_on == (["p/key0"] if dead else []) or (dead and gone_on == ["p/key2"])


def test_a_process_that_hangs_is_replaced(make_rig):
    lanes = [lane("a", workers=4)]
    rig = make_rig(lanes)

    async def hang(rig):
        await anyio.sleep(2.5)
        rig.processes[0].hang()

    assert play(rig, [job(ids(60), lanes)], hang) == "finished"
    assert terminal(rig) == Counter(ids(60))
    assert len(events(rig, "process_hangs")) == len(events(rig, "process_lost")) == 1
    assert rig.ended_s < 120


def test_what_takes_the_place_of_another_while_all_is_paused_waits_as_well(make_rig):
    lanes = [lane("a", workers=4)]
    rig = make_rig(lanes)

    async def kill_paused(rig):
        await anyio.sleep(2.5)
        rig.coordinator.steering.obey(Pause())
        await anyio.sleep(2)
        rig.processes[0].kill()
        sent = len(rig.client.sent)
        await anyio.sleep(50)
        assert len(rig.client.sent) == sent
        rig.coordinator.steering.obey(Resume())

    assert play(rig, [job(ids(40), lanes)], kill_paused) == "finished"
    assert terminal(rig) == Counter(ids(40))


def test_a_lane_that_is_off_is_off_for_what_takes_the_place_of_another(make_rig):
    lanes = [lane("bad", workers=4, key="k0"), lane("good", workers=4, key="k1")]
    refused = Counter()

    def answer(endpoint, number):
        refused.update(["@k0" in endpoint.deployment])
        return 1.0, {"outcome": Outcome.AUTH} if "@k0" in endpoint.deployment else {}

    rig = make_rig(lanes, Client(answer))

    async def kill(rig):
        await anyio.sleep(5)
        rig.processes[0].kill()

    assert play(rig, [job(ids(60), lanes)], kill) == "finished"
    assert terminal(rig) == Counter(ids(60))
    assert refused[True] == 4, "none after the first were refused"
    assert [row.subject for row in events(rig, "lane_off")] == ["p/bad@k0"]


def test_a_refused_key_is_told_of_for_every_lane_wherever_it_is(make_rig):
    lanes = [lane("a", workers=1, key="k0"), lane("b", workers=1, key="k0"), lane("c", workers=2, key="k1")]
    client = Client(
        lambda endpoint, number: (1.0, {"outcome": Outcome.AUTH} if "@k0" in endpoint.deployment else {})
    )
    rig = make_rig(lanes, client)
    assert play(rig, [job(ids(10), lanes)]) == "finished"
    assert sorted(row.subject for row in events(rig, "lane_off")) == ["p/a@k0", "p/b@k0"]


def test_figures_of_a_dead_process_stay_counted(make_rig):
    lanes = [lane("a", workers=4)]
    rig = make_rig(lanes)
    seen = []

    async def kill(rig):
        for _ in range(40):
            await anyio.sleep(0.5)
            seen.append(rig.coordinator.look().verdicts.get("full", 0))
            if len(seen) == 11:
                rig.processes[0].kill()

    play(rig, [job(ids(80), lanes)], kill)
    assert seen == sorted(seen)
    last = rig.last
    assert last.verdicts == {"full": 80}
    assert last.lanes[0].ok == 80
    assert last.lanes[0].in_flight == 0


def test_a_process_that_cannot_be_replaced_leaves_its_tests_to_the_others(make_rig, monkeypatch):
    lanes = [lane("a", workers=4)]
    rig = make_rig(lanes)

    async def kill(rig):
        await anyio.sleep(2.5)

        def refuse(path):
            raise OSError(11, "Resource temporarily unavailable")

        monkeypatch.setattr("console.processes.child.started", refuse)
        rig.processes[0].kill()

    assert play(rig, [job(ids(40), lanes)], kill) == "finished"
    assert terminal(rig) == Counter(ids(40))
    (lost,) = events(rig, "process_lost")
    assert "temporarily unavailable" in lost.text


def test_a_run_file_that_cannot_be_written_ends_no_run(make_rig, monkeypatch):
    lanes = [lane("a", workers=4)]
    rig = make_rig(lanes)

    def full(seat, name):
        raise ConsoleError("No space left on device")

    monkeypatch.setattr("part_rig.Seat.announce_segment", full)
    assert play(rig, [job(ids(8), lanes)]) == "finished"
    assert terminal(rig) == Counter(ids(8))


@pytest.mark.parametrize("rate", [None, 5.0])
def test_prompts_of_a_dead_process_are_never_sent_again(make_rig, rate):
    rig = make_rig([lane("a", workers=None)])

    async def kill(rig):
        await anyio.sleep(3.5)
        rig.processes[0].kill()

    assert level(rig, 80, kill, rate=rate) == "finished"
    assert max(Counter(rig.client.sent).values()) == 1
    answered = rig.coordinator.answered
    assert 40 < answered < 80
    assert rig.coordinator.deaths == {1: 1}


def test_a_part_of_a_level_without_lanes_leaves_the_prompts_to_the_others(make_rig):
    lanes = [lane("bad", workers=1, key="k0"), lane("good", workers=1, key="k1")]
    client = Client(
        lambda endpoint, number: (1.0, {"outcome": Outcome.AUTH} if "@k0" in endpoint.deployment else {})
    )
    rig = make_rig(lanes, client)
    assert level(rig, 60, most=2) == "finished"
    assert rig.coordinator.answered == 59, "all but the one that was refused"


def test_a_key_is_switched_off_and_on_in_all_processes_also_in_one_that_is_replaced(make_rig):
    lanes = [lane("a", workers=4, key="k0"), lane("b", workers=4, key="k1")]
    sent = []

    def answer(endpoint, number):
        sent.append((rig.now_s, "@k0" in endpoint.deployment))
        return 1.0, {}

    rig = make_rig(lanes, Client(answer))

    async def operate(rig):
        await anyio.sleep(5.5)
        assert isinstance(rig.coordinator.steering.obey(Switch("key", "p/k0", on=False)), Accepted)
        assert isinstance(rig.coordinator.steering.obey(Switch("key", "p/k0", on=False)), Refused)
        await anyio.sleep(2)
        rig.processes[0].kill()
        await anyio.sleep(8)
        assert isinstance(rig.coordinator.steering.obey(Switch("key", "p/k0", on=True)), Accepted)

    assert play(rig, [job(ids(200), lanes)], operate) == "finished"
    assert terminal(rig) == Counter(ids(200))
    off = [at for at, refused in sent if refused]
    assert not [at for at in off if 5.6 < at < 15.5]
    assert [at for at in off if at > 15.5]
