"""The picture of a run for those who watch: built only when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

import msgspec

from console.engine.forecast import Durations
from console.engine.gates import NS_PER_S
from console.engine.lane_runtime import LaneRuntime
from console.engine.lane_view import lane_view
from console.engine.meters import quantile_ms
from console.phases.plan import Job
from console.records.percentile import FLOORS
from console.vocabulary.client_health import ClientHealth
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.rows import RequestRow, Row, TestRow
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import EventView, JobState, JobView, PhaseView, RunState, Snapshot


class Tally:
    """Counts of rows that are written."""

    def __init__(self) -> None:
        self.verdicts: dict[Verdict, int] = {}
        self.requests: dict[Outcome, int] = {}
        self.simulated = False
        self.durations = Durations()

    def observe(self, row: Row) -> None:
        """Count one written row."""
        if isinstance(row, RequestRow):
            self.requests[row.outcome] = self.requests.get(row.outcome, 0) + 1
            self.simulated = self.simulated or row.simulated
        elif isinstance(row, TestRow):
            self.verdicts[row.verdict] = self.verdicts.get(row.verdict, 0) + 1
            if row.verdict is not Verdict.CANCELLED:
                self.durations.add(row.job, row.lane.provider, row.duration_ns)


class Headline(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot says besides its figures; fixed for a run."""

    run_id: str
    run_dir: str
    pid: int
    title: str
    profile: str
    simulated: bool


class Board:
    """Builds snapshots of one run."""

    def __init__(self, headline: Headline, tally: Tally) -> None:
        self._headline = headline
        self._tally = tally
        self._seq = 0

    def snapshot(
        self,
        *,
        state: RunState,
        now_ns: int,
        start_ns: int,
        planned: int,
        done: int,
        queued: int,
        eta_s: float | None,
        lanes: Sequence[LaneRuntime],
        jobs: tuple[JobView, ...],
        events: Iterable[EventView],
        notice: str,
        health: ClientHealth | None = None,
        holders: Mapping[str, str] | None = None,
    ) -> Snapshot:
        """Return the picture at `now_ns`."""
        self._seq += 1
        views = tuple(lane_view(lane, now_ns, holders or {}) for lane in lanes)
        sketches = [lane.ttft for lane in lanes]
        return Snapshot(
            seq=self._seq,
            run_id=self._headline.run_id,
            run_dir=self._headline.run_dir,
            pid=self._headline.pid,
            title=self._headline.title,
            profile=self._headline.profile,
            simulated=self._headline.simulated or self._tally.simulated,
            state=state,
            elapsed_s=(now_ns - start_ns) / NS_PER_S,
            eta_s=eta_s,
            planned=planned,
            done=done,
            verdicts=plain_counts(self._tally.verdicts),
            requests=plain_counts(self._tally.requests),
            in_flight=sum(view.in_flight for view in views),
            queued=queued,
            rate=sum(view.rate for view in views),
            tokens_per_s=sum(view.tokens_per_s for view in views),
            ttft_p50_ms=quantile_ms(sketches, 0.5, FLOORS[50]),
            ttft_p95_ms=quantile_ms(sketches, 0.95, FLOORS[95]),
            lanes=views,
            jobs=jobs,
            phases=phase_views(jobs),
            events=tuple(events),
            notice=safe_line(notice, 200),
            health=health,
        )


def ttft_p50_ms(lanes: Iterable[LaneRuntime]) -> float | None:
    """Return the median TTFT over lanes, or None where too few were answered."""
    return quantile_ms([lane.ttft for lane in lanes], 0.5, FLOORS[50])


def plain_counts(counts: Mapping[Outcome, int] | Mapping[Verdict, int]) -> dict[str, int]:
    """Return counts under plain strings."""
    return {str(name): count for name, count in counts.items()}


def job_view(
    job: Job,
    state: JobState,
    done: int,
    earliest_ns: int | None,
    now_ns: int,
    *,
    key: str = "",
    waits_for_key: bool = False,
    held_by: str = "",
) -> JobView:
    """Return the picture of one job; one that waits for nothing but its stagger says for how long."""
    starts_in_s = None
    if state == "waiting" and earliest_ns is not None and earliest_ns > now_ns:
        state, starts_in_s = "staggered", (earliest_ns - now_ns) / NS_PER_S
    return JobView(
        id=job.id,
        title=job_title(job),
        model=job.model,
        phase=job.phase,
        state=state,
        planned=len(job.tests),
        done=done,
        starts_in_s=starts_in_s,
        key=key,
        waits_for_key=waits_for_key,
        note=safe_line(held_by, 120),
    )


def job_title(job: Job) -> str:
    """Return what a job is called before people."""
    return f"{job.model} {job.difficulty} {job.group} {job.rate}"


def phase_views(jobs: Iterable[JobView]) -> tuple[PhaseView, ...]:
    """Return the phases that jobs belong to, in their order; one runs from its first job to its last."""
    of_phase: dict[str, list[JobView]] = {}
    for job in jobs:
        if job.phase:
            of_phase.setdefault(job.phase, []).append(job)
    return tuple(
        PhaseView(
            id=phase,
            planned=sum(job.planned for job in members),
            done=sum(job.done for job in members),
            state=_state_of({job.state for job in members}),
        )
        for phase, members in of_phase.items()
    )


def _state_of(states: Set[JobState]) -> JobState:
    if states == {"done"}:
        return "done"
    if "running" in states or "done" in states:
        return "running"
    return "staggered" if "staggered" in states else "waiting"


def job_end(job: Job, *, done: int, answered: int, unplayed: int) -> tuple[str, str]:
    """Return level and text of the event that ends a job."""
    if answered == len(job.tests):
        return "info", "done"
    return "warn", f"ended: {answered} answered, {done - answered} without an answer, {unplayed} not run"
