"""The tools of one test while it is played: arguments are checked, failures drawn, calls kept."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import msgspec

from console.work.arguments import check_arguments
from console.work.registry import TOOLS
from console.work.task import Task
from console.work.world import Cause, ErrorCode, NotThere, ToolError, World


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a tool as it was made and what came of it."""

    turn: int
    tool: str
    """As the model wrote it; unknown ones too."""
    arguments: dict[str, Any]
    ok: bool
    result: Any = None
    """JSON value of a call that worked."""
    code: ErrorCode | None = None
    cause: Cause | None = None
    error: str = ""


class Session:
    """The world of one test, and the calls made in it."""

    def __init__(self, task: Task, *, seed: int, success_rate: float) -> None:
        """Begin in the start state of `task`.

        Args:
            task: the instance.
            seed: seed of the run, of which failures are drawn.
            success_rate: chance that a call which would work does.
        """
        self.task = task
        self.world = World(task.start)
        self.calls: list[Call] = []
        self._seed = seed
        self._success_rate = success_rate
        self._drawn: Counter[str] = Counter()
        self._made_by_plan = frozenset(name for step in task.plan for name in step.makes)

    def call(self, turn: int, tool_name: str, arguments: dict[str, Any]) -> Call:
        """Call a tool and keep what came of it."""
        made = self._call(turn, tool_name, arguments)
        self.calls.append(made)
        return made

    @property
    def goal_reached(self) -> bool:
        """Whether all conditions hold now."""
        return all(condition.holds(self.world) for condition in self.task.goal)

    @property
    def conditions_met(self) -> int:
        """How many conditions hold now."""
        return sum(condition.holds(self.world) for condition in self.task.goal)

    def _call(self, turn: int, tool_name: str, arguments: dict[str, Any]) -> Call:
        tool = TOOLS.get(tool_name)
        try:
            if tool is None:
                raise ToolError(
                    ErrorCode.INVALID_INPUT, f"there is no tool {tool_name!r}", Cause.UNKNOWN_TOOL
                )
            checked = check_arguments(tool, arguments)
            effect = tool.run(self.world, checked)
            if (code := self._chance(tool_name)) is not None:
                raise ToolError(
                    code, "the tool failed; the same call may work if it is made again", Cause.CHANCE
                )
        except ToolError as error:
            return Call(
                turn=turn,
                tool=tool_name,
                arguments=arguments,
                ok=False,
                code=error.code,
                cause=self._cause(error),
                error=error.text,
            )
        self.world.apply(effect)
        return Call(turn=turn, tool=tool_name, arguments=arguments, ok=True, result=effect.result)

    def _cause(self, error: ToolError) -> Cause:
        """Tell what has not been made yet from what is misnamed."""
        if isinstance(error, NotThere) and error.name in self._made_by_plan:
            return Cause.DEPENDENCY
        return error.cause

    def _chance(self, tool_name: str) -> ErrorCode | None:
        """Draw whether the next call of a tool that would work fails, and with which code.

        Drawn from (seed, instance, tool, how many such calls of it there were): the same for every prompt type,
        difficulty and model, and a call that fails at one success rate fails at every lower one.
        """
        self._drawn[tool_name] += 1
        text = f"tool-failure/{self._seed}/{self.task.id}/{tool_name}/{self._drawn[tool_name]}"
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        share = int.from_bytes(digest[:8], "big") / 2**64
        if share < self._success_rate:
            return None
        codes = TOOLS[tool_name].codes
        transient = [code for code in codes if code in _TRANSIENT]
        return transient[digest[8] % len(transient)]


_TRANSIENT = frozenset(
    {ErrorCode.OPERATION_FAILED, ErrorCode.TIMEOUT, ErrorCode.NETWORK_ERROR, ErrorCode.INVALID_RESPONSE}
)
"""Codes that say nothing of the arguments."""
