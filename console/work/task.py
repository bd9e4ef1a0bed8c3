"""A task: the world it begins in, the plan that solves it, and the goal that this plan reaches."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from console.work.world import NAMED_BY_MODEL, Sections, World


class Step(msgspec.Struct, frozen=True):
    """One call of a plan."""

    tool: str
    arguments: dict[str, Any]

    @property
    def makes(self) -> tuple[str, ...]:
        """Names that later steps may go by: of its result, or of the file it writes."""
        names = ["output", "output_path"]
        if self.tool == "file_writer":
            names.append("path")
        return tuple(self.arguments[name] for name in names if name in self.arguments)


class Condition(msgspec.Struct, frozen=True):
    """One thing that has to hold at the end: an entry of the world, and its value."""

    section: str
    name: str
    value: Any

    def holds(self, world: World) -> bool:
        """Say whether it holds; of a step on the way only the content counts, not how the model called it."""
        entries = world[self.section]
        if self.section in NAMED_BY_MODEL:
            return self.value in entries.values()
        return self.name in entries and entries[self.name] == self.value


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One instance of a task type; the same for every model, prompt type, difficulty and phase."""

    task_type: str
    instance: int
    template: str
    """Which template of the type it was made from."""
    plan: tuple[Step, ...]
    """The calls that are needed, in an order that works."""
    start: Sections
    """The world before."""
    story: str
    """Why anybody asks for it, in the words of a business."""
    goal: tuple[Condition, ...]
    """What the plan has changed, when all of it is done."""

    @property
    def id(self) -> str:
        """`data_pipeline/7`."""
        return f"{self.task_type}/{self.instance}"

    @property
    def mark(self) -> str:
        """Return what tells it from the instance of the same id in another library or under another seed."""
        return hashlib.blake2b(msgspec.json.encode([self.id, self.plan]), digest_size=8).hexdigest()
