"""Jobs start in their order: series wait, side by side are staggered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.phases.arrange import arrange
from console.phases.matrix import ModelChoice, cells, side_by_side
from console.phases.order import Order
from console.phases.phase import Phase
from console.profile.form import Profile

S = 1_000_000_000
QWEN = [ModelChoice(name, "ideallab", "open") for name in ("72b", "32b", "14b", "7b", "3b")]
MIXED = [ModelChoice("V3", "azure", "open"), ModelChoice("72b", "ideallab", "open")]


def waits_for(phase, models):
    """Return for every job of a phase those that it waits for."""
    profile = Profile.model_validate(
        {
            "name": "p",
            "providers": {name: {"api": "sim"} for name in ("azure", "ideallab")},
            "models": {model.name: {"provider": model.provider, "class": "open"} for model in models},
            "limits": {},
        }
    )
    return [place.before for place in arrange(phase, models, profile).places]


def replay(before, stagger_s, duration_s):
    """Start and end jobs as an engine would; return the start times in seconds."""
    order = Order([frozenset(jobs) for jobs in before], [int(s * S) for s in stagger_s])
    now, starts, ends = 0, {}, {}
    while not order.finished:
        while (job := order.startable(now)) is not None:
            order.start(job, now)
            starts[job] = now / S
            ends[job] = now + int(duration_s[job] * S)
        times = [end for job, end in ends.items() if end > now]
        if (planned := order.next_start_ns()) is not None:
            times.append(planned)
        later = [time for time in times if time > now]
        if not later:
            break
        now = min(later)
        for job in [job for job, end in ends.items() if end <= now]:
            order.finish(job)
            del ends[job]
    return [starts[job] for job in sorted(starts)]


def test_models_in_series_start_one_after_the_other():
    phase = Phase(id="5.1", models="open")
    jobs = cells(phase, QWEN)
    assert [job.model for job in jobs] == ["72b", "32b", "14b", "7b", "3b"]
    assert replay(waits_for(phase, QWEN), [0] * 5, [10] * 5) == [0, 10, 20, 30, 40]


def test_the_contention_case_starts_ten_jobs_fifteen_seconds_apart_very_easy_first():
    phase = Phase.model_validate(
        {"id": "5.2", "difficulties": ["very_easy", "medium"], "order": {"together": ["model", "difficulty"]}}
    )
    jobs = cells(phase, QWEN)
    assert [(job.model, job.difficulty) for job in jobs[4:6]] == [("3b", "very_easy"), ("72b", "medium")]
    starts = replay(waits_for(phase, QWEN), [15] * 10, [1000] * 10)
    assert starts == [15.0 * number for number in range(10)]


def test_serial_policy_puts_everything_in_series():
    phase = Phase.model_validate(
        {"id": "x", "difficulties": ["easy", "medium"], "order": {"together": ["model"], "policy": "serial"}}
    )
    assert replay(waits_for(phase, QWEN[:2]), [15] * 4, [1] * 4) == [0, 1, 2, 3]


def test_groups_run_side_by_side_only_at_the_provider_named():
    phase = Phase.model_validate(
        {
            "id": "5.3",
            "groups": {"one": ["flawed_missing_step"], "two": ["flawed_semantic_drift"]},
            "order": {"together_when": {"group": "ideallab"}},
        }
    )
    starts = replay(waits_for(phase, MIXED), [0] * 4, [10] * 4)
    assert starts == [0, 10, 20, 20]


def test_providers_side_by_side_never_wait_for_one_another():
    phase = Phase.model_validate({"id": "x", "order": {"together": ["provider"]}})
    models = [*MIXED, ModelChoice("32b", "ideallab", "open")]
    jobs = cells(phase, models)
    assert not side_by_side(phase, jobs[1], jobs[2])
    assert replay(waits_for(phase, models), [0] * 3, [10, 10, 10]) == [0, 0, 10]


def test_a_job_may_not_start_twice_or_before_its_turn():
    order = Order([frozenset(), frozenset({0})], [0, 0])
    with pytest.raises(ValueError, match="may not start"):
        order.start(1, 0)
    order.start(0, 0)
    with pytest.raises(ValueError, match="may not start"):
        order.start(0, 0)
    with pytest.raises(ValueError, match="not before it"):
        Order([frozenset({0})], [0])


@given(st.data())
def test_every_order_ends_and_never_starts_a_job_before_those_it_waits_for(data):
    count = data.draw(st.integers(1, 12))
    before = [
        sorted(data.draw(st.sets(st.integers(0, index - 1), max_size=3))) if index else []
        for index in range(count)
    ]
    stagger = data.draw(st.lists(st.integers(0, 20), min_size=count, max_size=count))
    durations = data.draw(st.lists(st.integers(1, 30), min_size=count, max_size=count))
    starts = replay(before, stagger, durations)
    assert len(starts) == count
    for job, earlier in enumerate(before):
        assert all(starts[job] >= starts[other] + durations[other] for other in earlier)
