"""The small world in memory that the tools of a test act on, and how they fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

SECTIONS: Final = (
    "documents",
    "datasets",
    "results",
    "checks",
    "files",
    "services",
    "sessions",
    "connections",
    "routes",
    "health",
    "received",
    "queues",
    "jobs",
    "cache",
    "log",
    "tracked",
    "notified",
)
"""Parts of the world; each maps names to JSON values."""
NAMED_BY_MODEL: Final = frozenset({"documents", "datasets", "results", "checks"})
"""Parts whose entries are steps on the way: what counts is their content, whatever the model calls them.

A check goes by the name of what was checked, so it holds that content too.
"""

Sections = dict[str, dict[str, Any]]


class ErrorCode(StrEnum):
    """Codes of failed calls, as the original system has them."""

    INVALID_INPUT = "INVALID_INPUT"
    OPERATION_FAILED = "OPERATION_FAILED"
    TIMEOUT = "TIMEOUT"
    FILE_NOT_FOUND = "FILE_NOT_FOUND"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    NETWORK_ERROR = "NETWORK_ERROR"
    INVALID_RESPONSE = "INVALID_RESPONSE"
    CALCULATION_ERROR = "CALCULATION_ERROR"
    OVERFLOW = "OVERFLOW"


class Cause(StrEnum):
    """Why a call failed: what the model is to blame for, and what not."""

    CHANCE = "chance"
    """Drawn by the tool success rate: the same call may work the next time."""
    INPUT = "input"
    """Its arguments."""
    DEPENDENCY = "dependency"
    """What it needs had not been made before."""
    UNKNOWN_TOOL = "unknown_tool"


class ToolError(Exception):
    """A call fails for a reason of its own, and changes nothing."""

    def __init__(self, code: ErrorCode, text: str, cause: Cause = Cause.INPUT) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.cause = cause


class NotThere(ToolError):  # noqa: N818 - a fact about the world
    """A call speaks of something that is not in the world: misnamed, or not made yet. The session knows which."""

    def __init__(self, name: str, text: str, code: ErrorCode = ErrorCode.INVALID_INPUT) -> None:
        super().__init__(code, text, Cause.INPUT)
        self.name = name


class World:
    """The state that tools read and change. JSON values only, so that states can be compared and shown."""

    def __init__(self, start: Mapping[str, Mapping[str, Any]]) -> None:
        """Begin with the entries of `start`; sections that it lacks are empty.

        Values are shared with it: nobody changes a value in place, a call replaces it.
        """
        self.sections: Sections = {name: dict(start.get(name, {})) for name in SECTIONS}

    def __getitem__(self, section: str) -> dict[str, Any]:
        return self.sections[section]

    def apply(self, effect: Effect) -> None:
        """Make the changes of a call that worked."""
        for section, name, value in effect.changes:
            self.sections[section][name] = value


class Effect(msgspec.Struct, frozen=True):
    """What a call that works would change, and what it answers."""

    result: Any
    """JSON value."""
    changes: tuple[tuple[str, str, Any], ...] = ()
    """(section, name, new value)."""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool: what a model is told of it, and what it does."""

    name: str
    category: str
    description: str
    parameters: dict[str, Any]
    """JSON schema of its arguments: an object with `properties` and `required`."""
    needs: tuple[str, ...] = ()
    """Declared dependencies: tools of which one has to have made what it works on."""
    codes: tuple[ErrorCode, ...]
    """How it may fail."""
    run: Callable[[World, dict[str, Any]], Effect]
    """Works out what a call with checked arguments does, without changing the world; raises ToolError."""
