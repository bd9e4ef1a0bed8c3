"""The gate of a lane whose limits are found while it runs: enforces what its controller says, and tells of changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf

from console.engine.adaptive.change import Change
from console.engine.adaptive.controller import START_RATE, START_WINDOW, LaneController
from console.engine.adaptive.learnt import FRESH_FOR_S
from console.engine.arbiter import Arbiter
from console.engine.gates import Gate, NowNs
from console.vocabulary.chat import ChatResult
from console.vocabulary.lane import Lane, LaneSetup, Limits, Scope
from console.vocabulary.learnt import Learnt, age_text
from console.vocabulary.outcome import Outcome

Tell = Callable[[Lane, Change], None]


class AdaptiveGate:
    """A gate with the rate, token rate and window that the controller of a lane has found.

    The profile's limits are its ceiling. Where each job has its own copy of them, those stand in gates of the jobs,
    and what is found here holds over all of them.

    Held, it stays as it is: nothing is learnt. What somebody then sets by hand is not held here any more.
    """

    def __init__(
        self,
        setup: LaneSetup,
        arbiter: Arbiter,
        now_ns: NowNs,
        tell: Tell,
        learnt: Learnt | None = None,
        learnt_age_s: float = inf,
        *,
        limits: Limits | None = None,
        start_rate: float = START_RATE,
        start_window: int = START_WINDOW,
    ) -> None:
        """Begin where an earlier run left off, else at `start_rate` and `start_window`; `limits` as in the plan."""
        self._lane = setup.lane
        self._arbiter = arbiter
        self._now_ns = now_ns
        self._tell = tell
        self._copies = setup.per == "job"
        ceiling = Limits() if self._copies else limits or setup.limits
        self.controller = LaneController(
            ceiling,
            now_ns=now_ns(),
            learnt=learnt,
            learnt_age_s=learnt_age_s,
            start_rate=start_rate,
            start_window=start_window,
        )
        self.held = False
        """Whether nothing is found any more, and what was stands."""
        self._by_hand: set[str] = set()
        """Of workers and qps, what somebody set while it was held."""
        self.gate = Gate(
            Scope("lane", setup.lane.id),
            Limits(),
            tokens_by_estimate=setup.tpm_accounting == "estimate",
        )
        self._known = learnt
        self._met = False
        """Whether a limit was met, or found to be another one, since the beginning."""
        self.begins = "" if learnt is None else begins_text(self.controller, learnt, learnt_age_s)
        """What the lane begins from that an earlier run learnt, in words; empty: nothing."""
        self._enforced: tuple[float | None, int | None, float | None] | None = None
        self._enforce(now_ns())

    @classmethod
    def from_here(
        cls,
        setup: LaneSetup,
        limits: Limits,
        arbiter: Arbiter,
        now_ns: NowNs,
        tell: Tell,
        rate: float,
        in_flight: int,
    ) -> AdaptiveGate:
        """Return the gate of a lane that goes on under it, in slow start from what it does now.

        Args:
            setup: the lane.
            limits: its limits now, which are the ceiling.
            arbiter: says who passes next.
            now_ns: the clock.
            tell: is told of changes.
            rate: requests per second that it sends now.
            in_flight: requests in flight now, which are going to leave.
        """
        made = cls(
            setup,
            arbiter,
            now_ns,
            tell,
            limits=limits,
            start_rate=max(START_RATE, rate),
            start_window=max(START_WINDOW, in_flight),
        )
        made.controller.in_flight = in_flight
        return made

    @property
    def text(self) -> str:
        """What it lets through, in words: `12.4 requests/s, 20 in flight`."""
        limits = self.gate.limits
        parts = [] if limits.qps is None else [f"{limits.qps:.3g} requests/s"]
        parts += [] if limits.tpm is None else [f"{limits.tpm:,.0f} tokens/min"]
        parts += [] if limits.workers is None else [f"{limits.workers} in flight"]
        return ", ".join(parts) or "nothing"

    def hold(self) -> None:
        """Find nothing more: what was found stands."""
        self.held = True

    def go_on(self) -> None:
        """Find limits again, from where they stand."""
        now_ns = self._now_ns()
        self.held = False
        self._by_hand.clear()
        self.controller.go_on(now_ns)
        self._enforce(now_ns)

    def release(self, said: Iterable[str]) -> None:
        """Hold what somebody sets by hand no more, of `workers` and `qps`."""
        if self.held:
            self._by_hand.update(said)
            self._enforce(self._now_ns())

    def sent(self, now_ns: int, estimated_tokens: float) -> None:
        """Note that a request was let through."""
        self.controller.sent(now_ns, estimated_tokens)

    def ended(self, sent_ns: int, result: ChatResult) -> int:
        """Take in how a request ended, and return until when nothing may be sent."""
        now_ns = self._now_ns()
        if self.held:
            self.controller.left(now_ns, sent_ns)
            return 0
        self._met = self._met or result.outcome is Outcome.RATE_LIMITED
        self.controller.ended(now_ns, sent_ns, result)
        self._enforce(now_ns)
        return self.controller.paused_until_ns

    def tick(self) -> None:
        """Let limits grow that were used up and not refused; once a second."""
        if self.held:
            return
        now_ns = self._now_ns()
        self.controller.tick(now_ns)
        self._enforce(now_ns)

    def set_ceiling(self, limits: Limits) -> None:
        """Find nothing above these limits of the lane any more; copies of jobs stand in gates of their own."""
        if self._copies:
            return
        now_ns = self._now_ns()
        self.controller.set_ceiling(limits, now_ns)
        self._enforce(now_ns)

    def learnt(self, wall_s: float) -> Learnt:
        """Return what is known now; what was taken over from an earlier run and not met again is as old as it was."""
        learnt = self.controller.learnt(wall_s)
        known = self._known
        if known is not None and not self._met and known.same_figures(learnt):
            return known
        return learnt

    def _enforce(self, now_ns: int) -> None:
        controller = self.controller
        rate = None if "qps" in self._by_hand else controller.rate
        window = None if "workers" in self._by_hand else controller.window
        found = (rate, window, controller.token_rate)
        if found != self._enforced:
            self._enforced = found
            self.gate.retune(now_ns, per_second=found[0], most=found[1], tokens_per_second=found[2])
            self._arbiter.look_at((self.gate,))
        for change in controller.drain_changes():
            self._met = True
            self._tell(self._lane, change)


def begins_text(controller: LaneController, learnt: Learnt, age_s: float) -> str:
    """Say at which limits a controller begins that was given what an earlier run learnt; empty: at no others for it."""
    parts: list[str] = []
    if learnt.requests_per_s is not None:
        parts.append(f"{controller.rate:.3g} requests/s")
    if age_s >= FRESH_FOR_S:
        if not parts:
            return ""
        return f"begins at {parts[0]}: {learnt.requests_per_s:.3g} was learnt {age_text(age_s)} ago"
    if learnt.tokens_per_s is not None and controller.token_rate is not None:
        parts.append(f"{60 * controller.token_rate:,.0f} tokens/min")
    if learnt.window is not None:
        parts.append(f"{controller.window} in flight")
    return f"begins at {', '.join(parts)}, learnt {age_text(age_s)} ago" if parts else ""
