"""The engine on virtual time: limits, order, retries, parked lanes, pause, drain, stop, a full disk."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import anyio
import pytest
from engine_rig import OneTurn, Rig, ScriptedClient, ids, job, lane, now_ns

from console.vocabulary.command import Accepted, Drain, Pause, Refused, Resume, Stop
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.rows import EventRow, RunEnded

RATE_LIMITED = {"outcome": Outcome.RATE_LIMITED, "status": 429}
DOWN = {"outcome": Outcome.CONNECTION, "error": "refused"}


def verdicts(rig) -> Counter:
    return Counter(str(row.verdict) for row in rig.journal.tests)


def test_every_test_runs_exactly_once_and_workers_are_reached_and_never_passed():
    lanes = [lane("a", workers=3), lane("b", workers=2)]
    rig = Rig([job(ids(50), lanes)], lanes)
    assert rig.run() == "finished"
    assert sorted(row.test for row in rig.journal.tests) == sorted(ids(50))
    assert rig.client.peak == {"p/a@key0": 3, "p/b@key0": 2}
    assert rig.ended_s == pytest.approx(10.0)
    ended = rig.journal.of(RunEnded)[0]
    assert (ended.state, ended.planned, ended.done) == ("finished", 50, 50)


def test_qps_holds_over_workers():
    lanes = [lane("a", workers=10, qps=2)]
    rig = Rig([job(ids(21), lanes)], lanes)
    rig.run()
    times = [at / 1e9 for at, _ in rig.client.sent]
    assert times == pytest.approx([0.5 * number for number in range(21)])


def test_a_key_shared_by_two_models_holds_its_rate_over_both():
    outer = [("key", "p/key0", {"qps": 4, "workers": 3})]
    lanes = [lane("a", workers=10, outer=outer), lane("b", workers=10, outer=outer)]
    rig = Rig([job(ids(40), [lanes[0]], name="one"), job(ids(40, "n"), [lanes[1]], name="two")], lanes)
    rig.run()
    times = sorted(at / 1e9 for at, _ in rig.client.sent)
    assert all(later - earlier >= 0.25 - 1e-9 for earlier, later in pairwise(times))
    assert len(rig.journal.tests) == 80


def test_an_even_split_deals_tests_and_a_pull_lets_the_faster_lane_take_more():
    def slow_b(endpoint, request, number):
        return (3.0 if "/b@" in endpoint.deployment else 1.0), {}

    lanes = [lane("a"), lane("b")]
    even = Rig([job(ids(12), lanes, dealt=True)], lanes, ScriptedClient(slow_b))
    even.run()
    assert Counter(row.lane.deployment for row in even.journal.tests) == {"a": 6, "b": 6}
    pull = Rig([job(ids(12), lanes)], lanes, ScriptedClient(slow_b))
    pull.run()
    assert Counter(row.lane.deployment for row in pull.journal.tests) == {"a": 9, "b": 3}


def test_fewer_tests_than_workers_spread_over_all_lanes():
    lanes = [lane(name, workers=50) for name in "abc"]
    rig = Rig([job(ids(100), lanes)], lanes)
    rig.run()
    assert sorted(rig.client.peak.values()) == [33, 33, 34]


def test_jobs_wait_for_one_another_and_side_by_side_ones_start_staggered():
    lanes = [lane("a", workers=9)]
    jobs = [
        job(ids(1, "one"), lanes, name="one"),
        job(ids(1, "two"), lanes, name="two", before=(0,)),
        job(ids(1, "three"), lanes, name="three", before=(0,), stagger_s=15),
    ]
    rig = Rig(jobs, lanes)
    rig.run()
    assert [at / 1e9 for at, _ in rig.client.sent] == pytest.approx([0, 1, 16])


def test_shards_start_after_their_delays_and_a_late_one_that_is_not_needed_holds_nothing_up():
    lanes = [lane("a"), lane("b"), lane("c")]
    rig = Rig([job(ids(45), lanes, delays=(0, 30, 1000))], lanes)
    rig.run()
    first = {name: at / 1e9 for at, name in reversed(rig.client.sent)}
    assert first["p/b@key0"] == pytest.approx(30)
    assert "p/c@key0" not in first
    assert rig.ended_s < 40


def test_a_copy_of_the_limits_per_job_gives_each_job_its_own_workers():
    lanes = [lane("a", workers=2, per="job")]
    rig = Rig([job(ids(10, name), lanes, name=name) for name in ("one", "two", "three")], lanes)
    rig.run()
    assert rig.client.peak == {"p/a@key0": 6}


def test_a_throttled_request_waits_as_asked_and_its_waits_stay_out_of_its_service_time():
    def answer(endpoint, request, number):
        return (0.1, {**RATE_LIMITED, "retry_after_s": 5.0}) if number == 0 else (1.0, {})

    lanes = [lane("a")]
    rig = Rig([job(ids(1), lanes)], lanes, ScriptedClient(answer))
    rig.run()
    first, second = rig.journal.requests
    assert (first.outcome, first.try_no, second.outcome, second.try_no) == ("rate_limited", 1, "ok", 2)
    assert 5.0 <= second.retry_wait_ns / 1e9 <= 6.25
    assert second.latency_ns == 1_000_000_000
    assert rig.journal.tests[0].service_ns == 1_000_000_000
    assert rig.journal.tests[0].retry_wait_ns == second.retry_wait_ns


def test_a_long_back_off_lends_the_slot_to_another_test():
    def answer(endpoint, request, number):
        return (0.1, {"outcome": Outcome.SERVER_ERROR, "retry_after_s": 60.0}) if number == 0 else (1.0, {})

    lanes = [lane("a", workers=1)]
    rig = Rig([job(ids(5), lanes)], lanes, ScriptedClient(answer))
    rig.run()
    assert verdicts(rig) == {"full": 5}
    assert rig.client.peak == {"p/a@key0": 1}
    assert 60 < rig.ended_s < 80


def test_a_test_without_an_answer_is_infrastructure_tried_again_and_never_the_models_failure():
    calls = Counter()

    def answer(endpoint, request, number):
        calls["n"] += 1
        return 0.1, (
            {"outcome": Outcome.BAD_REQUEST, "status": 400, "error": "no"} if calls["n"] <= 2 else {}
        )

    lanes = [lane("a")]
    rig = Rig([job(ids(1), lanes)], lanes, ScriptedClient(answer))
    assert rig.run() == "finished"
    assert [(row.verdict, row.attempt) for row in rig.journal.tests] == [
        (Verdict.INFRASTRUCTURE, 1),
        (Verdict.INFRASTRUCTURE, 2),
        (Verdict.FULL, 3),
    ]


def test_a_dead_server_rests_the_lane_between_probes_and_the_run_ends_with_what_remains():
    lanes = [lane("a", workers=4)]
    rig = Rig([job(ids(100), lanes)], lanes, ScriptedClient(lambda *_: (0.01, DOWN)))
    assert rig.run() == "finished"
    assert not [row for row in rig.journal.tests if row.verdict is not Verdict.INFRASTRUCTURE]
    assert len(rig.journal.requests) < 40  # not a hundred tests times five tries
    assert rig.journal.of(RunEnded)[0].done < 100
    assert rig.last.lanes[0].state == "off"
    assert 62 < rig.ended_s < 120


def test_a_server_that_comes_back_is_found_by_a_probe():
    async def until(engine):
        await anyio.sleep(20)
        rig.client.answer = lambda *_: (0.5, {})

    lanes = [lane("a", workers=4)]
    rig = Rig([job(ids(30), lanes)], lanes, ScriptedClient(lambda *_: (0.01, DOWN)))
    assert rig.run(until) == "finished"
    done = {row.test for row in rig.journal.tests if row.verdict is Verdict.FULL}
    assert len(done) == 30


def test_a_refused_key_is_quarantined_and_its_work_moves_on():
    def answer(endpoint, request, number):
        return 0.1, ({"outcome": Outcome.AUTH, "status": 401} if endpoint.deployment.endswith("key1") else {})

    lanes = [lane("a", key="key0"), lane("a", key="key1"), lane("b", key="key1")]
    rig = Rig([job(ids(20), lanes, dealt=True)], lanes, ScriptedClient(answer))
    assert rig.run() == "finished"
    full = {row.test for row in rig.journal.tests if row.verdict is Verdict.FULL}
    assert full == set(ids(20))
    assert Counter(name for _, name in rig.client.sent)["p/b@key1"] <= 1
    states = {(view.deployment, view.key): view.state for view in rig.last.lanes}
    assert states == {("a", "key0"): "idle", ("a", "key1"): "off", ("b", "key1"): "off"}
    assert [row for row in rig.journal.of(EventRow) if row.kind == "lane_off"]


@pytest.mark.parametrize(
    "fields",
    [{**RATE_LIMITED, "error_code": "insufficient_quota"}, {**RATE_LIMITED, "retry_after_s": 86400.0}],
)
def test_a_quota_that_is_used_up_switches_the_lane_off_at_once(fields):
    lanes = [lane("a")]
    rig = Rig([job(ids(10), lanes)], lanes, ScriptedClient(lambda *_: (0.1, fields)))
    assert rig.run() == "finished"
    assert len(rig.client.sent) == 1
    assert rig.ended_s < 1


def test_pause_sends_nothing_new_and_resume_goes_on():
    async def operate(engine):
        await anyio.sleep(2.5)
        assert isinstance(engine.steering.obey(Pause()), Accepted)
        assert isinstance(engine.steering.obey(Pause()), Refused)
        await anyio.sleep(10)
        assert engine.look().state == "paused"
        assert engine.look().in_flight == 0
        assert isinstance(engine.steering.obey(Resume()), Accepted)

    lanes = [lane("a", workers=2)]
    rig = Rig([job(ids(10), lanes)], lanes)
    rig.run(operate)
    times = [at / 1e9 for at, _ in rig.client.sent]
    assert not [at for at in times if 2.5 < at < 12.5]
    assert len(rig.journal.tests) == 10
    held = [row for row in rig.journal.requests if row.held_ns]
    assert [(row.held_ns / 1e9, row.limiter_wait_ns) for row in held] == [(pytest.approx(9.5), 0)] * 2


def test_a_pause_does_not_save_up_a_burst():
    async def operate(engine):
        await anyio.sleep(2)
        engine.steering.obey(Pause())
        await anyio.sleep(60)
        engine.steering.obey(Resume())

    lanes = [lane("a", workers=20, qps=2)]
    rig = Rig([job(ids(40), lanes)], lanes)
    rig.run(operate)
    times = [at / 1e9 for at, _ in rig.client.sent]
    assert min(later - earlier for earlier, later in pairwise(times)) >= 0.5 - 1e-6


def test_drain_finishes_what_is_begun_and_leaves_the_rest():
    async def operate(engine):
        await anyio.sleep(2.5)
        engine.steering.obey(Drain())

    lanes = [lane("a", workers=2)]
    rig = Rig([job(ids(10), lanes), job(ids(5, "later"), lanes, name="later", before=(0,))], lanes)
    assert rig.run(operate) == "interrupted"
    assert verdicts(rig) == {"full": 6}
    assert rig.ended_s == pytest.approx(3)
    assert rig.journal.of(RunEnded)[0].state == "interrupted"


def test_drain_waits_for_no_shard_or_job_that_has_not_started():
    async def operate(engine):
        await anyio.sleep(2.5)
        engine.steering.obey(Drain())

    lanes = [lane("a"), lane("b")]
    jobs = [job(ids(50), lanes, delays=(0, 600)), job(ids(5, "n"), lanes, name="later", stagger_s=900)]
    rig = Rig(jobs, lanes)
    assert rig.run(operate) == "interrupted"
    assert rig.ended_s == pytest.approx(3)


def test_stop_cancels_what_is_in_flight_and_every_request_sent_has_its_row():
    async def operate(engine):
        await anyio.sleep(2.5)
        engine.steering.obey(Stop())

    lanes = [lane("a", workers=2)]
    rig = Rig([job(ids(10), lanes)], lanes)
    assert rig.run(operate) == "interrupted"
    assert verdicts(rig) == {"full": 4, "cancelled": 2}
    assert len(rig.journal.requests) == len(rig.client.sent)
    assert rig.ended_s == pytest.approx(2.5)


def test_a_full_disk_holds_the_run_and_loses_nothing():
    async def operate(engine):
        await anyio.sleep(2.5)
        rig.journal.blocked = True
        await anyio.sleep(20)
        picture = engine.look()
        assert picture.state == "blocked"
        assert "No space left" in picture.notice
        assert picture.done == 4
        rig.journal.blocked = False

    lanes = [lane("a", workers=2)]
    rig = Rig([job(ids(10), lanes)], lanes)
    assert rig.run(operate) == "finished"
    assert verdicts(rig) == {"full": 10}
    assert len({row.test for row in rig.journal.tests}) == 10
    assert len(rig.client.sent) == 10
    assert 22 < rig.ended_s < 27


def test_a_run_with_a_full_disk_can_still_be_stopped():
    async def operate(engine):
        await anyio.sleep(0.5)
        rig.journal.blocked = True
        await anyio.sleep(5)
        engine.steering.obey(Stop())

    lanes = [lane("a", workers=2)]
    rig = Rig([job(ids(10), lanes)], lanes)
    assert rig.run(operate) == "interrupted"
    assert rig.ended_s == pytest.approx(5.5)


def test_tests_that_are_done_are_not_run_again():
    lanes = [lane("a", workers=2)]
    rig = Rig([job(ids(10), lanes)], lanes, done=ids(10)[:7])
    rig.run()
    assert sorted(row.test for row in rig.journal.tests) == sorted(ids(10)[7:])
    assert rig.engine.done == 10


def test_the_picture_tells_what_is_going_on():
    pictures = []

    async def look(engine):
        await anyio.sleep(15.5)
        pictures.append(engine.look())

    lanes = [lane("a", workers=2), lane("b", workers=1)]
    rig = Rig([job(ids(90), lanes)], lanes)
    rig.run(look)
    picture = pictures[0]
    assert (picture.state, picture.planned, picture.done, picture.in_flight) == ("running", 90, 45, 3)
    assert picture.rate == pytest.approx(3, rel=0.1)
    assert picture.eta_s == pytest.approx(15, abs=1)
    assert [(view.in_flight, view.held, view.workers, view.state) for view in picture.lanes] == [
        (2, 2, 2, "full"),
        (1, 1, 1, "full"),
    ]
    assert picture.ttft_p50_ms == pytest.approx(1000, rel=0.011)
    assert picture.ttft_p95_ms is None  # 45 samples are too few
    assert picture.simulated


def test_tests_dealt_to_a_lane_that_goes_off_before_it_starts_go_to_the_others():
    def answer(endpoint, request, number):
        return (0.1, {"outcome": Outcome.AUTH}) if endpoint.deployment.endswith("key0") else (1.0, {})

    lanes = [lane("a", key="key0"), lane("b", key="key0"), lane("c", key="key1")]
    jobs = [
        job(ids(9), lanes, name="one", dealt=True, delays=(0, 5, 0)),
        job(ids(9, "n"), lanes, name="two", dealt=True, before=(0,)),
    ]
    rig = Rig(jobs, lanes, ScriptedClient(answer))
    assert rig.run() == "finished"
    assert {row.test for row in rig.journal.tests if row.verdict is Verdict.FULL} == {*ids(9), *ids(9, "n")}


def test_a_job_without_any_lane_left_waits_for_no_delayed_shard():
    lanes = [lane("a"), lane("b")]
    refused = ScriptedClient(lambda *_: (0.1, {"outcome": Outcome.AUTH}))
    rig = Rig([job(ids(5), lanes, delays=(0, 600))], lanes, refused)
    rig.run()
    assert rig.ended_s < 1


def test_failures_of_requests_sent_before_a_rest_are_not_taken_for_the_probe():
    """The server hangs for 100 s and is well again; what was sent before fails long after."""

    def answer(endpoint, request, number):
        started = rig.client.sent[number][0] / 1e9
        if started < 100:
            return 60.0 + number, {"outcome": Outcome.TIMEOUT_TOTAL}
        return 1.0, {}

    lanes = [lane("a", workers=40)]
    rig = Rig([job(ids(120), lanes)], lanes, ScriptedClient(answer))
    assert rig.run() == "finished"
    assert {row.test for row in rig.journal.tests if row.verdict is Verdict.FULL} == set(ids(120))
    assert rig.last.lanes[0].state == "idle"


def test_a_test_that_we_cannot_play_ends_as_our_fault_and_not_the_run():
    class Broken(OneTurn):
        async def run(self, test, ask, said):
            if test.instance == 3:
                raise RecursionError("too deep")
            return await super().run(test, ask, said)

    lanes = [lane("a", workers=2)]
    rig = Rig([job(ids(6), lanes)], lanes, work=Broken())
    assert rig.run() == "finished"
    assert verdicts(rig) == {"full": 5, "infrastructure": 3}
    assert [row for row in rig.journal.of(EventRow) if row.kind == "our_fault"]


def test_a_run_that_ends_takes_no_pause():
    async def operate(engine):
        await anyio.sleep(0.5)
        engine.steering.obey(Drain())
        assert isinstance(engine.steering.obey(Pause()), Refused)

    lanes = [lane("a")]
    rig = Rig([job(ids(5), lanes)], lanes)
    assert rig.run(operate) == "interrupted"


def test_a_rate_holds_for_what_is_really_sent_not_for_what_may_be():
    class Slow(ScriptedClient):
        """Takes its time between the gate and the first byte."""

        def __init__(self):
            super().__init__()
            self.really_sent = []
            self.rng = random.Random(1)

        async def complete(self, endpoint, request, departure=None):
            await anyio.sleep(self.rng.uniform(0, 0.08))
            self.really_sent.append(now_ns())
            departure.sent(now_ns())
            return await super().complete(endpoint, request)

    lanes = [lane("a", workers=20, qps=10), lane("b", workers=20, outer=[("key", "p/key0", {"qps": 8})])]
    for setup in lanes:
        client = Slow()
        rig = Rig([job(ids(100), [setup])], [setup], client)
        assert rig.run() == "finished"
        gaps = [later - sooner for sooner, later in pairwise(client.really_sent)]
        assert min(gaps) >= 1e9 / (setup.limits.qps or 8) - 1


def test_a_client_that_fails_in_a_way_nobody_foresaw_costs_a_try_and_no_place_at_the_gates():
    class Buggy(ScriptedClient):
        async def complete(self, endpoint, request, on_sent=None):
            if len(self.sent) == 3:
                self.sent.append((now_ns(), endpoint.deployment))
                raise RuntimeError("nobody foresaw this")
            return await super().complete(endpoint, request, on_sent)

    lanes = [lane("a", workers=2, outer=[("key", "p/key0", {"workers": 1})])]
    rig = Rig([job(ids(10), lanes)], lanes, Buggy())
    assert rig.run() == "finished"
    assert rig.last.verdicts["full"] == 10
    assert [(view.in_flight, view.held) for view in rig.last.lanes] == [(0, 0)]


@pytest.mark.parametrize("turns_later", range(6))
def test_a_stop_in_the_turn_in_which_many_rows_are_written_loses_no_verdict(turns_later):
    """Who shares a write with others is told that it is written, even if the stop comes in between."""
    lanes = [lane("a", workers=40)]
    rig = Rig([job(ids(80), lanes)], lanes)

    async def stop(engine):
        await anyio.sleep(1.0)
        for _ in range(turns_later):
            await anyio.lowlevel.checkpoint()
        engine.steering.obey(Stop())

    assert rig.run(stop) == "interrupted"
    ended = rig.journal.of(RunEnded)[0]
    stands = sum(row.verdict is Verdict.FULL for row in rig.journal.tests)
    assert ended.done == stands
