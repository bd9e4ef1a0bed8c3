"""A level's result has vLLM's keys and labels, and the figures that follow from its rows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from console.capacity.level_result import (
    LevelAsked,
    client_bound,
    level_result,
    peak_in_flight,
    printed,
    ttft_p50_ms,
)
from console.engine.load import Level
from console.vocabulary.client_health import ClientHealth
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow

MS = 1_000_000
# What `vllm bench serve --save-result` writes by default for a generation model.
VLLM_KEYS = {
    "date", "endpoint_type", "backend", "label", "model_id", "tokenizer_id", "num_prompts", "request_rate",
    "burstiness", "max_concurrency", "duration", "completed", "failed", "total_input_tokens",
    "total_output_tokens", "request_throughput", "request_goodput", "output_throughput",
    "total_token_throughput", "latencies", "queue_times", "max_output_tokens_per_s", "max_concurrent_requests",
    *(f"{kind}_{name}_ms" for kind in ("mean", "median", "std", "p99") for name in ("ttft", "tpot", "itl")),
}  # fmt: skip


def row(at_ms: int, *, ttft=100, gaps=(10, 30), tokens=3, outcome=Outcome.OK, **fields) -> RequestRow:
    ok = outcome is Outcome.OK
    latency = ttft + sum(gaps)
    return RequestRow(
        test="prompt/0",
        lane=Lane("p", "m", "m", "-"),
        outcome=outcome,
        at_ns=at_ms * MS,
        ttft_ns=ttft * MS if ok else None,
        latency_ns=latency * MS if ok else None,
        total_ns=latency * MS,
        chunks=len(gaps) + 1 if ok else 0,
        chunk_gap_ns=tuple(gap * MS for gap in gaps) if ok else (),
        prompt_tokens=5 if ok else None,
        completion_tokens=tokens if ok else None,
        **fields,
    )


def asked(count: int, **fields) -> LevelAsked:
    level = Level(max_concurrency=2, request_rate=fields.pop("rate", None))
    return LevelAsked(
        model="m", api="openai", level=level, num_prompts=count, input_len=5, output_len=3,
        simulated=fields.pop("simulated", False), created=datetime(2026, 11, 20, 23, 15, 7, tzinfo=UTC), run_id="r",
    )  # fmt: skip


def test_the_file_has_every_key_that_scripts_read_and_the_rest_apart():
    result = level_result(asked(1), [row(0)])
    assert set(result) == VLLM_KEYS | {"ultra"}
    assert result["request_rate"] == "inf"
    assert level_result(asked(1, rate=2.0), [row(0)])["request_rate"] == 2.0
    assert result["date"] == "20261120-231507"


def test_figures_follow_from_the_rows():
    rows = [row(0), row(50, ttft=200), row(860, ttft=100), row(0, outcome=Outcome.RATE_LIMITED)]
    result = level_result(asked(4), rows)
    assert (result["completed"], result["failed"]) == (3, 1)
    assert result["duration"] == pytest.approx(1.0)
    assert result["request_throughput"] == pytest.approx(3.0)
    assert (result["total_input_tokens"], result["total_output_tokens"]) == (15, 9)
    assert result["output_throughput"] == pytest.approx(9.0)
    assert result["mean_ttft_ms"] == pytest.approx(400 / 3)
    assert result["median_ttft_ms"] == pytest.approx(100)
    assert result["mean_tpot_ms"] == pytest.approx(20)
    assert (result["mean_itl_ms"], result["median_itl_ms"]) == (pytest.approx(20), pytest.approx(20))
    assert result["max_concurrent_requests"] == 3
    assert result["ultra"]["outcomes"] == {"ok": 3, "rate_limited": 1}


def test_without_usage_token_figures_are_null_and_chunks_are_told():
    result = level_result(asked(2), [row(0), row(0, tokens=None)])
    assert result["total_output_tokens"] is None
    assert result["output_throughput"] is None
    assert result["max_output_tokens_per_s"] is None
    assert result["ultra"]["chunks"] == 6
    text = "\n".join(printed(result))
    assert "Total generated tokens:                  n/a" in text
    assert "Output chunk throughput (chunks/s):" in text
    assert "the server sent no usage" in text


def test_one_token_answers_have_no_tpot_and_a_level_without_answers_has_no_figures():
    one = level_result(asked(1), [row(0, gaps=(), tokens=1)])
    assert one["mean_tpot_ms"] is None
    none = level_result(asked(1), [row(0, outcome=Outcome.CONNECTION)])
    assert (none["completed"], none["failed"], none["mean_ttft_ms"]) == (0, 1, None)
    assert printed(none)


def test_the_printed_lines_are_those_that_scripts_grep():
    lines = printed(level_result(asked(1, simulated=True), [row(0)]))
    words = {line.split(":")[0]: line.split() for line in lines if ":" in line}
    assert words["Successful requests"][2] == "1"
    assert words["Request throughput (req/s)"][3] == "7.14"
    assert words["Mean TTFT (ms)"][3] == "100.00"
    assert "SIMULATED" in "\n".join(lines)
    assert "(n=1 < 662)" in next(line for line in lines if line.startswith("P99 TTFT"))


def test_in_flight_counts_touching_requests_once():
    assert peak_in_flight([row(0, gaps=()), row(100, gaps=()), row(150, gaps=())]) == 2


def test_a_level_whose_client_was_too_slow_is_no_answer_and_says_so_in_file_and_print():
    slow = ClientHealth(
        verdict="client_bound",
        reason="stream read delay p99 18.2 ms > 10 % of TTFT p50 (100 ms)",
        hint="do this",
        read_delay_p99_ms=18.2,
        cpu_share=0.97,
        samples=1000,
    )
    result = level_result(asked(1), [row(0)], slow)
    assert client_bound(result)
    assert result["ultra"]["client"]["verdict"] == "client_bound"
    assert result["ultra"]["client"]["read_delay_p99_ms"] == 18.2
    lines = printed(result)
    assert "Client:                                  INVALID: client-bound" in lines
    (note,) = [line for line in lines if line.startswith("note: client: ")]
    assert "latencies are not the server's (stream read delay p99 18.2 ms" in note
    assert note.endswith("do this")


def test_a_valid_client_is_a_note_and_one_that_nobody_measured_is_nothing():
    valid = ClientHealth(verdict="valid", read_delay_p99_ms=0.4, cpu_share=0.31, samples=1000)
    result = level_result(asked(1), [row(0)], valid)
    assert not client_bound(result)
    assert "note: client: VALID (read delay p99 0.4 ms, cpu 31 %)" in printed(result)
    without = level_result(asked(1), [row(0)])
    assert not client_bound(without)
    assert "client" not in without["ultra"]


def test_the_ttft_that_a_client_is_judged_by_is_of_answers_and_not_of_too_few():
    assert ttft_p50_ms([row(0)] * 10) is None
    assert ttft_p50_ms([row(0)] * 11) == pytest.approx(100)
    assert ttft_p50_ms([row(0)] * 10 + [row(0, outcome=Outcome.CONNECTION)]) is None
