"""What is measured of a level equals what follows from its rows by hand, and the truth of a server that is known."""

from __future__ import annotations

import random
from statistics import fmean, pstdev

import pytest
from made_level import LANE, S, Server, closed_loop, ended_ns, made_row, open_loop

from console.capacity.measure import LevelAsked, gather, measure
from console.capacity.steady import Window, steady_window
from console.records.percentile import percentile
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome


def asked(loops=10, **fields) -> LevelAsked:
    return LevelAsked(
        **{"number": 3, "purpose": "scan", "concurrency": loops, "begun_ns": 0, "ended_ns": 30 * S, **fields}
    )


def test_requests_count_by_their_sending_and_answers_by_their_end():
    rows = [
        made_row(0, e2e_ms=2000),  # sent before the window
        made_row(S),  # at its very start
        made_row(2 * S, outcome=Outcome.SERVER_ERROR),
        made_row(2 * S, outcome=Outcome.RATE_LIMITED),
        made_row(2 * S, outcome=Outcome.CANCELLED),
        made_row(3 * S, e2e_ms=2000),  # ends at 5 s, behind it
        made_row(5 * S),  # sent at its very end
    ]
    found = measure(asked(), rows, Window(S, 5 * S))
    assert found.outcomes == {"ok": 2, "server_error": 1, "rate_limited": 1, "cancelled": 1}
    assert (found.ended, found.success.value, found.success.n) == (4, 0.5, 4)
    assert found.requests_per_s.value == pytest.approx(2 / 4)
    assert found.bounds["e2e_mean"].value == pytest.approx((2000 + 500) / 2)
    assert found.in_flight == pytest.approx((1 + 4 * 0.5 + 2) / 4)
    assert found.stay_mean_ms == pytest.approx((4 * 500 + 2000) / 5)
    assert found.spent_requests == 7
    assert found.spent_s == 30


def test_requests_that_hang_until_the_level_is_over_are_not_missed():
    """One of ten gets no answer and times out after a minute, when the level of 20 s is long over."""
    rng, rows = random.Random(1), []
    for loop in range(200):
        at_ns = loop * 5 * 1_000_000
        while at_ns < 20 * S:
            row = made_row(at_ns)
            if rng.random() < 0.1:
                row = made_row(at_ns, e2e_ms=60_000, outcome=Outcome.TIMEOUT_FIRST_TOKEN)
            rows.append(row)
            at_ns = ended_ns(row)
    rows.sort(key=ended_ns)
    window = steady_window(rows, 0, 20 * S, concurrency=200)
    assert isinstance(window, Window)
    assert window.from_ns < 4 * S
    assert measure(asked(200), rows, window).success.value == pytest.approx(0.9, abs=0.03)


def test_tokens_count_where_they_were_made():
    """40 tokens from 1 s to 5 s, of which the window from 2 s to 4 s sees half, though the answer ends behind it."""
    found = measure(asked(), [made_row(0, ttft_ms=1000, e2e_ms=5000, tokens=40)], Window(2 * S, 4 * S))
    assert found.requests_per_s.value == 0
    assert found.work_per_s.value == pytest.approx(10)
    assert found.tokens_per_s is None


def test_figures_are_those_of_the_answers_and_what_is_below_its_floor_is_not_shown():
    rows = [made_row(i * S // 10, ttft_ms=100 + i, e2e_ms=500 + i, tokens=11 + i % 3) for i in range(100)]
    rows += [made_row(i * S, ttft_ms=9e5, outcome=Outcome.TIMEOUT_IDLE) for i in range(5)]
    found = measure(asked(), rows, Window(0, 20 * S))
    ttft = [float(100 + i) for i in range(100)]
    assert found.metrics["ttft_mean"].value == pytest.approx(fmean(ttft))
    assert found.metrics["ttft_p90"].value == pytest.approx(percentile(ttft, 90))
    assert found.bounds["ttft_p95"].value == pytest.approx(percentile(ttft, 95))
    assert {name for name in found.metrics if name.startswith("ttft")} == {
        "ttft_mean",
        "ttft_p50",
        "ttft_p90",
    }
    assert found.bounds["ttft_p95"].n == 100
    tpot = [400 / (10 + i % 3) for i in range(100)]
    assert found.metrics["tpot_mean"].value == pytest.approx(fmean(tpot))
    tokens = [11 + i % 3 for i in range(100)]
    assert found.output_tokens_mean == pytest.approx(fmean(tokens))
    assert found.output_tokens_cv == pytest.approx(pstdev(tokens) / fmean(tokens))
    assert "queue_mean" not in found.metrics


def test_an_open_loop_has_its_wait_and_its_response_from_when_it_was_due():
    rows = [made_row(i * S, due_ns=i * S - S // 4) for i in range(1, 21)]
    found = measure(asked(rate=1.0), rows, Window(0, 30 * S))
    assert found.metrics["queue_mean"].value == pytest.approx(250)
    assert found.metrics["response_p50"].value == pytest.approx(750)
    assert found.metrics["e2e_p50"].value == pytest.approx(500)


def test_goodput_is_the_share_of_answers_within_its_limits():
    rows = [made_row(i * S, ttft_ms=100 if i % 4 else 300) for i in range(20)]
    found = measure(asked(goodput=(("ttft", 200.0), ("e2e", 600.0))), rows, Window(0, 30 * S))
    assert found.goodput is not None
    assert (found.goodput.value, found.goodput.n) == (0.75, 20)
    assert measure(asked(), rows, Window(0, 30 * S)).goodput is None


def test_cached_tokens_are_a_share_of_the_prompts_that_tell_them():
    rows = [made_row(0, cached_tokens=10), made_row(0, cached_tokens=0), made_row(0)]
    assert measure(asked(), rows, Window(0, S)).cached_share == pytest.approx(10 / 40)
    assert measure(asked(), [made_row(0)], Window(0, S)).cached_share is None


def test_lanes_are_parts_of_the_whole():
    other = Lane("p", "m", "d2", "k")
    rng = random.Random(4)
    rows = closed_loop(Server(rng), 6, 20)
    rows += [made_row(i * S, lane=other, outcome=Outcome.RATE_LIMITED) for i in range(10)]
    rows += [made_row(i * S, lane=other) for i in range(10)]
    found = measure(asked(), rows, Window(2 * S, 18 * S))
    assert [lane.lane for lane in found.lanes] == [LANE.id, other.id]
    assert sum(lane.ok + lane.failed + lane.rate_limited for lane in found.lanes) == found.ended
    assert sum(lane.requests_per_s for lane in found.lanes) == pytest.approx(found.requests_per_s.value)
    assert sum(lane.tokens_per_s or 0 for lane in found.lanes) == pytest.approx(found.work_per_s.value)
    assert sum(lane.in_flight for lane in found.lanes) == pytest.approx(found.in_flight)
    assert (found.lanes[1].rate_limited, found.lanes[1].failed) == (8, 0)
    assert found.lanes[0].ttft_p95_ms is not None
    assert found.lanes[1].ttft_p95_ms is None


@pytest.mark.parametrize("window", [Window(0, S), Window(S, S)])
def test_nothing_measured_is_nothing_claimed(window):
    found = measure(asked(), [], window)
    assert (found.ended, found.success.low, found.success.high) == (0, 0.0, 1.0)
    assert found.requests_per_s.value == 0
    assert found.requests_per_s.low is None
    assert found.metrics == {}
    assert found.lanes == ()


@pytest.mark.parametrize(("loops", "cv"), [(20, 0.6), (100, 1.0)])
def test_throughput_of_a_scalable_server_is_not_under_reported_as_by_ten_requests_a_loop(loops, cv):
    """The truth is loops / mean stay. requests / duration of 10 x loops requests reads 0.64 … 0.87 of it."""
    server = Server(random.Random(11), cv=cv)
    stays = [ended_ns(row) - row.at_ns for row in (server.answer(0) for _ in range(20_000))]
    true = loops / (fmean(stays) / S)
    rows = closed_loop(server, loops, 20)
    window = steady_window(rows, 0, 20 * S, concurrency=loops)
    assert isinstance(window, Window)
    found = measure(asked(loops), rows, window)
    assert found.requests_per_s.value == pytest.approx(true, rel=0.04)
    ten_each = sorted(rows, key=lambda row: row.at_ns)[: 10 * loops]
    naive = len(ten_each) / (max(map(ended_ns, ten_each)) / S)
    assert naive < 0.9 * true


@pytest.mark.parametrize(("loops", "slots", "rate"), [(10, None, None), (12, 8, None), (1000, None, 15.0)])
def test_intervals_of_throughput_cover_the_truth(loops, slots, rate):
    """95 % intervals of requests/s and work/s, in 100 seeded levels of 20 s."""

    def level(seed: int, lasts_s: int):
        server = Server(random.Random(seed), slots, cv=0.6)
        return open_loop(server, rate, lasts_s) if rate else closed_loop(server, loops, lasts_s)

    truth = measure(asked(loops), level(999, 1500), Window(20 * S, 1500 * S))
    requests = work = 0
    for seed in range(100):
        found = measure(asked(loops), level(seed, 20), Window(2 * S, 20 * S))
        assert found.requests_per_s.low is not None
        assert found.work_per_s.low is not None
        requests += found.requests_per_s.low <= truth.requests_per_s.value <= (found.requests_per_s.high or 0)
        work += found.work_per_s.low <= truth.work_per_s.value <= (found.work_per_s.high or 0)
    assert requests >= 90
    assert work >= 88


def test_a_level_gathered_row_by_row_is_measured_as_one_given_whole():
    rows = closed_loop(Server(random.Random(4)), 10, 20)
    level = gather(asked())
    for row in rows:
        level.add(row)
    window = Window(2 * S, 18 * S)
    assert measure(asked(), level, window) == measure(asked(), rows, window)
