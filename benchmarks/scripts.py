"""What the bench server answers, named by the first part of the path: `c50-t200-i20-log`.

So one server serves every case of a run, and any tool that takes a base URL can be sent to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

MODEL = "bench-model"
_NAME = re.compile(r"c(\d+)(?:-t(\d+(?:\.\d+)?))?(?:-i(\d+(?:\.\d+)?))?(-once)?(-log)?")
_PROMPT_TOKENS = 8
_HEAD = (
    b"HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Transfer-Encoding: chunked\r\nX-Request-Id: %d\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Script:
    """One answer, rendered beforehand; `%d` is the number of the request."""

    chunks: int
    ttft_ns: int
    itl_ns: int
    at_once: bool
    """Each chunk is still a write of its own, but all of them follow each other without a look at other streams."""
    log: bool
    head: bytes
    events: tuple[bytes, ...]
    """One content chunk each, in HTTP's chunk framing; each is one write."""
    tail: bytes
    """Usage, `[DONE]` and the end of the body. Its id carries the number of the request."""


def script_name(
    *, chunks: int, ttft_ms: float = 0, itl_ms: float = 0, at_once: bool = False, log: bool = False
) -> str:
    """Return the part of the path that asks for such answers; without chunks the answer is no stream."""
    return f"c{chunks}-t{ttft_ms:g}-i{itl_ms:g}" + ("-once" if at_once else "") + ("-log" if log else "")


def warm_url(base_url: str) -> str:
    """Return a base URL of the same server with the shortest answers: enough to open connections."""
    origin = base_url.removesuffix("/v1").rpartition("/")[0]
    return f"{origin}/{script_name(chunks=0)}/v1"


def read_script(name: str) -> Script | None:
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    chunks = int(found[1])
    tail = b""
    if chunks:
        tail = _frame(_event(_usage(chunks))) + _frame(b"data: [DONE]\n\n") + b"0\r\n\r\n"
    return Script(
        chunks=chunks,
        ttft_ns=int(float(found[2] or 0) * 1e6),
        itl_ns=int(float(found[3] or 0) * 1e6),
        at_once=found[4] is not None,
        log=found[5] is not None,
        head=_HEAD if chunks else _document(),
        events=tuple(_frame(_event(_content(index, chunks))) for index in range(chunks)),
        tail=tail,
    )


def _content(index: int, chunks: int) -> dict[str, object]:
    delta: dict[str, str] = {"content": " tok"}
    if index == 0:
        delta = {"role": "assistant", "content": " tok"}
    finish = "stop" if index == chunks - 1 else None
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {**_same("chatcmpl-bench", "chat.completion.chunk"), "choices": [choice], "usage": None}


def _usage(chunks: int) -> dict[str, object]:
    return {
        **_same("%016d", "chat.completion.chunk"),
        "choices": [],
        "usage": {
            "prompt_tokens": _PROMPT_TOKENS,
            "completion_tokens": chunks,
            "total_tokens": _PROMPT_TOKENS + chunks,
        },
    }


def _document() -> bytes:
    message = {"role": "assistant", "content": "tok"}
    body = msgspec.json.encode(
        {
            **_same("chatcmpl-bench", "chat.completion"),
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": _PROMPT_TOKENS, "completion_tokens": 1, "total_tokens": 9},
        }
    )
    return (
        b"HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/json\r\nContent-Length: "
        + str(len(body)).encode()
        + b"\r\nX-Request-Id: %d\r\n\r\n"
        + body
    )


def _same(identity: str, kind: str) -> dict[str, object]:
    return {"id": identity, "object": kind, "created": 1767225600, "model": MODEL}


def _event(payload: dict[str, object]) -> bytes:
    return b"data: " + msgspec.json.encode(payload) + b"\n\n"


def _frame(data: bytes) -> bytes:
    # `%016d` becomes sixteen digits, so that the length is known before the number is.
    length = len(data) + (11 if b"%016d" in data else 0)
    return b"%x\r\n%s\r\n" % (length, data)
