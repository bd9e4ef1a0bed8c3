"""One reply of a model, taken apart: the calls it asks for, and the message that goes back to the server.

That message has to be valid for every server, whatever the model wrote: names in the characters that OpenAI allows,
arguments that are a JSON object (some templates read them), ids that are there once, and no empty content.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from console.vocabulary.chat import ChatResult, Message, ToolCall
from console.work.context import short_arguments
from console.work.protocol import Protocol
from console.work.reading import Arguments, known_name, read_actions, read_arguments, spoken
from console.work.tolerant_json import MOST_CHARS, encodable

MOST_KEPT: Final = 12
"""Native calls of one reply that are sent back and answered; the others are as if they had not been written."""
REPLY_CHARS: Final = 4_000
"""A model's text is sent back in so many characters at most: its begin and its end."""
_BEGIN_CHARS: Final = 1_000
_ARGUMENTS_CHARS: Final = 2_000
_NAME_CHARS: Final = 64
_ID_CHARS: Final = 40
_NO_TEXT: Final = "(no text)"
_FORBIDDEN: Final = re.compile(r"[^a-zA-Z0-9_-]")
_PLAIN_ID: Final = re.compile(r"[!-~]{1,40}\Z")

_encode: Final = msgspec.json.Encoder().encode


class Wanted(msgspec.Struct, frozen=True):
    """One call that a reply asks for."""

    name: str
    """Of the tool: as we call it, or as the model wrote it where there is none."""
    arguments: dict[str, Any] | None
    """None: unreadable."""
    written: ToolCall
    """As the model wrote it; with the id under which it is answered."""


class Reply(msgspec.Struct, frozen=True):
    """What a reply comes to."""

    wanted: tuple[Wanted, ...]
    native: bool
    """Whether its calls are answered by messages of tools, or by one of the user."""
    message: Message
    """What goes back to the server."""
    empty: bool
    """It says nothing at all."""
    cut: bool
    """It ended at the greatest length of a reply."""
    repaired: int = 0
    """Calls that were not written as asked, and understood nevertheless."""


class ReplyReader:
    """Reads the replies of one test, whose ids it keeps apart."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol: Protocol = protocol
        self._ids: set[str] = set()
        self._made_up = 0

    def read(self, result: ChatResult) -> Reply:
        """Take one reply apart."""
        text = encodable(spoken(result.content))
        cut = result.finish_reason == "length"
        if self._protocol == "tools" and result.tool_calls:
            return self._native(text, result.tool_calls[:MOST_KEPT], cut=cut)
        wanted = tuple(
            Wanted(action.name, action.arguments, ToolCall("", action.name, action.written))
            for action in read_actions(text, cut=cut, known_only=self._protocol == "tools")
        )
        repaired = len(wanted) if self._protocol == "tools" else 0
        if not wanted and result.tool_calls:
            # A server that reads calls although no tools were offered: told back as the text that was asked for.
            read = self._all_wanted(result.tool_calls[:MOST_KEPT], cut=cut, with_ids=False)
            wanted = tuple(one for one, _ in read)
            text, repaired = "\n".join(map(_as_text, wanted)), len(wanted)
        return Reply(
            wanted=wanted,
            native=False,
            message={"role": "assistant", "content": _kept(text) or _NO_TEXT},
            empty=not text,
            cut=cut,
            repaired=repaired,
        )

    def _native(self, text: str, calls: tuple[ToolCall, ...], *, cut: bool) -> Reply:
        wanted: list[Wanted] = []
        sent_back: list[dict[str, Any]] = []
        repaired = 0
        for read, exact in self._all_wanted(calls, cut=cut):
            wanted.append(read)
            repaired += read.arguments is not None and not exact
            sent_back.append(_as_call(read, exact=exact))
        message: Message = {"role": "assistant", "content": _kept(text) or None, "tool_calls": sent_back}
        return Reply(
            wanted=tuple(wanted), native=True, message=message, empty=False, cut=cut, repaired=repaired
        )

    def _all_wanted(
        self, calls: tuple[ToolCall, ...], *, cut: bool, with_ids: bool = True
    ) -> list[tuple[Wanted, bool]]:
        """Return what native calls ask for, and whether each is written as asked.

        Reading what is no JSON takes its time, so all of them together are read as far as one text would be.
        """
        left = MOST_CHARS
        found: list[tuple[Wanted, bool]] = []
        for number, call in enumerate(calls, 1):
            left -= len(call.arguments)
            cut_off = cut and number == len(calls)
            arguments, exact = (
                read_arguments(call.arguments, cut=cut_off) if left >= 0 else Arguments(None, exact=False)
            )
            name = encodable(call.name)
            tool = known_name(name)
            call_id = self._id(call.id) if with_ids else ""
            written = ToolCall(call_id, name, encodable(call.arguments))
            found.append(
                (Wanted(tool or name[:_NAME_CHARS], arguments, written), exact and tool in (name, None))
            )
        return found

    def _id(self, given: str) -> str:
        """Return the id of a call: the server's, if it is one and new; else nine letters and digits, as Mistral's are."""
        if _PLAIN_ID.match(given) is not None and given not in self._ids:
            self._ids.add(given)
            return given
        while True:
            self._made_up += 1
            made_up = f"call{self._made_up:05d}"
            if made_up not in self._ids:
                self._ids.add(made_up)
                return made_up


def _as_call(wanted: Wanted, *, exact: bool) -> dict[str, Any]:
    if wanted.arguments is None:
        arguments = "{}"  # what was written is quoted in the answer
    else:
        arguments = wanted.written.arguments if exact else _encode(wanted.arguments).decode()
    name = _FORBIDDEN.sub("_", wanted.name)[:_NAME_CHARS] or "unnamed"
    return {
        "id": wanted.written.id,
        "type": "function",
        "function": {"name": name, "arguments": short_arguments(arguments, _ARGUMENTS_CHARS)},
    }


def _as_text(wanted: Wanted) -> str:
    return _encode({"action": wanted.name, "arguments": wanted.arguments or {}}).decode()


def _kept(text: str) -> str:
    if len(text) <= REPLY_CHARS:
        return text
    left_out = len(text) - REPLY_CHARS
    return (
        f"{text[:_BEGIN_CHARS]}\n… ({left_out:,} characters left out) …\n{text[_BEGIN_CHARS - REPLY_CHARS :]}"
    )
