"""Options that several commands share, as one value: declared at one place, and handed over as a dataclass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import wraps
from typing import Any

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


def option_group(kind: type[Any], name: str, options: Sequence[Decorator]) -> Decorator:
    """Return a decorator that adds options to a command, which gets them together.

    Args:
        kind: the dataclass that holds them, a field an option.
        name: what the command calls it.
        options: of click, in the order of the help.
    """

    def add(command: Command) -> Command:
        @wraps(command)
        def with_group(**given: Any) -> Any:
            mine = {field.name: given.pop(field.name) for field in fields(kind)}
            return command(**{name: kind(**mine)}, **given)

        made: Command = with_group
        for option in reversed(options):
            made = option(made)
        return made

    return add
