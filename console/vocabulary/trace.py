"""What was said in a test, turn by turn: the rows of `traces/`."""

from __future__ import annotations

import hashlib
from typing import Final, Literal

import msgspec

from console.vocabulary.chat import ToolCall
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Verdict

Traces = Literal["none", "hashes", "full"]
"""What a run keeps of what was said: nothing, lengths and hashes in place of texts, or all of it."""


_NOT_TRIED: Final = ("unknown_tool:", "format:", "not made:")
"""Why a call failed that does not show whether there is such a tool."""


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


def without_content(trace: TraceRow) -> TraceRow:
    """Return a trace that tells who spoke and which tools were called, but not what was said.

    The same text has the same mark, so that prompts of several tests can still be held against each other. A name that
    is no tool's is the model's own words, and marked as well.
    """
    tools = {one.tool for one in trace.said if one.tool and not one.failed.startswith(_NOT_TRIED)}
    return msgspec.structs.replace(
        trace,
        said=tuple(
            msgspec.structs.replace(
                one,
                content=text_mark(one.content),
                reasoning=text_mark(one.reasoning),
                calls=tuple(
                    msgspec.structs.replace(
                        call,
                        name=call.name if call.name in tools else text_mark(call.name),
                        arguments=text_mark(call.arguments),
                    )
                    for call in one.calls
                ),
                tool=one.tool if one.tool in tools else text_mark(one.tool),
            )
            for one in trace.said
        ),
    )


def text_mark(text: str) -> str:
    """Return length and hash of a text; nothing for no text."""
    if not text:
        return ""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"<{len(text)} characters, blake2b {digest}>"
