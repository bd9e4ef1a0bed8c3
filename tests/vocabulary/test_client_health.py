"""One rule for all delays of ours: 10 % of the median TTFT is too much, 2 % is suspect, 5 ms is nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples

from console.vocabulary.client_health import (
    FLOOR,
    SEVERITY,
    ClientMeasure,
    alarm_text,
    figures_text,
    judge_client,
    merged_measures,
    result_text,
)
from console.vocabulary.log_buckets import LAST_BUCKET, bucket_of, merged, middle_ms, quantile_ms

MS = 1_000_000
S = 1_000 * MS


def counts(*delays_ms: float) -> dict[int, int]:
    found: dict[int, int] = {}
    for delay in delays_ms:
        bucket = bucket_of(round(delay * MS))
        found[bucket] = found.get(bucket, 0) + 1
    return found


def measured(read=0.1, lag=0.1, schedule=0.1, n=1000, cpu=0.3, waited=0.0) -> ClientMeasure:
    """All delays alike."""
    return ClientMeasure(
        read_delay=counts(*[read] * n),
        loop_lag=counts(*[lag] * n),
        schedule_delay=counts(*[schedule] * n),
        cpu_ns=round(cpu * 10 * S),
        waited_ns=round(waited * 10 * S),
        wall_ns=10 * S,
    )


@pytest.mark.parametrize(
    ("delay_ms", "ttft_ms", "verdict"),
    [
        (4.9, 1, "valid"),
        (5.2, 1, "client_bound"),
        (5.2, None, "unknown"),
        (4.9, None, "valid"),
        (4.9, 100, "valid"),
        (5.2, 100, "suspect"),
        (9.8, 100, "suspect"),
        (10.3, 100, "client_bound"),
        (19, 1000, "valid"),
        (21, 1000, "suspect"),
        (98, 1000, "suspect"),
        (103, 1000, "client_bound"),
    ],
)
@pytest.mark.parametrize("which", ["read", "lag", "schedule"])
def test_the_bounds_hold_for_every_delay_alike(which, delay_ms, ttft_ms, verdict):
    assert judge_client(measured(**{which: delay_ms}), ttft_ms).verdict == verdict


def test_the_reason_names_the_worst_delay_its_figure_and_the_bound():
    health = judge_client(measured(read=18.2, lag=12), 100.4)
    assert health.reason.startswith("stream read delay p99 18.")
    assert health.reason.endswith("ms > 10 % of TTFT p50 (100 ms)")
    assert alarm_text(health).startswith("INVALID: client-bound: stream read delay p99 18.")
    assert "latencies are not the server's" in result_text(health)
    assert judge_client(measured(lag=6), 10).reason.endswith("> 5 ms (TTFT p50 10 ms)")
    assert alarm_text(judge_client(measured(schedule=6), 100)).startswith(
        "client SUSPECT: schedule delay p99 "
    )


def test_a_full_core_alone_is_no_fault_but_decides_what_to_do_about_one():
    assert judge_client(measured(cpu=1.0), 100).verdict == "valid"
    assert "--processes" in judge_client(measured(read=50, cpu=0.95), 100).hint
    crowded = judge_client(measured(read=50, cpu=0.4, waited=0.35), 100)
    assert crowded.hint == "other programs kept it from a CPU 35 % of the time: use a quieter machine"
    assert "bursts of work" in judge_client(measured(read=50, cpu=0.2), 100).hint


@pytest.mark.parametrize("n", [0, 1, FLOOR - 1])
def test_too_few_probes_are_no_verdict_and_say_so(n):
    health = judge_client(measured(read=1000, n=n), 100)
    assert (health.verdict, health.bad) == ("unknown", False)
    assert f"{n} probes < {FLOOR}" in result_text(health)
    assert judge_client(measured(n=FLOOR), 100).verdict == "valid"


def test_while_no_ttft_is_known_only_what_is_fine_anyway_has_a_verdict():
    health = judge_client(measured(read=40), None)
    assert (health.verdict, health.bad) == ("unknown", False)
    assert "too few answers" in health.reason
    assert judge_client(measured(read=4), None).verdict == "valid"


def test_schedule_delays_of_a_few_requests_say_nothing():
    measure = ClientMeasure(read_delay=counts(*[0.1] * 1000), schedule_delay=counts(*[500] * 20), wall_ns=S)
    assert judge_client(measure, 100).verdict == "valid"


def test_one_slow_moment_in_a_hundred_is_not_yet_the_p99_and_two_are():
    calm = [0.1] * 985
    assert judge_client(ClientMeasure(read_delay=counts(*calm, *[80] * 9)), 100).verdict == "valid"
    assert judge_client(ClientMeasure(read_delay=counts(*calm, *[80] * 15)), 100).verdict == "client_bound"


def test_figures_that_are_not_known_are_left_out():
    assert figures_text(judge_client(ClientMeasure(), None)) == ""
    assert result_text(judge_client(measured(), 100)).startswith(
        "VALID (read delay p99 0.1 ms, loop lag p99 0.1"
    )
    assert result_text(judge_client(measured(), 100)).endswith("cpu 30 %)")


shares = st.lists(st.floats(min_value=0, max_value=1), min_size=FLOOR, max_size=300)


@settings(max_examples=examples(40))
@given(
    shares,
    st.sampled_from([0.01, 0.04, 0.07, 0.2, 10]),
    st.sampled_from([1.05, 2, 8, 100]),
    st.floats(min_value=0.1, max_value=1e4),
)
def test_longer_delays_never_give_a_better_verdict(some, most, factor, ttft_ms):
    delays = [share * most * ttft_ms for share in some]  # on both sides of all bounds
    before = judge_client(ClientMeasure(read_delay=counts(*delays)), ttft_ms)
    after = judge_client(ClientMeasure(read_delay=counts(*[delay * factor for delay in delays])), ttft_ms)
    assert SEVERITY[after.verdict] >= SEVERITY[before.verdict]


@given(st.lists(st.lists(st.floats(min_value=0, max_value=1e5), max_size=50), max_size=5))
def test_measures_merged_are_the_measure_of_all_samples(parts):
    together = merged_measures(ClientMeasure(read_delay=counts(*part), cpu_ns=1, wall_ns=2) for part in parts)
    assert together.read_delay == counts(*[delay for part in parts for delay in part])
    assert (together.cpu_ns, together.wall_ns) == (len(parts), 2 * len(parts))


@given(st.lists(st.integers(min_value=1, max_value=10**13), min_size=1, max_size=200), st.floats(0, 1))
def test_a_quantile_is_within_one_percent_of_a_sample_at_its_rank(samples, q):
    found = quantile_ms(merged(counts_of(ns) for ns in samples), q, 1)
    ordered = sorted(samples)
    low, high = int(q * (len(ordered) - 1)), min(int(q * (len(ordered) - 1)) + 1, len(ordered) - 1)
    assert found is not None
    assert ordered[low] / 1e6 * 0.989 <= found <= ordered[high] / 1e6 * 1.011


def counts_of(ns: int) -> dict[int, int]:
    return {bucket_of(ns): 1}


def test_every_bucket_has_a_middle_and_no_duration_is_beyond_the_last():
    assert bucket_of(0) == bucket_of(-5) == bucket_of(1) == 0
    assert bucket_of(10**30) == LAST_BUCKET
    assert middle_ms(LAST_BUCKET) > 1e12
    assert quantile_ms({}, 0.99, 0) is None
