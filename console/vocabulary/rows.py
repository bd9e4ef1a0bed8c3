"""Rows of the journal: what a run leaves behind (law 4). Times in ns; *_ns durations unless `at`.

Those that come by the thousand are values that cannot form a cycle, so the garbage collector need not walk them.
"""

from __future__ import annotations

import msgspec

from console.vocabulary.client_health import ClientMeasure
from console.vocabulary.lane import Lane
from console.vocabulary.level import LevelOutcome
from console.vocabulary.marks import Marks
from console.vocabulary.outcome import Outcome, Verdict


class RunStarted(msgspec.Struct, frozen=True, kw_only=True, tag="run_started", tag_field="type"):
    """First row of a segment: ties the monotonic clock to the wall clock, once."""

    run_id: str
    pid: int
    wall: str
    """ISO 8601 with zone, read once; `at_ns` of every other row counts from here."""
    resumed: bool = False
    start_ns: int | None = None
    """Where rows count from, on CLOCK_MONOTONIC: ties runs of one machine and boot together. Absent: not told."""


class RequestRow(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="request", tag_field="type", gc=False
):
    """One request as sent once: every retry is a row of its own."""

    test: str
    """Id of the work it belongs to: a TestId, `prompt/N` in a capacity level, `level/L/N` in a capacity search."""
    attempt: int = 1
    """Attempt of the test."""
    turn: int = 1
    try_no: int = 1
    """1 for the first sending of this turn, 2 for its first retry …"""
    lane: Lane
    outcome: Outcome
    status: int | None = None
    error: str | None = None
    error_code: str | None = None
    at_ns: int
    """Sent (or, where nothing could be sent, given up), since the run's start."""
    due_ns: int | None = None
    """When the schedule wanted it sent, since the run's start; only in open loop."""
    limiter_wait_ns: int = 0
    """Waiting for gates. Apart from service time and from retry wait (law 6)."""
    held_ns: int = 0
    """Waiting while nothing was let through: paused, no room on the disk, the server asked for it, the lane rests."""
    retry_wait_ns: int = 0
    """Back-off before this try."""
    connect_ns: int | None = None
    """Making the connection; absent where a pooled one was used."""
    ttft_ns: int | None = None
    ttfo_ns: int | None = None
    latency_ns: int | None = None
    """Sent to last content."""
    total_ns: int | None = None
    """Sent to end of answer or failure."""
    chunks: int = 0
    chunk_gap_ns: tuple[int, ...] = ()
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    finish_reason: str | None = None
    retry_after_s: float | None = None
    request_id: str | None = None
    stream: bool = True
    simulated: bool = False


class TestRow(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="test", tag_field="type", gc=False
):
    """One attempt of one test. The first row with a terminal verdict counts; later ones are ignored."""

    __test__ = False

    test: str
    attempt: int = 1
    job: str = ""
    lane: Lane
    verdict: Verdict
    score: float | None = None
    """0 … 1; absent without a complete answer."""
    turns: int = 0
    requests: int = 0
    at_ns: int
    """Start of the attempt, since the run's start."""
    duration_ns: int
    service_ns: int = 0
    """Sum of sent → last content over its requests that were ok."""
    limiter_wait_ns: int = 0
    held_ns: int = 0
    retry_wait_ns: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    detail: str = ""
    """Why it is not full, in words; may quote the model: hostile text."""
    marks: Marks | None = None
    """Of a tool-use test that was played to its end."""
    reused_from: str = ""
    """Run whose result this is; empty: played in this run."""


class EventRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="event", tag_field="type"):
    """Something that happened to the run: a limit changed, a pause, a key parked, the disk full."""

    at_ns: int
    level: str
    """info | note | warn | error; all but info is told without a screen as well."""
    kind: str
    """Such as `pause`, `resume`, `drain`, `stop`, `disk_full`, `job_started`, `job_done`, `throttled`."""
    subject: str = ""
    """Lane id, job id, or empty for the run."""
    text: str = ""
    key: str = ""
    """Of a job that starts or goes on: the key that it leases from now on; empty: none."""


class LimitRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="limit", tag_field="type"):
    """A limit of a lane that adaptive mode changed, and why."""

    at_ns: int
    lane: Lane
    what: str
    """rate (requests/s) | tokens (tokens/s) | window (requests in flight) | pause (s) | park."""
    before: float | None = None
    after: float | None = None
    """None: there was none, or is none."""
    reason: str = ""


class ClientRow(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="client", tag_field="type"
):
    """What an engine process measured of itself since its last such row, or since its start; every 10 s and at the end."""

    at_ns: int
    measure: ClientMeasure
    probe: str = ""
    """What stood in for data that arrives: `timerfd`, or `timer` where there is none."""


class LevelRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="level", tag_field="type"):
    """One level of a capacity search that is over. A search goes on from these rows."""

    at_ns: int
    outcome: LevelOutcome


class RunEnded(msgspec.Struct, frozen=True, kw_only=True, tag="run_ended", tag_field="type"):
    """Last row of a run that ended in order. Without it the run is partial."""

    at_ns: int
    state: str
    """finished | interrupted."""
    planned: int
    done: int
    """Tests with a terminal verdict; prompts that were answered in full."""
    simulated: bool = False
    """Any answer was simulated."""


Row = RunStarted | RequestRow | TestRow | EventRow | LimitRow | ClientRow | LevelRow | RunEnded
