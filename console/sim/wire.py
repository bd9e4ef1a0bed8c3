"""Bytes of the wire: HTTP heads, JSON answers and stream events of both dialects."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from console.sim.answers import Piece, join_pieces
from console.sim.provider import AnswerPlan
from console.sim.rejection import Headers
from console.vocabulary.names import SIMULATED_HEADER
from console.vocabulary.simulated import SimBehaviour

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
DONE_EVENT = b"data: [DONE]\n\n"
NOT_FILTERED = {
    name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")
}


def head(status: int, headers: Headers, *, length: int | None, content_type: str, keep_alive: bool) -> bytes:
    """Return the head of a response; without `length` its body comes in chunks."""
    lines = [
        f"HTTP/1.1 {status} {REASONS[status]}",
        f"content-type: {content_type}",
        f"{SIMULATED_HEADER}: 1",
        "transfer-encoding: chunked" if length is None else f"content-length: {length}",
    ]
    lines += [f"{name}: {value}" for name, value in headers]
    if not keep_alive:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def json_response(
    status: int,
    headers: Headers,
    body: bytes,
    *,
    keep_alive: bool,
    with_body: bool = True,
    content_type: str = "application/json",
) -> bytes:
    """Return a whole response, with a JSON body if nothing else is said (`with_body` False: its head, as HEAD asks)."""
    top = head(status, headers, length=len(body), content_type=content_type, keep_alive=keep_alive)
    return top + body if with_body else top


def chunk(data: bytes) -> bytes:
    """Return `data` as one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def request_id_headers(behaviour: SimBehaviour, request_id: str) -> Headers:
    """Return the header in which this dialect names a request."""
    name = "apim-request-id" if behaviour.dialect == "azure" else "x-request-id"
    return ((name, request_id),)


def usage_of(plan: AnswerPlan) -> dict[str, object]:
    """Return the usage object of an answer."""
    return {
        "prompt_tokens": plan.prompt_tokens,
        "completion_tokens": plan.completion_tokens,
        "total_tokens": plan.prompt_tokens + plan.completion_tokens,
        "completion_tokens_details": {"reasoning_tokens": plan.reasoning_tokens},
        "prompt_tokens_details": {"cached_tokens": 0},
    }


def whole_answer(plan: AnswerPlan, *, azure: bool, answer_id: str, created: int) -> bytes:
    """Return the JSON body of an answer that is not streamed."""
    text, reasoning, calls = join_pieces(plan.pieces)
    message: dict[str, object] = {"role": "assistant", "content": None if calls and not text else text}
    if reasoning:
        message["reasoning_content"] = reasoning
    if calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in calls
        ]
    choice: dict[str, object] = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": plan.finish_reason,
    }
    answer: dict[str, object] = {
        "id": answer_id,
        "object": "chat.completion",
        "created": created,
        "model": plan.model,
        "choices": [choice],
        "usage": usage_of(plan),
    }
    if azure:
        choice["content_filter_results"] = NOT_FILTERED
        answer["prompt_filter_results"] = [{"prompt_index": 0, "content_filter_results": NOT_FILTERED}]
    return msgspec.json.encode(answer)


class StreamShape:
    """Turns the pieces of one answer into events; what is the same in each is written once."""

    __slots__ = ("_azure", "_encode", "_plan", "_prefix", "_suffix", "_usage")

    def __init__(
        self, plan: AnswerPlan, *, azure: bool, include_usage: bool, answer_id: str, created: int
    ) -> None:
        """Shape the events of `plan`; `include_usage` adds the usage chunk as `stream_options` asks."""
        self._plan = plan
        self._azure = azure
        self._usage = include_usage
        self._encode: Callable[[object], bytes] = msgspec.json.Encoder().encode
        common = self._encode(
            {"id": answer_id, "object": "chat.completion.chunk", "created": created, "model": plan.model}
        )
        self._prefix = b"data: " + common[:-1]
        self._suffix = b',"usage":null}\n\n' if include_usage else b"}\n\n"

    def opening(self) -> list[bytes]:
        """Return the events before the first token: Azure's prompt filter, and the role."""
        events: list[bytes] = []
        if self._azure:
            event = {
                "choices": [],
                "created": 0,
                "id": "",
                "model": "",
                "object": "",
                "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": NOT_FILTERED}],
            }
            events.append(b"data: " + self._encode(event) + b"\n\n")
        events.append(self._event(b'{"role":"assistant","content":""}', b"null"))
        return events

    def piece(self, piece: Piece) -> bytes:
        """Return the event of one token."""
        if piece.kind == "text":
            return self._event(b'{"content":' + self._encode(piece.text) + b"}", b"null")
        if piece.kind == "reasoning":
            return self._event(b'{"reasoning_content":' + self._encode(piece.text) + b"}", b"null")
        call: dict[str, object] = {"index": piece.call}
        if piece.kind == "call":
            call |= {
                "id": piece.call_id,
                "type": "function",
                "function": {"name": piece.text, "arguments": ""},
            }
        else:
            call["function"] = {"arguments": piece.text}
        return self._event(self._encode({"tool_calls": [call]}), b"null")

    def closing(self) -> list[bytes]:
        """Return the events after the last token: finish reason, usage where asked for, `[DONE]`."""
        events = [self._event(b"{}", self._encode(self._plan.finish_reason))]
        if self._usage:
            usage = self._encode(usage_of(self._plan))
            events.append(self._prefix + b',"choices":[],"usage":' + usage + b"}\n\n")
        events.append(DONE_EVENT)
        return events

    def _event(self, delta: bytes, finish_reason: bytes) -> bytes:
        return b'%b,"choices":[{"index":0,"delta":%b,"logprobs":null,"finish_reason":%b}]%b' % (
            self._prefix,
            delta,
            finish_reason,
            self._suffix,
        )


def model_list(names: Sequence[str], created: int) -> bytes:
    """Return the body of `/v1/models`."""
    data = [{"id": name, "object": "model", "created": created, "owned_by": "simulated"} for name in names]
    return msgspec.json.encode({"object": "list", "data": data})
