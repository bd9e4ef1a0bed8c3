"""What can be done now, by name: made from the bindings of the screen in front and of the app."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textual.dom import DOMNode
from textual.screen import Screen

from console.screens.help import key_name


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that can be done."""

    name: str
    keys: tuple[str, ...]
    """As they stand on the keyboard; none: only from the palette."""
    action: str
    node: DOMNode
    """On which the action is run."""


def commands_of(screen: Screen[Any]) -> list[Command]:
    """Return what the bindings in force do, those of the screen first."""
    found: dict[tuple[str, str], Command] = {}
    for active in sorted(screen.active_bindings.values(), key=lambda active: active.node is not screen):
        binding = active.binding
        name = binding.tooltip
        if not active.enabled or binding.system or not name:
            continue  # moving about is not done by name
        before = found.get((name, binding.action))
        keys = (*before.keys, key_name(binding.key)) if before else (key_name(binding.key),)
        keys = tuple(sorted(keys, key=len))
        found[name, binding.action] = Command(name, keys, binding.action, active.node)
    return list(found.values())


def matching(commands: Sequence[Command], typed: str) -> list[Command]:
    """Return the commands whose names have the letters of `typed` in this order, the closest first."""
    ranked = [
        (rank, place, command)
        for place, command in enumerate(commands)
        if (rank := _rank(command, typed)) is not None
    ]
    return [command for _, _, command in sorted(ranked, key=lambda found: found[:2])]


def _rank(command: Command, typed: str) -> tuple[int, int] | None:
    wanted, name = "".join(typed.casefold().split()), command.name.casefold()
    if not wanted:
        return (0, 0)
    if typed.strip() in command.keys:
        return (0, 0)
    words = name.split()
    if name.startswith(typed.casefold()):
        return (1, 0)
    if any(word.startswith(typed.casefold().strip()) for word in words):
        return (2, 0)
    at = name.find(typed.casefold().strip())
    if at >= 0:
        return (3, at)
    place, first = -1, 0
    for letter in wanted:
        place = name.find(letter, place + 1)
        if place < 0:
            return None
        first = first or place
    return (4, place - first)
