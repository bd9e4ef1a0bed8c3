"""How a simulated model goes about a task: what it means to call, and the slip that it makes on the way.

All of it is drawn from (seed, model, opening), so that a test goes the same way at every tool success rate.
"""

from __future__ import annotations

import random
from typing import Final, Literal

import msgspec

from console.sim.conversation import Ticket
from console.work.damage import adapted, contrary, linked, relative
from console.work.task import Step

Slip = Literal[
    "tool_call_format",
    "tool_selection",
    "parameter_config",
    "sequence_order",
    "dependency",
    "timeout",
    "max_turns",
    "other",
]
SLIPS: Final[dict[Slip, float]] = {
    "tool_call_format": 1.0,
    "tool_selection": 2.0,
    "parameter_config": 3.0,
    "sequence_order": 1.0,
    "dependency": 1.5,
    "timeout": 1.0,
    "max_turns": 0.7,
    "other": 1.0,
}
"""What goes wrong where something does, by weight."""
_BY_PROMPT: Final = {"baseline": 1.25, "cot": 0.95, "plan": 0.5}
"""How often something goes wrong, as a multiple of what the skill leaves."""
_UNAIDED: Final = {"very_easy": 0.6, "easy": 0.8, "medium": 1.0, "hard": 1.4, "very_hard": 1.8}
_AIDED: Final = {"very_easy": 0.9, "easy": 0.95, "medium": 1.0, "hard": 1.05, "very_hard": 1.1}
"""The same by difficulty, without and with a plan at hand."""
_USUAL_LENGTH: Final = 4
_SEES_THROUGH: Final = 2.5
"""A flawed plan is seen through with chance skill to this power."""
_GETS_BACK: Final = 1.5
"""Whoever follows one gets back to the task after a failed call with chance skill to this power."""


class Mind(msgspec.Struct, frozen=True):
    """One model before one task."""

    script: tuple[Step, ...]
    """What it means to call, slip included."""
    true: tuple[Step, ...]
    """What it falls back on when it sees that it went wrong."""
    slip: Slip | None
    gets_back: bool
    """Whether it falls back at all."""
    at_once: int
    """Calls that it makes in one reply."""


def make_mind(ticket: Ticket, rng: random.Random, skill: float) -> Mind:
    """Draw how a model of `skill` (0 … 1) goes about a task; at 1 it does all as it should."""
    true = ticket.task.plan
    plan, following = true, False
    if ticket.shown is not None and ticket.shown != true and rng.random() >= skill**_SEES_THROUGH:
        plan, following = ticket.shown, True
    slip = _draw_slip(ticket, rng, skill)
    script = _slipped(plan, slip, rng) if slip is not None else plan
    # A slip is not seen by whoever makes it; a flawed plan may be.
    gets_back = following and rng.random() < skill**_GETS_BACK
    return Mind(tuple(script), true, slip, gets_back, 2 if rng.random() < 0.15 else 1)


def _draw_slip(ticket: Ticket, rng: random.Random, skill: float) -> Slip | None:
    aided = ticket.shown is not None
    prompt = "plan" if aided else "cot" if ticket.step_by_step else "baseline"
    by_difficulty = (_AIDED if aided else _UNAIDED)[ticket.difficulty]
    by_length = (len(ticket.task.plan) / _USUAL_LENGTH) ** 0.5
    chance = min(0.97, (1 - skill) * _BY_PROMPT[prompt] * by_difficulty * by_length)
    slip = rng.choices(list(SLIPS), list(SLIPS.values()))[0]
    return slip if rng.random() < chance else None


def _slipped(plan: tuple[Step, ...], slip: Slip, rng: random.Random) -> tuple[Step, ...]:
    """Return the plan with the slip in it, where it is one of what is called."""
    place = rng.randrange(len(plan))
    step = plan[place]
    if slip == "tool_selection":
        return (*plan[:place], adapted(step, relative(step.tool, rng), rng), *plan[place + 1 :])
    if slip == "parameter_config" and step.arguments:
        return (*plan[:place], contrary(step, rng), *plan[place + 1 :])
    if slip == "dependency":
        return (*plan[:place], *plan[place + 1 :]) if place < len(plan) - 1 else plan[1:]
    if slip == "sequence_order":
        return _disordered(plan, rng)
    if slip == "other":
        return plan[: max(1, place)] if len(plan) > 1 else ()
    return plan


def _disordered(plan: tuple[Step, ...], rng: random.Random) -> tuple[Step, ...]:
    """Let a step come before the one that it builds on, and work on what that one works on."""
    links = [link for link in linked(plan) if link.place]
    if not links:
        return plan[::-1]
    link = rng.choice(links)
    before, after = plan[link.place - 1], plan[link.place]
    given = before.arguments.get(link.parameter, after.arguments[link.parameter])
    early = Step(after.tool, {**after.arguments, link.parameter: given})
    return (*plan[: link.place - 1], early, before, *plan[link.place + 1 :])
