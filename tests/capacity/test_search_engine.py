"""Searches on the real engine, on virtual time: levels are held, journalled, paused, stopped and gone on with."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio
from search_rig import SearchRig, Slots

from console.capacity.ramp import RampSettings
from console.capacity.ramp_search import RampSearch
from console.capacity.rules import RuleSettings
from console.capacity.search import Budget, Pace
from console.capacity.seed004 import SeedSearch, SeedSettings
from console.capacity.target import TargetSearch, TargetSettings
from console.vocabulary.command import Drain, Pause, Resume, Stop, Switch
from console.vocabulary.level import LevelOutcome
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import EventRow, LevelRow, RequestRow, RunEnded


def ramp(**changes) -> RampSearch:
    return RampSearch(RampSettings(**{"ladder": (2, 5, 10, 20, 50), **changes}), RuleSettings())


@pytest.fixture(scope="module")
def whole() -> SearchRig:
    """One search from its first level to its answer."""
    rig = SearchRig(ramp(), Slots(16))
    rig.state = rig.run()
    return rig


def outcomes(rig: SearchRig) -> list[LevelOutcome]:
    return [row.outcome for row in rig.journal.of(LevelRow)]


def test_a_search_finds_the_slots_of_its_server(whole):
    assert whole.state == "finished"
    (answer,) = whole.engine.answers
    assert answer.state == "found"
    assert answer.capacity == pytest.approx(16, abs=1)
    assert answer.drift is not None
    assert not answer.drift.drifted


@pytest.mark.parametrize(
    "slots", [37, pytest.param(120, marks=pytest.mark.slow), pytest.param(300, marks=pytest.mark.slow)]
)
def test_the_engine_finds_what_the_search_finds_without_it(slots):
    search = RampSearch(RampSettings(drift=False), RuleSettings())
    rig = SearchRig(search, Slots(slots), pace=Pace(least_window_s=2.0, most_s=15.0, scan_s=5.0))
    assert rig.run() == "finished"
    (answer,) = rig.engine.answers
    assert (answer.state, answer.stopped_by) == ("found", ("throughput",))
    assert answer.capacity == pytest.approx(slots, rel=0.05)


def test_every_level_is_in_the_journal_as_it_was_found_and_its_requests_bear_its_number(whole):
    assert outcomes(whole) == whole.engine.levels
    numbers = [int(row.test.split("/")[1]) for row in whole.journal.of(RequestRow)]
    for level in whole.engine.levels:
        assert numbers.count(level.number) == level.spent_requests
    assert len(set(whole.client.prompts)) == len(whole.client.prompts), "no prompt is sent twice"
    (ended,) = whole.journal.of(RunEnded)
    assert ended.done == len(whole.client.prompts)


def test_a_closed_loop_holds_its_concurrency(whole):
    for level in whole.engine.levels:
        assert level.in_flight >= 0.95 * level.concurrency, level
        assert level.validity == "valid", level.reasons
    assert whole.client.peak == max(level.concurrency for level in whole.engine.levels)


def test_nothing_is_in_flight_between_levels(whole):
    rows = whole.journal.of(RequestRow)
    spans = {}
    for row in rows:
        number = int(row.test.split("/")[1])
        low, high = spans.get(number, (row.at_ns, 0))
        spans[number] = (min(low, row.at_ns), max(high, row.at_ns + row.total_ns))
    ordered = [spans[number] for number in sorted(spans)]
    assert all(before[1] <= after[0] for before, after in pairwise(ordered))


@pytest.mark.parametrize("kept", [1, 4, 7])
def test_a_search_that_was_killed_goes_on_at_its_level(whole, kept):
    before = whole.engine.levels[:kept]
    rig = SearchRig(ramp(), Slots(16), levels=before, first_prompt=1_000_000)
    assert rig.run() == "finished"
    assert rig.engine.levels[:kept] == before
    assert [level.number for level in rig.engine.levels] == list(range(1, len(rig.engine.levels) + 1))
    assert rig.engine.levels[kept].concurrency == whole.engine.levels[kept].concurrency
    assert all(int(prompt.split()[1]) >= 1_000_000 for prompt in rig.client.prompts)
    (answer,) = rig.engine.answers
    assert answer.capacity == pytest.approx(16, abs=1)


def test_a_level_that_is_paused_is_measured_anew_and_counts_for_nothing():
    rig = SearchRig(ramp(ladder=(4, 8), drift=False, confirm=0), Slots(99))

    async def pause(engine):
        await trio.sleep(3)
        engine.steering.obey(Pause())
        await trio.sleep(30)
        assert rig.client.in_flight == 0
        engine.steering.obey(Resume())

    assert rig.run(pause) == "finished"
    levels = outcomes(rig)
    assert [level.concurrency for level in levels] == [4, 8]
    assert all(level.validity == "valid" for level in levels)
    assert levels[0].from_ns > 33e9
    sent = sum(level.spent_requests for level in levels)
    assert len(rig.client.prompts) > sent, "what was sent before the pause is in no level"


@pytest.mark.parametrize("command", [Drain(), Stop()])
def test_a_search_that_is_stopped_keeps_its_levels_and_says_what_it_knows(command):
    rig = SearchRig(ramp(), Slots(16))

    async def stop(engine):
        await trio.sleep(25)
        engine.steering.obey(command)

    assert rig.run(stop) == "interrupted"
    assert rig.ended_s < 28
    (answer,) = rig.engine.answers
    assert answer.state == "undecided"
    assert "stopped before it had its answer" in answer.line
    assert outcomes(rig)
    assert outcomes(rig) == rig.engine.levels


def test_a_budget_ends_the_search_undecided_with_what_is_missing():
    rig = SearchRig(ramp(), Slots(16), budget=Budget(requests=150))
    assert rig.run() == "finished"
    (answer,) = rig.engine.answers
    assert (answer.state, answer.missing[0]) == ("undecided", "the budget of 150 requests is spent")


def test_quota_windows_refill_before_the_next_level():
    # From 10 in flight on a quota refuses what is more.
    def fails(name, number):
        return Outcome.RATE_LIMITED if client.in_flight > 10 else None

    client = Slots(99, fails=fails)
    rig = SearchRig(
        ramp(ladder=(5, 10, 20)), client, pace=Pace(least_window_s=3, most_s=20, scan_s=8, quota_rest_s=45)
    )
    rig.run()
    (answer,) = rig.engine.answers
    assert answer.state == "quota"
    refused = [level for level in rig.engine.levels if level.verdict == "quota"]
    after = [level for level in rig.engine.levels if level.number == refused[0].number + 1]
    assert after[0].from_ns - refused[0].to_ns > 45e9


def test_a_lane_that_is_switched_off_ends_the_search_for_what_it_was():
    rig = SearchRig(ramp(), Slots(16), lanes=2)

    async def off(engine):
        await trio.sleep(25)
        engine.steering.obey(Switch("deployment", "p/d1", on=False))

    assert rig.run(off) == "finished"
    (answer,) = rig.engine.answers
    assert answer.state == "undecided"
    assert "p/d1@key0 was switched off" in answer.line


def test_lanes_are_searched_one_by_one_and_together():
    rig = SearchRig(ramp(ladder=(2, 5, 10, 20, 50), confirm=0, drift=False), Slots(8), lanes=2, each=True)
    assert rig.run() == "finished"
    assert [answer.subject for answer in rig.engine.answers] == ["p/d0@key0", "p/d1@key0", ""]
    capacities = [answer.capacity for answer in rig.engine.answers]
    assert capacities == pytest.approx([8, 8, 16], abs=1)
    alone = [level for level in rig.engine.levels if level.subject]
    assert all(len(level.lanes) == 1 for level in alone)


def test_watchers_see_the_search_go_on():
    rig = SearchRig(ramp(), Slots(16))
    seen = []

    async def watch(engine):
        while True:
            await trio.sleep(0.5)
            seen.append(engine.look().search)

    rig.run(watch)
    stages = {view.now.stage for view in seen if view.now is not None}
    assert stages >= {"warm-up", "sampling"}
    assert {view.stage for view in seen} >= {"climbs the ladder"}
    assert all(view.spent_requests >= before.spent_requests for before, view in pairwise(seen))
    assert any(view.now is not None and view.now.rules for view in seen)
    last = rig.last.search
    assert last is not None
    assert last.answer.startswith("bears 1")
    assert last.levels == tuple(rig.engine.levels)
    assert any("level 1: 2 in flight" in event.text for event in rig.journal.of(EventRow))


def test_a_server_that_refuses_all_ends_soon():
    rig = SearchRig(ramp(), Slots(16, fails=lambda name, number: Outcome.SERVER_ERROR))
    assert rig.run() == "finished"
    (answer,) = rig.engine.answers
    assert answer.state == "nothing_passes"
    assert rig.ended_s < 30


def test_a_server_that_is_not_there_gets_no_answer_and_the_reason():
    rig = SearchRig(ramp(), Slots(16, fails=lambda name, number: Outcome.CONNECTION))
    assert rig.run() == "finished"
    (answer,) = rig.engine.answers
    assert (answer.state, answer.capacity) == ("invalid", None)
    assert answer.line.startswith("INVALID at 2: no request reached the model: connection ")
    assert len(rig.engine.levels) <= 3
    # Where some were answered before, refusals are what the server does with so many.
    full = SearchRig(
        ramp(), Slots(99, fails=lambda name, number: Outcome.CONNECTION if busy() > 10 else None)
    )

    def busy() -> int:
        return full.client.in_flight

    full.run()
    (answer,) = full.engine.answers
    assert answer.state == "found"
    assert answer.capacity == pytest.approx(10, abs=1)


# The other searches


def test_the_least_concurrency_for_a_rate_is_what_little_s_law_says():
    # 0.8 s a request: 20 requests/s need 16 in flight, and Poisson arrivals a little more.
    rig = SearchRig(
        TargetSearch(TargetSettings(qps=20, window_s=20), RuleSettings()), Slots(200), pace=Pace(most_s=60)
    )
    assert rig.run() == "finished"
    (answer,) = rig.engine.answers
    assert answer.state == "found", answer.line
    assert answer.capacity is not None
    assert 15 <= answer.capacity <= 19
    rated = [level for level in rig.engine.levels if level.rate is not None]
    assert rated[0].concurrency in (16, 17)
    assert all((level.to_ns - level.from_ns) / 1e9 >= 19 for level in rated if level.verdict == "pass")


def test_a_rate_that_the_server_cannot_reach_is_said_to_be_out_of_reach():
    rig = SearchRig(
        TargetSearch(TargetSettings(qps=40, window_s=10, most=200), RuleSettings()),
        Slots(16),
        pace=Pace(most_s=40),
    )
    assert rig.run() == "finished"
    (answer,) = rig.engine.answers
    assert answer.state == "unreachable", answer.line
    assert "at most 2" in answer.line


def test_an_open_loop_sends_on_its_schedule_whatever_becomes_of_it():
    rig = SearchRig(TargetSearch(TargetSettings(qps=20, window_s=10, confirm=0), RuleSettings()), Slots(200))
    rig.run()
    level = next(level for level in rig.engine.levels if level.rate is not None and level.verdict == "pass")
    rows = [row for row in rig.journal.of(RequestRow) if row.test.startswith(f"level/{level.number}/")]
    assert all(row.due_ns is not None and row.at_ns >= row.due_ns for row in rows)
    assert level.requests_per_s.value == pytest.approx(20, rel=0.15)


def test_the_seed_s_rules_send_ten_requests_for_each_in_flight_and_measure_all_of_them():
    rig = SearchRig(SeedSearch(SeedSettings(ladder=(1, 2, 5, 10, 20, 50))), Slots(16))
    rig.run()
    levels = rig.engine.levels
    assert [level.ended for level in levels] == [10 * level.concurrency for level in levels]
    (answer,) = rig.engine.answers
    assert answer.stopped_by in (("throughput",), ("ttft_mean",))
    assert answer.capacity == 50
    assert [(margin.low, margin.high) for margin in answer.margins] == [(25, 25)]


def test_prompts_of_a_search_are_made_once_each_in_their_order():
    rig = SearchRig(ramp(ladder=(3,), drift=False, confirm=0), Slots(99), first_prompt=7)
    rig.run()
    numbers = [int(prompt.split()[1]) for prompt in rig.client.prompts]
    assert numbers == list(range(7, 7 + len(numbers)))
