"""How far the run is: tests, phases and jobs, and when each will be done by the pace of the last minutes. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, TypeVar

from console.screens.live.figures import count_runs
from console.screens.live.lanes import NAME_LIMIT
from console.vocabulary.outcome import Verdict
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import JobState, JobView, PhaseView, Snapshot
from widgets.bars import bar_text
from widgets.durations import UNKNOWN, clock_text
from widgets.phase_progress import Count
from widgets.text_lines import Line, Run, Tone

PartT = TypeVar("PartT", PhaseView, JobView)
WINDOW_S: Final = 120.0
"""Over which the pace of a job is taken."""
LEAST_S: Final = 10.0
LEAST_DONE: Final = 3
_MARKS: Final[dict[JobState, str]] = {"running": ">", "staggered": "~", "waiting": ".", "done": "+"}
_SHOWN_FIRST: Final[tuple[JobState, ...]] = ("running", "staggered", "waiting", "done")
_BAR: Final = 12
_LEAST_BAR: Final = 5
_LONGEST_BAR: Final = 40


class Estimates:
    """When phases and jobs will be done, by how many of their tests this console has seen end."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[tuple[float, int]]] = {}

    def add(self, snapshot: Snapshot) -> None:
        """Take in a snapshot."""
        now_s = snapshot.elapsed_s
        for part in (*snapshot.phases, *snapshot.jobs):
            seen = self._seen.setdefault(_name(part), deque())
            if not seen or (now_s >= seen[-1][0] + 1 and seen[-1][1] != part.done):
                seen.append((now_s, part.done))
            while len(seen) > 2 and seen[1][0] < now_s - WINDOW_S:
                seen.popleft()

    def phase_eta_s(self, phase: PhaseView, jobs: Sequence[JobView], now_s: float) -> float | None:
        """Return the seconds that are left of a phase: by its own pace, or by that of its slowest job."""
        parts = (phase, *(job for job in jobs if job.phase == phase.id))
        return max((left for part in parts if (left := self.eta_s(part, now_s)) is not None), default=None)

    def eta_s(self, part: PhaseView | JobView, now_s: float) -> float | None:
        """Return the seconds that are left, coarse enough not to change at each look; None: not known."""
        seen = self._seen.get(_name(part))
        if not seen or part.state != "running" or part.done >= part.planned:
            return None
        at_s, done = seen[0]
        if now_s - at_s < LEAST_S or part.done - done < LEAST_DONE:
            return None
        left_s = (part.planned - part.done) * (now_s - at_s) / (part.done - done)
        grain = 5 if left_s < 60 else 10 if left_s < 600 else 60
        return max(grain, grain * round(left_s / grain))


def progress_line(snapshot: Snapshot, width: int, unread: int = 0, *, ascii_only: bool = False) -> Line:
    """Return how many tests are done and how they ended, with a bar in what is left of the width.

    Args:
        snapshot: what is shown.
        width: of the line.
        unread: events that nobody has seen yet.
        ascii_only: whether only ASCII is drawn.
    """
    done, planned = snapshot.done, snapshot.planned
    share = f"{100 * done // planned}%" if planned else UNKNOWN
    head = f" {done:,}/{planned:,} tests {share}" if planned else f" {done:,} done"
    counts = count_runs(_verdicts(snapshot, unread))
    bar = min(_LONGEST_BAR, width - len(head) - sum(len(text) for text, _ in counts) - 3)
    if bar < _LEAST_BAR or not planned:
        return ((head, "strong"), (" ", ""), *counts)
    filled = bar_text(done, planned, bar, ascii_only)
    return (("[", "muted"), (filled, "accent"), ("]", "muted"), (head, "strong"), (" ", ""), *counts)


def _verdicts(snapshot: Snapshot, unread: int) -> list[Count]:
    tones: dict[str, Tone] = {Verdict.FULL: "good", Verdict.INFRASTRUCTURE: "bad"}
    counts: list[Count] = []
    for name in Verdict:
        figure = snapshot.verdicts.get(name, 0)
        if figure or (name != Verdict.CANCELLED and snapshot.planned):
            word = "infra" if name is Verdict.INFRASTRUCTURE else name.value
            counts.append(Count(word, f"{figure:,}", tones.get(name, "") if figure else ""))
    if unread:
        counts.append(Count("new events", str(unread), "accent"))
    return counts


def work_lines(
    snapshot: Snapshot, estimates: Estimates, room: int, *, ascii_only: bool = False
) -> list[Line]:
    """Return phases, where there are several, and the jobs that matter now, in at most `room` lines."""
    if room < 1:
        return []
    now_s = snapshot.elapsed_s
    lines: list[Line] = []
    if len(snapshot.phases) > 1:
        phases = _ranked(snapshot.phases, max(1, room // 2))
        in_order = [phase for phase in snapshot.phases if phase in phases]
        width = max(len(safe_line(phase.id, 12)) for phase in in_order)
        lines += [
            _phase_line(
                phase, width, estimates.phase_eta_s(phase, snapshot.jobs, now_s), ascii_only=ascii_only
            )
            for phase in in_order
        ]
    jobs = snapshot.jobs
    if not jobs:
        words = (
            "this run has no jobs" if snapshot.planned else "prompts are drawn as they are needed: no jobs"
        )
        return lines or [((f" {words}", "muted"),)]
    left = room - len(lines)
    shown = _ranked(jobs, left if len(jobs) <= left else left - 1)
    lines += [_job_line(job, estimates.eta_s(job, now_s)) for job in shown]
    if len(shown) < len(jobs) and left > 0:
        lines.append(((jobs_text(jobs), "muted"),))
    return lines[:room]


def jobs_text(jobs: Sequence[JobView]) -> str:
    """Write how many jobs there are of each state."""
    states = [job.state for job in jobs]
    parts = [f"{states.count(state)} {state}" for state in _SHOWN_FIRST if state in states]
    return f" jobs: {len(jobs)} in all: {', '.join(parts)}"


def _ranked(parts: Sequence[PartT], most: int) -> list[PartT]:
    return sorted(parts, key=lambda part: _SHOWN_FIRST.index(part.state))[: max(0, most)]


def _phase_line(phase: PhaseView, width: int, eta_s: float | None, *, ascii_only: bool) -> Line:
    tone: Tone = "strong" if phase.state == "running" else "muted"
    share = f"{100 * phase.done // phase.planned:>3}%" if phase.planned else "    "
    return (
        (f"{_MARKS[phase.state]} {safe_line(phase.id, 12):<{width}} ", tone),
        (bar_text(phase.done, phase.planned, _BAR, ascii_only), "accent"),
        (f" {share} {phase.done:>6,}/{phase.planned:,}", tone),
        (_eta(eta_s), "muted"),
    )


def _job_line(job: JobView, eta_s: float | None) -> Line:
    tone: Tone = "" if job.state == "running" else "muted"
    runs: list[Run] = [
        (f"{_MARKS[job.state]} {job.done:>5}/{job.planned:<5} {safe_line(job.title, NAME_LIMIT)}", tone)
    ]
    if job.starts_in_s is not None and job.state != "done":
        runs.append((f"  starts in {clock_text(job.starts_in_s)}", "muted"))
    if eta_s is not None:
        runs.append((_eta(eta_s), "muted"))
    if job.key and job.state == "running":
        runs.append((f"  key {safe_line(job.key, 40)}", "muted"))
    if job.waits_for_key:
        runs.append(("  waits for a key", "warn"))
    if job.note:
        runs.append((f"  {safe_line(job.note, 80)}", "muted"))
    return tuple(runs)


def _eta(eta_s: float | None) -> str:
    return "" if eta_s is None else f"  ETA {clock_text(eta_s)}"


def _name(part: PhaseView | JobView) -> str:
    return f"{'job' if isinstance(part, JobView) else 'phase'} {part.id}"
