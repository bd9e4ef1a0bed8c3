"""The window begins after the first wave and whatever drifts, and ends where the rows tell all."""

from __future__ import annotations

import random

import pytest
from made_level import S, Server, closed_loop, ended_ns, made_row, open_loop

from console.capacity.gathered import Gathered
from console.capacity.steady import NotSteady, Window, steady_window, trend_of


def first_wave_ended_ns(rows, loops: int) -> int:
    return max(ended_ns(row) for row in sorted(rows, key=lambda row: row.at_ns)[:loops])


def test_a_steady_level_loses_its_first_wave_and_its_drain():
    rows = closed_loop(Server(random.Random(3)), 20, 30)
    window = steady_window(rows, 0, 30 * S, concurrency=20)
    assert isinstance(window, Window)
    assert 0.8 * first_wave_ended_ns(rows, 20) < window.from_ns < 2 * S
    assert window.to_ns == 30 * S < max(ended_ns(row) for row in rows)


def test_one_request_that_hangs_does_not_hold_up_the_window():
    rows = [*closed_loop(Server(random.Random(3)), 40, 30), made_row(0, e2e_ms=25_000)]
    window = steady_window(sorted(rows, key=ended_ns), 0, 30 * S, concurrency=41)
    assert isinstance(window, Window)
    assert window.from_ns < 3 * S


def test_steady_levels_are_nearly_always_called_so():
    """At several loads, below and above the server's capacity, and in open loop: 1 of 60 may fail by chance."""
    failed = 0
    for seed in range(20):
        rng = random.Random(seed)
        for loops, slots in ((1, None), (12, 8)):
            rows = closed_loop(Server(rng, slots, cv=0.8), loops, 25)
            failed += isinstance(steady_window(rows, 0, 25 * S, concurrency=loops), NotSteady)
        rows = open_loop(Server(rng), 15, 25)
        failed += isinstance(steady_window(rows, 0, 25 * S, concurrency=None), NotSteady)
    assert failed <= 1


def test_the_start_moves_past_a_slow_warm_up():
    server = Server(random.Random(5))
    server.slower = lambda at_ns: 3.0 - 2.0 * min(1.0, at_ns / (12 * S))
    window = steady_window(closed_loop(server, 10, 40), 0, 40 * S, concurrency=10)
    assert isinstance(window, Window)
    assert 7 * S < window.from_ns < 24 * S


def test_a_ramp_in_is_waited_for():
    rows = closed_loop(Server(random.Random(5)), 20, 30, ramp_s=5)
    window = steady_window(rows, 0, 30 * S, concurrency=20, settled_after_ns=5 * S)
    assert isinstance(window, Window)
    assert window.from_ns >= 5 * S


def test_a_server_that_gets_slower_all_the_while_has_no_steady_window():
    server = Server(random.Random(5))
    server.slower = lambda at_ns: 1.0 + at_ns / (20 * S)
    found = steady_window(closed_loop(server, 20, 40), 0, 40 * S, concurrency=20)
    assert isinstance(found, NotSteady)
    assert found.reason.startswith("TTFT grows by")
    assert found.whole.to_ns == 40 * S


def test_a_throughput_that_falls_while_ttft_stays_is_no_steady_window():
    server = Server(random.Random(5))
    server.decodes_slower = lambda at_ns: 1.0 + at_ns / (50 * S)
    found = steady_window(closed_loop(server, 20, 30), 0, 30 * S, concurrency=20)
    assert isinstance(found, NotSteady)
    assert found.reason.startswith("throughput falls by")


def test_after_a_step_only_what_follows_is_steady():
    server = Server(random.Random(5))
    server.decodes_slower = lambda at_ns: 1.0 if at_ns < 10 * S else 1.4
    found = steady_window(closed_loop(server, 20, 30), 0, 30 * S, concurrency=20)
    assert isinstance(found, Window)
    assert 8 * S < found.from_ns < 16 * S


def test_an_open_loop_above_the_capacity_has_no_steady_window():
    found = steady_window(open_loop(Server(random.Random(5), 10), 30, 30), 0, 30 * S, concurrency=None)
    assert isinstance(found, NotSteady)
    assert "grows by" in found.reason


def test_while_a_level_goes_on_the_window_ends_where_all_has_ended():
    """Rows of requests in flight are missing: counted up to now, in-flight would seem to fall."""
    rows = closed_loop(Server(random.Random(3), cv=0.8), 20, 30)
    now = 12 * S
    level = Gathered(0, [row for row in rows if ended_ns(row) <= now])
    window = steady_window(level, 0, now, concurrency=20)
    assert isinstance(window, Window)
    assert now - 4 * S < window.to_ns < now
    busy_ns = level.busy([window.from_ns, window.to_ns])[0]
    assert busy_ns / (window.to_ns - window.from_ns) == pytest.approx(20, rel=0.02)


@pytest.mark.parametrize(
    ("until_s", "reason"),
    [(0.0, "nothing has ended yet"), (0.5, "first wave: "), (0.85, "followed to its end")],
)
def test_a_level_that_has_just_begun_says_what_it_waits_for(until_s, reason):
    rows = closed_loop(Server(random.Random(3)), 20, 30)
    now = int(until_s * S)
    so_far = [row for row in rows if ended_ns(row) <= now]
    found = steady_window(so_far, 0, now, concurrency=20)
    assert isinstance(found, NotSteady)
    assert reason in found.reason


def test_a_trend_has_to_be_certain_and_not_only_large():
    places = [float(place) for place in range(20)]
    rng = random.Random(1)
    line = trend_of(places, [100 + place + rng.gauss(0, 0.5) for place in places])
    assert line.certain
    assert line.change == pytest.approx(20 / 109.5, rel=0.05)
    noise = trend_of(places, [100 + 0.5 * place + rng.gauss(0, 30) for place in places])
    assert not noise.certain
    assert trend_of(places, [7.0] * 20).change == 0
    assert not trend_of(places[:5], [1.0, 2.0, 3.0, 4.0, 5.0]).certain
