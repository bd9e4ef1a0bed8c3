"""The simulated mind for tests: it recognises a tool-use test, and plays it through whichever protocol it is offered.

What it does is drawn from (seed, model, messages) alone, so a run can be repeated to the letter.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from console.sim.answers import Answer, answer_digest
from console.sim.conversation import Made, Ticket, calls_made, read_ticket
from console.sim.mind import Mind, make_mind
from console.vocabulary.chat import Message, ToolCall
from console.work.reading import FINISH
from console.work.task import Step

_TRIES: Final = 4
"""So often a call is made that fails by chance."""
_GARBLED: Final = 0.75
"""Share of replies that nobody can read, of a model that slips there."""
_MUSINGS: Final = (
    "I will look at the data first and then decide how to go on.",
    "Done so far as I can tell. The next thing would be to check what is there.",
    "To solve this I would need to use one of the tools, probably the first one.",
)
_AIMLESS: Final = Step("network_monitor", {"service": "weather"})
"""What a model calls that has lost its way; it works everywhere and helps nowhere."""


class TestPlayer:
    """Plays tool-use tests; leaves every other prompt to plain words."""

    __test__ = False

    def answer(
        self,
        *,
        seed: int,
        model: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, object]],
        max_tokens: int | None,
        skill: float,
    ) -> Answer | None:
        """Return the next calls, or `finish`: as they should be with a chance that grows with `skill`."""
        ticket = read_ticket(seed, messages)
        if ticket is None:
            return None
        mind = _mind(ticket, answer_digest(seed, model, messages[:2]), skill)
        rng = random.Random(answer_digest(seed, model, messages))
        if mind.slip == "tool_call_format" and rng.random() < _GARBLED:
            return Answer(text=rng.choice(_MUSINGS))
        steps = next_steps(mind, calls_made(messages)) or [Step(FINISH, {})]
        if tools:
            calls = (
                ToolCall(f"call_{rng.getrandbits(48):012x}", step.tool, json.dumps(step.arguments))
                for step in steps
            )
            return Answer(tool_calls=tuple(calls), finish_reason="tool_calls")
        return Answer(
            text="\n".join(json.dumps({"action": step.tool, "arguments": step.arguments}) for step in steps)
        )


def _mind(ticket: Ticket, digest: bytes, skill: float) -> Mind:
    return _minds(_ById(ticket), digest, skill)


class _ById:
    """A ticket that is compared by identity: tickets are kept, and comparing their worlds would cost more than a mind."""

    __slots__ = ("ticket",)

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket

    def __hash__(self) -> int:
        return id(self.ticket)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.ticket is self.ticket


@lru_cache(maxsize=8192)
def _minds(ticket: _ById, digest: bytes, skill: float) -> Mind:
    return make_mind(ticket.ticket, random.Random(digest), skill)


def next_steps(mind: Mind, made: Sequence[Made]) -> list[Step]:
    """Return what a model calls next, given its calls so far; nothing where it holds the task for done."""
    script = list(mind.script)
    place = tries = 0
    fell_back = not mind.gets_back
    for number, call in enumerate(made):
        if place >= len(script) or not _is(call, script[place]):
            continue
        if call.ok:
            place, tries = place + 1, 0
        elif call.by_chance:
            tries += 1
            if mind.slip == "timeout" or tries >= _TRIES:
                place, tries = place + 1, 0
        elif not fell_back:
            fell_back = True
            script, place, tries = [step for step in mind.true if not _done(step, made[:number])], 0, 0
        else:
            place, tries = place + 1, 0
    if mind.slip == "max_turns" and 2 * place >= len(script):
        return [_AIMLESS]
    return script[place : place + mind.at_once]


def _is(call: Made, step: Step) -> bool:
    return call.tool == step.tool and call.arguments == step.arguments


def _done(step: Step, made: Sequence[Made]) -> bool:
    return any(call.ok and _is(call, step) for call in made)
