"""The tables of a summary: which columns they have, and how each figure is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

import msgspec

from console.records.figures_text import NONE, ms_text, rate_text, share_text
from console.records.summary_types import Distribution, GroupSummary, Summary
from console.records.text_table import TextTable
from console.vocabulary.client_health import CLIENT_WORDS
from console.vocabulary.outcome import Outcome
from console.vocabulary.safe_text import safe_line

Window = Literal["own", "run"]
Shown = Literal["always", "wide", "not zero"]
LATENCY: Final = "Latency per model"


class _Column(msgspec.Struct, frozen=True):
    head: str
    text: Callable[[GroupSummary], str]
    shown: Shown = "always"
    gives: bool = False
    """Leaves where names would have no room."""
    latency: bool = False
    """Holds what a client that lags behind measures wrong."""


def summary_tables(
    summary: Summary, *, wide: bool = False, lanes: bool | None = None
) -> tuple[TextTable, ...]:
    """Return the tables of a summary: verdicts, speed and latency per model, load per key, and per lane if asked.

    Verdicts are there for tests only, and latencies only where something was answered.

    Args:
        summary: what to show.
        wide: with all columns.
        lanes: with a table of lanes; None: where it is wide.
    """
    models = _with_total(summary, tuple(group for group in summary.per_model if group.requests))
    keys = _with_total(summary, summary.per_key)
    tables: list[TextTable] = []
    if summary.unit == "tests" and summary.planned:
        tests = _with_total(summary, summary.per_model)
        tables.append(_table(summary, "Tests per model", "model", _VERDICTS, tests, wide=wide))
    tables.append(_table(summary, "Speed per model", "model", _speed("own"), models, wide=wide))
    if summary.overall.ok:
        ttft = _latency("TTFT", _ttft, models, wide=wide)
        e2e = _latency("e2e", _e2e, models, wide=wide)
        tables.append(_table(summary, LATENCY, "model", [*ttft, *_BETWEEN, *e2e], models, wide=wide))
    tables.append(_table(summary, "Load per key", "key", _load(keys), keys, wide=wide))
    if wide if lanes is None else lanes:
        on_lanes = _with_total(summary, summary.per_lane)
        tables.append(_table(summary, "Load per lane", "lane", _load(on_lanes), on_lanes, wide=wide))
    return tuple(tables)


def _with_total(summary: Summary, groups: Sequence[GroupSummary]) -> tuple[GroupSummary, ...]:
    return (*groups, summary.overall) if len(groups) != 1 else tuple(groups)


def _table(
    summary: Summary,
    title: str,
    first: str,
    columns: Sequence[_Column],
    groups: Sequence[GroupSummary],
    *,
    wide: bool,
) -> TextTable:
    shown = [column for column in columns if _is_shown(column, groups, wide=wide)]
    return TextTable(
        title + _marks(summary, latencies=any(column.latency for column in shown)),
        (first, *(column.head for column in shown)),
        tuple((safe_line(group.name), *(column.text(group) for column in shown)) for group in groups),
        gives=tuple(index for index, column in enumerate(shown, start=1) if column.gives),
    )


def _marks(summary: Summary, *, latencies: bool) -> str:
    """Return what a reader of the title must know: that nothing was measured, or not the server."""
    marks = ["SIMULATED"] if summary.simulated else []
    if latencies and summary.client is not None and summary.client.verdict == "client_bound":
        marks.append(CLIENT_WORDS["client_bound"])
    return f" ({', '.join(marks)})" if marks else ""


def _is_shown(column: _Column, groups: Sequence[GroupSummary], *, wide: bool) -> bool:
    if column.shown == "not zero":
        return any(column.text(group) != "0" for group in groups)
    return wide or column.shown == "always"


def _ttft(group: GroupSummary) -> Distribution:
    return group.ttft


def _e2e(group: GroupSummary) -> Distribution:
    return group.e2e


def _errors(group: GroupSummary) -> int:
    apart = (Outcome.OK, Outcome.RATE_LIMITED, Outcome.CANCELLED)
    return group.requests - sum(group.outcomes.get(str(outcome), 0) for outcome in apart)


_VERDICTS: Final = (
    _Column("tests", lambda group: str(group.tests.tests + group.tests.not_run)),
    _Column("full", lambda group: str(group.tests.full)),
    _Column("partial", lambda group: str(group.tests.partial)),
    _Column("fail", lambda group: str(group.tests.failure)),
    _Column("infra", lambda group: str(group.tests.infrastructure)),
    _Column("cancelled", lambda group: str(group.tests.cancelled), shown="not zero"),
    _Column("not run", lambda group: str(group.tests.not_run), shown="not zero"),
    _Column("success", lambda group: share_text(group.tests.success_rate)),
    _Column(
        "score",
        lambda group: NONE if group.tests.mean_score is None else f"{group.tests.mean_score:.3f}",
        gives=True,
    ),
)
"""From `full` to `not run` they add up to `tests`."""


def _speed(window: Window) -> tuple[_Column, ...]:
    own = window == "own"

    def requests_per_s(group: GroupSummary) -> str:
        return rate_text(group.request_throughput if own else group.request_throughput_run)

    def tokens_per_s(group: GroupSummary) -> str:
        tokens = group.output_tokens_per_s if own else group.output_tokens_per_s_run
        if tokens is not None:
            return rate_text(tokens)
        chunks = group.chunks_per_s if own else group.chunks_per_s_run
        return f"{rate_text(chunks)}c" if group.without_usage and chunks else NONE

    def in_flight(group: GroupSummary) -> str:
        return rate_text(group.mean_in_flight if own else group.mean_in_flight_run)

    return (
        _Column("requests", lambda group: str(group.requests)),
        _Column("ok", lambda group: share_text(group.success_share)),
        _Column("429", lambda group: str(group.outcomes.get(str(Outcome.RATE_LIMITED), 0))),
        _Column("err", lambda group: str(_errors(group))),
        _Column("req/s", requests_per_s),
        _Column("tok/s", tokens_per_s),
        _Column("in-fl", in_flight),
        _Column("peak", lambda group: str(group.peak_in_flight)),
    )


def _load(groups: Sequence[GroupSummary]) -> tuple[_Column, ...]:
    ttft = (
        _Column("TTFT p50", lambda group: ms_text(group.ttft.p50_ms), latency=True)
        if all(group.ttft.p50_ms is not None for group in groups)
        else _Column("TTFT mean", lambda group: ms_text(group.ttft.mean_ms), latency=True)
    )
    return (
        *_speed("run"),
        ttft,
        _Column("wait: limiter", lambda group: ms_text(group.limiter_wait.mean_ms), shown="wide"),
        _Column("held", lambda group: ms_text(group.held_wait.mean_ms), shown="wide"),
        _Column("retry", lambda group: ms_text(group.retry_wait.mean_ms), shown="wide"),
    )


_BETWEEN: Final = (
    _Column("TPOT p50", lambda group: ms_text(group.tpot.p50_ms), shown="wide"),
    _Column("ITL p50", lambda group: ms_text(group.itl.p50_ms), shown="wide"),
)


def _latency(
    label: str, pick: Callable[[GroupSummary], Distribution], groups: Sequence[GroupSummary], *, wide: bool
) -> list[_Column]:
    """Return mean and percentiles; extremes stand where no group has samples enough for a percentile."""

    def column(head: str) -> _Column:
        return _Column(head, lambda group: ms_text(getattr(pick(group), f"{head}_ms")))

    wanted = ("p50", "p90", "p95", "p99") if wide else ("p50", "p90")
    there = [head for head in wanted if any(head not in pick(group).notes for group in groups)]
    heads = there if len(there) == len(wanted) else [*there, "max"] if there else ["min", "max"]
    mean = _Column(f"{label} mean", lambda group: ms_text(pick(group).mean_ms), latency=True)
    return [mean, *map(column, heads)]
