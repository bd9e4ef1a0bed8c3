"""The first lines of the live screen: what runs, how it stands, and its figures. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.vocabulary.client_health import ClientHealth, advice_text
from console.vocabulary.outcome import TIMEOUTS, Outcome
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import RunState, Snapshot
from widgets.durations import clock_text
from widgets.lane_figures import milliseconds_text
from widgets.lane_values import rate_text
from widgets.phase_progress import Count
from widgets.text_lines import Line, Run, Tone

STATE_TONES: Final[dict[RunState, Tone]] = {
    "starting": "accent",
    "running": "good",
    "paused": "warn",
    "blocked": "bad",
    "draining": "warn",
    "stopping": "warn",
    "finished": "good",
    "interrupted": "warn",
}
UNHEARD: Final = {"silent": "NO ANSWER", "gone": "ENGINE GONE"}
"""What stands for the state where the last snapshot no longer tells it."""
OVER: Final = ("finished", "interrupted")


def headline(
    snapshot: Snapshot,
    width: int,
    *,
    standing: str = "live",
    pace: str = "",
    frozen: bool = False,
    pinned: bool = False,
) -> Line:
    """Return the first line: what runs, its state and its time.

    Args:
        snapshot: what is shown.
        width: of the screen; the pace of looks stands at its right end.
        standing: of the line to the engine.
        pace: how often the console looks.
        frozen: whether the picture stands still while the run goes on.
        pinned: whether the cursor stays where a key was used, and follows no more.
    """
    runs: list[Run] = [(f" {safe_line(snapshot.title, 40)} ", "strong")]
    if standing in UNHEARD:
        runs.append((f" {UNHEARD[standing]} ", "bad"))
    else:
        runs.append((f" {snapshot.state.upper()} ", STATE_TONES[snapshot.state]))
    if snapshot.simulated:
        runs.append((" SIMULATED ", "badge"))
    if snapshot.health is not None and snapshot.health.bad:
        runs.append(_client_badge(snapshot.health))
    if frozen:
        runs.append((" FROZEN ", "badge"))
    if pinned:
        runs.append((" PINNED ", "accent"))
    runs.append((f"  {clock_text(snapshot.elapsed_s)}", "strong"))
    if snapshot.state not in OVER and standing != "gone":
        runs.append((f"  ETA {clock_text(snapshot.eta_s)}", ""))
    end = f" {pace} " if pace else ""
    room = width - sum(len(text) for text, _ in runs) - len(end)
    for name, longest, least in ((snapshot.profile, 30, 4), (snapshot.run_id, 60, 15)):
        text = safe_line(name, min(longest, room - 2)) if room - 2 >= least else ""
        if text:
            runs.append((f"  {text}", "muted"))
            room -= len(text) + 2
    pid = f"  pid {snapshot.pid}"
    if width >= 140 and room >= len(pid):
        runs.append((pid, "muted"))
        room -= len(pid)
    if end:
        runs.append((" " * max(0, room) + end, "muted"))
    return tuple(runs)


def _client_badge(health: ClientHealth) -> Run:
    return (" CLIENT-BOUND ", "bad") if health.verdict == "client_bound" else (" CLIENT SUSPECT ", "warn")


def client_notice(health: ClientHealth) -> tuple[str, Tone]:
    """Return why the latencies on the screen are not to be believed, and how bad that is."""
    text = f" {safe_line(advice_text(health), 300)}"
    return text, "bad" if health.verdict == "client_bound" else "warn"


def figure_lines(snapshot: Snapshot, width: int, most_lines: int) -> tuple[Line, ...]:
    """Return the figures over all lanes in exactly `most_lines` lines; what is left out is what matters least."""
    ends = [*request_counts(snapshot), *_waiting(snapshot)]
    if most_lines > 1 and all(len(packed(part, width)) == 1 for part in (_flow(snapshot), ends)):
        lines = [count_runs(_flow(snapshot)), count_runs(ends)]
        return (*lines, *(() for _ in range(most_lines - 2)))
    kept = [*_flow(snapshot), *ends]
    for dropped in ("", "tok/s", "queued", "waiting"):
        kept = [count for count in kept if count.name != dropped]
        lines = packed(kept, width)
        if len(lines) <= most_lines:
            break
    return (*lines[:most_lines], *(() for _ in range(most_lines - len(lines))))


def _flow(snapshot: Snapshot) -> list[Count]:
    return [
        Count("in flight", f"{snapshot.in_flight:,}", "strong"),
        Count("req/s", rate_text(snapshot.rate), "strong"),
        Count("tok/s", f"{snapshot.tokens_per_s:,.0f}", "strong"),
        Count("TTFT p50", milliseconds_text(snapshot.ttft_p50_ms), "strong"),
        Count("p95", milliseconds_text(snapshot.ttft_p95_ms), "strong"),
    ]


def _waiting(snapshot: Snapshot) -> list[Count]:
    """Return what does not move yet: tests that have not begun, and requests at gates."""
    waiting = sum(lane.waiting for lane in snapshot.lanes)
    return [
        Count("queued", f"{snapshot.queued:,}"),
        Count("waiting", f"{waiting:,}", "warn" if waiting else ""),
    ]


def request_counts(snapshot: Snapshot) -> tuple[Count, ...]:
    """Return how requests ended; 429 stands for overload as well. What there is none of has no tone."""
    requests = snapshot.requests
    refused = requests.get(Outcome.RATE_LIMITED, 0) + requests.get(Outcome.OVERLOADED, 0)
    slow = sum(requests.get(outcome, 0) for outcome in TIMEOUTS)
    known = {Outcome.OK, Outcome.RATE_LIMITED, Outcome.OVERLOADED, Outcome.CANCELLED, *TIMEOUTS}
    other = sum(figure for name, figure in requests.items() if name not in known)
    return (
        Count("ok", f"{requests.get(Outcome.OK, 0):,}"),
        Count("429", f"{refused:,}", "warn" if refused else ""),
        Count("timeout", f"{slow:,}", "bad" if slow else ""),
        Count("err", f"{other:,}", "bad" if other else ""),
    )


def count_runs(counts: Sequence[Count]) -> Line:
    """Write figures behind one another."""
    runs: list[Run] = []
    for count in counts:
        runs.append((f" {count.name} ", "muted"))
        runs.append((f"{count.figure} ", count.tone))
    return tuple(runs)


def packed(counts: Sequence[Count], width: int) -> list[Line]:
    """Break figures into lines of at most `width`, never within one."""
    lines: list[list[Count]] = [[]]
    used = 0
    for count in counts:
        size = len(count.name) + len(count.figure) + 3
        if used + size > width and lines[-1]:
            lines.append([])
            used = 0
        lines[-1].append(count)
        used += size
    return [count_runs(line) for line in lines]
