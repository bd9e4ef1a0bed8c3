"""Everything about one lane, as paragraphs for its pane. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.screens.live.figures import packed
from console.screens.live.lane_text import ASCII_DIRECTIONS, DIRECTIONS, STATE_TONES
from console.screens.live.lanes import BY_HAND, safe, state_word
from console.vocabulary.inspection import Failed, GateView, LaneDetail, LimitChange
from console.vocabulary.lane import key_name
from console.vocabulary.outcome import Outcome
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import LaneView
from widgets.bars import bar_text
from widgets.durations import clock_text
from widgets.lane_figures import milliseconds_text
from widgets.lane_values import rate_text
from widgets.paragraphs import Paragraph, paragraph
from widgets.phase_progress import Count
from widgets.text_lines import Line, Run, Tone

MOST_CHANGES: Final = 6
MOST_FAILURES: Final = 5
_BAR: Final = 20
_OUTCOME_TONES: Final[dict[str, Tone]] = {
    Outcome.OK: "good",
    Outcome.CANCELLED: "",
    Outcome.RATE_LIMITED: "warn",
    Outcome.OVERLOADED: "warn",
}


def detail_paragraphs(
    detail: LaneDetail, width: int, sparks: Sequence[Line] = (), *, ascii_only: bool = False
) -> list[Paragraph]:
    """Return all of it, from what changes to what has been; `sparks` are the curves of the last minutes."""
    lane = detail.lane
    parts = [*_now(lane, width, ascii_only=ascii_only), *(Paragraph(line) for line in sparks)]
    parts += _section("gates: in flight / most, QPS", [_gate(gate) for gate in detail.gates])
    ends = [
        Count(_outcome_text(name), f"{count:,}", _OUTCOME_TONES.get(name, "bad"))
        for name, count in detail.outcomes.items()
        if count
    ]
    parts += _section("requests", [Paragraph(line) for line in packed(ends, width)] if ends else [])
    parts += _section("time to first token", _histogram(detail, ascii_only=ascii_only))
    changes = [_change(change) for change in reversed(detail.changes[-MOST_CHANGES:])]
    parts += _section("limits changed, newest first", changes)
    failures = [_failure(failed) for failed in reversed(detail.failures[-MOST_FAILURES:])]
    parts += _section("failures, newest first", failures)
    holder = [paragraph(f" {safe_line(detail.holder, 200)}", hang=1)] if detail.holder else []
    parts += _section("key leased by", holder)
    parts += _section("jobs on it", [paragraph(f" {safe(job)}", hang=1) for job in detail.jobs])
    return parts


def _now(lane: LaneView, width: int, *, ascii_only: bool) -> list[Paragraph]:
    word = state_word(lane)
    until = f" for {clock_text(lane.resume_in_s)}" if lane.resume_in_s is not None else ""
    head: list[Run] = [(f" {word}{until} ", STATE_TONES.get(word, "good"))]
    if lane.note and lane.note != BY_HAND:
        head.append((f" {safe_line(lane.note, 200)}", "warn"))
    if lane.adaptive:
        arrows = ASCII_DIRECTIONS if ascii_only else DIRECTIONS
        moved = arrows[(lane.moved > 0) - (lane.moved < 0)]
        head.append((f" adaptive {moved} ", "accent"))
    held = f"{lane.held}" if lane.workers is None else f"{lane.held}/{lane.workers}"
    figures = [
        Count("in flight", str(lane.in_flight), "strong"),
        Count("held", held, "strong"),
        Count("waiting", str(lane.waiting), "warn" if lane.waiting else ""),
        Count("req/s", rate_text(lane.rate), "strong"),
        Count("tok/s", f"{lane.tokens_per_s:,.0f}", "strong"),
    ]
    return [
        paragraph(f" {safe(lane.lane_id)}", "strong", 1),
        Paragraph(tuple(head), 1),
        paragraph(f" {safe(lane.provider)} · {safe(lane.model)}", "muted", 1),
        *(Paragraph(line) for line in packed(figures, width)),
    ]


def _gate(gate: GateView) -> Paragraph:
    name = key_name(gate.name) if gate.kind == "key" else "" if gate.kind in ("lane", "found") else gate.name
    runs: list[Run] = [(f" {safe_line(gate.kind, 12):<10} ", "muted")]
    most = "unlimited" if gate.most is None else str(gate.most)
    runs.append((f"{gate.in_flight}/{most}", "strong"))
    if gate.changed and gate.most != gate.profile_most:
        runs.append((f" (profile {_limit(gate.profile_most)})", "accent"))
    runs.append(("  QPS ", "muted"))
    runs.append((_limit(gate.qps), "strong"))
    if gate.changed and gate.qps != gate.profile_qps:
        runs.append((f" (profile {_limit(gate.profile_qps)})", "accent"))
    for label, figure in (("RPM", gate.rpm), ("TPM", gate.tpm)):
        if figure is not None:
            runs.append((f"  {label} ", "muted"))
            runs.append((f"{figure:,.0f}", ""))
    if gate.waiting:
        runs.append((f"  {gate.waiting} waiting", "warn"))
    if name:
        runs.append((f"  {safe(name)}", "muted"))
    return Paragraph(tuple(runs), 12)


def _limit(limit: float | None) -> str:
    return "none" if limit is None else f"{limit:.4g}"


def _histogram(detail: LaneDetail, *, ascii_only: bool) -> list[Paragraph]:
    counts, edges = detail.ttft_counts, detail.ttft_edges_ms
    most = max(counts, default=0)
    if not most:
        return []
    lane = detail.lane
    head = f" p50 {milliseconds_text(lane.ttft_p50_ms)}  p95 {milliseconds_text(lane.ttft_p95_ms)}"
    lines = [paragraph(head, "strong")]
    for place, count in enumerate(counts):
        label = f"<{milliseconds_text(edges[place])}" if place < len(edges) else "more"
        bar = bar_text(count, most, _BAR, ascii_only) if count else " " * _BAR
        lines.append(Paragraph(((f" {label:>7} ", "muted"), (bar, "accent"), (f" {count:,}", ""))))
    return lines


def _change(change: LimitChange) -> Paragraph:
    runs: Line = (
        (f" {clock_text(change.at_s):>7} ", "muted"),
        (f"{safe(change.what)} {_limit(change.old)} → {_limit(change.new)}", ""),
        (f"  {safe_line(change.why, 200)}" if change.why else "", "muted"),
    )
    return Paragraph(runs, 9)


def _failure(failed: Failed) -> Paragraph:
    word = _outcome_text(failed.outcome)
    status = "" if failed.status is None or word == str(failed.status) else f" {failed.status}"
    tone: Tone = _OUTCOME_TONES.get(failed.outcome, "bad")
    runs: list[Run] = [
        (f" {clock_text(failed.at_s):>7} ", "muted"),
        (f"{word}{status}", tone),
        (f"  {safe_line(failed.text, 300)}" if failed.text else "", ""),
    ]
    if failed.test:
        runs.append((f"  {safe(failed.test)}", "muted"))
    return Paragraph(tuple(runs), 9)


def _outcome_text(name: str) -> str:
    return "429" if name == Outcome.RATE_LIMITED else safe(name).replace("_", " ")


def _section(title: str, inside: Sequence[Paragraph]) -> list[Paragraph]:
    return [Paragraph(()), paragraph(f" {title}", "accent"), *inside] if inside else []
