"""All about one level: its window, its figures with their intervals, its rules, its lanes, and what the server said. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from console.screens.capacity.search_lines import rule_lines
from console.screens.capacity.verdicts import verdict_text, verdict_tone
from console.screens.counted import counted
from console.vocabulary.level import VALIDITY_WORDS, Estimate, LaneAtLevel, LevelOutcome, Validity
from console.vocabulary.safe_text import safe_line
from widgets.line_paint import Line, Tone
from widgets.paragraphs import Paragraph, broken

_PURPOSES: Final = {
    "scan": "a rung of the ladder",
    "refine": "between what passes and what fails",
    "confirm": "one end once more",
    "drift": "the lowest once more: has the endpoint changed?",
}
_TONES: Final[dict[Validity, Tone]] = {"valid": "good", "suspect": "warn", "invalid": "bad"}
_NAMES: Final = {
    "ttft": "TTFT",
    "tpot": "TPOT",
    "e2e": "end to end",
    "response": "response",
    "queue": "queue",
}
_LABEL: Final = 12


def level_lines(level: LevelOutcome, width: int, *, ascii_only: bool) -> list[Line]:
    """Return everything that is known of a level, broken to a width."""
    lines: list[Line] = []
    for part in _parts(level, ascii_only=ascii_only):
        lines += broken(part, width)
    rules = rule_lines(level.number, level.rules, width, max(1, len(level.rules)), ascii_only=ascii_only)
    lines += [_title("rules"), *rules]
    if level.lanes:
        lines.append(_title("lanes, in the window"))
        for lane in level.lanes:
            lines += broken(_lane(lane), width)
    if level.server:
        lines.append(_title("the server of itself"))
        for name, value in level.server.items():
            lines += broken(_labelled(safe_line(name, 40), f"{value:,.4g}"), width)
    return lines


def _parts(level: LevelOutcome, *, ascii_only: bool) -> Iterator[Paragraph]:
    rate = "" if level.rate is None else f" at {level.rate:g}/s"
    yield Paragraph(
        (
            (f" level {level.number}: {level.concurrency:,} in flight{rate}  ", "strong"),
            (verdict_text(level, ascii_only=ascii_only), verdict_tone(level)),
            (f"  {VALIDITY_WORDS[level.validity]}", _TONES[level.validity]),
        ),
        2,
    )
    for reason in level.reasons:
        yield Paragraph(((f" {safe_line(reason, 300)}", _TONES[level.validity]),), 3)
    yield _labelled("why", _PURPOSES[level.purpose])
    if level.subject:
        yield _labelled("of", safe_line(level.subject, 100))
    window_s = (level.to_ns - level.from_ns) / 1e9
    yield _labelled("window", f"{window_s:.1f} s, from {level.from_ns / 1e9:.1f} s of the run on")
    ends = ", ".join(f"{count:,} {safe_line(name, 30)}" for name, count in sorted(level.outcomes.items()))
    yield _labelled("ended", f"{level.ended:,}: {ends}" if ends else f"{level.ended:,}")
    yield _labelled("success", _share(level.success))
    yield _labelled("throughput", _rates(level))
    stay = "" if level.stay_mean_ms is None else f", each for {level.stay_mean_ms:,.0f} ms"
    yield _labelled("in flight", f"{level.in_flight:,.1f} on the mean{stay}")
    for name, label in _NAMES.items():
        text = _metric(level, name)
        if text:
            yield _labelled(label, text)
    if level.goodput is not None:
        yield _labelled("goodput", _share(level.goodput))
    if level.output_tokens_mean is not None:
        spread = "" if level.output_tokens_cv is None else f", cv {level.output_tokens_cv:.2f}"
        yield _labelled("answers", f"{level.output_tokens_mean:,.1f} tokens on the mean{spread}")
    if level.cached_share is not None:
        yield _labelled("cached", f"{100 * level.cached_share:.1f} % of prompt tokens")
    tokens = f", {counted(level.spent_tokens, 'token')}" if level.spent_tokens else ""
    yield _labelled("spent", f"{level.spent_s:.1f} s, {counted(level.spent_requests, 'request')}{tokens}")


def _rates(level: LevelOutcome) -> str:
    texts = [f"{_figure(level.requests_per_s)} requests/s"]
    if level.tokens_per_s is not None:
        texts.append(f"{_figure(level.tokens_per_s)} tokens/s")
    return ", ".join(texts)


def _metric(level: LevelOutcome, name: str) -> str:
    """Write the mean and the percentiles of one figure; those below their floor of samples are not known."""
    texts: list[str] = []
    for stat in ("mean", "p50", "p90", "p95", "p99"):
        found = level.metrics.get(f"{name}_{stat}")
        if found is not None:
            texts.append(f"{stat} {_figure(found)}")
    return f"{', '.join(texts)} ms" if texts else ""


def _figure(found: Estimate) -> str:
    def short(value: float | None) -> str:
        return "?" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"

    interval = (
        "" if found.low is None and found.high is None else f" [{short(found.low)}, {short(found.high)}]"
    )
    return short(found.value) + interval


def _share(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return f"{100 * found.value:.1f} %"
    return f"{100 * found.value:.1f} % [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def _lane(lane: LaneAtLevel) -> Paragraph:
    tokens = "" if lane.tokens_per_s is None else f", {lane.tokens_per_s:,.0f} tok/s"
    refused = f", {lane.rate_limited:,} refused" if lane.rate_limited else ""
    ttft = "" if lane.ttft_mean_ms is None else f", TTFT {lane.ttft_mean_ms:,.0f} ms"
    figures = (
        f"{lane.in_flight:,.1f} in flight, {lane.requests_per_s:,.2f} req/s{tokens}, "
        f"{lane.ok:,} ok, {lane.failed:,} failed{refused}{ttft}"
    )
    return Paragraph(((f" {safe_line(lane.lane, 100)}  ", ""), (figures, "muted")), 3)


def _labelled(label: str, text: str) -> Paragraph:
    return Paragraph(((f" {label:<{_LABEL}} ", "muted"), (text, "")), _LABEL + 2)


def _title(text: str) -> Line:
    return ((f" {text}", "heading"),)
