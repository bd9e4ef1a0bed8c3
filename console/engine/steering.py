"""What a watcher or a signal may do to a run: pause, resume, drain, stop, switch, tune. Each one is an event of the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import anyio

from console.engine.recording import Recorder
from console.engine.valve import Valve
from console.vocabulary.command import (
    Accepted,
    Adapt,
    Command,
    Drain,
    Pause,
    Refused,
    Resume,
    Stop,
    Switch,
    Tune,
)
from console.vocabulary.snapshot import RunState

ENDED: Final = ("finished", "interrupted")
Course = Pause | Resume | Drain | Stop
"""Commands to the run as a whole."""
LEVEL_LIMITS: Final = (
    "a capacity level measures one load, so its limits stay as they are: stop it, and run another one"
)


class Steering:
    """The state of a run and the commands that change it."""

    def __init__(
        self,
        valve: Valve,
        recorder: Recorder,
        on_command: Callable[[Course], None],
        on_switch: Callable[[Switch], Accepted | Refused],
        on_tune: Callable[[Tune], Accepted | Refused] | None = None,
        on_adapt: Callable[[Adapt], Accepted | Refused] | None = None,
        *,
        recorded: bool = True,
    ) -> None:
        """Steer what `valve` lets through.

        Args:
            valve: closed by a pause.
            recorder: takes the events.
            on_command: told of every command that was taken.
            on_switch: switches lanes off and on, and records it.
            on_tune: changes limits, and records it; None: they stay as they are.
            on_adapt: switches adaptive mode of lanes on and off, and records it; None: there is none.
            recorded: whether commands are events of the journal; not in a process that another one steers.
        """
        self._valve = valve
        self._recorder = recorder
        self._on_command = on_command
        self._on_switch = on_switch
        self._on_tune = on_tune
        self._on_adapt = on_adapt
        self._recorded = recorded
        self._base: RunState = "starting"
        self.paused = False
        self.draining = False
        self.stopping = False
        self.scope = anyio.CancelScope()
        """Everything that `stop` cancels runs in it."""

    @property
    def state(self) -> RunState:
        """The one word for the run now."""
        if self._base in (*ENDED, "starting"):
            return self._base
        if self.stopping:
            return "stopping"
        if self._recorder.blocked:
            return "blocked"
        if self.draining:
            return "draining"
        return "paused" if self.paused else "running"

    def begin(self) -> None:
        """Note that the run has begun."""
        self._base = "running"

    def end(self) -> RunState:
        """Note that the run has ended, and return how: finished, or interrupted by drain or stop."""
        self._base = "interrupted" if self.draining or self.stopping else "finished"
        return self._base

    def obey(self, command: Command) -> Accepted | Refused:
        """Take a command, or say why not."""
        if self._base in ENDED:
            return Refused(f"the run has ended: {self._base}")
        if isinstance(command, Pause):
            return self._pause()
        if isinstance(command, Resume):
            return self._resume()
        if isinstance(command, Drain):
            return self.drain("asked for")
        if isinstance(command, Switch):
            return Refused("it ends already") if self.stopping else self._on_switch(command)
        if isinstance(command, Tune | Adapt):
            return self._change(command)
        return self.stop("asked for")

    def _change(self, command: Tune | Adapt) -> Accepted | Refused:
        if self.stopping:
            return Refused("it ends already")
        if self._on_tune is None or self._on_adapt is None:
            return Refused(LEVEL_LIMITS)
        return self._on_tune(command) if isinstance(command, Tune) else self._on_adapt(command)

    def _pause(self) -> Accepted | Refused:
        if self.draining or self.stopping:
            return Refused("it ends already")
        if self.paused:
            return Refused("it is paused already")
        self.paused = True
        self._valve.close("pause")
        self._took(Pause(), "warn", "pause", "paused: nothing new is sent")
        return Accepted("paused: what is in flight ends, nothing new is sent")

    def _resume(self) -> Accepted | Refused:
        if not self.paused:
            return Refused("it is not paused")
        self.paused = False
        self._valve.open("pause")
        self._took(Resume(), "info", "resume", "goes on")
        return Accepted("goes on")

    def drain(self, why: str) -> Accepted | Refused:
        """Start no further test and end when those begun are done; a paused run goes on for that."""
        if self.draining or self.stopping:
            return Refused("it ends already; `stop` ends it at once")
        self.draining = True
        self.paused = False
        self._valve.open("pause")
        self._took(Drain(), "warn", "drain", f"drains ({why}): finishes what is begun")
        return Accepted("finishes what is begun, then ends")

    def stop(self, why: str) -> Accepted | Refused:
        """Cancel what is in flight and end now."""
        if self.stopping:
            return Refused("it stops already")
        self.stopping = True
        self._took(Stop(), "warn", "stop", f"stops now ({why})")
        self.scope.cancel()
        return Accepted("stops now; what is finished is kept")

    def _took(self, command: Course, level: str, kind: str, text: str) -> None:
        if self._recorded:
            self._recorder.event(level, kind, "", text)
        self._on_command(command)
