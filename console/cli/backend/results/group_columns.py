"""How the requests of a group are written in a table: load, latencies and waits, with what each is sorted by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from console.records.figures_text import NONE, ms_text, rate_text, share_text
from console.records.percentile import FLOORS
from console.records.summary_types import Distribution, GroupSummary
from console.screens.results.sheet import Column, SortKey
from console.vocabulary.outcome import Outcome

Window = Literal["own", "run"]
"""Over what time rates are: the group's own, or that of the whole run, so that groups add up."""


class Figure(msgspec.Struct, frozen=True):
    """One column of figures."""

    name: str
    title: str
    text: Callable[[GroupSummary], str]
    key: Callable[[GroupSummary], SortKey]

    @property
    def column(self) -> Column:
        """The column it fills."""
        return Column(self.name, self.title, figures=True)


def load_figures(window: Window) -> tuple[Figure, ...]:
    """Return how many requests there were, how they ended and how fast they came."""
    ending = "" if window == "own" else "_run"

    def rate(name: str, title: str, field: str) -> Figure:
        return Figure(
            name,
            title,
            lambda group: rate_text(getattr(group, field + ending)),
            lambda group: getattr(group, field + ending),
        )

    return (
        _count("requests", "requests", lambda group: group.requests),
        Figure(
            "ok_share", "ok", lambda group: share_text(group.success_share), lambda group: group.success_share
        ),
        _count("rate_limited", "429", lambda group: group.outcomes.get(str(Outcome.RATE_LIMITED), 0)),
        _count("request_errors", "err", _errors),
        rate("requests_per_s", "req/s", "request_throughput"),
        Figure(
            "output_tokens_per_s",
            "tok/s",
            lambda group: _tokens_text(group, ending),
            lambda group: getattr(group, f"output_tokens_per_s{ending}"),
        ),
        rate("mean_in_flight", "in-fl", "mean_in_flight"),
        _count("peak_in_flight", "peak", lambda group: group.peak_in_flight),
    )


def latency_figures() -> tuple[Figure, ...]:
    """Return times to the first token, between tokens and to the end."""
    return (
        *_durations("ttft", "TTFT", ("p50", "p90", "p95", "p99", "mean"), lambda group: group.ttft),
        *_durations("e2e", "e2e", ("p50", "p90", "p95", "p99", "mean"), lambda group: group.e2e),
        *_durations("tpot", "TPOT", ("p50",), lambda group: group.tpot),
        *_durations("itl", "ITL", ("p50",), lambda group: group.itl),
    )


def wait_figures() -> tuple[Figure, ...]:
    """Return mean waits, which are in no latency."""
    return (
        _wait("limiter_wait_ms", "wait: limiter", lambda group: group.limiter_wait.mean_ms),
        _wait("held_wait_ms", "held", lambda group: group.held_wait.mean_ms),
        _wait("retry_wait_ms", "retry", lambda group: group.retry_wait.mean_ms),
    )


def latency_notes(groups: Sequence[GroupSummary]) -> tuple[str, ...]:
    """Return why percentiles are absent, if any is."""
    absent = [note for group in groups for note in (*group.ttft.notes.values(), *group.e2e.notes.values())]
    if not absent:
        return ()
    floors = ", ".join(f"{floor} (p{quantile})" for quantile, floor in FLOORS.items())
    return (f"n/a: no ok request, or fewer than {floors} samples; such as {absent[0]}",)


def _errors(group: GroupSummary) -> int:
    apart = (Outcome.OK, Outcome.RATE_LIMITED, Outcome.CANCELLED)
    return group.requests - sum(group.outcomes.get(str(outcome), 0) for outcome in apart)


def _tokens_text(group: GroupSummary, ending: str) -> str:
    """Write tokens per second; where a server sent no usage, chunks per second with a `c`."""
    tokens: float | None = getattr(group, f"output_tokens_per_s{ending}")
    if tokens is not None:
        return rate_text(tokens)
    chunks: float | None = getattr(group, f"chunks_per_s{ending}")
    return f"{rate_text(chunks)}c" if group.without_usage and chunks else NONE


def _count(name: str, title: str, get: Callable[[GroupSummary], int]) -> Figure:
    return Figure(name, title, lambda group: f"{get(group):,}", get)


def _wait(name: str, title: str, get: Callable[[GroupSummary], float | None]) -> Figure:
    return Figure(name, title, lambda group: ms_text(get(group)), get)


def _durations(
    name: str, title: str, parts: Sequence[str], get: Callable[[GroupSummary], Distribution]
) -> list[Figure]:
    def figure(part: str) -> Figure:
        def value(group: GroupSummary) -> float | None:
            return getattr(get(group), f"{part}_ms")

        head = f"{title} {part}"
        return Figure(f"{name}_{part}_ms", head, lambda group: ms_text(value(group)), value)

    return [figure(part) for part in parts]
