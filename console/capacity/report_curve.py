"""`curve.svg`: throughput, efficiency, TTFT and TPOT against concurrency, with the stop rule and every verdict drawn in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from console.capacity.answer import Answer, rule_words
from console.capacity.curve import ELASTICITY
from console.capacity.report_strip import stop_strip
from console.capacity.report_words import STATES, VERDICTS, headline, limit_ms, verdict_key
from console.charts.marks import Shape, mark
from console.charts.markup import Markup, element, joined
from console.charts.panel import Panel, runs
from console.charts.picture import Entry, across, folded, legend, picture
from console.charts.scale import Scale, linear, logarithmic
from console.vocabulary.level import Estimate, LevelOutcome

WIDTH: Final = 560.0
_LEFT: Final = 58.0
_RIGHT: Final = 546.0
_HEIGHT: Final = 150.0
_GAP: Final = 36.0
_LOG_FROM: Final = 12.0
"""Latencies that differ by more than so many times are drawn on a logarithmic axis."""
SHAPES: Final[dict[str, tuple[Shape, str]]] = {
    "pass": ("dot", "pass"),
    "so_far": ("ring", "pass"),
    "fail": ("cross", "fail"),
    "undecided": ("diamond", "open"),
    "quota": ("square", "quota"),
    "invalid": ("triangle", "warn"),
}
_Take = Callable[[LevelOutcome], Estimate | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveAsked:
    """What a picture shows besides the levels."""

    model: str
    run_id: str
    simulated: bool
    elasticity: float = ELASTICITY


def curve_svg(
    answer: Answer, levels: Sequence[LevelOutcome], asked: CurveAsked, *, literal: bool = False
) -> Markup:
    """Return the picture of one subject's search.

    Args:
        answer: what was found of it.
        levels: of the whole search; those of other subjects are left out.
        asked: what it was.
        literal: colours themselves, for programs that draw SVG and know no CSS variables.
    """
    mine = _mine(answer, levels)
    x = logarithmic([*(level.concurrency for level in mine), *_of_interest(answer)], _LEFT, _RIGHT)
    head, y = _head(answer, asked)
    strip, y = stop_strip(answer, mine, x, y)
    panels = _panels(answer, mine, x, y + 26, asked.elasticity)
    ticks = [tick for tick in x.ticks(10) if tick == round(tick)]
    parts: list[Markup] = [head, strip]
    for index, (panel, drawn) in enumerate(panels):
        last = index == len(panels) - 1
        parts += [
            panel.frame(x_ticks=ticks, x_words=last),
            _stop_lines(panel, answer, mine),
            drawn,
        ]
    top, bottom = panels[0][0].top, panels[-1][0].bottom
    parts += [
        element("text", "requests in flight (log)", class_="t", x=(_LEFT + _RIGHT) / 2, y=bottom + 40, text_anchor="middle"),
        _across(answer, asked, top, bottom),
    ]  # fmt: skip
    shown, height = legend(_entries(answer, mine), _LEFT - 40, bottom + 66, WIDTH - 40)
    parts.append(shown)
    return picture(
        parts,
        width=WIDTH,
        height=bottom + 66 + height + 4,
        title=f"{asked.model}: {headline(answer)}{' (SIMULATED)' if asked.simulated else ''}",
        told=answer.line,
        literal=literal,
    )


def _mine(answer: Answer, levels: Sequence[LevelOutcome]) -> list[LevelOutcome]:
    mine = [level for level in levels if level.subject == answer.subject]
    if answer.kind == "target":
        mine = [level for level in mine if level.rate is not None]
    return sorted(mine, key=lambda level: (level.concurrency, level.number))


def _of_interest(answer: Answer) -> list[float]:
    margins = [end for margin in answer.margins for end in (margin.low, margin.high)]
    return [float(value) for value in (answer.capacity, answer.low, answer.high, *margins) if value]


def _head(answer: Answer, asked: CurveAsked) -> tuple[Markup, float]:
    subject = f" · {answer.subject}" if answer.subject else ""
    title = folded(f"{asked.model}{subject}: {headline(answer)}", 17, WIDTH - 60, 2)
    parts = [element("text", line, class_="h", x=22, y=26 + 21 * index) for index, line in enumerate(title)]
    y = 26.0 + 21 * len(title)
    words = ["SIMULATED"] if asked.simulated else []
    words += [STATES[answer.state], asked.run_id]
    parts.append(element("text", folded(" · ".join(words), 14, WIDTH - 50, 1)[0], class_="s", x=22, y=y - 1))
    return joined(parts), y + 6


def _panels(
    answer: Answer, mine: Sequence[LevelOutcome], x: Scale, top: float, e: float
) -> list[tuple[Panel, Markup]]:
    work, unit = _work(answer, mine)
    usl = (
        answer.usl
        if answer.usl is not None and answer.usl.worst_share <= 0.1 and unit != "requests"
        else None
    )
    made: list[tuple[Panel, Markup]] = []

    def place(title: str, values: Sequence[float], *, log: bool = False) -> Panel:
        at = top + len(made) * (_HEIGHT + _GAP)
        known = [value for value in values if value > 0]
        spread = log and bool(known) and max(known) > _LOG_FROM * min(known)
        scale = logarithmic if spread else linear
        return Panel(x, scale(known or [1.0], at + _HEIGHT, at), title + (" (log)" if spread else ""))

    target = answer.target_qps or 0.0
    panel = place(f"{unit}/s", [*_reach(mine, work), target])
    drawn = [_growth(panel, answer, mine, work, e)]
    if usl is not None:
        fit = [(c, usl.work(c)) for c in _between(x)]
        drawn.append(
            panel.line([one for one in fit if one[1] <= panel.y.high], "dim", width=1.3, dashes="2 3")
        )
    if target:
        drawn.append(panel.limit(target, f"to reach: {target:g}/s", "fail"))
    made.append((panel, joined([*drawn, _series(panel, mine, work, "one")])))

    def each(level: LevelOutcome) -> Estimate | None:
        return _scaled(work(level), 1 / level.concurrency)

    panel = place(f"{unit}/s for each in flight", _reach(mine, each))
    made.append((panel, _series(panel, mine, each, "one")))
    for name, title in (
        ("ttft", "TTFT, ms: mean, and p50 to p95"),
        ("tpot", "TPOT, ms: mean, and p50 to p95"),
    ):
        values = [value for stat in ("mean", "p50", "p95") for value in _reach(mine, _metric(name, stat))]
        limits = _limits(mine, name)
        shown = [limit for limit in limits if limit <= 3 * max(values, default=limit)]
        panel = place(title, [*values, *shown], log=True)
        made.append((panel, joined([_latency(panel, mine, name), *(
            panel.limit(limit, f"limit {limit:g} ms: {rule_words(limits[limit])}", "fail") for limit in shown
        )])))  # fmt: skip
    return made


def _work(answer: Answer, mine: Sequence[LevelOutcome]) -> tuple[_Take, str]:
    """Return the throughput that the search itself looks at, and its unit."""
    units = {level.work_unit for level in mine}
    if answer.kind == "ramp" and len(units) == 1:
        return (lambda level: level.work_per_s), units.pop()
    return (lambda level: level.requests_per_s), "requests"


def _metric(name: str, stat: str) -> _Take:
    return lambda level: level.metrics.get(f"{name}_{stat}")


def _scaled(found: Estimate | None, by: float) -> Estimate | None:
    if found is None:
        return None
    low = None if found.low is None else found.low * by
    high = None if found.high is None else found.high * by
    return Estimate(found.value * by, low, high, found.n)


def _reach(levels: Sequence[LevelOutcome], take: _Take) -> list[float]:
    """Return every value that a panel has to have room for."""
    found = [estimate for level in levels if (estimate := take(level)) is not None]
    return [value for one in found for value in (one.value, one.low or one.value, one.high or one.value)]


def _means(levels: Sequence[LevelOutcome], take: _Take) -> list[tuple[float, float | None]]:
    """Return one value for each concurrency: the mean of its measurements, None where there is none."""
    of: dict[int, list[float]] = {}
    for level in levels:
        values = of.setdefault(level.concurrency, [])
        estimate = take(level)
        if estimate is not None and level.verdict not in ("invalid", "quota"):
            values.append(estimate.value)
    return [(float(c), sum(values) / len(values) if values else None) for c, values in of.items()]


def _series(panel: Panel, levels: Sequence[LevelOutcome], take: _Take, tone: str) -> Markup:
    """Return a line, and on it every measurement with its interval and its verdict."""
    line = [(c, value) for c, value in _means(levels, take) if value is not None]
    parts = [panel.line(line, tone)]
    for level in levels:
        estimate = take(level)
        if estimate is None:
            continue
        if estimate.low is not None and estimate.high is not None:
            parts.append(panel.interval(level.concurrency, estimate.low, estimate.high, tone))
        parts.append(verdict_mark(level, panel.x.at(level.concurrency), panel.y.at(estimate.value)))
    return joined(parts)


def verdict_mark(level: LevelOutcome, x: float, y: float) -> Markup:
    """Return the mark of a level: its shape is its verdict, a ring round it says SUSPECT."""
    shape, tone = SHAPES[verdict_key(level)]
    return mark(shape, x, y, tone, circled=level.validity == "suspect")


def _latency(panel: Panel, levels: Sequence[LevelOutcome], name: str) -> Markup:
    low = dict(_means(levels, _metric(name, "p50")))
    high = dict(_means(levels, _metric(name, "p95")))
    pairs = [
        (c, None if below is None or (above := high.get(c)) is None else (below, above))
        for c, below in low.items()
    ]
    parts: list[Markup] = []
    for run in runs(pairs):
        lows, highs = [(c, below) for c, below, _ in run], [(c, above) for c, _, above in run]
        parts += [
            panel.band(lows, highs, "two"),
            panel.line(lows, "two", width=1),
            panel.line(highs, "two", width=1),
        ]
    for level in levels:
        p95 = level.metrics.get(f"{name}_p95")
        if p95 is not None and p95.low is not None and p95.high is not None:
            parts.append(panel.interval(level.concurrency, p95.low, p95.high, "two"))
    return joined([*parts, _series(panel, levels, _metric(name, "mean"), "two")])


def _limits(levels: Sequence[LevelOutcome], name: str) -> dict[float, list[str]]:
    """Return the limits that rules set to a latency, each with the rules that have it."""
    found: dict[float, list[str]] = {}
    for level in levels:
        for rule in level.rules:
            if rule.rule.startswith(f"{name}_") and (limit := limit_ms(rule.limit)) is not None:
                names = found.setdefault(limit, [])
                if rule.rule not in names:
                    names.append(rule.rule)
    return found


def _growth(panel: Panel, answer: Answer, mine: Sequence[LevelOutcome], work: _Take, e: float) -> Markup:
    """Return the least growth that counts, drawn from the knee on: what lies below it has stopped growing."""
    points = [(c, value) for c, value in _means(mine, work) if value]
    if answer.knee is None or not points:
        return Markup("")
    at, best = max(points, key=lambda point: point[1] / point[0] ** e)
    line = [(c, best * (c / at) ** e) for c in _between(panel.x) if c >= at]
    return panel.line([one for one in line if one[1] <= panel.y.high], "fail", width=1.3, dashes="6 4")


def _between(x: Scale) -> list[float]:
    return [x.low * (x.high / x.low) ** (index / 60) for index in range(61)]


def first_fail(answer: Answer, mine: Sequence[LevelOutcome]) -> int | None:
    """Return the smallest concurrency above what passes at which rules of one level fail."""
    if answer.kind == "target":
        return answer.low
    above = answer.within_slo or answer.low or 0
    return min(
        (level.concurrency for level in mine if level.concurrency > above and level.stopped_by), default=None
    )


def _stop_lines(panel: Panel, answer: Answer, mine: Sequence[LevelOutcome]) -> Markup:
    parts: list[Markup] = []
    fails = first_fail(answer, mine)
    if fails is not None:
        low, high = (panel.x.low, fails) if answer.kind == "target" else (fails, panel.x.high)
        parts += [panel.zone(low, high, "fail"), panel.upright(fails, "fail", dashes="3 3")]
    parts += [
        panel.zone(margin.low, margin.high, "pass", opacity=0.14)
        for margin in answer.margins
        if margin.high > margin.low
    ]
    if answer.capacity is not None:
        parts.append(panel.upright(answer.capacity, "answer", width=2.5))
    return joined(parts)


def _across(answer: Answer, asked: CurveAsked, top: float, bottom: float) -> Markup:
    words = ["SIMULATED"] if asked.simulated else []
    words += ["INVALID"] if answer.state in ("invalid", "client_bound") else []
    step = (bottom - top) / max(1, len(words))
    return joined(
        [
            across(word, _LEFT, top + index * step, _RIGHT, top + (index + 1) * step, "fail" if word == "INVALID" else "ink")
            for index, word in enumerate(words)
        ]
    )  # fmt: skip


def _entries(answer: Answer, mine: Sequence[LevelOutcome]) -> list[Entry]:
    there = {verdict_key(level) for level in mine}
    words = {**VERDICTS, "pass": "reaches", "fail": "misses"} if answer.kind == "target" else VERDICTS
    entries = [
        Entry(mark(shape, 0, 0, tone), words[key]) for key, (shape, tone) in SHAPES.items() if key in there
    ]
    if any(level.validity == "suspect" for level in mine):
        entries.append(Entry(mark("dot", 0, 0, "pass", size=4, circled=True), "ringed: SUSPECT"))
    entries.append(
        Entry(
            element("path", class_="l-one", d="M0 -8L0 8M-4 -8L4 -8M-4 8L4 8", stroke_width=1.3),
            "95 % interval",
        )
    )
    if answer.knee is not None:
        entries.append(Entry(_stroke("fail", "6 4"), "least growth that counts, from the knee"))
    if answer.usl is not None and answer.usl.worst_share <= 0.1:
        entries.append(Entry(_stroke("dim", "2 3"), "USL fit"))
    return entries


def _stroke(tone: str, dashes: str) -> Markup:
    return element("path", class_=f"l-{tone}", d="M-12 0L12 0", stroke_width=1.5, stroke_dasharray=dashes)
