"""What a coordinator of engine processes is given by its host, and what it hands on to each process first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from console.engine.board import Headline
from console.engine.gates import NowNs
from console.engine.recording import RowWriter
from console.phases.plan import Plan
from console.processes.messages import Begin, PartEndpoint, PartOfLevel
from console.vocabulary.chat import Endpoint, Timeouts
from console.vocabulary.lane import LaneSetup
from console.vocabulary.learnt import Learnt
from console.vocabulary.trace import Traces


class Given(Protocol):
    """What a coordinator is given by its host."""

    @property
    def headline(self) -> Headline:
        """What snapshots say besides figures."""
        ...

    @property
    def journal(self) -> RowWriter:
        """Takes the coordinator's own rows: events and the end."""
        ...

    @property
    def now_ns(self) -> NowNs:
        """The monotonic clock."""
        ...

    @property
    def start_ns(self) -> int:
        """The time that rows count from."""
        ...

    @property
    def announce_segment(self) -> Callable[[str], None]:
        """Puts a segment of the journal into `run.toml`."""
        ...

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Lane id → where its requests go."""
        ...

    @property
    def own_lanes(self) -> frozenset[str]:
        """Lanes of simulators of this run's own, which nobody else can reach."""
        ...

    @property
    def wall(self) -> str:
        """Wall time of the run's start."""
        ...


def beginning(
    given: Given,
    number: int,
    lanes: Sequence[LaneSetup],
    timeouts: Timeouts,
    *,
    plan: Plan | None = None,
    level: PartOfLevel | None = None,
    learnt: Mapping[str, Learnt] | None = None,
    traces: Traces = "none",
    told_lanes: Collection[str] = (),
) -> Begin:
    """Return what a process with these lanes is told first."""
    return Begin(
        process=number,
        run_id=given.headline.run_id,
        run_dir=given.headline.run_dir,
        wall=given.wall,
        start_ns=given.start_ns,
        endpoints={setup.lane.id: PartEndpoint.of(given.endpoints[setup.lane.id]) for setup in lanes},
        own_lanes=tuple(sorted(given.own_lanes)),
        timeouts=timeouts,
        plan=plan,
        level=level,
        traces=traces,
        told_lanes=tuple(setup.lane.id for setup in lanes if setup.lane.id in told_lanes),
        learnt={}
        if learnt is None
        else {setup.lane.id: learnt[setup.lane.id] for setup in lanes if setup.lane.id in learnt},
    )
