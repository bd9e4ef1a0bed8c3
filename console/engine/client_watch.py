"""Says while a run goes on when the client itself falls behind, and writes what it measured into the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import anyio

from console.engine.gates import NS_PER_S, NowNs
from console.engine.recording import Recorder
from console.engine.self_check import SelfCheck
from console.vocabulary.client_health import SEVERITY, ClientHealth, advice_text, judge_client
from console.vocabulary.rows import ClientRow

_TURN_S: Final = 1.0
LIVE_FLOOR: Final = 400
"""Fewest probes for a live verdict, 4 s of the last 10: the burst in which a run starts, when all connect at once
and no answer is due yet, keeps three or four of them waiting, and shall not cry wolf."""
ROW_EVERY_NS: Final = 10 * NS_PER_S
WORSE_AFTER: Final = 2
"""Judgements in a row before a worse verdict is told. Each looks back ten seconds."""
BETTER_AFTER: Final = 5
"""Judgements in a row before a better one is: a client at the edge shall not flap."""


class SteadyVerdict:
    """The verdict that is told: follows the judgements, but not every one of them."""

    def __init__(self) -> None:
        self.told: ClientHealth | None = None
        """With the figures of the last judgement that was as bad."""
        self._worse = 0
        self._better = 0

    def hear(self, health: ClientHealth) -> bool:
        """Take in a judgement; return whether another verdict is told from now on."""
        step = _rank(health) - _rank(self.told)
        self._worse = self._worse + 1 if step > 0 else 0
        self._better = self._better + 1 if step < 0 else 0
        if step != 0 and self._worse < WORSE_AFTER and self._better < BETTER_AFTER:
            return False
        self.told = health
        self._worse = self._better = 0
        return step != 0


def _rank(health: ClientHealth | None) -> int:
    """Return how much there is to say: nothing of what is valid or not known."""
    return SEVERITY[health.verdict] if health is not None and health.bad else 0


class ClientWatch:
    """Turns the seconds of a self-check for as long as its engine runs."""

    def __init__(
        self,
        check: SelfCheck,
        recorder: Recorder,
        now_ns: NowNs,
        ttft_p50_ms: Callable[[], float | None],
    ) -> None:
        self._check = check
        self._recorder = recorder
        self._now_ns = now_ns
        self._ttft_p50_ms = ttft_p50_ms
        self._verdict = SteadyVerdict()
        self._ended = False
        self._row_ns = now_ns()

    @property
    def health(self) -> ClientHealth | None:
        """What watchers are told; None: nobody measures, or the run has ended and its results tell."""
        return None if self._ended else self._verdict.told

    async def run(self) -> None:
        """Watch until cancelled; the last row is written then."""
        if not self._check.probed:
            return
        self._row_ns = self._now_ns()
        self._check.turn(self._row_ns)
        try:
            while True:
                await anyio.sleep(_TURN_S)
                self._turn()
        finally:
            self._ended = True
            self._check.turn(self._now_ns())
            self._write()

    def _turn(self) -> None:
        now_ns = self._now_ns()
        self._check.turn(now_ns)
        if now_ns - self._row_ns >= ROW_EVERY_NS:
            self._write()
        health = judge_client(self._check.recent(), self._ttft_p50_ms(), floor=LIVE_FLOOR)
        if not self._verdict.hear(health):
            return
        if health.bad:
            self._recorder.event("warn", "client_bound", "", advice_text(health))
        else:
            self._recorder.event("info", "client_bound", "", "the client keeps up again")

    def _write(self) -> None:
        self._row_ns = self._now_ns()
        self._recorder.write_now(
            ClientRow(
                at_ns=self._recorder.since_start(self._row_ns),
                measure=self._check.take(),
                probe=self._check.probe,
            )
        )
