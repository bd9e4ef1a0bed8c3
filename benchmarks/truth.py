"""Is our clock right? What the client says about TTFT and gaps, against the server's own log of what it sent.

Both processes read the same clock (CLOCK_MONOTONIC). The scheduling delay of both is in the figures, and so is the
way through the kernel. The server's lateness against its plan is shown beside: it does not falsify the comparison,
because the log says when it sent and not when it should have.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from benchmarks.engine_load import through_engine
from benchmarks.floor import through_floor
from benchmarks.report import OTHERS, Part, Target, progress, spread, table
from benchmarks.sample import Sample
from benchmarks.server import Logged
from benchmarks.serving import Serving, busy_between
from console.records.percentile import percentile

CHUNKS = 64
TTFT_MS = 200
CASES = ((300, 20.0), (600, 20.0), (600, 10.0))
"""Streams, ms between chunks."""
CLIENTS: dict[str, Callable[..., Sample]] = {"floor": through_floor, "engine": through_engine}


@dataclass
class Comparison:
    """One round: what the client says, what the server knows, and how far they are apart; all in ms."""

    compared: int
    requests: int
    ttft: list[float] = field(default_factory=list)
    true_ttft: list[float] = field(default_factory=list)
    ttft_error: list[float] = field(default_factory=list)
    """First chunk read - sent: never below 0."""
    gap: list[float] = field(default_factory=list)
    true_gap: list[float] = field(default_factory=list)
    gap_error: list[float] = field(default_factory=list)
    """|gap as read - gap as sent|."""
    way: list[float] = field(default_factory=list)
    """Request sent → seen by the server."""
    late: list[float] = field(default_factory=list)
    """Chunks sent by the server after they were due."""
    client_share: float = 0.0
    server_share: float = 0.0
    others: float = 0.0
    us_per_chunk: float = 0.0
    reads_per_request: float = 0.0


def compare(sample: Sample, log: Sequence[Logged]) -> Comparison:
    """Hold every answer against its entry in the log; only answers with as many chunks as were sent are compared."""
    logged = {entry.number: entry for entry in log}
    found = Comparison(compared=0, requests=sample.requests)
    for seen in sample.seen:
        entry = logged.get(seen.number)
        if entry is None or not entry.sent_ns or len(entry.sent_ns) != len(seen.chunk_ns):
            continue
        found.compared += 1
        sent_ns, read_ns = entry.sent_ns, seen.chunk_ns
        found.ttft.append((read_ns[0] - seen.sent_ns) / 1e6)
        found.true_ttft.append((sent_ns[0] - entry.arrived_ns) / 1e6)
        found.ttft_error.append((read_ns[0] - sent_ns[0]) / 1e6)
        found.way.append((entry.arrived_ns - seen.sent_ns) / 1e6)
        gaps = [(later - earlier) / 1e6 for earlier, later in pairwise(read_ns)]
        true_gaps = [(later - earlier) / 1e6 for earlier, later in pairwise(sent_ns)]
        found.gap += gaps
        found.true_gap += true_gaps
        found.gap_error += [abs(ours - theirs) for ours, theirs in zip(gaps, true_gaps, strict=True)]
        due_ns = range(
            entry.due_ns, entry.due_ns + (len(sent_ns) + 1) * max(entry.itl_ns, 1), max(entry.itl_ns, 1)
        )
        found.late += [(sent - due) / 1e6 for sent, due in zip(sent_ns, due_ns, strict=False)]
    return found


def run(server: Serving, *, rounds: int, quick: bool) -> Part:
    part = Part("truth")
    part.say(
        f"Whose clock is right? TTFT {TTFT_MS} ms, {CHUNKS} chunks; ms; median of {rounds} rounds. "
        "True: by the server's own log."
    )
    said: list[list[str]] = []
    errors: list[list[str]] = []
    for streams, itl_ms in CASES[:2] if quick else CASES:
        rounds_of: dict[str, list[Comparison]] = {name: [] for name in CLIENTS}
        for turn in range(rounds):
            for name in list(CLIENTS) if turn % 2 == 0 else list(reversed(CLIENTS)):
                rounds_of[name].append(one_round(server, name, streams, itl_ms))
        progress(f"{streams} streams, {itl_ms:g} ms between chunks")
        for name, found in rounds_of.items():
            figures = _figures(found)
            label = f"{streams} × {1000 / itl_ms:g}/s {name}"
            said.append(_said(label, figures))
            errors.append(_errors(label, figures))
            part.figures.append({"streams": streams, "itl_ms": itl_ms, "client": name, **figures})
            if name == "engine":
                part.targets += _targets(streams, itl_ms, figures)
    part.say(*table(_SAID, said), "", *table(_ERRORS, errors))
    part.say(
        "error: chunk read - chunk sent. way: request written - seen by the server. late: the server against its plan "
        "(the log has the true times, so this costs no truth).",
        f"others %: {OTHERS}",
    )
    return part


def one_round(server: Serving, name: str, streams: int, itl_ms: float) -> Comparison:
    base_url = server.base_url(chunks=CHUNKS, ttft_ms=TTFT_MS, itl_ms=itl_ms, log=True)
    server.take_log()
    before = server.begin()
    sample = CLIENTS[name](base_url, in_flight=streams, requests=2 * streams, chunks=CHUNKS, keep=True)
    after = server.stats()
    found = compare(sample, server.take_log())
    found.client_share = sample.share
    busy = busy_between(before, after)
    found.server_share = busy.server
    found.others = max(sample.others, busy.others)
    found.us_per_chunk = sample.cpu_s / sample.requests / CHUNKS * 1e6
    found.reads_per_request = sample.reads / sample.requests
    return found


def _figures(rounds: Sequence[Comparison]) -> dict[str, list[float]]:
    """Return each figure of each round."""
    figures: dict[str, list[float]] = {
        "compared": [one.compared / one.requests for one in rounds],
        "client_share": [one.client_share for one in rounds],
        "server_share": [one.server_share for one in rounds],
        "others": [one.others for one in rounds],
        "us_per_chunk": [one.us_per_chunk for one in rounds],
        "reads_per_request": [one.reads_per_request for one in rounds],
    }
    for name in ("ttft", "true_ttft", "ttft_error", "gap", "true_gap", "gap_error", "way", "late"):
        values: list[list[float]] = [getattr(one, name) for one in rounds]
        if not all(values):
            raise RuntimeError("nothing to compare: no answer has its entry in the server's log")
        figures[f"{name}_mean"] = [statistics.fmean(one) for one in values]
        for q in (50, 99):
            figures[f"{name}_p{q}"] = [percentile(one, q) for one in values]
    return figures


_SAID = (
    "streams × chunks/s",
    "TTFT mean",
    "true",
    "TTFT p99",
    "true",
    "ITL p99",
    "true",
    "client CPU % of a core",
    "µs/chunk",
    "reads/chunk",
    "server CPU %",
    "others %",
    "compared",
)
_ERRORS = (
    "streams × chunks/s",
    "TTFT error p50",
    "p99",
    "mean",
    "gap error p50",
    "p99",
    "mean",
    "way p50",
    "p99",
    "server late p50",
    "p99",
)


def _said(label: str, figures: dict[str, list[float]]) -> list[str]:
    middle = {name: statistics.median(values) for name, values in figures.items()}
    return [
        label,
        *(f"{middle[name]:.1f}" for name in ("ttft_mean", "true_ttft_mean", "ttft_p99", "true_ttft_p99")),
        *(f"{middle[name]:.1f}" for name in ("gap_p99", "true_gap_p99")),
        spread([100 * share for share in figures["client_share"]]),
        f"{middle['us_per_chunk']:.1f}",
        f"{middle['reads_per_request'] / (CHUNKS + 2):.2f}" if any(figures["reads_per_request"]) else "-",
        f"{100 * middle['server_share']:.0f}",
        f"{100 * middle['others']:.0f}",
        f"{100 * middle['compared']:.0f} %",
    ]


def _errors(label: str, figures: dict[str, list[float]]) -> list[str]:
    middle = {name: statistics.median(values) for name, values in figures.items()}
    return [
        label,
        *(f"{middle[f'ttft_error_{kind}']:.2f}" for kind in ("p50", "p99", "mean")),
        *(f"{middle[f'gap_error_{kind}']:.2f}" for kind in ("p50", "p99", "mean")),
        *(f"{middle[f'{name}_{kind}']:.2f}" for name in ("way", "late") for kind in ("p50", "p99")),
    ]


def _targets(streams: int, itl_ms: float, figures: dict[str, list[float]]) -> list[Target]:
    middle = {name: statistics.median(values) for name, values in figures.items()}
    label = f"{streams} × {1000 / itl_ms:g}/s"
    others = middle["others"]
    if (streams, itl_ms) == (600, 20.0):
        return [
            Target(f"{label}: client CPU", 100 * middle["client_share"], 45, "less", "% of a core", others),
            *(
                Target(
                    f"{label}: {what} error {kind}",
                    middle[f"{name}_error_{kind}"],
                    most,
                    "less",
                    "ms",
                    others,
                )
                for name, what in (("ttft", "TTFT"), ("gap", "ITL"))
                for kind, most in (("p50", 1), ("p99", 5))
            ),
        ]
    if (streams, itl_ms) == (600, 10.0):
        off = {kind: abs(middle[f"ttft_{kind}"] - middle[f"true_ttft_{kind}"]) for kind in ("mean", "p99")}
        return [
            Target(f"{label}: TTFT mean off the truth", off["mean"], 5, "less", "ms", others),
            Target(f"{label}: TTFT p99 off the truth", off["p99"], 15, "less", "ms", others),
        ]
    return []
