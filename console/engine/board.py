"""The picture of a run for those who watch: built only when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from console.engine.forecast import Durations
from console.engine.gates import NS_PER_S
from console.engine.lane_runtime import LaneRuntime
from console.engine.meters import quantile_ms
from console.phases.plan import Job
from console.records.percentile import FLOORS
from console.vocabulary.client_health import ClientHealth
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.rows import RequestRow, Row, TestRow
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import EventView, JobState, JobView, LaneState, LaneView, RunState, Snapshot


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
            rate=sum(view.rate for view in views),
            tokens_per_s=sum(view.tokens_per_s for view in views),
            ttft_p50_ms=quantile_ms(sketches, 0.5, FLOORS[50]),
            ttft_p95_ms=quantile_ms(sketches, 0.95, FLOORS[95]),
            lanes=views,
            jobs=jobs,
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


def lane_view(lane: LaneRuntime, now_ns: int, holders: Mapping[str, str]) -> LaneView:
    """Return the picture of one lane; `holders` says which jobs have which key."""
    outcomes = lane.outcomes
    quiet = {Outcome.OK, Outcome.RATE_LIMITED, Outcome.CANCELLED}
    return LaneView(
        provider=lane.lane.provider,
        model=lane.lane.model,
        deployment=lane.lane.deployment,
        key=lane.lane.key,
        state=lane_state(lane),
        in_flight=lane.in_flight,
        held=lane.held,
        waiting=lane.waiting,
        workers=lane.workers,
        window=None if lane.found is None else lane.found.controller.window,
        qps=lane.setup.limits.qps if lane.found is None else lane.found.controller.rate,
        rate=lane.sends.per_second(now_ns),
        tokens_per_s=lane.tokens.per_second(now_ns),
        ok=outcomes.get(Outcome.OK, 0),
        rate_limited=outcomes.get(Outcome.RATE_LIMITED, 0),
        errors=sum(count for outcome, count in outcomes.items() if outcome not in quiet),
        ttft_p50_ms=lane.ttft.quantile_ms(0.5, FLOORS[50]),
        ttft_p95_ms=lane.ttft.quantile_ms(0.95, FLOORS[95]),
        resume_in_s=lane.resume_in_s,
        note=safe_line(lane.off, 120),
        holder=safe_line(holders.get(lane.lane.key_scope, ""), 200),
    )


def lane_state(lane: LaneRuntime) -> LaneState:
    """Return the one word for a lane."""
    if lane.off:
        return "off"
    if lane.resting:
        return "parked"
    if lane.resume_in_s is not None:
        return "throttled"
    if lane.workers is not None and lane.held >= lane.workers:
        return "full"
    return "busy" if lane.held or lane.in_flight else "idle"


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
        title=f"{job.model} {job.difficulty} {job.group} {job.rate}",
        model=job.model,
        state=state,
        planned=len(job.tests),
        done=done,
        starts_in_s=starts_in_s,
        key=key,
        waits_for_key=waits_for_key,
        note=safe_line(held_by, 120),
    )


def job_end(job: Job, *, done: int, answered: int, unplayed: int) -> tuple[str, str]:
    """Return level and text of the event that ends a job."""
    if answered == len(job.tests):
        return "info", "done"
    return "warn", f"ended: {answered} answered, {done - answered} without an answer, {unplayed} not run"
