"""What was said in a test, turn by turn: the rows of `traces/`."""

from __future__ import annotations

import msgspec

from console.vocabulary.chat import ToolCall
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Verdict


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message. Texts come from models: hostile."""

    turn: int
    """0: the prompt; else the turn whose reply it is, or which it answers."""
    role: str
    """system | user | assistant | tool."""
    content: str = ""
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    """What the model called, as it wrote it."""
    tool: str = ""
    """Of a tool's answer: its name."""
    failed: str = ""
    """Of a tool's answer: why it failed, as `cause: code`; empty: it did not."""


class TraceRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="trace", tag_field="type"):
    """All that was said in one attempt of a test; written before the test's row."""

    test: str
    attempt: int = 1
    lane: Lane
    verdict: Verdict
    said: tuple[Said, ...] = ()
