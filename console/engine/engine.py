"""The engine of phases: jobs in their order, on lanes, until done, drained or stopped."""

from __future__ import annotations

import random
from collections.abc import Mapping

import anyio

from console.engine.adapting import Adapting
from console.engine.arbiter import Arbiter
from console.engine.asking import ChatClient, Surroundings
from console.engine.board import Board, Headline, Tally, job_title, ttft_p50_ms
from console.engine.client_watch import ClientWatch
from console.engine.conductor import Conductor
from console.engine.fed_jobs import FedJobs
from console.engine.forecast import eta_s
from console.engine.gates import NowNs
from console.engine.jobs import Feed, JobRun
from console.engine.lane_runtime import LaneRuntime
from console.engine.link import Link
from console.engine.quarantine import record_switch, switch_by_hand, switch_off, switch_refused, switch_text
from console.engine.recording import Recorder, RowWriter
from console.engine.self_check import SelfCheck
from console.engine.shared_gates import shared_gates
from console.engine.sharing import Sharing
from console.engine.steering import Steering
from console.engine.tuning import Tuning
from console.engine.valve import Valve
from console.engine.watching import Watching
from console.phases.plan import Plan
from console.vocabulary.chat import Endpoint
from console.vocabulary.command import Accepted, Adapt, Command, Drain, Refused, Resume, Switch, Tune
from console.vocabulary.inspection import History, LaneDetail
from console.vocabulary.lane import Lane
from console.vocabulary.learnt import Learnt
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RunEnded
from console.vocabulary.snapshot import RunState, Snapshot
from console.work.contract import Work


class Engine:
    """Runs one plan. `run` once; `look` and `steering` at any time, from the same event loop."""

    def __init__(
        self,
        *,
        plan: Plan,
        headline: Headline,
        work: Work,
        client: ChatClient,
        endpoints: Mapping[str, Endpoint],
        journal: RowWriter,
        now_ns: NowNs,
        start_ns: int,
        rng: random.Random,
        done: frozenset[str] = frozenset(),
        self_check: SelfCheck | None = None,
        link: Link | None = None,
        sharing: Sharing | None = None,
        ahead_ns: int = 0,
        learnt: Mapping[str, tuple[Learnt, float]] | None = None,
        traces: bool = False,
        keeps_history: bool = False,
    ) -> None:
        """Prepare a run, or with `link` the part of one: its jobs begin and end, and tests come, as it is told.

        Args:
            plan: what to run; the limits in it are the ones enforced.
            headline: what snapshots say besides figures.
            work: plays the tests.
            client: sends the requests.
            endpoints: lane id → where its requests go.
            journal: takes the rows, and the traces.
            now_ns: the monotonic clock, the one that the client stamps with.
            start_ns: the time that rows count from.
            rng: jitters back-offs.
            done: ids of tests that have a terminal verdict already.
            self_check: told by a probe how late this process is; None: nothing is said of it.
            sharing: what this run shares with others on the machine; None: it has all to itself.
            ahead_ns: how far ahead of its time a request passes rates, where `client` holds it until then.
            learnt: lane id → what an earlier run learnt of its limits, and how many seconds ago.
            traces: whether what is said in tests goes to the journal as well.
            link: the way to the coordinator of several processes, which keeps the order of jobs and their tests.
            keeps_history: whether the figures of the last minutes are kept for those who ask.
        """
        self._plan = plan
        self._now_ns = now_ns
        self._start_ns = start_ns
        self._valve = Valve()
        self._tally = Tally()
        self._recorder = Recorder(
            journal, now_ns=now_ns, start_ns=start_ns, valve=self._valve, observe=self._tally.observe
        )
        self._link = link
        self.steering = Steering(
            self._valve,
            self._recorder,
            self._obeyed,
            self._switch,
            self._tune,
            self._adapt,
            recorded=link is None,
        )
        if sharing is not None:
            sharing.tell(lambda text: self._recorder.event("warn", "share", "", text))
        gates = shared_gates(plan.lanes)
        self._arbiter = Arbiter(now_ns, ahead_ns)
        self.adapting = Adapting(self._arbiter, self._recorder, now_ns)
        self._lanes = {
            setup.lane.id: LaneRuntime(
                setup,
                endpoints[setup.lane.id],
                gates,
                self._arbiter,
                self._valve,
                now_ns,
                found=self.adapting.gate_of(setup, learnt),
                beyond=None if sharing is None else sharing.beyond(setup.lane.id),
            )
            for setup in plan.lanes
        }
        self.adapting.follow(self._lanes)
        around = Surroundings(
            client=client,
            recorder=self._recorder,
            now_ns=now_ns,
            rng=rng,
            attempts=plan.attempts,
            quarantine=self._quarantine,
            self_check=self_check,
            held=None if link is None else link.held,
            traces=traces,
        )
        self._client_watch = ClientWatch(
            around.self_check, self._recorder, now_ns, lambda: ttft_p50_ms(self._lanes.values())
        )

        def make(index: int, feed: Feed | None = None) -> JobRun:
            stopped = self._stopped_pulling
            return JobRun(
                plan.jobs[index], self._lanes, work, around, done, stopped, feed, self._lanes_changed
            )

        self._jobs: Conductor | FedJobs
        if link is not None:
            self._jobs = FedJobs(plan, make, link)
        else:
            runs = [make(index) for index in range(len(plan.jobs))]
            self._jobs = Conductor(
                plan,
                runs,
                self._recorder,
                now_ns,
                self._stopped_pulling,
                lambda: self.steering.paused,
                sharing,
            )
        self.tuning = Tuning(
            self._lanes, gates, self._arbiter, self._recorder, now_ns, self._lanes_changed, sharing
        )
        self._board = Board(headline, self._tally)
        self.watching = Watching(
            self._lanes.values(),
            now_ns,
            start_ns,
            jobs_on=lambda lane: [job_title(run.job) for run in self._jobs.jobs if run.plays_on(lane)],
            holders=self._jobs.holders,
            keeps=keeps_history,
        )

    @property
    def done(self) -> int:
        """Tests whose verdict stands."""
        return sum(job.done for job in self._jobs.jobs)

    async def run(self) -> RunState:
        """Run to the end and return how it ended: finished, or interrupted by drain or stop."""
        self.steering.begin()
        for lane_id, lane in self._lanes.items():
            if lane.found is not None and lane.found.begins:
                self.tell("note", "learnt", lane_id, lane.found.begins)
        with self.steering.scope:
            async with anyio.create_task_group() as background:
                background.start_soon(self._recorder.mend)
                background.start_soon(self._arbiter.run)
                background.start_soon(self.adapting.run)
                background.start_soon(self._client_watch.run)
                background.start_soon(self.watching.run)
                await self._jobs.run()
                background.cancel_scope.cancel()
        state = self.steering.end()
        if self._link is not None:
            return state
        self._recorder.write_now(
            RunEnded(
                at_ns=self._now_ns() - self._start_ns,
                state=state,
                planned=self._plan.planned,
                done=sum(job.answered for job in self._jobs.jobs),
                simulated=self._tally.simulated,
            )
        )
        return state

    def learnt(self, wall_s: float) -> dict[str, Learnt]:
        """Return what adaptive lanes have learnt by now, by lane id, for the next run; `wall_s` is the Unix time."""
        return self.adapting.learnt(wall_s)

    def tell(self, level: str, kind: str, subject: str, text: str) -> None:
        """Record and show what somebody round the engine has to say."""
        self._recorder.event(level, kind, subject, text)

    def _obeyed(self, command: Command) -> None:
        if isinstance(command, Drain):
            self._jobs.drain()
        elif isinstance(command, Resume):
            self._jobs.lanes_changed()

    # What a coordinator says

    @property
    def fed(self) -> FedJobs:
        """The jobs of a part of a run, which a coordinator begins and feeds."""
        assert isinstance(self._jobs, FedJobs)
        return self._jobs

    def hold_lane(self, lane_id: str, seconds: float) -> None:
        """Wait on a lane as a server asked another process to."""
        if lane_id in self._lanes:
            self._lanes[lane_id].throttle(seconds)

    def lane_is_off(self, lane: Lane, outcome: Outcome, reason: str) -> None:
        """Switch off what another process had to switch off, as far as it is here as well."""
        switch_off(self._lanes.values(), lane, outcome, reason)
        self._jobs.lanes_changed()

    # Inside

    def _stopped_pulling(self) -> bool:
        return self.steering.draining or self.steering.stopping

    def _lanes_changed(self) -> None:
        self._jobs.lanes_changed()

    def _tune(self, tune: Tune) -> Accepted | Refused:
        return self.tuning.tune(tune)

    def _adapt(self, adapt: Adapt) -> Accepted | Refused:
        return self.adapting.adapt(adapt)

    def _switch(self, switch: Switch) -> Accepted | Refused:
        changed = switch_by_hand(self._lanes.values(), switch)
        if not changed:
            return switch_refused(((lane.lane, bool(lane.by_hand)) for lane in self._lanes.values()), switch)
        if self._link is None:
            for lane in changed:
                record_switch(self._recorder, lane.lane, on=switch.on)
        self._jobs.lanes_changed()
        return Accepted(switch_text(switch, len(changed)))

    def _quarantine(self, lane: LaneRuntime, outcome: Outcome, reason: str) -> None:
        switched = switch_off(self._lanes.values(), lane.lane, outcome, reason)
        if self._link is None:
            for off in switched:
                self._recorder.event("error", "lane_off", off.lane.id, f"switched off: {reason}")
        elif switched:
            self._link.switched_off(lane.lane, outcome, reason)  # which other processes have lanes of, too
        self._jobs.lanes_changed()

    async def inspect(self, lane_id: str) -> LaneDetail | Refused:
        """Return everything about one lane."""
        return self.watching.inspect(lane_id)

    def recall(self) -> History | Refused:
        """Return the figures of the last minutes."""
        return self.watching.recall()

    def look(self) -> Snapshot:
        """Return the picture now."""
        now_ns = self._now_ns()
        return self._board.snapshot(
            state=self.steering.state,
            now_ns=now_ns,
            start_ns=self._start_ns,
            planned=self._plan.planned,
            done=self.done,
            queued=self._jobs.queued,
            eta_s=self._eta_s(),
            lanes=list(self._lanes.values()),
            jobs=self._jobs.views(now_ns),
            events=self._recorder.events,
            notice=f"disk: {self._recorder.blocked}" if self._recorder.blocked else "",
            health=self._client_watch.health,
            holders=self._jobs.holders(),
        )

    def _eta_s(self) -> float | None:
        if self.steering.state != "running":
            return None
        return eta_s(self._plan, self._jobs.outlooks(self._now_ns()), self._tally.durations)

    def ttft_counts(self) -> dict[str, dict[int, int]]:
        """Return TTFT of each lane in logarithmic buckets, which the parts of a run merge."""
        return {lane_id: lane.ttft.counts for lane_id, lane in self._lanes.items()}
