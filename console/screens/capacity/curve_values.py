"""The growing curve of a search, from its levels. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.screens.capacity.verdicts import mark_of
from console.vocabulary.level import LevelOutcome
from console.vocabulary.search_view import SearchView
from widgets.curve_lines import CurveData, CurvePoint, PointMark, Series

_WORDS: Final[tuple[tuple[PointMark, str], ...]] = (
    ("pass", "pass"),
    ("almost", "so far"),
    ("fail", "fail"),
    ("open", "open"),
)


def curve_data(search: SearchView, levels: Sequence[LevelOutcome], knee: float | None) -> CurveData:
    """Return throughput against concurrency, and what one request has of it beside."""
    in_tokens = all(level.tokens_per_s is not None for level in levels)
    marks: set[PointMark] = {mark_of(level) for level in levels}
    whole = tuple(
        CurvePoint(level.concurrency, _work(level, in_tokens=in_tokens), mark_of(level)) for level in levels
    )
    each = tuple(
        CurvePoint(level.concurrency, _work(level, in_tokens=in_tokens) / level.in_flight)
        for level in levels
        if level.in_flight > 0
    )
    unit = "tok/s" if in_tokens else "req/s"
    now = search.now
    return CurveData(
        (Series(unit, whole), Series(f"{unit} each", each, "right", dotted=False)),
        "in flight",
        span=(search.passes, search.fails),
        now=None if now is None else now.concurrency,
        knee=knee,
        legend=tuple((mark, word) for mark, word in _WORDS if mark in marks),
        empty_text="the curve grows with every level that is over",
    )


def _work(level: LevelOutcome, *, in_tokens: bool) -> float:
    tokens = level.tokens_per_s
    return tokens.value if in_tokens and tokens is not None else level.requests_per_s.value
