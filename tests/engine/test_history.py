"""The last ten minutes: a sample every five seconds of the engine's clock, small enough to be sent."""

from __future__ import annotations

import anyio
import msgspec
import pytest
from engine_rig import Rig, ScriptedClient, ids, job, lane

from console.control.client import MAX_REPLY_BYTES
from console.engine.history import SAMPLES, HistoryRing
from console.vocabulary.command import Refused
from console.vocabulary.inspection import History, Point
from console.vocabulary.outcome import Outcome


def test_a_ring_keeps_ten_minutes_and_leaves_out_lanes_that_had_nothing():
    ring = HistoryRing(["a", "b", "c"])
    for number in range(200):
        early = 5 if number < 3 else 0
        ring.add(
            5.0 * number, [Point(5.0 * number, 2, 1.5, 30.0, 0.5, 8), Point(0.0, early), Point(0.0, limit=3)]
        )
    history = ring.history()
    assert set(history.lanes) == {"a"}
    assert len(history.total) == len(history.lanes["a"]) == SAMPLES
    assert history.total[-1] == Point(995.0, 2, 1.5, 30.0, 0.5, None)
    assert history.total[-1].at_s - history.total[0].at_s == 600


def test_the_limit_of_all_is_the_sum_where_every_lane_has_one():
    ring = HistoryRing(["a", "b"])
    ring.add(5.0, [Point(5.0, 1, limit=3), Point(5.0, limit=4)])
    assert ring.history().total == (Point(5.0, 1, limit=7),)


def test_a_reply_of_many_busy_lanes_stays_small_and_has_two_minutes_of_each():
    ring = HistoryRing([f"provider/deployment-{n}@key{n % 12}" for n in range(720)])
    for number in range(130):
        ring.add(5.0 * number, [Point(5.0 * number, 17, 12.34, 12345.6, 0.123, 50)] * 720)
    history = ring.history()
    assert len(msgspec.json.encode(history)) < MAX_REPLY_BYTES / 10
    assert len(history.total) == SAMPLES
    assert {len(points) for points in history.lanes.values()} == {33}
    assert history.lanes["provider/deployment-0@key0"][-1].at_s == history.total[-1].at_s


def test_an_engine_samples_what_its_lanes_do():
    def answer(endpoint, request, number):
        bad = endpoint.deployment == "p/b@key0" and number > 50
        fields = {"outcome": Outcome.BAD_REQUEST} if bad else {"completion_tokens": 20}
        return 0.8, fields

    seen: list[History] = []

    async def recall(engine):
        await anyio.sleep(16)
        found = engine.recall()
        assert isinstance(found, History)
        seen.append(found)

    lanes = [lane("a", workers=3), lane("b", workers=2), lane("idle", workers=9)]
    rig = Rig([job(ids(300), lanes[:2])], lanes, ScriptedClient(answer))
    rig.keeps_history = True
    assert rig.run(recall) == "finished"
    history = seen[0]
    assert [point.at_s for point in history.total] == [5, 10, 15]
    assert set(history.lanes) == {"p/a@key0", "p/b@key0"}
    assert [(point.in_flight, point.limit) for point in history.total] == [(5, 14)] * 3
    later = history.lanes["p/a@key0"][-1]
    assert (later.rate, later.tokens_per_s, later.errors_per_s) == (3.6, 72, 0)
    assert history.lanes["p/b@key0"][-1].errors_per_s == pytest.approx(2.4)
    assert history.total[-1].rate == pytest.approx(6)


def test_an_engine_that_keeps_nothing_says_so():
    async def recall(engine):
        await anyio.sleep(6)
        assert isinstance(engine.recall(), Refused)

    lanes = [lane("a")]
    assert Rig([job(ids(10), lanes)], lanes).run(recall) == "finished"
