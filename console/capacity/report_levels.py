"""The tables of a search's report: levels, their rules, lanes, and what servers said of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.capacity.answer import estimate_text
from console.capacity.report_curve import verdict_mark
from console.capacity.report_words import VERDICTS, verdict_key
from console.charts.markup import Child, Markup, element
from console.charts.page import table
from console.vocabulary.level import VALIDITY_WORDS, Estimate, LevelOutcome

_NA: Final = "n/a"
_HEADS: Final = (
    "in flight", "verdict", "validity", "success", "TTFT mean, ms", "p50", "p95", "TPOT, ms", "requests/s", "tokens/s",
    "held", "ended", "s", "why",
)  # fmt: skip
_CLASSES: Final = {
    "pass": "pass", "so_far": "pass", "fail": "fail", "undecided": "open", "quota": "quota", "invalid": "warn",
}  # fmt: skip
_STATES: Final = {"pass": ("pass", "pass"), "fail": ("FAIL", "fail"), "undecided": ("open", "open")}


def level_table(levels: Sequence[LevelOutcome]) -> Markup:
    """Return a row a level, with the mark that it has in the picture."""
    open_loop = any(level.rate is not None for level in levels)
    goodput = any(level.goodput is not None for level in levels)
    heads = [
        *_HEADS[:1],
        *(["rate"] if open_loop else []),
        *_HEADS[1:-1],
        *(["good"] if goodput else []),
        _HEADS[-1],
    ]
    rows: list[list[Child]] = []
    for level in levels:
        row: list[Child] = [
            str(level.concurrency),
            *([_NA if level.rate is None else f"{level.rate:g}/s"] if open_loop else []),
            _verdict(level),
            VALIDITY_WORDS[level.validity],
            _cell(level.success, 100, " %", 1),
            _ms(level, "ttft_mean"),
            _ms(level, "ttft_p50"),
            _ms(level, "ttft_p95"),
            _ms(level, "tpot_mean", 1),
            _cell(level.requests_per_s, digits=2),
            _cell(level.tokens_per_s),
            f"{level.in_flight:.1f}",
            str(level.ended),
            f"{level.spent_s:.0f}",
            *([_cell(level.goodput, 100, " %", 1)] if goodput else []),
            element("td", _why(level), class_="w why"),
        ]
        rows.append(row)
    verdict = heads.index("verdict")
    return table(heads, rows, words=(verdict, verdict + 1, len(heads) - 1))


def rule_table(levels: Sequence[LevelOutcome]) -> Markup:
    """Return a row for every rule of every level."""
    rows: list[list[Child]] = []
    for level in levels:
        for index, rule in enumerate(level.rules):
            word, tone = _STATES[rule.state]
            margin = "" if rule.margin is None else f"{100 * rule.margin:+.0f} %"
            first = f"{level.concurrency}{_purpose(level)}" if index == 0 else ""
            rows.append(
                [first, rule.rule, element("span", word, class_=tone), rule.limit, rule.measured, margin, rule.missing]
            )  # fmt: skip
    heads = ("in flight", "rule", "state", "limit", "measured", "margin", "what it would take")
    return table(heads, rows, words=(1, 2, 3, 4, 6))


def lane_table(levels: Sequence[LevelOutcome]) -> Markup | None:
    """Return the part of each lane in each level; None where there is but one lane."""
    if len({lane.lane for level in levels for lane in level.lanes}) < 2:
        return None
    rows: list[list[Child]] = [
        [
            f"{level.concurrency}{_purpose(level)}" if index == 0 else "",
            lane.lane,
            f"{lane.in_flight:.1f}",
            f"{lane.requests_per_s:.2f}",
            _NA if lane.tokens_per_s is None else f"{lane.tokens_per_s:.0f}",
            str(lane.ok),
            str(lane.failed),
            str(lane.rate_limited),
            _NA if lane.ttft_mean_ms is None else f"{lane.ttft_mean_ms:.0f}",
            _NA if lane.ttft_p95_ms is None else f"{lane.ttft_p95_ms:.0f}",
        ]
        for level in levels
        for index, lane in enumerate(level.lanes)
    ]
    heads = (
        "in flight",
        "lane",
        "held",
        "requests/s",
        "tokens/s",
        "ok",
        "failed",
        "429",
        "TTFT mean, ms",
        "p95",
    )
    return table(heads, rows, words=(1,))


def server_table(levels: Sequence[LevelOutcome]) -> Markup | None:
    """Return what servers said of themselves in each level; None where nobody asked."""
    names = list(dict.fromkeys(name for level in levels for name in level.server))
    if not names:
        return None
    rows: list[list[Child]] = [
        [str(level.concurrency), *(f"{level.server[name]:.4g}" if name in level.server else _NA for name in names)]
        for level in levels
    ]  # fmt: skip
    return table(["in flight", *(name.replace("_", " ") for name in names)], rows)


def _verdict(level: LevelOutcome) -> Markup:
    key = verdict_key(level)
    shape = element(
        "svg", verdict_mark(level, 9, 9), viewBox="0 0 18 18", width=14, height=14, aria_hidden="true"
    )
    return element("td", shape, " ", element("span", VERDICTS[key], class_=_CLASSES[key]), class_="w n")


def _purpose(level: LevelOutcome) -> str:
    return f" ({level.purpose})" if level.purpose in ("confirm", "drift") else ""


def _ms(level: LevelOutcome, name: str, digits: int = 0) -> Child:
    return _cell(level.metrics.get(name), digits=digits)


def _cell(found: Estimate | None, scale: float = 1, unit: str = "", digits: int = 0) -> Child:
    """Return a figure with its interval below it."""
    if found is None:
        return _NA
    value, bracket, interval = estimate_text(found, scale, unit, digits=digits).partition("[")
    return [value.strip(), element("small", bracket + interval) if interval else None]


def _why(level: LevelOutcome) -> str:
    parts = [f"({level.purpose})"] if level.purpose in ("confirm", "drift") else []
    parts += [
        f"{rule.rule} {rule.measured} not {rule.limit}" for rule in level.rules if rule.state == "fail" and rule.rule != "client"
    ]  # fmt: skip
    parts += level.reasons
    return " · ".join(parts)
