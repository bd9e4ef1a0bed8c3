"""A capacity search as something that is hosted: level after level on one ground, each written to the journal."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final, Literal

import anyio
import msgspec

from console.capacity.answer import Answer
from console.capacity.level_runner import PASSING, LevelRunner, LevelSetting
from console.capacity.search import Budget, Subject
from console.capacity.steps import Ask, Over, Step
from console.engine.gates import NS_PER_S
from console.engine.lane_runtime import LaneRuntime
from console.engine.load_ground import GroundPlan, LoadGround
from console.engine.steering import Course
from console.vocabulary.command import Drain, Refused, Stop
from console.vocabulary.inspection import History, LaneDetail
from console.vocabulary.level import LevelOutcome
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import LevelRow, RequestRow, RunEnded
from console.vocabulary.search_view import SearchView
from console.vocabulary.snapshot import RunState, Snapshot

_NOTHING_SENT: Final = 3
"""Times a level may come to nothing before the search gives up."""


class SearchPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is searched, and what is known already."""

    model: str
    setting: LevelSetting
    subjects: tuple[Subject, ...]
    budget: Budget = Budget()
    levels: tuple[LevelOutcome, ...] = ()
    """Of a search that goes on: those that are over."""
    first_prompt: int = 0
    """Number of the first prompt that was not sent yet."""


class SearchEngine:
    """Runs a search. `run` once; `look` and `steering` at any time; afterwards `answers`."""

    def __init__(self, plan: SearchPlan, ground_plan: GroundPlan, rng: random.Random) -> None:
        self._plan = plan
        self._search = plan.setting.search
        self._ground = LoadGround(ground_plan, observe=self._observe, on_course=self._obeyed)
        self._runner = LevelRunner(self._ground, plan.setting, rng, plan.first_prompt)
        self._ground.around.self_check.heard = self._runner.second
        self.steering = self._ground.steering
        self.levels: list[LevelOutcome] = list(plan.levels)
        """All that are over, in their order."""
        self.answers: list[Answer] = []
        """One a subject, once it is there."""
        self._subject = plan.subjects[0]
        self._step: Step | None = None
        self._begun_ns = self._ground.start_ns
        self._changed = anyio.Event()
        self._off_at_start: frozenset[str] = frozenset()

    @property
    def kind(self) -> Literal["ramp", "target", "seed004"]:
        """Which search it is."""
        return self._search.kind

    @property
    def simulated(self) -> bool:
        """Whether any answer was simulated."""
        return self._ground.tally.simulated

    async def run(self) -> RunState:
        """Search, and return how it ended."""
        self.steering.begin()
        self._begun_ns = self._ground.now_ns()
        self._off_at_start = self._off()
        with self.steering.scope:
            async with anyio.create_task_group() as background:
                self._ground.attend(background)
                for subject in self._plan.subjects:
                    self._subject = subject
                    because = await self._search_subject(subject)
                    if self.steering.draining:
                        break
                    self._answered(subject, because)
                background.cancel_scope.cancel()
        return self._end()

    def _end(self) -> RunState:
        if self.steering.draining or self.steering.stopping:
            self._answered(self._subject, "it was stopped before it had its answer")
        state = self.steering.end()
        answered = self._ground.tally.requests.get(Outcome.OK, 0)
        self._ground.recorder.write_now(
            RunEnded(
                at_ns=self._ground.now_ns() - self._ground.start_ns,
                state=state,
                planned=sum(self._ground.tally.requests.values()),
                done=answered,
                simulated=self._ground.tally.simulated,
            )
        )
        return state

    async def _search_subject(self, subject: Subject) -> str:
        """Measure until the search is over; return why it ended without knowing, empty: it knows."""
        lanes = [lane for lane in self._ground.lanes if lane.lane.id in subject.lanes]
        futile = 0
        while not self.steering.draining:
            levels = self._of(subject)
            self._step = self._search.next_step(levels)
            if isinstance(self._step, Over):
                return self._step.because
            if because := self._spent_text() or self._switched_text(lanes):
                return because
            outcome = await self._measure(self._step, subject, lanes, levels)
            if outcome is not None:
                self._take(outcome)
                futile = 0
            elif not await self._disturbed():
                futile += 1
                if futile == _NOTHING_SENT:
                    return self._runner.disturbed
        return ""

    async def _measure(
        self, ask: Ask, subject: Subject, lanes: Sequence[LaneRuntime], levels: Sequence[LevelOutcome]
    ) -> LevelOutcome | None:
        number = 1 + len(self.levels)
        before = levels[-1] if levels else None
        refused = before is not None and before.outcomes.get(Outcome.RATE_LIMITED, 0) > 0
        rest_s = self._plan.setting.pace.quota_rest_s if refused else 0.0
        rate = "" if ask.rate is None else f" at {ask.rate:g}/s"
        whose = f" of {subject.name}" if subject.name else ""
        self._ground.recorder.event(
            "info",
            "level",
            subject.name,
            f"level {number}{whose}: {ask.concurrency} in flight{rate} ({ask.purpose})",
        )
        return await self._runner.run(ask, number, subject.name, lanes, before, rest_s)

    def _take(self, outcome: LevelOutcome) -> None:
        self.levels.append(outcome)
        at_ns = self._ground.now_ns() - self._ground.start_ns
        self._ground.recorder.write_now(LevelRow(at_ns=at_ns, outcome=outcome))
        why = f": {', '.join(outcome.stopped_by)}" if outcome.stopped_by else ""
        why += f": {outcome.reasons[0]}" if outcome.validity == "invalid" and outcome.reasons else ""
        self._ground.recorder.event(
            "info",
            "level_over",
            outcome.subject,
            f"level {outcome.number}: {outcome.concurrency} in flight {outcome.verdict}{why}; "
            f"{outcome.requests_per_s.value:.4g} requests/s",
        )

    async def _disturbed(self) -> bool:
        """Wait until what was in the way of a level is over; False: it was nothing that passes."""
        waits = self.steering.paused or bool(self._ground.recorder.blocked)
        while (self.steering.paused or self._ground.recorder.blocked) and not self.steering.draining:
            self._changed = anyio.Event()
            with anyio.move_on_after(1.0):
                await self._changed.wait()
        return waits or self._runner.disturbed in PASSING

    def _answered(self, subject: Subject, because: str) -> None:
        answer = self._search.answer(self._of(subject), because)
        self.answers.append(msgspec.structs.replace(answer, subject=subject.name))
        whose = f"{subject.name}: " if subject.name else ""
        self._ground.recorder.event("note", "answer", subject.name, whose + answer.line)

    def _of(self, subject: Subject) -> list[LevelOutcome]:
        return [level for level in self.levels if level.subject == subject.name]

    def _spent_text(self) -> str:
        seconds, requests, tokens = self._spent()
        return self._plan.budget.exhausted(seconds, requests, tokens)

    def _spent(self) -> tuple[float, int, int]:
        """Return what the search has spent, in earlier sessions as well."""
        earlier, runner = self._plan.levels, self._runner
        requests, tokens = runner.going_on
        return (
            sum(level.spent_s for level in earlier) + (self._ground.now_ns() - self._begun_ns) / NS_PER_S,
            sum(level.spent_requests for level in earlier) + runner.spent_requests + requests,
            sum(level.spent_tokens for level in earlier) + runner.spent_tokens + tokens,
        )

    def _off(self) -> frozenset[str]:
        return frozenset(lane.lane.id for lane in self._ground.lanes if lane.off)

    def _switched_text(self, lanes: Sequence[LaneRuntime]) -> str:
        """Say which lane is off that was on: levels with it and without it are not of the same thing."""
        gone = [lane.lane.id for lane in lanes if lane.off and lane.lane.id not in self._off_at_start]
        return f"{gone[0]} was switched off, and what was measured before had it" if gone else ""

    def _observe(self, row: RequestRow) -> None:
        self._runner.observe(row)

    def _obeyed(self, command: Course) -> None:
        self._changed.set()
        if isinstance(command, Drain | Stop):
            self._step = None
            self._runner.wake()

    async def inspect(self, lane_id: str) -> LaneDetail | Refused:
        """Return everything about one lane."""
        return self._ground.watching.inspect(lane_id)

    def recall(self) -> History | Refused:
        """Return the figures of the last minutes."""
        return self._ground.watching.recall()

    def look(self) -> Snapshot:
        """Return the picture now."""
        search = self._view()
        done = sum(self._ground.tally.requests.values())
        picture = self._ground.look(planned=done, done=done, queued=0, eta_s=search.eta_s)
        return msgspec.structs.replace(picture, search=search)

    def _view(self) -> SearchView:
        levels = self._of(self._subject)
        step = self._step
        passes, fails = self._search.ends(levels)
        seconds, requests, tokens = self._spent()
        left = None if step is None else self._search.levels_left(levels, step)
        budget = self._plan.budget
        return SearchView(
            kind="target" if self._search.kind == "target" else "ramp",
            model=self._plan.model,
            target_qps=self._search.target_qps,
            subjects=tuple(subject.name for subject in self._plan.subjects),
            subject=self._subject.name,
            stage="ends" if step is None else self._search.stage(levels, step),
            passes=passes,
            fails=fails,
            levels=tuple(self.levels),
            now=self._runner.now(),
            spent_s=seconds,
            spent_requests=requests,
            spent_tokens=tokens,
            most_s=budget.seconds,
            most_requests=budget.requests,
            most_tokens=budget.tokens,
            levels_left=left,
            eta_s=_eta_s(levels, left),
            answer=self.answers[-1].line if self.answers else "",
        )


def _eta_s(levels: Sequence[LevelOutcome], left: int | None) -> float | None:
    """Return the time that the levels to come will take, if they take what the last three did."""
    last = levels[-3:]
    if left is None or not last:
        return None
    return left * sum(level.spent_s for level in last) / len(last)
