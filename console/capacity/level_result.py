"""The result of one level, under the keys and labels of `vllm bench serve`.

Definitions, as there: TTFT = sent → first content; ITL = pooled gaps between content chunks; TPOT =
(latency - TTFT) / (output tokens - 1), only for requests with more than one; E2EL = sent → last content;
throughputs over the time from the first sending to the end of the last answer, drain included; percentiles
linear; standard deviation of the population. Differences, all towards the exact: the chunk that only bears a
role, an empty `choices` or the finish reason is no token; a truncated stream is a failure; output tokens come
from `usage` alone, and are null where the server sends none. What vLLM does not know stands under `ultra`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from statistics import fmean, pstdev
from typing import Any, Final

import msgspec

from console.engine.load import Level
from console.records.percentile import FLOORS, percentile
from console.vocabulary.client_health import CLIENT_WORDS, ClientHealth, result_text
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow
from console.vocabulary.safe_text import safe_line

_WHOLE_SECONDS_FROM_S: Final = 5.0
TTFT_DEFINITION: Final = "sent to the read that brought the first non-empty content, reasoning or tool delta"


class LevelAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What one level was asked to do."""

    model: str
    api: str
    level: Level
    num_prompts: int
    input_len: int | None
    output_len: int | None
    simulated: bool
    created: datetime
    run_id: str
    held_s: float = 0.0
    """For how long servers asked us to wait."""
    deaths: int = 0
    """Engine processes that died meanwhile."""


def peak_in_flight(rows: Sequence[RequestRow]) -> int:
    """Return the most requests that were in flight at one instant."""
    edges = [edge for row in rows for edge in ((row.at_ns, 1), (row.at_ns + max(1, row.total_ns or 1), -1))]
    now = peak = 0
    for _, step in sorted(edges):
        now += step
        peak = max(peak, now)
    return peak


def _peak_chunks_per_s(rows: Sequence[RequestRow]) -> float:
    buckets: dict[int, int] = {}
    for row in rows:
        if row.ttft_ns is None:
            continue
        at_ns = row.at_ns + row.ttft_ns
        buckets[at_ns // 10**9] = buckets.get(at_ns // 10**9, 0) + 1
        for gap_ns in row.chunk_gap_ns:
            at_ns += gap_ns
            buckets[at_ns // 10**9] = buckets.get(at_ns // 10**9, 0) + 1
    return float(max(buckets.values(), default=0))


def _stats(name: str, ms: Sequence[float]) -> dict[str, float | None]:
    if not ms:
        return {f"{kind}_{name}_ms": None for kind in ("mean", "median", "std", "p99")}
    return {
        f"mean_{name}_ms": fmean(ms),
        f"median_{name}_ms": percentile(ms, 50),
        f"std_{name}_ms": pstdev(ms),
        f"p99_{name}_ms": percentile(ms, 99),
    }


def _tpot_ms(row: RequestRow) -> float | None:
    if (
        row.latency_ns is None
        or row.ttft_ns is None
        or row.completion_tokens is None
        or row.completion_tokens < 2
    ):
        return None
    return (row.latency_ns - row.ttft_ns) / (row.completion_tokens - 1) / 1e6


def _queue_ns(row: RequestRow) -> int:
    """Return how long a request waited on our side: since it was due, or for gates where nothing was due."""
    return row.limiter_wait_ns if row.due_ns is None else row.at_ns - row.due_ns


def _sum_known(values: Sequence[int | None]) -> int | None:
    """Return the sum, or None if any value is unknown: a part of the tokens is no count of them."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def ttft_p50_ms(rows: Sequence[RequestRow]) -> float | None:
    """Return the median TTFT that the client is judged by, or None from too few answers."""
    ms = [row.ttft_ns / 1e6 for row in rows if row.outcome is Outcome.OK and row.ttft_ns is not None]
    return percentile(ms, 50) if len(ms) >= FLOORS[50] else None


def level_result(
    asked: LevelAsked, rows: Sequence[RequestRow], client: ClientHealth | None = None
) -> dict[str, Any]:
    """Return the result file of one level.

    Args:
        asked: what it was asked to do.
        rows: its requests.
        client: whether the client kept up; None: nobody measured that.
    """
    answered = [row for row in rows if row.outcome is Outcome.OK]
    level = asked.level
    ends = [row.at_ns + (row.total_ns or 0) for row in rows]
    duration_s = (max(ends) - min(row.at_ns for row in rows)) / 1e9 if rows else 0.0
    prompt_tokens = _sum_known([row.prompt_tokens for row in answered])
    output_tokens = _sum_known([row.completion_tokens for row in answered])
    samples = {
        "ttft": [row.ttft_ns / 1e6 for row in answered if row.ttft_ns is not None],
        "tpot": [tpot for row in answered if (tpot := _tpot_ms(row)) is not None],
        "itl": [gap_ns / 1e6 for row in answered for gap_ns in row.chunk_gap_ns],
    }

    def per_second(count: float | None) -> float | None:
        return None if count is None or duration_s <= 0 else count / duration_s

    both = None if prompt_tokens is None or output_tokens is None else prompt_tokens + output_tokens
    result: dict[str, Any] = {
        "date": asked.created.strftime("%Y%m%d-%H%M%S"),
        "endpoint_type": "openai-chat" if asked.api != "azure" else "azure-chat",
        "backend": "openai-chat" if asked.api != "azure" else "azure-chat",
        "label": None,
        "model_id": asked.model,
        "tokenizer_id": None,
        "num_prompts": asked.num_prompts,
        "request_rate": "inf" if level.request_rate is None else level.request_rate,
        "burstiness": level.burstiness,
        "max_concurrency": level.max_concurrency,
        "duration": duration_s,
        "completed": len(answered),
        "failed": asked.num_prompts - len(answered),
        "total_input_tokens": prompt_tokens,
        "total_output_tokens": output_tokens,
        "request_throughput": per_second(len(answered)),
        "request_goodput": None,
        "output_throughput": per_second(output_tokens),
        "total_token_throughput": per_second(both),
        "latencies": [row.latency_ns / 1e9 for row in answered if row.latency_ns is not None],
        "queue_times": [_queue_ns(row) / 1e9 for row in answered],
        "max_output_tokens_per_s": _peak_chunks_per_s(answered) if output_tokens is not None else None,
        "max_concurrent_requests": peak_in_flight(rows),
    }
    for name, ms in samples.items():
        result.update(_stats(name, ms))
    result["ultra"] = _extras(asked, rows, samples, duration_s)
    if client is not None:
        result["ultra"]["client"] = msgspec.to_builtins(client)
        result["ultra"]["notes"].append(f"client: {result_text(client)}")
    return result


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
    chunks = sum(row.chunks for row in rows if row.outcome is Outcome.OK)
    notes = [
        f"p99_{name}_ms is uncertain: n={len(ms)} < {FLOORS[99]}"
        for name, ms in samples.items()
        if len(ms) < FLOORS[99]
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
    if chunks and duration_s < _WHOLE_SECONDS_FROM_S:
        notes.append("peak throughput is counted in whole seconds, which says little of a level this short")
    return {
        "run_id": asked.run_id,
        "simulated": asked.simulated or any(row.simulated for row in rows),
        "outcomes": outcomes,
        "examples": examples,
        "held_s": asked.held_s,
        "deaths": asked.deaths,
        "chunks": chunks,
        "chunks_per_s": chunks / duration_s if duration_s > 0 else None,
        "in_flight_mean": sum(row.total_ns or 0 for row in rows) / 1e9 / duration_s
        if duration_s > 0
        else None,
        "random_input_len": asked.input_len,
        "random_output_len": asked.output_len,
        "ttft_definition": TTFT_DEFINITION,
        "notes": notes,
    }


_LABELS: Final = (
    ("ttft", "TTFT", "Time to First Token"),
    ("tpot", "TPOT", "Time per Output Token (excl. 1st token)"),
    ("itl", "ITL", "Inter-token Latency"),
)


def printed(result: dict[str, Any]) -> list[str]:
    """Return the lines that `vllm bench serve` prints, with the reason behind a figure that is not certain."""

    def line(label: str, value: object, digits: int = 2, note: str = "") -> str:
        text = "n/a" if value is None else f"{value:.{digits}f}" if isinstance(value, float) else str(value)
        return f"{label:<40} {text:<10}{note}".rstrip()

    ultra = result["ultra"]
    lines = [f"{' Serving Benchmark Result ':=^50}"]
    if ultra["simulated"]:
        lines.append(line("Provider:", "SIMULATED"))
    if client_bound(result):
        lines.append(line("Client:", CLIENT_WORDS["client_bound"]))
    if ultra.get("deaths"):
        lines.append(line("Engine processes died:", ultra["deaths"]))
    lines += [line("Successful requests:", result["completed"]), line("Failed requests:", result["failed"])]
    if result["max_concurrency"] is not None:
        lines.append(line("Maximum request concurrency:", result["max_concurrency"]))
    if result["request_rate"] != "inf":
        lines.append(line("Request rate configured (RPS):", float(result["request_rate"])))
    lines += [
        line("Benchmark duration (s):", result["duration"]),
        line("Total input tokens:", result["total_input_tokens"]),
        line("Total generated tokens:", result["total_output_tokens"]),
        line("Request throughput (req/s):", result["request_throughput"]),
        line("Output token throughput (tok/s):", result["output_throughput"]),
        line("Peak output token throughput (tok/s):", result["max_output_tokens_per_s"]),
        line("Peak concurrent requests:", result["max_concurrent_requests"]),
        line("Total token throughput (tok/s):", result["total_token_throughput"]),
    ]
    if result["total_output_tokens"] is None:
        lines.append(line("Output chunk throughput (chunks/s):", ultra["chunks_per_s"]))
    for name, short, title in _LABELS:
        lines.append(f"{title:-^50}")
        lines += [
            line(f"Mean {short} (ms):", result[f"mean_{name}_ms"]),
            line(f"Median {short} (ms):", result[f"median_{name}_ms"]),
        ]
        uncertain = next((note for note in ultra["notes"] if note.startswith(f"p99_{name}_ms")), "")
        reason = (
            f" ({uncertain.split(': ', 1)[1]})" if uncertain and result[f"p99_{name}_ms"] is not None else ""
        )
        lines.append(line(f"P99 {short} (ms):", result[f"p99_{name}_ms"], note=reason))
    lines.append("=" * 50)
    for name, count in ultra["outcomes"].items():
        if name != "ok":
            example = ultra["examples"].get(name)
            lines.append(safe_line(f"{name}: {count}" + (f", such as: {example}" if example else "")))
    lines += [f"note: {note}" for note in ultra["notes"] if not note.startswith("p99_")]
    return lines
