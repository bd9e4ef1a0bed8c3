"""What can be done to a single step so that it is wrong, and still looks like one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from console.work.registry import TOOLS
from console.work.task import Step

_NAMES: Final = ("source", "dataset", "document", "start", "path", "service")
"""Parameters that say what a step works on."""
_MADE: Final = ("output", "output_path", *_NAMES)
_STRANGER: Final = "weather"
"""A service of every address book that no task needs."""


class Link(msgspec.Struct, frozen=True):
    """A parameter by which a step works on what an earlier one speaks of, and what could stand there."""

    place: int
    parameter: str
    others: tuple[str, ...]


def linked(plan: Sequence[Step]) -> list[Link]:
    """Return the links between the steps of a plan."""
    names = [str(step.arguments[name]) for step in plan for name in _MADE if name in step.arguments]
    pool = dict.fromkeys([*names, _STRANGER])
    links: list[Link] = []
    for place, step in enumerate(plan):
        before = {str(value) for earlier in plan[:place] for value in earlier.arguments.values()}
        for name in _NAMES:
            value = step.arguments.get(name)
            if value in before:
                others = tuple(other for other in pool if other != value)
                links.append(Link(place, name, others))
    return links


def relative(tool: str, rng: random.Random) -> str:
    """Return another tool of the same category."""
    category = TOOLS[tool].category
    return rng.choice([name for name, other in TOOLS.items() if other.category == category and name != tool])


def neighbour(tool: str, rng: random.Random) -> str:
    """Return a tool close by in the registry."""
    names = list(TOOLS)
    return names[(names.index(tool) + rng.choice((-2, -1, 1, 2))) % len(names)]


def adapted(step: Step, tool: str, rng: random.Random) -> Step:
    """Return a step that calls `tool` with what the arguments of `step` offer."""
    schema = TOOLS[tool].parameters
    texts = [value for value in step.arguments.values() if isinstance(value, str)]
    arguments: dict[str, Any] = {}
    for name in schema["required"]:
        form = schema["properties"][name]
        if name in step.arguments and "enum" not in form:
            arguments[name] = step.arguments[name]
        elif "enum" in form:
            arguments[name] = rng.choice(form["enum"])
        elif form.get("type") in ("number", "integer"):
            arguments[name] = rng.randint(2, 9)
        else:
            arguments[name] = rng.choice(texts) if texts else "data"
    return Step(tool, arguments)


def contrary(step: Step, rng: random.Random) -> Step:
    """Return the step with one argument that means something else, and is as well formed as before."""
    name = rng.choice([name for name in step.arguments if name not in ("output", "output_path")])
    return Step(step.tool, {**step.arguments, name: _otherwise(step, name, rng)})


def _otherwise(step: Step, name: str, rng: random.Random) -> Any:
    value, form = step.arguments[name], TOOLS[step.tool].parameters["properties"][name]
    if "enum" in form:
        return rng.choice([option for option in form["enum"] if option != value])
    if isinstance(value, int | float):
        most = form.get("maximum")
        return value + 1 if most is None or value < most else value - 1 if rng.random() < 0.5 else value * 10
    if name == "time":
        return f"{(int(value[:2]) + 7) % 24:02d}{value[2:]}"
    return f"{value}_{rng.choice(('old', 'v2', 'copy', 'new'))}"


def malformed(step: Step, rng: random.Random) -> Step:
    """Return the step with one argument in a form that no tool takes: a placeholder, a comment, a number in words."""
    name = rng.choice([name for name in step.arguments if name not in ("output", "output_path")])
    value, form = step.arguments[name], TOOLS[step.tool].parameters["properties"][name]
    if isinstance(value, int | float):
        wrong = f"about {value}"
    elif "enum" in form:
        wrong = f"{value} (default)"
    else:
        wrong = f"<{name}>"
    return Step(step.tool, {**step.arguments, name: wrong})


def shortened(step: Step, rng: random.Random) -> Step:
    """Return the step with some of its arguments left out."""
    required: list[str] = TOOLS[step.tool].parameters["required"]
    gone = rng.sample(required, max(1, len(required) // 2))
    return Step(step.tool, {name: value for name, value in step.arguments.items() if name not in gone})
