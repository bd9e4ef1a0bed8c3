"""The lines that `vllm bench serve` prints of a level, with the reason behind a figure that is not certain."""

from __future__ import annotations

import re
from typing import Any, Final

from console.capacity.level_result import client_bound
from console.vocabulary.client_health import CLIENT_WORDS
from console.vocabulary.level import VALIDITY_WORDS, Validity
from console.vocabulary.safe_text import safe_line

_LABELS: Final = (
    ("ttft", "TTFT", "Time to First Token"),
    ("tpot", "TPOT", "Time per Output Token (excl. 1st token)"),
    ("itl", "ITL", "Inter-token Latency"),
    ("e2el", "E2EL", "End-to-end Latency"),
    ("client_queue_time", "Client Queue Time", "Client Queue Time"),
    ("e2el_including_client_queue", "E2EL+Queue", "End-to-end Latency including Client Queue"),
)
_UNCERTAIN: Final = re.compile(r"p[\d.]+_\w+_ms is uncertain")
_SERVER: Final = (
    ("running_mean", "Requests running, mean:"),
    ("waiting_mean", "Requests waiting, mean:"),
    ("waiting_slope_per_s", "Waiting grows by (per s):"),
    ("kv_cache_max", "KV cache used, at most:"),
    ("preemptions", "Preemptions:"),
    ("gpu_util_mean", "GPU utilisation, mean:"),
)


def line(label: str, value: object, note: str = "") -> str:
    """Return a line of the report."""
    text = "n/a" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
    return f"{label:<40} {text:<10}{note}".rstrip()


def printed(result: dict[str, Any]) -> list[str]:
    """Return the lines of a result."""
    ultra = result["ultra"]
    lines = [f"{' Serving Benchmark Result ':=^50}", *_who(result), *_load(result), *_totals(result)]
    for name, short, title in _LABELS:
        if f"mean_{name}_ms" in result:
            lines += _metric(result, name, short, title)
    if ultra.get("loop") == "open":
        lines += _response(ultra)
    if ultra.get("steady"):
        lines += _steady(ultra["steady"])
    if ultra.get("server"):
        lines += _server(ultra["server"])
    lines.append("=" * 50)
    for name, count in ultra["outcomes"].items():
        if name != "ok":
            example = ultra["examples"].get(name)
            lines.append(safe_line(f"{name}: {count}" + (f", such as: {example}" if example else "")))
    lines += [safe_line(f"note: {note}") for note in ultra["notes"] if not _UNCERTAIN.match(note)]
    return lines


def _who(result: dict[str, Any]) -> list[str]:
    ultra = result["ultra"]
    lines: list[str] = []
    if ultra["simulated"]:
        lines.append(line("Provider:", "SIMULATED"))
    if client_bound(result):
        lines.append(line("Client:", CLIENT_WORDS["client_bound"]))
    if ultra.get("deaths"):
        lines.append(line("Engine processes died:", ultra["deaths"]))
    return lines


def _load(result: dict[str, Any]) -> list[str]:
    lines = [
        line("Successful requests:", result["completed"]),
        line("Failed requests:", result["failed"]),
    ]
    if result["max_concurrency"] is not None:
        lines.append(line("Maximum request concurrency:", result["max_concurrency"]))
    if result["request_rate"] != "inf":
        lines.append(line("Request rate configured (RPS):", float(result["request_rate"])))
    if strategy := result.get("ramp_up_strategy"):
        ends = f"{result['ramp_up_start_rps']:g} to {result['ramp_up_end_rps']:g} RPS, {strategy}"
        lines.append(line("Request rate ramped:", ends))
    return lines


def _totals(result: dict[str, Any]) -> list[str]:
    ultra = result["ultra"]
    lines = [
        line("Benchmark duration (s):", result["duration"]),
        line("Total input tokens:", result["total_input_tokens"]),
        line("Total generated tokens:", result["total_output_tokens"]),
        line("Request throughput (req/s):", result["request_throughput"]),
    ]
    if result["request_goodput"] is not None:
        share = f"{100 * ultra['goodput']['share']:.1f} % of all"
        lines.append(line("Request goodput (req/s):", result["request_goodput"], note=f" ({share})"))
    lines += [
        line("Output token throughput (tok/s):", result["output_throughput"]),
        line("Peak output token throughput (tok/s):", result["max_output_tokens_per_s"]),
        line("Peak concurrent requests:", result["max_concurrent_requests"]),
        line("Total token throughput (tok/s):", result["total_token_throughput"]),
    ]
    if ultra.get("cached_share") is not None:
        lines.append(line("Input tokens from a cache (%):", 100.0 * ultra["cached_share"]))
    if result["total_output_tokens"] is None:
        lines.append(line("Output chunk throughput (chunks/s):", ultra["chunks_per_s"]))
    return lines


def _metric(result: dict[str, Any], name: str, short: str, title: str) -> list[str]:
    return [
        f"{title:-^50}",
        line(f"Mean {short} (ms):", result[f"mean_{name}_ms"]),
        line(f"Median {short} (ms):", result[f"median_{name}_ms"]),
        *_percentiles(result, result["ultra"]["notes"], name, short),
    ]


def _response(ultra: dict[str, Any]) -> list[str]:
    lines = [f"{'Response Time (from when it was due)':-^50}"]
    for name, label in (("response", "response"), ("queue", "wait to be sent")):
        lines.append(line(f"Mean {label} (ms):", ultra[f"mean_{name}_ms"]))
        lines += _percentiles(ultra, ultra["notes"], name, label)
    return lines


def _percentiles(figures: dict[str, Any], notes: list[str], name: str, label: str) -> list[str]:
    form = re.compile(rf"p([\d.]+)_{name}_ms")
    lines: list[str] = []
    for key, value in figures.items():
        if (found := form.fullmatch(key)) is None:
            continue
        uncertain = next((note for note in notes if note.startswith(f"{key} ")), "")
        reason = f" ({uncertain.split(': ', 1)[1]})" if uncertain and value is not None else ""
        lines.append(line(f"P{found[1]} {label} (ms):", value, note=reason))
    return lines


def _steady(steady: dict[str, Any]) -> list[str]:
    """Return the part between beginning and drain, with intervals of 95 %; under labels that no script greps."""
    validity: Validity = steady.get("validity", "valid")
    from_s, to_s = steady["from_ns"] / 1e9, steady["to_ns"] / 1e9
    lines = [
        f"{'In the Steady Window':-^50}",
        line("Validity:", VALIDITY_WORDS[validity]),
        line("Window (s):", to_s - from_s, note=f" ({from_s:.1f} to {to_s:.1f})"),
        line("Requests in flight:", steady["in_flight"]),
        _estimate("Answered in it (req/s):", steady["requests_per_s"]),
    ]
    if steady.get("tokens_per_s"):
        lines.append(_estimate("Tokens made in it (tok/s):", steady["tokens_per_s"]))
    if steady.get("goodput"):
        lines.append(_estimate("Good answers in it (%):", steady["goodput"], times=100))
    for rule in steady.get("rules", ()):
        missing = f"; {rule['missing']}" if rule.get("missing") else ""
        lines.append(
            safe_line(f"{rule['rule']} {rule['limit']}: {rule['state']} ({rule['measured']}{missing})")
        )
    lines += [safe_line(f"{VALIDITY_WORDS[validity]}: {reason}") for reason in steady.get("reasons", ())]
    return lines


def _estimate(label: str, estimate: dict[str, Any], times: float = 1.0) -> str:
    ends = [estimate.get(name) for name in ("low", "high")]
    interval = (
        "" if None in ends else f" [{', '.join(f'{times * end:.2f}' for end in ends if end is not None)}]"
    )
    return line(label, times * float(estimate["value"]), note=interval)


def _server(server: dict[str, float]) -> list[str]:
    lines = [f"{'What the server says of itself':-^50}"]
    return lines + [line(label, server[key]) for key, label in _SERVER if key in server]
