"""One level of a search on the engine: warm-up, a steady window, and a cool-down until nothing is in flight."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

import anyio
import msgspec

from console.capacity.gathered import Gathered
from console.capacity.measure import LevelAsked, gather, measure
from console.capacity.open_loop import achieved, queue_growth
from console.capacity.patience import enough, most_s
from console.capacity.search import Pace, Search
from console.capacity.server_metrics import ServerIn
from console.capacity.steady import NotSteady, Window, steady_window
from console.capacity.steps import Ask
from console.capacity.validity import validate, why_starved
from console.engine.drive import Drive
from console.engine.gates import NS_PER_S
from console.engine.lane_runtime import LaneRuntime
from console.engine.load_ground import LoadGround
from console.vocabulary.chat import ChatRequest
from console.vocabulary.client_health import ClientHealth, ClientMeasure, judge_client, merged_measures
from console.vocabulary.level import LevelOutcome, RuleOutcome
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow
from console.vocabulary.search_view import LevelNow, LevelStage

_PAUSED: Final = "paused"
_DISK_FULL: Final = "the disk took no rows"
PASSING: Final = (_PAUSED, _DISK_FULL)
"""What disturbs a level and passes: it is measured anew."""
_GROWN: Final = 1.25
"""Rows are looked at again when there are so many more: the cost of all looks together stays that of the last few."""
_LOOK_SHARE: Final = 0.02
"""Share of the time that looking may take; it holds up the loop that measures."""


class LevelSetting(msgspec.Struct, frozen=True, kw_only=True):
    """What all levels of a search have in common."""

    search: Search
    pace: Pace
    prompt: Callable[[int], ChatRequest]
    """Makes the prompt of a number; no number is used twice."""
    prompt_tokens: int = 0
    """Estimate of one prompt."""
    goodput: tuple[tuple[str, float], ...] = ()
    burstiness: float = 1.0
    server: ServerIn | None = None
    """What the server's own metrics say, since the run's start."""
    open_files: Callable[[], tuple[int, int]] | None = None
    """Returns how many descriptors the client has open, and how many it may."""
    lost: Callable[[], int] = lambda: 0
    """Returns how many processes that send requests have died."""


class LevelRunner:
    """Runs one level after another on the same ground."""

    def __init__(
        self, ground: LoadGround, setting: LevelSetting, rng: random.Random, first_prompt: int
    ) -> None:
        self._ground = ground
        self._setting = setting
        self._rng = rng
        self._prompts = first_prompt
        self._rows: list[RequestRow] = []
        self._driving: Drive | None = None
        self._level = Gathered(0)
        self._prefix = ""
        self._seconds: list[tuple[int, ClientMeasure]] = []
        self._ask: Ask | None = None
        self._number = 0
        self._subject = ""
        self._stage: LevelStage = "waiting"
        self._stage_ns = 0
        self._rules: tuple[RuleOutcome, ...] = ()
        self._ended = 0
        self._looked = (0, 0, 0)
        """Of the last look: how many rows there were, when, and how long it took."""
        self._most_files = (0, 0)
        self._ceased_ns = 0
        """When the level ceased to send; 0: it has not."""
        self._woken = anyio.Event()
        self.disturbed = ""
        """Why the last level says nothing; empty: it does."""
        self.spent_s = 0.0
        self.spent_requests = 0
        self.spent_tokens = 0
        """By levels that came to nothing, too."""

    def observe(self, row: RequestRow) -> None:
        """Take in a request row that is written."""
        if row.test.startswith(self._prefix):
            self._rows.append(row)
            self._level.add(row)

    def second(self, measure_of_it: ClientMeasure) -> None:
        """Take in what the client measured of itself in the last second."""
        self._seconds.append((self._since_start(), measure_of_it))

    def now(self) -> LevelNow | None:
        """Return the level that goes on; None: none."""
        if self._ask is None:
            return None
        return LevelNow(
            number=self._number,
            subject=self._subject,
            purpose=self._ask.purpose,
            concurrency=self._ask.concurrency,
            rate=self._ask.rate,
            stage=self._stage,
            stage_s=(self._ground.now_ns() - self._stage_ns) / NS_PER_S,
            ended=self._ended,
            at_most_s=None if self._ask.count is not None else most_s(self._ask, self._setting.pace),
            rules=self._rules,
        )

    @property
    def going_on(self) -> tuple[int, int]:
        """Requests and tokens that the level spends which goes on."""
        if self._ask is None:
            return 0, 0
        return len(self._level), self._level.spent_tokens

    async def run(
        self,
        ask: Ask,
        number: int,
        subject: str,
        lanes: Sequence[LaneRuntime],
        before: LevelOutcome | None,
        rest_s: float,
    ) -> LevelOutcome | None:
        """Measure one level; None: it came to nothing, and `disturbed` says why.

        Args:
            ask: what to measure.
            number: of the level in the search.
            subject: name of the set of lanes.
            lanes: through which it sends.
            before: the level before it, of the same subject.
            rest_s: for how long nothing is sent before, so that quota windows refill.
        """
        self._ask, self._number, self._subject = ask, number, subject
        self._rows, self._level, self._seconds, self._rules = [], Gathered(0), [], ()
        self._ended, self._looked, self.disturbed, self._most_files = 0, (0, 0, 0), "", (0, 0)
        self._prefix = f"level/{number}/"
        try:
            self._enter("waiting")
            if rest_s > 0:
                await self._rest(rest_s)
            begun_ns = self._since_start()
            self._level = gather(self._asked(ask, begun_ns, begun_ns))
            self._enter("warm-up")
            lost = self._setting.lost()
            drive = self._driving = self._drive(ask, lanes)
            ceased_ns = begun_ns
            async with anyio.create_task_group() as group:
                group.start_soon(self._watch, drive, ask, begun_ns)
                await drive.run()
                ceased_ns = self._ceased_ns or self._since_start()
                group.cancel_scope.cancel()
            self._count_spent(begun_ns)
            if self._ground.steering.draining:
                self.disturbed = "ended"
            if self._setting.lost() > lost:
                self.disturbed = "a client process died"
            if all(lane.off for lane in lanes):
                self.disturbed = "every lane is off"
            if self.disturbed or not self._rows:
                self.disturbed = self.disturbed or "nothing was sent"
                return None
            return self._outcome(ask, begun_ns, ceased_ns, before)
        finally:
            self._ask = None

    def _drive(self, ask: Ask, lanes: Sequence[LaneRuntime]) -> Drive:
        self._ceased_ns = 0
        return Drive(
            self._ground,
            lanes,
            self._next_prompt,
            lambda index: f"{self._prefix}{index}",
            concurrency=ask.concurrency,
            rate=ask.rate,
            count=ask.count,
            ramp_in_s=0.0 if ask.count is not None else self._setting.pace.ramp_in_s,
            burstiness=self._setting.burstiness,
            rng=self._rng,
        )

    def _next_prompt(self) -> tuple[int, ChatRequest]:
        index = self._prompts
        self._prompts += 1
        return index, self._setting.prompt(index)

    async def _rest(self, rest_s: float) -> None:
        self._woken = anyio.Event()
        with anyio.move_on_after(rest_s):
            await self._woken.wait()

    def wake(self) -> None:
        """End a rest before its time."""
        self._woken.set()

    async def _watch(self, drive: Drive, ask: Ask, begun_ns: int) -> None:
        """End the level when it is enough, or when something is in its way."""
        while not drive.ended:
            await anyio.sleep(self._setting.pace.look_every_s)
            self._look_at_files()
            if self._ground.steering.draining:
                drive.end()
            elif self._ground.steering.paused or self._ground.recorder.blocked:
                self.disturbed = _PAUSED if self._ground.steering.paused else _DISK_FULL
                drive.end()
            elif ask.count is None and self._is_enough(ask, begun_ns):
                drive.end()
        self._ceased_ns = self._since_start()
        self._enter("cool-down")

    def _is_enough(self, ask: Ask, begun_ns: int) -> bool:
        now_ns = self._since_start()
        elapsed_s = (now_ns - begun_ns) / NS_PER_S
        if elapsed_s >= most_s(ask, self._setting.pace):
            return True
        seen, looked_ns, cost_ns = self._looked
        if len(self._rows) < max(10, _GROWN * seen) or now_ns - looked_ns < cost_ns / _LOOK_SHARE:
            return False
        window = self._window(begun_ns, now_ns, ask)
        if isinstance(window, NotSteady):
            self._looked = (len(self._rows), now_ns, self._since_start() - now_ns)
            return False
        if self._stage == "warm-up":
            self._enter("sampling")
        outcome = self._measured(ask, begun_ns, now_ns, window)
        before, self._rules = (
            self._rules,
            self._setting.search.judge(outcome, self._server(window), self._health(window)),
        )
        self._ended = outcome.ended
        self._looked = (len(self._rows), now_ns, self._since_start() - now_ns)
        return enough(ask, self._setting.pace, outcome, self._rules, before, elapsed_s)

    def _window(self, begun_ns: int, until_ns: int, ask: Ask) -> Window | NotSteady:
        return steady_window(
            self._level,
            begun_ns,
            until_ns,
            concurrency=ask.concurrency if ask.rate is None else None,
            settled_after_ns=int(self._setting.pace.ramp_in_s * NS_PER_S),
        )

    def _outcome(self, ask: Ask, begun_ns: int, ceased_ns: int, before: LevelOutcome | None) -> LevelOutcome:
        """Put together what the level found, now that every request of it has ended."""
        ended_ns = self._since_start()
        found: Window | NotSteady = (
            _whole(self._rows) if ask.count is not None else self._window(begun_ns, ceased_ns, ask)
        )
        window = found.whole if isinstance(found, NotSteady) else found
        outcome = self._measured(ask, begun_ns, ended_ns, window)
        health = self._health(window)
        server = self._server(window)
        outcome = msgspec.structs.replace(
            outcome,
            rules=self._setting.search.judge(outcome, server or None, health),
            server=server,
        )
        validity, reasons = validate(
            outcome,
            window=found,
            health=health,
            before=before,
            disturbed=self.disturbed,
            starved_by=why_starved(self._rows, window, ask.concurrency),
            open_files=self._most_files if self._setting.open_files is not None else None,
            answered_before=Outcome.OK in self._ground.tally.requests
            or (before is not None and Outcome.OK in before.outcomes),
        )
        return msgspec.structs.replace(outcome, validity=validity, reasons=reasons)

    def _measured(self, ask: Ask, begun_ns: int, ended_ns: int, window: Window) -> LevelOutcome:
        outcome = measure(self._asked(ask, begun_ns, ended_ns), self._level, window)
        if ask.rate is None:
            return outcome
        due_ns = self._driving.due_ns if self._driving is not None else ()
        reached = achieved(self._rows, due_ns, window, ask.rate, outcome.in_flight)
        growth = queue_growth(self._rows, window)
        return msgspec.structs.replace(
            outcome,
            requests_per_s=outcome.requests_per_s if reached is None else reached,
            metrics={**outcome.metrics, **({} if growth is None else {"queue_growth": growth})},
        )

    def _asked(self, ask: Ask, begun_ns: int, ended_ns: int) -> LevelAsked:
        return LevelAsked(
            number=self._number,
            subject=self._subject,
            purpose=ask.purpose,
            concurrency=ask.concurrency,
            rate=ask.rate,
            goodput=self._setting.goodput,
            begun_ns=begun_ns,
            ended_ns=ended_ns,
            prompt_tokens=self._setting.prompt_tokens,
        )

    def _server(self, window: Window) -> dict[str, float]:
        return {} if self._setting.server is None else self._setting.server(window.from_ns, window.to_ns)

    def _health(self, window: Window) -> ClientHealth | None:
        """Return the verdict on the client in the window; None: nobody measured it."""
        measures = [one for at_ns, one in self._seconds if window.from_ns <= at_ns <= window.to_ns + NS_PER_S]
        if not measures:
            return None
        ttfts = sorted(row.ttft_ns / 1e6 for row in self._rows if row.ttft_ns is not None)
        return judge_client(merged_measures(measures), ttfts[len(ttfts) // 2] if ttfts else None)

    def _look_at_files(self) -> None:
        if self._setting.open_files is not None:
            self._most_files = max(self._most_files, self._setting.open_files())

    def _count_spent(self, begun_ns: int) -> None:
        requests, tokens = self.going_on
        self.spent_s += (self._since_start() - begun_ns) / NS_PER_S
        self.spent_requests += requests
        self.spent_tokens += tokens

    def _enter(self, stage: LevelStage) -> None:
        self._stage, self._stage_ns = stage, self._ground.now_ns()

    def _since_start(self) -> int:
        return self._ground.now_ns() - self._ground.start_ns


def _whole(rows: Sequence[RequestRow]) -> Window:
    return Window(min(row.at_ns for row in rows), 1 + max(row.at_ns + (row.total_ns or 0) for row in rows))
