"""A level's result has vLLM's keys and labels, and the figures that follow from its rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest
from vllm_file import VllmResult, told

from console.capacity.level_result import (
    LevelAsked,
    client_bound,
    level_result,
    result_names,
    ttft_p50_ms,
)
from console.capacity.level_stats import Reported, floor_of, peak_in_flight
from console.capacity.level_text import printed
from console.engine.arrivals import Level, Ramp
from console.records.percentile import FLOORS
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
    "total_token_throughput", "latencies", "queue_times", "rtfx", "max_output_tokens_per_s", "max_concurrent_requests",
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


def asked_for(count: int, report: Reported | None = None, **level) -> LevelAsked:
    driven = Level(max_concurrency=None, request_rate=level.pop("rate", None), **level)
    return LevelAsked(
        model="m", api="openai", level=driven, num_prompts=count, input_len=5, output_len=3, simulated=False,
        created=datetime(2026, 11, 20, 23, 15, 7, tzinfo=UTC), run_id="r", report=report or Reported(),
    )  # fmt: skip


def numbered(count: int, **fields) -> list[RequestRow]:
    return [
        msgspec.structs.replace(row(100 * number, ttft=100 + number, **fields), test=f"prompt/{number}")
        for number in range(count)
    ]


def test_the_metrics_and_percentiles_asked_for_are_told_and_no_others():
    report = Reported(metrics=("ttft", "e2el"), percentiles=(50, 99.9, 25))
    rows = numbered(40)
    result = level_result(asked_for(40, report), rows)
    told = {key for key in result if key.endswith("_ms")}
    kinds = ("mean", "median", "std", "p50", "p99.9", "p25")
    assert told == {f"{kind}_{name}_ms" for kind in kinds for name in ("ttft", "e2el")}
    assert result["p25_ttft_ms"] == pytest.approx(109.75)
    assert result["p99.9_e2el_ms"] == pytest.approx(179 - 0.039)
    text = "\n".join(printed(result))
    assert "P99.9 E2EL (ms):" in text
    assert "(n=40 < 6636)" in text
    assert "P50 TTFT (ms):                           119.50\n" in text, "40 are enough for a median"


def test_the_floors_are_those_of_the_other_percentiles():
    assert {q: floor_of(q) for q in FLOORS} == FLOORS
    assert (floor_of(10), floor_of(99.9), floor_of(0)) == (64, 6636, 1)


def test_goodput_counts_answers_within_every_limit():
    report = Reported(goodput={"ttft": 105, "tpot": 20, "e2e": 1000})
    rows = [*numbered(10), *numbered(2, outcome=Outcome.CONNECTION)]
    result = level_result(asked_for(12, report), rows)
    assert result["ultra"]["goodput"] == {"limits_ms": report.goodput, "good": 6, "share": 0.5}
    assert result["request_goodput"] == pytest.approx(6 / result["duration"])
    assert "(50.0 % of all)" in "\n".join(printed(result))
    slow = level_result(asked_for(1, Reported(goodput={"tpot": 19})), [row(0)])
    assert slow["request_goodput"] == 0
    one_token = level_result(asked_for(1, Reported(goodput={"tpot": 19})), [row(0, gaps=(), tokens=1)])
    assert one_token["request_goodput"] > 0


def test_details_have_an_entry_a_request_by_the_number_of_its_prompt():
    rows = [
        msgspec.structs.replace(one, test=f"prompt/{number}")
        for number, one in (
            (2, row(300)),
            (0, row(0, outcome=Outcome.CONNECTION, error="refused")),
            (1, row(400, ttft=7)),
        )
    ]
    result = level_result(asked_for(3, Reported(detailed=True)), rows)
    assert result["ttfts"] == [0, 0.007, 0.1]
    assert result["errors"] == ["refused", "", ""]
    assert result["itls"][1] == [0.01, 0.03]
    assert result["start_times"] == [0, 0.4, 0.3]
    assert result["latencies"] == [0, 0.047, 0.14]
    assert result["output_lens"] == [0, 3, 3]
    assert (result["input_lens"], result["generated_texts"]) == ([0, 5, 5], ["", "", ""])
    assert level_result(asked_for(3), rows)["latencies"] == [0.047, 0.14]


@pytest.mark.parametrize("ramp", [None, Ramp(strategy="exponential", start_rps=1, end_rps=4)])
def test_a_strict_parser_of_vllms_file_reads_ours_key_by_key_in_its_order(ramp):
    report = Reported(detailed=True, metadata={"version": "0.3"}, goodput={"ttft": 500})
    rows = numbered(30, due_ns=0)
    asked = asked_for(30, report, ramp=ramp, rate=None if ramp is None else ramp.mean_rps)
    data = msgspec.json.encode(level_result(asked, rows))
    read = msgspec.json.decode(data, type=VllmResult)
    assert list(json.loads(data)) == told(read)
    assert (ramp is None) == (read.rps_change_events is msgspec.UNSET)
    assert read.request_rate == "inf"
    assert len(read.ttfts) == len(read.itls) == len(read.latencies) == 30


def test_percentiles_are_those_of_numpy_on_the_same_data():
    """Figures by `numpy.percentile` (2.x, linear) of [100 … 129] + [1000], written out."""
    rows = [*numbered(30), msgspec.structs.replace(row(9000, ttft=1000), test="prompt/30")]
    result = level_result(asked_for(31, Reported(metrics=("ttft",), percentiles=(1, 50, 90, 95, 99))), rows)
    expected = {"p1": 100.3, "p50": 115.0, "p90": 127.0, "p95": 128.5, "p99": 738.7}
    assert {name: result[f"{name}_ttft_ms"] for name in expected} == {
        name: pytest.approx(value) for name, value in expected.items()
    }


def test_metadata_and_label_are_in_the_result_and_names_of_its_own_are_known():
    report = Reported(metadata={"tp": "4"}, label="mine", tokenizer="t.json")
    result = level_result(asked_for(1, report), [row(0)])
    assert (result["tp"], result["label"], result["tokenizer_id"]) == ("4", "mine", "t.json")
    names = result_names(report)
    assert "tp" not in names
    assert set(result) - {"tp"} <= names


def test_requests_that_warm_up_are_in_no_figure():
    warmed = level_result(asked_for(10, warm_ups=5), numbered(15))
    plain = level_result(asked_for(10), numbered(15)[5:])
    assert warmed["ultra"].pop("warm_ups") == 5
    assert plain["ultra"].pop("warm_ups") == 0
    assert warmed == plain


def test_an_open_loop_tells_response_from_when_it_was_due_and_a_closed_one_says_what_it_is():
    rows = [row(at, due_ns=(at - wait) * MS) for at, wait in ((100, 0), (200, 30), (300, 60))]
    ultra = level_result(asked_for(3, rate=10.0, arrival="constant"), rows)["ultra"]
    assert (ultra["loop"], ultra["arrival"], ultra["due_per_s"], ultra["latest_ms"]) == (
        "open",
        "constant",
        10,
        60,
    )
    assert (ultra["mean_queue_ms"], ultra["mean_response_ms"]) == (pytest.approx(30), pytest.approx(170))
    closed = level_result(asked_for(3), rows)
    assert closed["ultra"]["loop"] == "closed"
    assert "mean_response_ms" not in closed["ultra"]
    assert any(line.startswith("note: closed loop: ") for line in printed(closed))


def test_a_ramp_is_told_as_vllm_tells_it():
    ramp = Ramp(strategy="linear", start_rps=0, end_rps=4)
    rows = [row(1000 * second, due_ns=1000 * second * MS) for second in range(11)]
    result = level_result(asked_for(20, ramp=ramp, rate=ramp.mean_rps), rows)
    assert result["request_rate"] == "inf"
    assert [result[f"ramp_up_{name}"] for name in ("strategy", "start_rps", "end_rps")] == ["linear", 0, 4]
    assert [event["rps"] for event in result["rps_change_events"]] == [0, 1, 2, 3, 4]
    assert result["rps_change_events"][2]["timestamp"] == "2026-11-20T23:15:12+00:00"
    assert "0 to 4 RPS, linear" in "\n".join(printed(result))


def test_what_the_server_said_stands_beside():
    result = level_result(asked_for(1), [row(0)], None, {"kv_cache_max": 0.991, "waiting_mean": 3.0})
    assert result["ultra"]["server"]["kv_cache_max"] == 0.991
    assert "KV cache used, at most:                  0.99" in printed(result)


def test_burstiness_is_that_of_the_arrivals_and_of_constant_ones_none():
    of = {
        arrival: level_result(asked_for(1, rate=1.0, arrival=arrival, burstiness=4.0), [row(0)])["burstiness"]
        for arrival in ("constant", "poisson", "gamma")
    }
    assert of == {"constant": None, "poisson": 1.0, "gamma": 4.0}
