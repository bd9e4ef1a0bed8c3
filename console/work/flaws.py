"""Flawed plans: the true plan of a task, damaged in one of eleven ways and three severities.

Each flaw proposes damaged plans, in an order drawn from the task, and the first one counts that serves worse than the
true plan if it is followed blindly. So every flaw of every instance is one, and the same for every model.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from console.vocabulary.names import FLAWS, FLAWS_OF_SEED_003, SEVERITIES
from console.work.damage import adapted, contrary, linked, malformed, neighbour, relative, shortened
from console.work.library import draw
from console.work.session import Session
from console.work.task import Step, Task

Plan = tuple[Step, ...]
Damage = Callable[[Plan, str, random.Random], Iterator[Plan]]
"""Proposes damaged plans of a severity."""
_TRIES: Final = 60


def flawed_plan(task: Task, flaw: str, severity: str = "severe") -> Plan:
    """Return the plan of `task` with a flaw.

    Raises:
        KeyError: if there is no such flaw.
        ValueError: if none of its forms makes the plan worse; a test holds that this does not happen.
    """
    rng = draw("flaw", task.mark, flaw, severity)
    for damaged in islice(_DAMAGES[flaw](task.plan, severity, rng), _TRIES):
        if damaged != task.plan and serves_worse(task, damaged):
            return damaged
    raise ValueError(f"{task.id}: no plan with {flaw}@{severity} is worse than the true one")


def serves_worse(task: Task, plan: Plan) -> bool:
    """Say whether who follows `plan` blindly, with tools that never fail, misses the goal or calls more than is needed."""
    session = Session(task, seed=0, success_rate=1.0)
    for step in plan:
        session.call(1, step.tool, step.arguments)
    return not session.goal_reached or len(plan) > len(task.plan)


def _share(count: int, severity: str) -> int:
    """Return how many of `count` steps a severity damages: one, half, all."""
    return {"light": 1, "medium": math.ceil(count / 2), "severe": count}[severity]


def _replaced(plan: Plan, places: Sequence[int], change: Callable[[Step], Step]) -> Plan:
    return tuple(change(step) if place in places else step for place, step in enumerate(plan))


def _at_places(change: Callable[[Step, random.Random], Step]) -> Damage:
    """Damage as many steps as the severity says, each by itself."""

    def damage(plan: Plan, severity: str, rng: random.Random) -> Iterator[Plan]:
        while True:
            places = rng.sample(range(len(plan)), _share(len(plan), severity))
            yield _replaced(plan, places, lambda step: change(step, rng))

    return damage


def _sequence_disorder(plan: Plan, severity: str, rng: random.Random) -> Iterator[Plan]:
    """Two neighbours change places; the plan begins in the middle; the plan runs backwards."""
    places = rng.sample(range(1, len(plan)), len(plan) - 1)
    if severity == "light":
        for place in places:
            yield (*plan[: place - 1], plan[place], plan[place - 1], *plan[place + 1 :])
    if severity == "medium":
        for place in places:
            yield (*plan[place:], *plan[:place])
    yield plan[::-1]


def _tool_misuse(plan: Plan, severity: str, rng: random.Random) -> Iterator[Plan]:
    """Tools give way to others of their category."""
    count = {"light": 1, "medium": max(1, len(plan) // 2), "severe": len(plan) // 2 + 1}[severity]
    while True:
        places = rng.sample(range(len(plan)), count)
        yield _replaced(plan, places, lambda step: adapted(step, relative(step.tool, rng), rng))


def _missing_step(plan: Plan, severity: str, rng: random.Random) -> Iterator[Plan]:
    """A step is left out; half of those between first and last; all of them. Of two steps the first one goes."""
    between = len(plan) - 2
    count = {"light": 1, "medium": max(1, (between + 1) // 2), "severe": max(1, between)}[severity]
    inner = range(1, len(plan) - 1) if between else range(1)
    while True:
        places = rng.sample(inner, min(count, len(inner)))
        yield tuple(step for place, step in enumerate(plan) if place not in places)


def _redundant_operations(plan: Plan, severity: str, rng: random.Random) -> Iterator[Plan]:
    """Steps are there twice."""
    places = rng.sample(range(len(plan)), _share(len(plan), severity))
    yield tuple(step for place, one in enumerate(plan) for step in ([one, one] if place in places else [one]))


def _logical_inconsistency(plan: Plan, severity: str, rng: random.Random) -> Iterator[Plan]:
    """Steps work on something else than what the steps before made for them."""
    links = linked(plan)
    while True:
        chosen = rng.sample(links, _share(len(links), severity))
        damaged = list(plan)
        for link in chosen:
            step = damaged[link.place]
            other = rng.choice(link.others)
            damaged[link.place] = Step(step.tool, {**step.arguments, link.parameter: other})
        yield tuple(damaged)


def _semantic_drift(plan: Plan, severity: str, rng: random.Random) -> Iterator[Plan]:
    """From a step on each tool is a neighbour of the one before it: further and further from what is wanted."""
    first = {"light": len(plan) - 1, "medium": len(plan) // 2, "severe": min(2, len(plan) - 1)}[severity]
    while True:
        drifting = list(plan)
        tool = plan[first].tool
        for place in range(first, len(plan)):
            tool = neighbour(tool, rng)
            drifting[place] = adapted(plan[place], tool, rng)
        yield tuple(drifting)


def _contradictory_instructions(plan: Plan, severity: str, rng: random.Random) -> Iterator[Plan]:
    """After a step comes the same one with another will."""
    while True:
        places = rng.sample(range(len(plan)), _share(len(plan), severity))
        yield tuple(
            step
            for place, one in enumerate(plan)
            for step in ([one, contrary(one, rng)] if place in places else [one])
        )


_DAMAGES: Final[dict[str, Damage]] = {
    "sequence_disorder": _sequence_disorder,
    "tool_misuse": _tool_misuse,
    "parameter_error": _at_places(contrary),
    "missing_step": _missing_step,
    "redundant_operations": _redundant_operations,
    "logical_inconsistency": _logical_inconsistency,
    "semantic_drift": _semantic_drift,
    "incomplete_description": _at_places(shortened),
    "insufficient_detail": _at_places(lambda step, _: Step(step.tool, {})),
    "parameter_issues": _at_places(malformed),
    "contradictory_instructions": _contradictory_instructions,
}

assert set(_DAMAGES) == {*FLAWS, *FLAWS_OF_SEED_003}
assert SEVERITIES == ("light", "medium", "severe")


def read_prompt_type(prompt_type: str) -> tuple[str, str, str]:
    """Split a prompt type into its kind, flaw and severity: `flawed_missing_step@light` → flawed, missing_step, light."""
    bare, _, severity = prompt_type.partition("@")
    if not bare.startswith("flawed_"):
        return bare, "", ""
    return "flawed", bare.removeprefix("flawed_"), severity or "severe"
