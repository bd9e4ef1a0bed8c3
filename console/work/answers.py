"""What a model is told: results of its calls, and help where its reply held none.

No text here depends on the task, so none can give away which tools it needs.
"""

from __future__ import annotations

from typing import Final

import msgspec

from console.work.protocol import MOST_CALLS, Protocol
from console.work.reading import FINISH
from console.work.session import Call

RESULT_CHARS: Final = 800
"""A result is told in so many characters at most."""
_NOTE_CHARS: Final = 40
_QUOTED_CHARS: Final = 120

FINISHED: Final = '{"ok":true,"result":"the task is over"}'
OVER_LIMIT: Final = (
    f'{{"ok":false,"error":"NOT_MADE","message":"one reply may make {MOST_CALLS} calls at most"}}'
)
AFTER_FINISH: Final = f'{{"ok":false,"error":"NOT_MADE","message":"{FINISH} was called before it"}}'
AFTER_FAILURES: Final = (
    '{"ok":false,"error":"NOT_MADE","message":"too many calls in a row failed: the task is over"}'
)

_SILENT: Final[dict[Protocol, str]] = {
    "tools": f"This reply calls no tool. Call the next tool that you need, or {FINISH} if the ticket is done.",
    "text": (
        'This reply holds no action. Write one JSON object such as {"action": "tool_name", "arguments": '
        f'{{"parameter": "value"}}}}, with the action "{FINISH}" if the ticket is done.'
    ),
}
_ALONE: Final = "Nobody answers questions."
_EMPTY: Final = "This reply is empty."
_CUT: Final = "It was cut off at the greatest length of a reply: be brief."

_encode: Final = msgspec.json.Encoder().encode


class _Worked(msgspec.Struct, kw_only=True):
    ok: bool = True
    result: object


class _Failed(msgspec.Struct, kw_only=True):
    ok: bool = False
    error: str
    message: str


def shortened(text: str, limit: int) -> str:
    """Return `text` in at most `limit` characters, with a word on how many are left out."""
    if len(text) <= limit:
        return text
    kept = limit - _NOTE_CHARS
    return f"{text[:kept]}… ({len(text) - kept:,} characters left out)"


def told(call: Call) -> str:
    """Return what a call came to, as JSON unless it is too long."""
    answer = _Worked(result=call.result) if call.ok else _Failed(error=str(call.code), message=call.error)
    return shortened(_encode(answer).decode(), RESULT_CHARS)


def unreadable(arguments: str, *, cut: bool) -> str:
    """Return the answer to a call whose arguments are no JSON object."""
    message = f"the arguments are no JSON object: {shortened(arguments, _QUOTED_CHARS)}"
    return _encode(
        _Failed(error="INVALID_ARGUMENTS", message=f"{message}. {_CUT}" if cut else message)
    ).decode()


def help_for(protocol: Protocol, *, empty: bool, cut: bool) -> str:
    """Return the help for a reply without any call that can be read."""
    said = [_EMPTY] if empty else []
    said.append(_SILENT[protocol])
    said.append(_CUT if cut else _ALONE)
    return " ".join(said)
