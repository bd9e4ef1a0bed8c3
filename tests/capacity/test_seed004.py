"""The rules of seed 004 beside ours, on servers whose capacity is known: what `docs/capacity.md` says of them."""

from __future__ import annotations

import pytest
from queueing import Server, play

from console.capacity.ramp import LADDER, RampSettings
from console.capacity.ramp_search import RampSearch
from console.capacity.rules import RuleSettings
from console.capacity.seed004 import SeedSearch, SeedSettings


def by_seed004(server: Server):
    asked = SeedSearch(SeedSettings())
    levels = play(asked, server)
    return asked.answer(levels), levels


def test_a_level_is_ten_requests_for_each_in_flight_from_the_first_sending_to_the_last_answer():
    server = Server(slots=None)
    begun_ns = server.now_ns
    _, levels = by_seed004(server)
    assert [level.concurrency for level in levels] == list(LADDER)
    for level in levels:
        assert level.ended == level.spent_requests == 10 * level.concurrency
        assert level.from_ns == begun_ns
        begun_ns = level.to_ns - 1
        whole_s = (level.to_ns - level.from_ns) / 1e9
        assert level.requests_per_s.value == pytest.approx(10 * level.concurrency / whole_s)


@pytest.mark.parametrize(("tokens_cv", "share"), [(0.3, 0.95), (1.0, 0.75)])
def test_a_count_with_its_drain_makes_a_server_without_a_limit_look_slower(tokens_cv, share):
    _, levels = by_seed004(Server(slots=None, tokens_cv=tokens_cv))
    truth = levels[-1].concurrency / (levels[-1].metrics["e2e_mean"].value / 1000)
    assert levels[-1].requests_per_s.value < share * truth


@pytest.mark.parametrize("rejects", [False, True])
def test_a_rung_is_taken_for_the_limit(rejects):
    answer, levels = by_seed004(Server(slots=37, rejects=rejects))
    assert answer.capacity == levels[-1].concurrency
    assert answer.capacity == (50 if rejects else 100)
    ours = RampSearch(RampSettings(), RuleSettings())
    assert ours.answer(play(ours, Server(slots=37, rejects=rejects))).capacity == 37


def test_ten_requests_may_say_that_growth_has_ended_where_it_has_not():
    server = {"slots": 37, "tokens_cv": 1.0, "seed": 2}
    answer, _ = by_seed004(Server(**server))
    assert (answer.capacity, answer.stopped_by) == (5, ("throughput",))
    ours = RampSearch(RampSettings(), RuleSettings())
    found = ours.answer(play(ours, Server(**server))).capacity
    assert found is not None
    assert 35 <= found <= 39
