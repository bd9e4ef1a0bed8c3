"""What a summary of a run says; plain values that print without Polars.

Definitions (also under `definitions` in summary.json) are in `DEFINITIONS` below: one text for readers of code
and of files.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from console.records.read_journal import Damages
from console.vocabulary.client_health import ClientHealth

DEFINITIONS: Final[dict[str, str]] = {
    "ttft": "sent → first non-empty content, reasoning or tool delta; ok streamed requests",
    "tpot": "(e2e latency - TTFT) / (completion_tokens - 1); only where the server sent usage with more than "
    "one token, never from chunk counts; ok streamed requests",
    "itl": "gaps between successive content chunks of one request, pooled; chunks are not tokens; ok streamed requests",
    "e2e": "sent → last content; the finish and usage chunks are not in it; ok requests",
    "request_throughput": "ok requests per second of the group's own window",
    "output_tokens_per_s": "completion_tokens by usage of ok requests per second of the group's own window; null as "
    "soon as one ok request has no usage",
    "chunks_per_s": "content chunks of ok requests per second of the group's own window",
    "window": "first sending → last end of the group's requests, drain included; where a run was resumed, the "
    "windows of its sessions together, without the time in between",
    "…_run": "the same figure over the window of the whole run, so that groups add up to it; printed for keys and "
    "lanes, while models, which mostly run one after another, are printed over their own window",
    "success_share": "ok / (all requests - cancelled)",
    "in_flight": "exact sweep over [sent, end) of the group's requests; the mean is over the window; peaks do not add up",
    "limiter_wait": "waiting for gates before sending; all requests; in no latency and in no other wait",
    "held_wait": "waiting while nothing was let through: paused, no room on the disk, the server asked for it, the lane "
    "rests; all requests; in no latency and in no other wait",
    "retry_wait": "back-off before a retry; all requests; in no latency and in no other wait",
    "success_rate": "(full + partial) / (full + partial + failure): infrastructure failures and cancelled tests "
    "never count against a model",
    "mean_score": "mean of the scores 0 … 1 of the tests that are full, partial or failure",
    "tests": "one row a test id: the first with a terminal verdict, else the last",
    "planned": "done + infrastructure_failures + cancelled + not_run; remaining = planned - done",
    "done": "tests with a terminal verdict; prompts that were answered in full",
    "infrastructure_failures": "tests and prompts without a complete answer; `failures` has them by their last outcome",
    "reused": "results of earlier runs that stand for tests of this one: rows of tests with `reused_from`, and in no "
    "count or figure of a summary",
    "cancelled": "begun, stopped, and not done since",
    "not_run": "planned, and without a row in the journal",
    "client": "p99 of our own delays (stream read delay, loop lag, schedule delay) against the TTFT p50: over 10 % "
    "of it is client_bound, over 2 % suspect, up to 5 ms always valid; counted while requests were in flight",
    "percentiles": "linear interpolation; n/a below 11 samples (p50), 64 (p90), 130 (p95), 662 (p99)",
    "std": "of the population",
}

RunKind = Literal["live", "finished", "interrupted", "partial"]


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """How one duration is distributed, in ms."""

    n: int = 0
    mean_ms: float | None = None
    std_ms: float | None = None
    min_ms: float | None = None
    max_ms: float | None = None
    p50_ms: float | None = None
    p90_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    notes: dict[str, str] = {}
    """Why a percentile is absent, such as `p95`: `n/a (n=12 < 130)`."""
    approximate: bool = False
    """Percentiles are within 0.5 %, from logarithmic buckets; the rest is exact."""


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Waiting that is no service: for gates, while nothing was let through, or backing off."""

    n: int = 0
    mean_ms: float | None = None
    p95_ms: float | None = None
    max_ms: float | None = None
    total_s: float = 0.0
    notes: dict[str, str] = {}


class TestCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How the tests of a group ended."""

    __test__ = False

    tests: int = 0
    """Those with a row in the journal."""
    full: int = 0
    partial: int = 0
    failure: int = 0
    infrastructure: int = 0
    cancelled: int = 0
    not_run: int = 0
    """Planned, but without a row; not in `tests`. Known for models and for all."""
    success_rate: float | None = None
    """None: no test has a terminal verdict."""
    mean_score: float | None = None


class GroupSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One group of requests, and of the tests they belong to."""

    name: str
    labels: dict[str, str] = {}
    """What it is a group of, such as `provider` and `key`."""
    requests: int = 0
    ok: int = 0
    outcomes: dict[str, int] = {}
    """Only those that occurred."""
    success_share: float | None = None
    window_s: float = 0.0
    """The group's own."""
    request_throughput: float | None = None
    request_throughput_run: float | None = None
    """Over the window of the whole run, as all figures that end so: groups add up to the run."""
    output_tokens_per_s: float | None = None
    output_tokens_per_s_run: float | None = None
    output_tokens_note: str = ""
    """Why there is none."""
    chunks_per_s: float | None = None
    chunks_per_s_run: float | None = None
    chunks: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    """Of the ok requests that have usage; None: none has."""
    without_usage: int = 0
    """Ok requests whose server sent no usage."""
    ttft: Distribution = Distribution()
    tpot: Distribution = Distribution()
    itl: Distribution = Distribution()
    e2e: Distribution = Distribution()
    limiter_wait: Wait = Wait()
    held_wait: Wait = Wait()
    retry_wait: Wait = Wait()
    peak_in_flight: int = 0
    mean_in_flight: float | None = None
    mean_in_flight_run: float | None = None
    tests: TestCounts = TestCounts()


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A run as its journal tells it."""

    run_id: str
    title: str
    level: str = ""
    """Of a capacity run: `gpt-4o-mini C=10 rate=inf`."""
    profile: str
    simulated: bool
    """Any answer came from a simulated provider (law 11)."""
    state: RunKind
    partial: bool
    """These are not the results of the whole run."""
    partial_reason: str = ""
    started: str
    """Wall time, ISO 8601 with zone."""
    duration_s: float
    sessions: int = 1
    """How often it was started."""
    unit: Literal["tests", "prompts"] = "tests"
    """What `planned`, `done`, `remaining` and so on count."""
    planned: int
    """done + infrastructure_failures + cancelled + not_run."""
    done: int
    """Tests with a terminal verdict; prompts that were answered in full."""
    remaining: int
    """planned - done."""
    infrastructure_failures: int
    """Begun, and ended without a complete answer."""
    cancelled: int = 0
    """Begun, stopped, and not done since."""
    reused: dict[str, int] = {}
    """Results taken over from earlier runs, by run; in none of the other counts."""
    not_run: int = 0
    """Planned, and without a row in the journal."""
    lost: int = 0
    """Of those: done all the same, as the last row of the run says; lines of its journal are missing."""
    failures: dict[str, int] = {}
    """Those without a complete answer, by the outcome of their last request."""
    verdicts: dict[str, int]
    outcomes: dict[str, int]
    """Of all requests; only those that occurred."""
    damages: Damages
    """Lines of the journal that could not be read."""
    client: ClientHealth | None = None
    """Whether this client kept up with what it measured; None: it did not measure itself."""
    overall: GroupSummary
    per_model: tuple[GroupSummary, ...] = ()
    per_lane: tuple[GroupSummary, ...] = ()
    per_key: tuple[GroupSummary, ...] = ()
    per_deployment: tuple[GroupSummary, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """The tables written beside it."""
    definitions: dict[str, str] = msgspec.field(default_factory=lambda: dict(DEFINITIONS))
