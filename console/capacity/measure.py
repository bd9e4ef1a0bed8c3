"""What is measured of a level, from its request rows alone.

Latencies are those of answers that ended in the window: in a steady state that is a fair sample, while of those that
were sent in it the short ones end first. How requests ended is told of those that were sent in it: what hangs until
it times out may well end when the level is over, and would not be missed among those that ended.

Work is counted where it was done: the tokens of an answer are spread from its first to its last content, and what lies
inside the window counts. So neither the edges nor the few answers that happen to end in it move the figure; requests /
duration of a whole level reads 0.73 of the truth at ten requests a loop and an output-length CV of 0.6.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from operator import mul
from typing import Final

import msgspec

from console.capacity.gathered import Gathered, Part
from console.capacity.samples import latency_estimates, rate_estimate, share_estimate
from console.capacity.steady import Window
from console.records.percentile import enough, percentile
from console.vocabulary.level import LaneAtLevel, LevelOutcome, Purpose
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow

_MOST_SLICES: Final = 20
_FEWEST_SLICES: Final = 10
_LEAST_IN_SLICE: Final = 5
"""Answers that a slice should hold, so that its count is more than chance."""


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


def gather(asked: LevelAsked, rows: Sequence[RequestRow] = ()) -> Gathered:
    """Return a level's rows as columns; a level that goes on adds its further ones to them."""
    return Gathered(asked.begun_ns, rows, goodput=asked.goodput, prompt_tokens=asked.prompt_tokens)


def measure(asked: LevelAsked, rows: Sequence[RequestRow] | Gathered, window: Window) -> LevelOutcome:
    """Measure a level in its window.

    Args:
        asked: the level.
        rows: of the whole level, warm-up and drain included; gathered, where they are looked at again and again.
        window: what counts; of an empty one nothing is known.

    Returns:
        Everything but rules, validity and server.
    """
    if window.to_ns <= window.from_ns:
        window = Window(window.from_ns, window.from_ns + 1)
    level = rows if isinstance(rows, Gathered) else gather(asked, rows)
    outcomes = _outcomes(level, window)
    answered = outcomes.get(Outcome.OK, 0)
    counted = sum(outcomes.values()) - outcomes.get(Outcome.CANCELLED, 0)
    answers = sum(_between(part.answered, window) for part in level.parts.values())
    count = min(_MOST_SLICES, max(_FEWEST_SLICES, answers // _LEAST_IN_SLICE))
    edges = [window.from_ns + (window.to_ns - window.from_ns) * edge / count for edge in range(count + 1)]
    ends = _answer_counts(level, edges)
    work_per_s = rate_estimate(level.work(edges), window.seconds, answers)
    metrics, bounds = latency_estimates(
        {name: column.inside(window.from_ns, window.to_ns) for name, column in level.samples.items()}
    )
    stays_ns = level.sent.inside(window.from_ns, window.to_ns)
    good = level.good.inside(window.from_ns, window.to_ns)
    tokens_mean, tokens_cv = _mean_and_cv(level.tokens.inside(window.from_ns, window.to_ns))
    prompts = sum(level.prompts.inside(window.from_ns, window.to_ns))
    cached = sum(level.cached.inside(window.from_ns, window.to_ns))
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
        success=share_estimate(answered, counted),
        requests_per_s=rate_estimate(ends, window.seconds, answers),
        tokens_per_s=work_per_s if level.unit == "tokens" and answers else None,
        work_per_s=work_per_s,
        work_unit=level.unit,
        in_flight=level.busy([window.from_ns, window.to_ns])[0] / (window.to_ns - window.from_ns),
        stay_mean_ms=sum(stays_ns) / len(stays_ns) / 1e6 if stays_ns else None,
        metrics=metrics,
        bounds=bounds,
        goodput=share_estimate(int(sum(good)), len(good)) if good else None,
        output_tokens_mean=tokens_mean,
        output_tokens_cv=tokens_cv,
        cached_share=cached / prompts if prompts else None,
        lanes=tuple(
            _lane(lane.id, level.parts[lane], window, with_tokens=level.unit == "tokens")
            for lane in sorted(level.parts)
        ),
        spent_s=(asked.ended_ns - asked.begun_ns) / 1e9,
        spent_requests=len(level),
        spent_tokens=level.spent_tokens,
    )


def _outcomes(level: Gathered, window: Window) -> dict[Outcome, int]:
    found: dict[Outcome, int] = {}
    for part in level.parts.values():
        for outcome, sent in part.sent.items():
            many = _between(sent, window)
            if many:
                found[outcome] = found.get(outcome, 0) + many
    return found


def _between(moments: Sequence[int], window: Window) -> int:
    return bisect_left(moments, window.to_ns) - bisect_left(moments, window.from_ns)


def _answer_counts(level: Gathered, edges: Sequence[float]) -> list[float]:
    """Return how many answers ended between each edge and the next."""
    found = [0.0] * (len(edges) - 1)
    for part in level.parts.values():
        places = [bisect_left(part.answered, edge) for edge in edges]
        for place in range(len(found)):
            found[place] += places[place + 1] - places[place]
    return found


def _mean_and_cv(values: Sequence[float]) -> tuple[float | None, float | None]:
    if not values:
        return None, None
    mean = sum(values) / len(values)
    off = [value - mean for value in values]
    deviation = math.sqrt(sum(map(mul, off, off)) / len(values))
    return mean, deviation / mean if mean else None


def _lane(lane_id: str, part: Part, window: Window, *, with_tokens: bool) -> LaneAtLevel:
    ttft_ms = part.ttft_ms.inside(window.from_ns, window.to_ns)
    outcomes = {outcome: _between(sent, window) for outcome, sent in part.sent.items()}
    ok, limited = outcomes.pop(Outcome.OK, 0), outcomes.pop(Outcome.RATE_LIMITED, 0)
    outcomes.pop(Outcome.CANCELLED, 0)
    work = part.work.between([window.from_ns, window.to_ns])[0]
    return LaneAtLevel(
        lane=lane_id,
        requests_per_s=_between(part.answered, window) / window.seconds,
        tokens_per_s=work / window.seconds if with_tokens else None,
        in_flight=part.busy.between([window.from_ns, window.to_ns])[0] / (window.to_ns - window.from_ns),
        ok=ok,
        failed=sum(outcomes.values()),
        rate_limited=limited,
        ttft_mean_ms=sum(ttft_ms) / len(ttft_ms) if ttft_ms else None,
        ttft_p95_ms=percentile(ttft_ms, 95) if enough(len(ttft_ms), 95) else None,
    )
