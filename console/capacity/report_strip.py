"""The stop rule of a search above its curves: where it passes and fails, by which rule, and the margins below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.capacity.answer import Answer, rule_words
from console.charts.markup import Markup, element, joined
from console.charts.picture import folded, text_width
from console.charts.scale import Scale
from console.vocabulary.level import LevelOutcome

_ROW: Final = 20.0
_SIZE: Final = 14.0


def stop_strip(answer: Answer, levels: Sequence[LevelOutcome], x: Scale, top: float) -> tuple[Markup, float]:
    """Return a row for everything that the search says of concurrencies, and where the rows end."""
    rows: list[Markup] = []
    y = top + 8
    for low, high, words, tone in _rows(answer, levels):
        y += _ROW
        rows.append(_row(x, low, high, words, tone, y))
    return joined(rows), y + 8


def _rows(answer: Answer, levels: Sequence[LevelOutcome]) -> list[tuple[float, float, str, str]]:
    """Return lower and upper end, words and tone of each row."""
    rows: list[tuple[float, float, str, str]] = [
        (margin.low, margin.high, f"{_range(margin.low, margin.high)}: production, {margin.name}", "pass")
        for margin in answer.margins
    ]
    if answer.kind == "target":
        rows += _ends(answer.low, answer.high, "misses the rate at", "reaches it at", "")
    else:
        by_knee = answer.stopped_by == ("throughput",) and answer.knee is not None
        if by_knee and answer.knee is not None:
            rows.append(
                (answer.knee, answer.knee, f"throughput stops growing: knee at {answer.knee:.3g}", "answer")
            )
        passes = answer.within_slo if by_knee or answer.low is None else answer.low
        fails = min(
            (one.concurrency for one in levels if one.concurrency > (passes or 0) and one.stopped_by),
            default=None,
        )
        if not by_knee and fails is None:
            fails = answer.high
        failed = next(
            (one.stopped_by for one in levels if one.concurrency == fails and one.stopped_by),
            answer.stopped_by,
        )
        rows += _ends(passes, fails, "passes to", "fails at", rule_words(failed))
    if answer.capacity is not None and answer.state == "found":
        rows.append((answer.capacity, answer.capacity, f"the answer: {answer.capacity}", "answer"))
    return rows


def _ends(
    low: int | None, high: int | None, good: str, bad: str, why: str
) -> list[tuple[float, float, str, str]]:
    behind = f": {why}" if why else ""
    if low is not None and high is not None:
        return [(low, high, f"{good} {low}, {bad} {high}{behind}", "fail")]
    if high is not None:
        return [(high, high, f"{bad} {high}{behind}", "fail")]
    return [] if low is None else [(low, low, f"{good} {low}", "pass")]


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"


def _row(x: Scale, low: float, high: float, words: str, tone: str, y: float) -> Markup:
    """Return a bar or a point with its words on the side that has more room."""
    left, right = x.at(low), x.at(high)
    room_left, room_right = left - 30, x.end - right + 8
    at_right = room_right >= room_left
    text = folded(words, _SIZE, max(room_left, room_right, 60) - 14, 1)[0]
    if len(text) < len(words) and text_width(words, _SIZE) < x.end:
        text = words
    place = right + 12 if at_right else left - 12
    shape = (
        element("circle", class_=f"f-{tone}", cx=left, cy=y - 4.5, r=4.5)
        if right - left < 3
        else element(
            "path",
            class_=f"l-{tone}",
            d=f"M{left:.1f} {y - 9.5:.1f}v10m0 -5H{right:.1f}m0 -5v10",
            stroke_width=2,
        )
    )
    return joined(
        [shape, element("text", text, class_="s", x=place, y=y, text_anchor=None if at_right else "end")]
    )
