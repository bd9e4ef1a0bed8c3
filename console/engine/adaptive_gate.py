"""The gate of a lane whose limits are found while it runs: enforces what its controller says, and tells of changes."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from console.engine.adaptive.change import Change
from console.engine.adaptive.controller import LaneController
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
    """

    def __init__(
        self,
        setup: LaneSetup,
        arbiter: Arbiter,
        now_ns: NowNs,
        tell: Tell,
        learnt: Learnt | None = None,
        learnt_age_s: float = inf,
    ) -> None:
        self._lane = setup.lane
        self._arbiter = arbiter
        self._now_ns = now_ns
        self._tell = tell
        self._copies = setup.per == "job"
        ceiling = Limits() if self._copies else setup.limits
        self.controller = LaneController(ceiling, now_ns=now_ns(), learnt=learnt, learnt_age_s=learnt_age_s)
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
        self._enforced: tuple[float, int, float | None] | None = None
        self._enforce(now_ns())

    def sent(self, now_ns: int, estimated_tokens: float) -> None:
        """Note that a request was let through."""
        self.controller.sent(now_ns, estimated_tokens)

    def ended(self, sent_ns: int, result: ChatResult) -> int:
        """Take in how a request ended, and return until when nothing may be sent."""
        now_ns = self._now_ns()
        self._met = self._met or result.outcome is Outcome.RATE_LIMITED
        self.controller.ended(now_ns, sent_ns, result)
        self._enforce(now_ns)
        return self.controller.paused_until_ns

    def tick(self) -> None:
        """Let limits grow that were used up and not refused; once a second."""
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
        found = (controller.rate, controller.window, controller.token_rate)
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
