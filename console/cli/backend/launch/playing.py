"""Rehearsals and comparisons for the console, each in a process of its own: they would hold up the screen for seconds."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import msgspec

from console.screens.launch.command_line import arguments
from console.screens.launch.needs import Asked, PolicyRow, PolicyTable, Progress, Rehearsed
from console.vocabulary.errors import ConsoleError, ExitCode

_LAST_WORDS: Final = 20
"""Lines of complaints that are shown."""
_END_S: Final = 2.0
"""After a polite request the process is killed."""


class _Told(msgspec.Struct):
    """The head of each line that the process writes."""

    type: str


class _Reached(msgspec.Struct):
    name: str
    done: int
    planned: int
    virtual_s: float
    eta_s: float | None


class _Playing:
    """A command of ours whose JSON lines are read until it ends."""

    def __init__(self, command: list[str]) -> None:
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process has ended
        self._cancelled = False
        self._child = subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, "-P", "-m", "console", *command, "--json", "--progress"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            start_new_session=True,
        )

    def cancel(self) -> None:
        """End its process, as it has no other use."""
        self._cancelled = True
        if self._child.poll() is None:
            self._child.terminate()

    def result(self, tell: Callable[[Progress], None]) -> bytes:
        """Return the last line, the result.

        Raises:
            ConsoleError: if there is none, in the words of the process.
        """
        found = b""
        assert self._child.stdout is not None
        with self._child.stdout as lines:
            for line in lines:
                if msgspec.json.decode(line, type=_Told).type == "progress":
                    reached = msgspec.json.decode(line, type=_Reached)
                    tell(
                        Progress(
                            reached.done, reached.planned, reached.virtual_s, reached.eta_s, reached.name
                        )
                    )
                else:
                    found = line
        code = self._ended()
        said = self._said()
        if self._cancelled:
            raise ConsoleError("cancelled", exit_code=ExitCode.INTERRUPTED)
        if not found:
            raise ConsoleError(said or f"it ended with exit code {code} and said nothing")
        return found

    def _ended(self) -> int:
        try:
            return self._child.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.wait()

    def _said(self) -> str:
        with self._complaints as file:
            file.seek(0)
            text = file.read().decode(errors="replace").strip()
        return "\n".join(line.removeprefix("ultra-console: ") for line in text.splitlines()[-_LAST_WORDS:])


class PlayedRun:
    """A rehearsal of what is asked for."""

    def __init__(self, asked: Asked) -> None:
        """Begin; a run id means nothing to a rehearsal, which leaves nothing behind."""
        told = arguments(replace(asked, run_id=None))
        self._playing = _Playing(["run", *told, "--rehearse"])

    def wait(self, tell: Callable[[Progress], None]) -> Rehearsed:
        """Return the report."""
        from console.cli.rehearse import ends_at
        from console.rehearsal.report import Rehearsal
        from console.rehearsal.text import rehearsal_lines

        rehearsal = msgspec.json.decode(self._playing.result(tell), type=Rehearsal)
        return Rehearsed(
            lambda width: rehearsal_lines(rehearsal, width, ends_at),
            rehearsal.duration_s,
            rehearsal.unanswered,
        )

    def cancel(self) -> None:
        """End it."""
        self._playing.cancel()


class PlayedPolicies:
    """A comparison of the policies that apply."""

    def __init__(self, asked: Asked) -> None:
        """Begin; without a policy of its own, as `plan` refuses one beside others that it compares."""
        told = arguments(replace(asked, run_id=None, policy=None))
        self._playing = _Playing(["plan", *told, "--compare-policies"])

    def wait(self, tell: Callable[[Progress], None]) -> PolicyTable:
        """Return the table."""
        from console.rehearsal.compare import Comparison
        from console.rehearsal.compare_text import comparison_lines
        from console.rehearsal.spans_text import span_text

        comparison = msgspec.json.decode(self._playing.result(tell), type=Comparison)
        rows = tuple(
            PolicyRow(
                name=one.name,
                duration=span_text(one.rehearsal.duration_s),
                peak_qps=max((load.peak_qps for load in one.rehearsal.keys), default=0),
                in_flight=max((load.peak_in_flight for load in one.rehearsal.keys), default=0),
                models=max((load.models_at_once for load in one.rehearsal.keys), default=0),
                rate_limited=one.rehearsal.rate_limited,
                unanswered=one.rehearsal.unanswered,
                warnings=len(one.warnings),
                same_as=one.same_as,
            )
            for one in comparison.plans
        )
        return PolicyTable(
            rows, comparison.choose, comparison.why, lambda width: comparison_lines(comparison, width)
        )

    def cancel(self) -> None:
        """End it."""
        self._playing.cancel()
