"""What is said of the selection in one line, and as text to copy. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from console.screens.live.figures import count_runs
from console.screens.live.lanes import (
    BY_HAND,
    Picked,
    changed_by_hand,
    most_in_flight,
    safe,
    state_word,
)
from console.vocabulary.lane import together
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import LaneView
from widgets.durations import clock_text
from widgets.lane_figures import milliseconds_text
from widgets.lane_values import rate_text
from widgets.phase_progress import Count
from widgets.text_lines import Line, Run, Tone

STATE_TONES: dict[str, Tone] = {
    "throttled": "warn",
    "parked": "bad",
    "quarantined": "bad",
    "off by hand": "muted",
    "at limit": "good",
}
DIRECTIONS = {1: "↑", -1: "↓", 0: "·"}
ASCII_DIRECTIONS = {1: "^", -1: "v", 0: "."}


def selection_line(chosen: Picked, pending: Iterable[str] = (), *, ascii_only: bool = False) -> Line:
    """Return what is known of the selection; `pending` are lanes whose change is under way."""
    waits = any(lane.lane_id in set(pending) for lane in chosen.lanes)
    mark: Run = (" changing… " if waits else "", "accent")
    if chosen.kind == "cell":
        return (
            *_lane_runs(chosen.lanes[0], ascii_only=ascii_only)[:2],
            mark,
            *_lane_runs(chosen.lanes[0], ascii_only=ascii_only)[2:],
        )
    return ((f" {chosen.label} ", "strong"), mark, *count_runs(_sums(chosen.lanes)))


def _lane_runs(lane: LaneView, *, ascii_only: bool) -> Line:
    word = state_word(lane)
    until = f" for {clock_text(lane.resume_in_s)}" if lane.resume_in_s is not None else ""
    runs: list[Run] = [
        (f" {safe(lane.deployment)}@{safe(lane.key)}", "strong"),
        (f" {word}{until} ", STATE_TONES.get(word, "")),
    ]
    if lane.note and lane.note != BY_HAND:
        runs.append((f" {safe_line(lane.note, 200)} ", "warn"))
    runs += count_runs(_figures(lane, ascii_only=ascii_only))
    if lane.holder:
        runs.append((f" key leased by {safe_line(lane.holder, 200)} ", "muted"))
    return tuple(runs)


def _figures(lane: LaneView, *, ascii_only: bool) -> list[Count]:
    held = str(lane.held) if lane.workers is None else f"{lane.held}/{lane.workers}"
    changed = changed_by_hand(lane)
    if changed and lane.workers != lane.profile_workers:
        held += f" (profile {_or_none(lane.profile_workers)})"
    figures = [Count("held", held, "accent" if changed else "")]
    if lane.adaptive:
        arrows = ASCII_DIRECTIONS if ascii_only else DIRECTIONS
        window = "?" if lane.window is None else str(lane.window)
        figures.append(Count("adaptive", f"{window}{arrows[(lane.moved > 0) - (lane.moved < 0)]}"))
    figures.append(Count("req/s", rate_text(lane.rate) + qps_limit_text(lane)))
    if lane.waiting:
        figures.append(Count("waiting", str(lane.waiting), "warn"))
    if lane.ttft_p50_ms is not None:
        figures.append(
            Count("TTFT", f"{milliseconds_text(lane.ttft_p50_ms)} p95 {milliseconds_text(lane.ttft_p95_ms)}")
        )
    return [*figures, *_ends(lane.ok, lane.rate_limited, lane.errors)]


def qps_limit_text(lane: LaneView) -> str:
    """Write what limits the rate of a lane: `/10` of its own, `/10 by key` where a gate is shared."""
    if lane.qps_scope and lane.most_qps is not None:
        shared = "" if lane.qps_scope == "lane" else f" by {safe(lane.qps_scope)}"
        return f"/{lane.most_qps:.3g}{shared}"
    return "" if lane.qps is None else f"/{lane.qps:.3g}"


def _sums(lanes: Sequence[LaneView]) -> list[Count]:
    limit = together(most_in_flight(lane) for lane in lanes if lane.state != "off")
    in_flight = sum(lane.in_flight for lane in lanes)
    off = sum(lane.state == "off" for lane in lanes)
    waiting = sum(lane.waiting for lane in lanes)
    counts = [
        Count("in flight", str(in_flight) if limit is None else f"{in_flight}/{limit}"),
        Count("held", str(sum(lane.held for lane in lanes))),
        Count("req/s", rate_text(sum(lane.rate for lane in lanes))),
        Count("tok/s", f"{sum(lane.tokens_per_s for lane in lanes):,.0f}"),
    ]
    if waiting:
        counts.append(Count("waiting", str(waiting), "warn"))
    if off:
        counts.append(Count("off", str(off), "muted"))
    ends = [
        sum(figures)
        for figures in zip(*((lane.ok, lane.rate_limited, lane.errors) for lane in lanes), strict=True)
    ]
    return [*counts, *_ends(*ends)]


def _ends(ok: int, rate_limited: int, errors: int) -> list[Count]:
    counts = [Count("ok", f"{ok:,}")]
    if rate_limited:
        counts.append(Count("429", f"{rate_limited:,}", "warn"))
    if errors:
        counts.append(Count("err", f"{errors:,}", "bad"))
    return counts


def copied_text(chosen: Picked) -> str:
    """Return the lanes of a selection as lines to paste somewhere."""
    return "\n".join(_copied_line(lane) for lane in chosen.lanes)


def _copied_line(lane: LaneView) -> str:
    limit = most_in_flight(lane)
    parts = [
        f"{safe(lane.lane_id)} ({safe(lane.model)})",
        state_word(lane) + (f": {safe_line(lane.note, 200)}" if lane.note and lane.note != BY_HAND else ""),
        f"in flight {lane.in_flight}" + ("" if limit is None else f"/{limit}"),
        f"held {lane.held}" + ("" if lane.workers is None else f"/{lane.workers}"),
        f"req/s {rate_text(lane.rate)}{qps_limit_text(lane)}",
        f"tok/s {lane.tokens_per_s:,.0f}",
        f"ok {lane.ok}, 429 {lane.rate_limited}, errors {lane.errors}",
        f"TTFT p50 {milliseconds_text(lane.ttft_p50_ms)}, p95 {milliseconds_text(lane.ttft_p95_ms)}",
    ]
    return " · ".join(parts)


def _or_none(limit: int | None) -> str:
    return "none" if limit is None else str(limit)
