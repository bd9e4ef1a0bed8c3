"""Forecasts that can be worked out by hand, the same every time, and nothing touched outside."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from rehearsal_rig import guessed, prepared, rehearsed, simulated

from console.rehearsal import rehearse as rehearse_module
from console.rehearsal.rehearse import Progress, rehearse


def test_workers_and_latency_make_the_duration(tmp_path: Path):
    rehearsal = rehearsed(simulated(tmp_path, workers=4), instances=2)
    assert rehearsal.duration_s == 1.5  # ten tests, four at a time, half a second each
    assert (rehearsal.planned, rehearsal.answered, rehearsal.unanswered) == (10, 10, 0)
    assert rehearsal.requests == {"ok": 10}
    (key,) = rehearsal.keys
    assert (key.name, key.peak_in_flight, key.in_flight_limit) == ("lab/key0", 4, 4)
    assert key.mean_in_flight == pytest.approx(10 * 0.5 / 1.5, abs=0.001)
    assert key.peak_qps == 8  # those of 0 s and of 0.5 s
    assert key.mean_qps == pytest.approx(10 / 1.5, abs=0.001)
    assert rehearsal.service_s == 5.0
    (job,) = rehearsal.jobs
    assert (job.tests, job.start_s, job.end_s) == (10, 0.0, 1.5)
    assert rehearsal.simulated
    assert rehearsal.state == "finished"


def test_a_rate_bounds_the_duration(tmp_path: Path):
    rehearsal = rehearsed(simulated(tmp_path, workers=50, limits=", qps = 2"), instances=2)
    assert rehearsal.duration_s == 5.0  # the tenth begins after nine intervals of half a second
    (key,) = rehearsal.keys
    assert (key.peak_qps, key.qps_limit, key.quota_qps) == (2, 2.0, None)
    assert rehearsal.limiter_wait_s == 0.5 * sum(range(10))


def test_tokens_take_their_time(tmp_path: Path):
    quick, slow = (rehearsed(simulated(tmp_path, itl_ms=itl)).duration_s for itl in (0, 10))
    assert quick == 5.0
    tokens = (slow - quick) / 0.010
    assert tokens == pytest.approx(round(tokens), abs=1e-6)
    assert tokens > 20


def test_a_quota_refuses_and_the_engine_waits_as_asked(tmp_path: Path):
    rehearsal = rehearsed(
        simulated(tmp_path, ttft_ms=100, sim="key_qps = 2"), instances=1, task_types=("simple_task", "basic_task", "data_pipeline", "api_integration")
    )  # fmt: skip
    # Two pass in the first second; the third is told to wait a second and waits up to a quarter more.
    assert rehearsal.requests == {"ok": 4, "rate_limited": 1}
    assert rehearsal.rate_limited == 1
    assert 1.4 <= rehearsal.duration_s <= 1.65
    assert 1.0 <= rehearsal.retry_wait_s <= 1.25
    (key,) = rehearsal.keys
    assert (key.rate_limited, key.quota_qps) == (1, 2.0)
    assert rehearsal.lanes[0].requests == {"ok": 4, "rate_limited": 1}


def test_a_key_that_many_share_is_refused_and_all_is_answered_in_the_end(tmp_path: Path):
    rehearsal = rehearsed(simulated(tmp_path, ttft_ms=100, workers=10, sim="key_qps = 2"), instances=2)
    assert rehearsal.answered == 10
    assert rehearsal.rate_limited >= 8
    assert rehearsal.duration_s >= 4.1


def test_what_no_provider_answers_remains(tmp_path: Path):
    rehearsal = rehearsed(simulated(tmp_path, workers=2, sim="error_rate = 1.0"))
    assert (rehearsal.answered, rehearsal.unanswered) == (0, 10)
    assert set(rehearsal.requests) == {"server_error"}
    assert rehearsal.state == "finished"


@pytest.mark.parametrize("profile", ["sim", "corrected-0824"])
def test_the_same_seed_has_the_same_forecast_and_another_seed_another(profile):
    wanted = {"phases": ("5.1",), "task_types": ("simple_task",)}
    first, again, other = (rehearsed(profile, seed=seed, **wanted) for seed in (1, 1, 2))
    assert first == again
    assert other.duration_s != first.duration_s


def test_ties_are_broken_the_same_way_every_time(tmp_path: Path):
    path = simulated(tmp_path, workers=20, sim="key_qps = 5\nslots = 3")  # all at the same instants
    assert rehearsed(path, instances=12) == rehearsed(path, instances=12)


def test_no_secret_is_resolved_no_connection_made_and_no_clock_read(tmp_path: Path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a rehearsal has no business here")

    ready = prepared(guessed(tmp_path), instances=3)
    for name in ("connect", "connect_ex", "bind", "listen", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)  # not `send`: trio wakes itself by a pair of its own
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr("console.profile.secrets.resolve_secret", refuse)
    for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter_ns"):
        monkeypatch.setattr(time, name, refuse)
    rehearsal = rehearse(ready.plan, ready.loaded.profile)
    monkeypatch.undo()
    assert rehearsal.answered == 15
    assert not [path for path in tmp_path.rglob("*") if path.name != "guessed.toml"]


def test_progress_is_told_by_the_wall_clock(tmp_path: Path, monkeypatch):
    told: list[Progress] = []
    monkeypatch.setattr(rehearse_module, "TOLD_EVERY_S", 0.0)
    ready = prepared(simulated(tmp_path))
    rehearse(ready.plan, ready.loaded.profile, on_progress=told.append)
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert told[-1].done == told[-1].planned == 10
    assert told[-1].virtual_s == 5.0
    half = Progress(virtual_s=1, done=5, planned=10, wall_s=3)
    assert half.eta_s == 3.0
    assert Progress(virtual_s=0, done=0, planned=10, wall_s=3).eta_s is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_what_was_reached(tmp_path: Path, monkeypatch, number):
    monkeypatch.setattr(rehearse_module, "TOLD_EVERY_S", 0.0)
    ready = prepared(simulated(tmp_path, workers=2), instances=100)

    sent: list[int] = []

    def interrupt(progress: Progress) -> None:
        if progress.done == 30 and not sent:
            sent.append(number)
            os.kill(os.getpid(), number)

    rehearsal = rehearse(ready.plan, ready.loaded.profile, on_progress=interrupt, obey_signals=True)
    assert rehearsal.state == "interrupted"
    assert 30 <= rehearsal.answered < 500
    assert rehearsal.planned == rehearsal.answered + rehearsal.unanswered
    assert rehearsal.duration_s == pytest.approx(rehearsal.answered * 0.25, abs=1.0)


@pytest.mark.real_work
def test_tests_of_several_turns_are_played_turn_by_turn(tmp_path: Path):
    rehearsal = rehearsed(
        simulated(tmp_path, workers=4, sim="skill = 1.0"), instances=4, tool_success_rates=(1.0,)
    )
    ready = prepared(simulated(tmp_path), instances=4, tool_success_rates=(1.0,))
    assert (rehearsal.planned, rehearsal.answered) == (20, 20)
    (job,) = ready.plan.jobs
    # Some models make two calls in one reply: a little less than a call a turn and one to finish.
    assert 0.75 * 20 * job.turns < rehearsal.requests["ok"] <= 20 * (job.turns + 1)
    assert rehearsal.service_s == pytest.approx(0.5 * rehearsal.requests["ok"])
