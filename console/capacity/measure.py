"""What is measured of a level, from its request rows alone.

A request belongs to the window in which it ended: in a steady state that is a fair sample, while those that were
sent in it and have ended already would be the short ones. Work is counted where it was done: the tokens of an answer
are spread from its first to its last content, and what lies inside the window counts. So neither the edges nor the
few answers that happen to end in it move the figure; requests / duration of a whole level reads 0.73 of the truth
at ten requests a loop and an output-length CV of 0.6.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, pstdev
from typing import Final, Literal

import msgspec

from console.capacity.bounds import FEWEST, TWO_SIDED, mean_of
from console.capacity.samples import goodput, latencies, latency_estimates, share_estimate
from console.capacity.spread import Span, in_flight, spread
from console.capacity.steady import Window
from console.records.percentile import enough, percentile
from console.vocabulary.lane import Lane
from console.vocabulary.level import Estimate, LaneAtLevel, LevelOutcome, Purpose
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow

_MOST_SLICES: Final = 20
_FEWEST_SLICES: Final = 10
_LEAST_IN_SLICE: Final = 5
"""Answers that a slice should hold, so that its count is more than chance."""
WorkUnit = Literal["tokens", "chunks", "requests"]


class LevelAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What a level of a search was asked to do, and when it did."""

    number: int
    subject: str = ""
    purpose: Purpose
    concurrency: int
    """Loops of a closed loop; in open loop the most in flight."""
    rate: float | None = None
    """Requests due per second; None: closed loop."""
    goodput: tuple[tuple[str, float], ...] = ()
    """As `parse_goodput` returns them."""
    begun_ns: int
    """First sending of the level, since the run's start."""
    ended_ns: int
    """End of its cool-down; while it goes on, now."""
    prompt_tokens: int = 0
    """Estimate of one prompt, for what is spent where no usage is told."""


def measure(asked: LevelAsked, rows: Sequence[RequestRow], window: Window) -> LevelOutcome:
    """Measure a level in its window.

    Args:
        asked: the level.
        rows: of the whole level, warm-up and drain included, in the order of the journal.
        window: what counts.

    Returns:
        Everything but rules, validity and server.
    """
    inside = [row for row in rows if row.at_ns < window.to_ns and _end_ns(row) >= window.from_ns]
    ended = [row for row in inside if _end_ns(row) < window.to_ns]
    outcomes = Counter(row.outcome for row in ended)
    answered = [row for row in ended if row.outcome is Outcome.OK]
    counted = len(ended) - outcomes[Outcome.CANCELLED]
    unit = _work_unit(inside)
    count = min(_MOST_SLICES, max(_FEWEST_SLICES, len(answered) // _LEAST_IN_SLICE))
    by_lane: dict[Lane, list[RequestRow]] = defaultdict(list)
    for row in inside:
        by_lane[row.lane].append(row)
    work = {lane: _work(unit, members, window, count) for lane, members in by_lane.items()}
    busy = {lane: _busy(members, window) for lane, members in by_lane.items()}
    work_per_s = _rate(
        [sum(parts) for parts in zip(*work.values(), strict=True)] or [0.0] * count, window, len(answered)
    )
    ends = ((end_ns := _end_ns(row), end_ns, 1.0) for row in answered)
    metrics, bounds = latency_estimates(latencies(answered))
    tokens = [row.completion_tokens for row in answered if row.completion_tokens is not None]
    mean_tokens = fmean(tokens) if tokens else None
    return LevelOutcome(
        number=asked.number,
        subject=asked.subject,
        purpose=asked.purpose,
        concurrency=asked.concurrency,
        rate=asked.rate,
        from_ns=window.from_ns,
        to_ns=window.to_ns,
        outcomes={outcome.value: many for outcome, many in outcomes.items()},
        ended=counted,
        success=share_estimate(len(answered), counted),
        requests_per_s=_rate(spread(ends, window.from_ns, window.to_ns, count), window, len(answered)),
        tokens_per_s=work_per_s if unit == "tokens" else None,
        work_per_s=work_per_s,
        work_unit=unit,
        in_flight=sum(busy.values()),
        metrics=metrics,
        bounds=bounds,
        goodput=goodput(answered, asked.goodput),
        output_tokens_mean=mean_tokens,
        output_tokens_cv=pstdev(tokens, mean_tokens) / mean_tokens if mean_tokens else None,
        cached_share=_cached_share(answered),
        lanes=_lanes(ended, busy, work if unit == "tokens" else {}, window),
        spent_s=(asked.ended_ns - asked.begun_ns) / 1e9,
        spent_requests=len(rows),
        spent_tokens=_spent_tokens(rows, asked.prompt_tokens),
    )


def _end_ns(row: RequestRow) -> int:
    return row.at_ns + (row.total_ns or 0)


def _rate(amounts: Sequence[float], window: Window, answers: int) -> Estimate:
    """Return how much came per second, with an interval by the means of equal slices (batch means)."""
    slice_s = window.seconds / len(amounts)
    mean = mean_of(amounts)
    low, high = mean.bounds(TWO_SIDED) if answers >= FEWEST else (None, None)
    return Estimate(
        mean.value / slice_s,
        None if low is None else max(0.0, low / slice_s),
        None if high is None else high / slice_s,
        answers,
    )


# Work


def _work_unit(inside: Sequence[RequestRow]) -> WorkUnit:
    """Return what work is counted in: tokens if every answer told how many, chunks if all came as a stream."""
    answered = [row for row in inside if row.outcome is Outcome.OK]
    if answered and all(row.completion_tokens is not None for row in answered):
        return "tokens"
    return "chunks" if answered and all(row.stream and row.chunks for row in answered) else "requests"


def _work(unit: WorkUnit, inside: Iterable[RequestRow], window: Window, count: int) -> list[float]:
    """Return the work that was done in each slice, by answers that began or ended outside the window as well."""
    spans = _SPANS[unit](row for row in inside if row.outcome is Outcome.OK)
    return spread(spans, window.from_ns, window.to_ns, count)


def _token_spans(answered: Iterable[RequestRow]) -> Iterable[Span]:
    for row in answered:
        end_ns = row.at_ns + (row.latency_ns or 0)
        yield _first_ns(row), end_ns, row.completion_tokens or 0


def _chunk_spans(answered: Iterable[RequestRow]) -> Iterable[Span]:
    for row in answered:
        yield _first_ns(row), row.at_ns + (row.latency_ns or 0), row.chunks


def _request_spans(answered: Iterable[RequestRow]) -> Iterable[Span]:
    for row in answered:
        yield row.at_ns, _end_ns(row), 1


def _first_ns(row: RequestRow) -> int:
    """Return where the making of an answer began to show; one that came in one piece was made all the while."""
    return row.at_ns + (row.ttft_ns or 0) if row.stream else row.at_ns


_SPANS: Final = {"tokens": _token_spans, "chunks": _chunk_spans, "requests": _request_spans}


def _busy(inside: Sequence[RequestRow], window: Window) -> float:
    stays = ((row.at_ns, _end_ns(row)) for row in inside)
    return in_flight(stays, window.from_ns, window.to_ns, 1)[0]


# Parts and sums


def _lanes(
    ended: Sequence[RequestRow],
    busy: Mapping[Lane, float],
    tokens: Mapping[Lane, Sequence[float]],
    window: Window,
) -> tuple[LaneAtLevel, ...]:
    members: dict[Lane, list[RequestRow]] = {lane: [] for lane in busy}
    for row in ended:
        members[row.lane].append(row)
    found: list[LaneAtLevel] = []
    for lane in sorted(members):
        outcomes = Counter(row.outcome for row in members[lane])
        ok, limited = outcomes[Outcome.OK], outcomes[Outcome.RATE_LIMITED]
        ttft_ms = [
            row.ttft_ns / 1e6
            for row in members[lane]
            if row.outcome is Outcome.OK and row.ttft_ns is not None
        ]
        found.append(
            LaneAtLevel(
                lane=lane.id,
                requests_per_s=ok / window.seconds,
                tokens_per_s=sum(tokens[lane]) / window.seconds if lane in tokens else None,
                in_flight=busy[lane],
                ok=ok,
                failed=len(members[lane]) - outcomes[Outcome.CANCELLED] - ok - limited,
                rate_limited=limited,
                ttft_mean_ms=fmean(ttft_ms) if ttft_ms else None,
                ttft_p95_ms=percentile(ttft_ms, 95) if enough(len(ttft_ms), 95) else None,
            )
        )
    return tuple(found)


def _cached_share(answered: Iterable[RequestRow]) -> float | None:
    """Return cached prompt tokens / prompt tokens, of the answers that told both."""
    cached = prompts = 0
    for row in answered:
        if row.cached_tokens is not None and row.prompt_tokens:
            cached += row.cached_tokens
            prompts += row.prompt_tokens
    return cached / prompts if prompts else None


def _spent_tokens(rows: Iterable[RequestRow], prompt_tokens: int) -> int:
    """Return prompt and output tokens; a prompt that was refused cost none, a chunk without usage counts as one."""
    spent = 0
    for row in rows:
        if row.prompt_tokens is not None:
            spent += row.prompt_tokens
        elif row.outcome is Outcome.OK or row.chunks:
            spent += prompt_tokens
        spent += row.chunks if row.completion_tokens is None else row.completion_tokens
    return spent
