"""The result of one level, under the keys of `vllm bench serve`.

Definitions, as there: TTFT = sent → first content; ITL = pooled gaps between content chunks; TPOT =
(latency - TTFT) / (output tokens - 1), only for requests with more than one; E2EL = sent → last content;
throughputs over the time from the first sending to the end of the last answer, drain included; percentiles
linear; standard deviation of the population. Differences, all towards the exact: the chunk that only bears a
role, an empty `choices` or the finish reason is no token; a truncated stream is a failure; output tokens come
from `usage` alone, and are null where the server sends none. What vLLM does not know stands under `ultra`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from console.capacity.level_stats import (
    Reported,
    floor_of,
    is_good,
    measured_rows,
    peak_chunks_per_s,
    peak_in_flight,
    percentile_key,
    prompt_number,
    queue_ns,
    samples_of,
    stats,
)
from console.engine.arrivals import Level, Ramp
from console.records.percentile import FLOORS, percentile
from console.vocabulary.client_health import ClientHealth, result_text
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow

_WHOLE_SECONDS_FROM_S: Final = 5.0
_MOST_RPS_EVENTS: Final = 10_000
TTFT_DEFINITION: Final = "sent to the read that brought the first non-empty content, reasoning or tool delta"
CLOSED_LOOP: Final = (
    "closed loop: each next request waits for an answer, so these latencies are those of so many in flight, and not of "
    "requests that arrive at a rate"
)


class LevelAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What one level was asked to do."""

    model: str
    api: str
    level: Level
    num_prompts: int
    """Those that warm up are not among them."""
    input_len: int | None
    output_len: int | None
    simulated: bool
    created: datetime
    run_id: str
    held_s: float = 0.0
    """For how long servers asked us to wait."""
    deaths: int = 0
    """Engine processes that died meanwhile."""
    report: Reported = Reported()


def _sum_known(values: Sequence[int | None]) -> int | None:
    """Return the sum, or None if any value is unknown: a part of the tokens is no count of them."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def ttft_p50_ms(rows: Sequence[RequestRow]) -> float | None:
    """Return the median TTFT that the client is judged by, or None from too few answers."""
    ms = [row.ttft_ns / 1e6 for row in rows if row.outcome is Outcome.OK and row.ttft_ns is not None]
    return percentile(ms, 50) if len(ms) >= FLOORS[50] else None


def level_result(
    asked: LevelAsked,
    rows: Sequence[RequestRow],
    client: ClientHealth | None = None,
    server: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Return the result file of one level.

    Args:
        asked: what it was asked to do.
        rows: its requests.
        client: whether the client kept up; None: nobody measured that.
        server: what the server said of itself meanwhile; None: nobody asked it.
    """
    rows = measured_rows(rows, asked.level.warm_ups) if asked.level.warm_ups else rows
    answered = [row for row in rows if row.outcome is Outcome.OK]
    ends = [row.at_ns + (row.total_ns or 0) for row in rows]
    duration_s = (max(ends) - min(row.at_ns for row in rows)) / 1e9 if rows else 0.0
    samples = {name: samples_of(name, answered) for name in asked.report.metrics}

    result = {**_heading(asked), **_totals(asked, rows, answered, duration_s)}
    if asked.level.ramp is not None:
        result["rps_change_events"] = _rps_changes(asked.level.ramp, asked, rows)
    for name, ms in samples.items():
        result.update(stats(name, ms, asked.report.percentiles))
    result["ultra"] = _extras(asked, rows, samples, duration_s)
    if server is not None:
        result["ultra"]["server"] = dict(server)
    if client is not None:
        result["ultra"]["client"] = msgspec.to_builtins(client)
        result["ultra"]["notes"].append(f"client: {result_text(client)}")
    return result


def _heading(asked: LevelAsked) -> dict[str, Any]:
    level, report = asked.level, asked.report
    backend = "openai-chat" if asked.api != "azure" else "azure-chat"
    heading: dict[str, Any] = {
        "date": asked.created.strftime("%Y%m%d-%H%M%S"),
        "endpoint_type": backend,
        "backend": backend,
        "label": report.label,
        "model_id": asked.model,
        "tokenizer_id": report.tokenizer,
        "num_prompts": asked.num_prompts,
        **report.metadata,  # never under a name of ours, which `result_names` tells
        "request_rate": "inf" if level.request_rate is None or level.ramp is not None else level.request_rate,
        "burstiness": None if level.arrival == "constant" else _shape(level),
        "max_concurrency": level.max_concurrency,
    }
    if level.ramp is not None:
        heading["ramp_up_strategy"] = level.ramp.strategy
        heading["ramp_up_start_rps"] = level.ramp.start_rps
        heading["ramp_up_end_rps"] = level.ramp.end_rps
    return heading


def _shape(level: Level) -> float:
    return 1.0 if level.arrival == "poisson" else level.burstiness


def _totals(
    asked: LevelAsked, rows: Sequence[RequestRow], answered: Sequence[RequestRow], duration_s: float
) -> dict[str, Any]:
    prompt_tokens = _sum_known([row.prompt_tokens for row in answered])
    output_tokens = _sum_known([row.completion_tokens for row in answered])
    both = None if prompt_tokens is None or output_tokens is None else prompt_tokens + output_tokens
    limits_ms = asked.report.goodput

    def per_second(count: float | None) -> float | None:
        return None if count is None or duration_s <= 0 else count / duration_s

    return {
        "duration": duration_s,
        "completed": len(answered),
        "failed": asked.num_prompts - len(answered),
        "total_input_tokens": prompt_tokens,
        "total_output_tokens": output_tokens,
        "request_throughput": per_second(len(answered)),
        "request_goodput": per_second(sum(is_good(row, limits_ms) for row in answered))
        if limits_ms
        else None,
        "output_throughput": per_second(output_tokens),
        "total_token_throughput": per_second(both),
        **_lists(rows if asked.report.detailed else answered, detailed=asked.report.detailed),
        "max_output_tokens_per_s": peak_chunks_per_s(answered) if output_tokens is not None else None,
        "max_concurrent_requests": peak_in_flight(rows),
        "rtfx": 0.0,  # of audio; of text vLLM writes this
    }


_DETAILS: Final = frozenset(
    {"input_lens", "output_lens", "ttfts", "itls", "start_times", "generated_texts", "errors"}
)


def _lists(rows: Sequence[RequestRow], *, detailed: bool) -> dict[str, list[Any]]:
    """Return the lists of an entry a request, by the number of the prompt as vLLM has them.

    Failed ones are in them, as 0, only where all lists are there, so that all are of one length.
    """
    ordered = sorted(rows, key=lambda row: (prompt_number(row), row.at_ns))
    lists: dict[str, list[Any]] = {
        "input_lens": [row.prompt_tokens or 0 for row in ordered],
        "output_lens": [row.completion_tokens or 0 for row in ordered],
        "ttfts": [(row.ttft_ns or 0) / 1e9 for row in ordered],
        "itls": [[gap_ns / 1e9 for gap_ns in row.chunk_gap_ns] for row in ordered],
        "latencies": [(row.latency_ns or 0) / 1e9 for row in ordered],
        "start_times": [row.at_ns / 1e9 for row in ordered],
        "queue_times": [queue_ns(row) / 1e9 for row in ordered],
        "generated_texts": ["" for _ in ordered],
        "errors": [row.error or "" for row in ordered],
    }
    return {name: values for name, values in lists.items() if detailed or name not in _DETAILS}


def _rps_changes(ramp: Ramp, asked: LevelAsked, rows: Sequence[RequestRow]) -> list[dict[str, Any]]:
    """Return when the rate that was asked for reached each whole number, on the wall clock."""
    low, high = sorted((ramp.start_rps, ramp.end_rps))
    whole = range(math.ceil(low), math.floor(high) + 1)[:_MOST_RPS_EVENTS]
    dues = [row.due_ns for row in rows if row.due_ns is not None]
    if not dues or low == high:
        return []
    length_s = asked.num_prompts / ramp.mean_rps
    begin = asked.created + timedelta(seconds=max(dues) / 1e9 - length_s)
    events: list[tuple[float, int]] = []
    for rps in whole:
        if ramp.strategy == "linear":
            share = (rps - ramp.start_rps) / (ramp.end_rps - ramp.start_rps)
        else:
            share = math.log(rps / ramp.start_rps) / math.log(ramp.end_rps / ramp.start_rps)
        events.append((share * length_s, rps))
    return [
        {"rps": rps, "timestamp": (begin + timedelta(seconds=after_s)).isoformat()}
        for after_s, rps in sorted(events)
    ]


def result_names(report: Reported) -> frozenset[str]:
    """Return the keys that a result has by itself."""
    level = Level(
        max_concurrency=None,
        request_rate=1.0,
        ramp=Ramp(strategy="linear", start_rps=1, end_rps=1),
    )
    asked = LevelAsked(
        model="",
        api="",
        level=level,
        num_prompts=1,
        input_len=None,
        output_len=None,
        simulated=False,
        created=datetime.min.replace(tzinfo=UTC),
        run_id="",
        report=msgspec.structs.replace(report, metadata={}, detailed=True),
    )
    return frozenset(level_result(asked, []))


def client_bound(result: dict[str, Any]) -> bool:
    """Whether the figures of a result are the client's and not the server's."""
    client: dict[str, Any] = result["ultra"].get("client") or {}
    return client.get("verdict") == "client_bound"


def _extras(
    asked: LevelAsked, rows: Sequence[RequestRow], samples: dict[str, list[float]], duration_s: float
) -> dict[str, Any]:
    outcomes: dict[str, int] = {}
    examples: dict[str, str] = {}
    for row in rows:
        outcomes[row.outcome] = outcomes.get(row.outcome, 0) + 1
        if row.error:
            examples.setdefault(row.outcome, row.error[:200])
    answered = [row for row in rows if row.outcome is Outcome.OK]
    chunks = sum(row.chunks for row in answered)
    prompt_tokens = _sum_known([row.prompt_tokens for row in answered])
    cached = [row.cached_tokens for row in answered if row.cached_tokens is not None]
    level = asked.level
    waits = _waits(level, answered)
    return {
        "run_id": asked.run_id,
        "simulated": asked.simulated or any(row.simulated for row in rows),
        "loop": "closed" if level.request_rate is None else "open",
        "arrival": None if level.request_rate is None else level.arrival,
        "warm_ups": level.warm_ups,
        "outcomes": outcomes,
        "examples": examples,
        "held_s": asked.held_s,
        "deaths": asked.deaths,
        "chunks": chunks,
        "chunks_per_s": chunks / duration_s if duration_s > 0 else None,
        "in_flight_mean": sum(row.total_ns or 0 for row in rows) / 1e9 / duration_s
        if duration_s > 0
        else None,
        "cached_tokens": sum(cached) if cached else None,
        "cached_share": sum(cached) / prompt_tokens if cached and prompt_tokens else None,
        "goodput": _goodput(asked, rows),
        **_open_loop(level, answered, waits, asked.report.percentiles),
        "random_input_len": asked.input_len,
        "random_output_len": asked.output_len,
        "ttft_definition": TTFT_DEFINITION,
        "notes": _notes(asked, rows, {**samples, **waits}, duration_s),
    }


def _goodput(asked: LevelAsked, rows: Sequence[RequestRow]) -> dict[str, Any] | None:
    limits_ms = asked.report.goodput
    if not limits_ms:
        return None
    good = sum(is_good(row, limits_ms) for row in rows)
    return {"limits_ms": limits_ms, "good": good, "share": good / asked.num_prompts}


def _waits(level: Level, answered: Sequence[RequestRow]) -> dict[str, list[float]]:
    """Return what only a schedule tells: how late requests were sent, and what users would have waited in all."""
    if level.request_rate is None:
        return {}
    return {
        "response": samples_of("e2el_including_client_queue", answered),
        "queue": samples_of("client_queue_time", answered),
    }


def _open_loop(
    level: Level,
    answered: Sequence[RequestRow],
    waits: Mapping[str, list[float]],
    percentiles: Sequence[float],
) -> dict[str, Any]:
    if level.request_rate is None:
        return {}
    late = [row.at_ns - row.due_ns for row in answered if row.due_ns is not None]
    figures: dict[str, Any] = {"due_per_s": level.request_rate, "latest_ms": max(late, default=0) / 1e6}
    for name, ms in waits.items():
        figures.update(stats(name, ms, percentiles))
    return figures


def _notes(
    asked: LevelAsked, rows: Sequence[RequestRow], samples: dict[str, list[float]], duration_s: float
) -> list[str]:
    notes = [
        f"{percentile_key(q)}_{name}_ms is uncertain: n={len(ms)} < {floor_of(q)}"
        for name, ms in samples.items()
        for q in asked.report.percentiles
        if len(ms) < floor_of(q)
    ]
    if any(row.outcome is Outcome.OK and row.completion_tokens is None for row in rows):
        notes.append("the server sent no usage: token counts are null, chunks are counted in their place")
    if asked.held_s > 0:
        notes.append(
            f"held back {asked.held_s:.1f} s because the server asked for it: throughput is its quota, not its capacity"
        )
    if asked.deaths:
        processes = "an engine process" if asked.deaths == 1 else f"{asked.deaths} engine processes"
        lost = asked.num_prompts - len({row.test for row in rows})
        notes.append(
            f"{processes} died: {lost} of the failed prompts were in hand there, sent or not, and load was less from "
            "then on: this is no measure of the server"
        )
    if any(row.chunks for row in rows) and duration_s < _WHOLE_SECONDS_FROM_S:
        notes.append("peak throughput is counted in whole seconds, which says little of a level this short")
    if asked.report.detailed:
        notes.append("generated_texts are empty: a level keeps no text")
    if asked.level.request_rate is None:
        notes.append(CLOSED_LOOP)
    return notes
