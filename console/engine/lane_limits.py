"""The limits of one lane as they are enforced: worker slots, and the gates that its requests pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from console.engine.adaptive_gate import AdaptiveGate
from console.engine.arbiter import Arbiter, Passage
from console.engine.gates import Gate
from console.engine.passing import Beyond
from console.engine.slots import Slots
from console.vocabulary.lane import LaneSetup, Limits, Scope, ScopeKind, least, together


class LaneLimits:
    """Slots and gates of one lane; where the profile says so, each job has a copy of those that are its own."""

    def __init__(
        self,
        setup: LaneSetup,
        shared: Sequence[Gate],
        arbiter: Arbiter,
        found: AdaptiveGate | None,
        beyond: Beyond | None,
    ) -> None:
        """Enforce what `setup` says.

        Args:
            setup: the lane, with the limits of the plan.
            shared: the gates of its outer scopes.
            arbiter: says who passes the gates next.
            found: the gate with the limits that adaptive mode finds, where it does.
            beyond: what other runs on this machine share of its limits.
        """
        self._setup = setup
        self.own = setup.limits
        """The lane's own limits now; of one job, where each has a copy."""
        self.found = found
        self.shared = list(shared)
        self._arbiter = arbiter
        self._beyond = beyond
        self._slots: dict[str, Slots] = {}
        self._gates: dict[str, Gate] = {}
        self._passages: dict[str, Passage] = {}
        self._tuned = False
        """Whether somebody has changed its own limits."""

    def slots(self, job_id: str) -> Slots:
        """Return the worker slots that tests of `job_id` hold: the lane's, or the job's own copy."""
        name = job_id if self._setup.per == "job" else ""
        if name not in self._slots:
            self._slots[name] = Slots(self.own.workers)
        return self._slots[name]

    @property
    def copies(self) -> int:
        """How many there are of the lane's own limits."""
        return max(1, len(self._slots))

    @property
    def held(self) -> int:
        """Worker slots held by tests."""
        return sum(slots.in_use for slots in self._slots.values())

    @property
    def workers(self) -> int | None:
        """The worker limit now, summed over the jobs that have a copy of it."""
        if len(self._slots) <= 1:
            return self.own.workers
        return together(slots.limit for slots in self._slots.values())

    @property
    def most_in_flight(self) -> int | None:
        """How many requests it lets be in flight: its workers, or fewer where adaptive mode has found fewer."""
        workers = self.own.workers if len(self._slots) <= 1 else self.workers
        return workers if self.found is None else least(workers, self.found.gate.most)

    @property
    def in_flight(self) -> int:
        """Requests that passed its gates and did not leave yet."""
        return sum(passage.in_flight for passage in self._passages.values())

    @property
    def own_qps(self) -> float | None:
        """The requests per second that its own gates let through, summed in the same way; None: unlimited."""
        qps = self.own.qps
        return None if qps is None else qps * self.copies

    @property
    def qps(self) -> float | None:
        """The same, or less where adaptive mode has found less."""
        return self.own_qps if self.found is None else least(self.own_qps, self.found.gate.limits.qps)

    def passage(self, job_id: str) -> Passage:
        """Return the gates that a request of `job_id` passes on this lane."""
        name = job_id if self._setup.per == "job" else ""
        passage = self._passages.get(name)
        if passage is None:
            own = self._gates[name] = self._own_gate()
            gates = [gate for gate in (own, *self.shared) if not gate.unlimited]
            if self.found is not None:
                gates.insert(0, self.found.gate)
            passage = self._passages[name] = self._arbiter.passage(gates, self._beyond)
        return passage

    def _own_gate(self) -> Gate:
        own = self.own
        workers = own.workers if self._tuned else None
        return Gate(
            Scope("lane", self._setup.lane.id),
            Limits(workers=workers, qps=own.qps, rpm=own.rpm, tpm=own.tpm),
            burst=self._setup.burst,
            tokens_by_estimate=self._setup.tpm_accounting == "estimate",
        )

    def tune(self, workers: int | None, qps: float | None, said: Iterable[str], now_ns: int) -> None:
        """Change its own limits, all copies of them, at once; `said` are those that somebody set just now.

        Slots bound tests, and a test goes on with all its turns. From now on the lane's gates bound requests as well,
        so that what is in flight follows a lower limit as requests end and not only as tests do: those above it take
        turns.
        """
        own, self._tuned = self.own, True
        self.own = Limits(workers=workers, qps=qps, rpm=own.rpm, tpm=own.tpm)
        for name, gate in self._gates.items():
            gate.set_limits(now_ns, most=workers, per_second=qps)
            self._arbiter.widen(self._passages[name], gate)
        if self.found is not None:
            self.found.set_ceiling(self.own)
            self.found.release(said)
        for slots in self._slots.values():
            slots.set_limit(workers)
        self._arbiter.look_at(self._gates.values())

    def adopt(self, found: AdaptiveGate) -> None:
        """Let its requests pass the gate of adaptive mode from now on."""
        self.found = found
        for passage in self._passages.values():
            self._arbiter.widen(passage, found.gate)

    def share(self, gate: Gate) -> None:
        """Let its requests pass a gate that it shares with other lanes, if they do not already."""
        if gate not in self.shared:
            self.shared.append(gate)
        for passage in self._passages.values():
            self._arbiter.widen(passage, gate)

    def send_away(self) -> None:
        """Let nobody wait at its gates any more: the lane is closed for good."""
        for passage in self._passages.values():
            passage.send_away()

    def strictest(self) -> tuple[ScopeKind | None, float | None]:
        """Return the kind of the gate that lets least through per second, and how much; None: none limits that."""
        kind: ScopeKind | None = None
        lowest: float | None = None
        for at, rate in self._rates():
            if rate is not None and (lowest is None or rate < lowest):
                kind, lowest = at, rate
        return kind, lowest

    def _rates(self) -> Iterator[tuple[ScopeKind, float | None]]:
        own = self.own
        if own.qps is not None:
            yield "lane", own.qps * self.copies
        if own.rpm is not None:
            yield "lane", own.rpm * self.copies / 60
        if self.found is not None:
            yield "lane", self.found.gate.requests_per_s
        for gate in self.shared:
            yield gate.scope.kind, gate.requests_per_s
