"""The task library: an endless list of instances for each task type, the same for ever.

An instance is drawn from (seed, task type, number) alone. Its goal is what its true plan changes in the world.
"""

from __future__ import annotations

import hashlib
import random
from functools import lru_cache
from typing import Final

from console.work.registry import TOOLS
from console.work.task import Condition, Step, Task
from console.work.templates import TEMPLATES
from console.work.themes import THEMES
from console.work.weave import Loom
from console.work.world import SECTIONS, Sections, World

LIBRARY: Final = "1"
"""Version of the library. Results of different versions are not comparable: whatever changes an instance raises it."""


def draw(*parts: object) -> random.Random:
    """Return a generator that depends on `parts` alone, on every machine and version."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=16).digest()
    return random.Random(int.from_bytes(digest, "big"))


@lru_cache(maxsize=4096)
def task_of(seed: int, task_type: str, instance: int) -> Task:
    """Return one instance. Templates take turns, so that any run of instances is a fair sample of them.

    Raises:
        KeyError: if there is no such task type.
    """
    templates = TEMPLATES[task_type]
    order = draw("library", LIBRARY, seed, task_type).sample(range(len(templates)), len(templates))
    tools = templates[order[(instance - 1) % len(order)]]
    rng = draw("library", LIBRARY, seed, task_type, instance)
    loom = Loom(rng.choice(THEMES), tools, rng)
    plan = tuple(loom.step(tool) for tool in tools)
    return Task(
        task_type=task_type,
        instance=instance,
        template=" > ".join(tools),
        plan=plan,
        start=loom.start,
        story=loom.theme.story,
        goal=goal_of(loom.start, plan),
    )


def goal_of(start: Sections, plan: tuple[Step, ...]) -> tuple[Condition, ...]:
    """Return what a plan changes: one condition for every entry of the world that is another one afterwards.

    Raises:
        ToolError: if the plan does not work.
    """
    world, before = World(start), World(start)
    for step in plan:
        world.apply(TOOLS[step.tool].run(world, step.arguments))
    return tuple(
        Condition(section, name, value)
        for section in SECTIONS
        for name, value in world[section].items()
        if before[section].get(name) != value
    )
