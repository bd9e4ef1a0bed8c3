"""A snapshot turned into what the widgets show. Pure, and the place where text is made safe once more."""

from __future__ import annotations

from typing import Final

from console.vocabulary.client_health import ClientHealth, advice_text
from console.vocabulary.outcome import TIMEOUTS, Outcome, Verdict
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import EventView, LaneView, RunState, Snapshot
from widgets.durations import UNKNOWN, clock_text
from widgets.event_log import LogEvent
from widgets.lane_values import GridCell, GridData, GridRow, rate_text
from widgets.phase_progress import Count, JobLine, Progress
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
_NAME_LIMIT: Final = 120


def grid_data(snapshot: Snapshot) -> GridData:
    """Return rows for deployments and columns for the names of keys, in the order of the lanes."""
    columns = tuple(dict.fromkeys(_safe(lane.key) for lane in snapshot.lanes))
    place = {name: index for index, name in enumerate(columns)}
    rows: dict[tuple[str, str, str], list[GridCell | None]] = {}
    for lane in snapshot.lanes:
        identity = (_safe(lane.provider), _safe(lane.model), _safe(lane.deployment))
        cells = rows.setdefault(identity, [None] * len(columns))
        cells[place[_safe(lane.key)]] = GridCell(lane.in_flight, _most_in_flight(lane), lane.rate, lane.state)
    return GridData(columns, tuple(GridRow(*identity, tuple(cells)) for identity, cells in rows.items()))


def _most_in_flight(lane: LaneView) -> int | None:
    """Return what may be in flight on a lane: its workers, or what adaptive mode has found."""
    limits = [limit for limit in (lane.workers, lane.window) if limit is not None]
    return min(limits, default=None)


def place_of(lane: LaneView | None) -> tuple[str, str, str] | None:
    """Return where a lane stands in the grid: provider, deployment and key."""
    return None if lane is None else (_safe(lane.provider), _safe(lane.deployment), _safe(lane.key))


def headline(snapshot: Snapshot, width: int, standing: str = "live") -> Line:
    """Return the first line: what runs, its state and its time; `standing` is that of the line to the engine."""
    runs: list[Run] = [(f" {safe_line(snapshot.title, 40)} ", "strong")]
    if standing in UNHEARD:
        runs.append((f" {UNHEARD[standing]} ", "bad"))
    else:
        runs.append((f" {snapshot.state.upper()} ", STATE_TONES[snapshot.state]))
    if snapshot.simulated:
        runs.append((" SIMULATED ", "badge"))
    if snapshot.health is not None and snapshot.health.bad:
        runs.append(_client_badge(snapshot.health))
    runs.append((f"  {clock_text(snapshot.elapsed_s)}", "strong"))
    if snapshot.state not in OVER and standing != "gone":
        runs.append((f"  ETA {clock_text(snapshot.eta_s)}", ""))
    runs.append((f"  {safe_line(snapshot.profile, 30)}", "muted"))
    runs.append((f"  {safe_line(snapshot.run_id, 60)}", "muted"))
    if width >= 140:
        runs.append((f"  pid {snapshot.pid}", "muted"))
    return tuple(runs)


def _client_badge(health: ClientHealth) -> Run:
    return (" CLIENT-BOUND ", "bad") if health.verdict == "client_bound" else (" CLIENT SUSPECT ", "warn")


def client_notice(health: ClientHealth) -> tuple[str, Tone]:
    """Return why the latencies on the screen are not to be believed, and how bad that is."""
    text = f" {safe_line(advice_text(health), 300)}"
    return text, "bad" if health.verdict == "client_bound" else "warn"


def figures_line(snapshot: Snapshot, width: int) -> Line:
    """Return the second line: in flight, rates, TTFT and outcomes over all lanes, fewer of them on a narrow screen."""
    figures = [
        Count("in flight", str(snapshot.in_flight), "strong"),
        Count("req/s", rate_text(snapshot.rate), "strong"),
    ]
    if width >= 100:
        figures.append(Count("tok/s", f"{snapshot.tokens_per_s:,.0f}", "strong"))
    figures.append(Count("TTFT p50", milliseconds(snapshot.ttft_p50_ms), "strong"))
    figures.append(Count("p95", milliseconds(snapshot.ttft_p95_ms), "strong"))
    return _figure_runs([*figures, *request_counts(snapshot)])


def request_counts(snapshot: Snapshot) -> tuple[Count, ...]:
    """Return how requests ended, bad outcomes only where there are any; 429 stands for overload as well."""
    requests = snapshot.requests
    refused = requests.get(Outcome.RATE_LIMITED, 0) + requests.get(Outcome.OVERLOADED, 0)
    slow = sum(requests.get(outcome, 0) for outcome in TIMEOUTS)
    known = {Outcome.OK, Outcome.RATE_LIMITED, Outcome.OVERLOADED, Outcome.CANCELLED, *TIMEOUTS}
    other = sum(figure for name, figure in requests.items() if name not in known)
    counts = [Count("ok", str(requests.get(Outcome.OK, 0)))]
    if refused:
        counts.append(Count("429", str(refused), "warn"))
    if slow:
        counts.append(Count("timeout", str(slow), "bad"))
    if other:
        counts.append(Count("err", str(other), "bad"))
    return tuple(counts)


def progress(snapshot: Snapshot) -> Progress:
    """Return the progress of tests, how they ended, and the jobs."""
    tones: dict[str, Tone] = {Verdict.FULL: "good", Verdict.INFRASTRUCTURE: "bad"}
    verdicts = {name.value: snapshot.verdicts.get(name, 0) for name in Verdict}
    counts = tuple(
        Count(name, str(figure), tones.get(name, "") if figure else "")
        for name, figure in verdicts.items()
        if figure or name != Verdict.CANCELLED
    )
    jobs = tuple(
        JobLine(safe_line(job.title, _NAME_LIMIT), job.state, job.done, job.planned, job.starts_in_s)
        for job in snapshot.jobs
    )
    return Progress(snapshot.done, snapshot.planned, counts, jobs)


def log_events(happened: tuple[EventView, ...]) -> list[LogEvent]:
    """Return the events, with any level we do not know shown as information."""
    return [
        LogEvent(
            event.at_s,
            "error" if event.level == "error" else "warn" if event.level == "warn" else "info",
            safe_line(event.subject, _NAME_LIMIT),
            safe_line(event.text, 500),
        )
        for event in happened
    ]


def lane_line(snapshot: Snapshot, group: str, deployment: str, key: str) -> Line:
    """Return what is known of the lane under the cursor."""
    for lane in snapshot.lanes:
        if (_safe(lane.provider), _safe(lane.deployment), _safe(lane.key)) == (group, deployment, key):
            return _lane_runs(lane)
    return ((f" {deployment}@{key}: no such lane", "muted"),)


def milliseconds(value: float | None) -> str:
    """Write a latency in at most five characters: `240ms`, `1.42s`; `?` where it is not known."""
    if value is None:
        return UNKNOWN
    if value < 999.5:
        return f"{value:.0f}ms"
    return f"{value / 1000:.2f}s" if value < 9_995 else f"{value / 1000:.0f}s"


def _lane_runs(lane: LaneView) -> Line:
    tones: dict[str, Tone] = {"throttled": "warn", "parked": "bad", "full": "good"}
    tone = tones.get(lane.state, "")
    until = f" for {clock_text(lane.resume_in_s)}" if lane.resume_in_s is not None else ""
    runs: list[Run] = [
        (f" {_safe(lane.deployment)}@{_safe(lane.key)}", "strong"),
        (f" {lane.state}{until} ", tone),
    ]
    if lane.note:
        runs.append((f" {safe_line(lane.note, 200)} ", "warn"))
    if lane.holder:
        runs.append((f" key held by {safe_line(lane.holder, 200)} ", "muted"))
    limit = "" if lane.qps is None else f"/{lane.qps:.3g}"
    figures = [Count("held", str(lane.held)), Count("req/s", f"{rate_text(lane.rate)}{limit}")]
    if lane.window is not None:
        figures.append(Count("window", str(lane.window)))
    if lane.waiting:
        figures.append(Count("queue", str(lane.waiting)))
    figures.append(Count("ok", str(lane.ok)))
    if lane.rate_limited:
        figures.append(Count("429", str(lane.rate_limited), "warn"))
    if lane.errors:
        figures.append(Count("err", str(lane.errors), "bad"))
    if lane.ttft_p50_ms is not None:
        figures.append(Count("TTFT", milliseconds(lane.ttft_p50_ms)))
        figures.append(Count("p95", milliseconds(lane.ttft_p95_ms)))
    return (*runs, *_figure_runs(figures))


def _figure_runs(figures: list[Count]) -> Line:
    runs: list[Run] = []
    for count in figures:
        runs.append((f" {count.name} ", "muted"))
        runs.append((f"{count.figure} ", count.tone))
    return tuple(runs)


def _safe(name: str) -> str:
    return safe_line(name, _NAME_LIMIT)
