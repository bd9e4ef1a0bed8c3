"""One chat request, where it goes, and what came of it."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

from console.vocabulary.outcome import Outcome
from console.vocabulary.secret import Secret

Api = Literal["openai", "azure"]
Message = dict[str, Any]
"""One message in OpenAI's form: role, content, tool_calls, tool_call_id."""


class Timeouts(msgspec.Struct, frozen=True):
    """Deadlines of one request, in seconds."""

    connect: float = 10.0
    first_token: float = 60.0
    """From sent to the first content."""
    idle: float = 30.0
    """Between two reads after the first content."""
    total: float = 300.0


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where the requests of one lane go."""

    api: Api
    base_url: str
    """openai: up to and with `/v1`. azure: the resource, `https://name.openai.azure.com`."""
    deployment: str
    """Sent as `model` (openai) or in the path (azure)."""
    api_version: str | None = None
    secret: Secret | None = None


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, the same for every dialect."""

    messages: tuple[Message, ...]
    stream: bool = True
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    tools: tuple[dict[str, Any], ...] = ()
    ignore_eos: bool = False
    """Ask servers that can (vLLM, SGLang) to go on to `max_tokens`."""
    keep_content: bool = True
    """Assemble the text. False: only shapes, times and counts are read."""


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """A tool call as the model wrote it; `arguments` is its raw JSON text, valid or not."""

    id: str
    name: str
    arguments: str


class Stamps(msgspec.Struct, kw_only=True, gc=False):
    """Monotonic times of one request in ns; None: it did not get there. Only the client writes them."""

    connect_start_ns: int | None = None
    """None where a pooled connection was used."""
    connected_ns: int | None = None
    sent_ns: int | None = None
    """Just before the first byte of the request was written, on a connection ready to use."""
    headers_ns: int | None = None
    """The read that completed the response headers."""
    first_byte_ns: int | None = None
    """The read that brought the first byte of the body."""
    first_content_ns: int | None = None
    """The read with the first non-empty content, reasoning or tool delta. TTFT = this - sent."""
    first_output_ns: int | None = None
    """The same without reasoning."""
    last_content_ns: int | None = None
    """The usage chunk and the finish chunk are not in it."""
    end_ns: int | None = None
    """The answer was complete, or the request had failed."""


class Departure(Protocol):
    """When a request may be sent that keeps a rate: asked by the client, up to the last moment."""

    def wait_ns(self, now_ns: int) -> int:
        """Return for how long it has to wait still."""
        ...

    def claim(self, now_ns: int) -> int:
        """Return 0 if it is sent at once, which `sent` has to tell before anything is awaited; else, as above."""
        ...

    def sent(self, sent_ns: int) -> None:
        """Note that its first byte is about to leave; again, where a pooled connection turned out dead."""
        ...


class ChatResult(msgspec.Struct, kw_only=True, gc=False):
    """What came of one request. Never raised: failures are classified in `outcome`."""

    outcome: Outcome
    stamps: Stamps
    status: int | None = None
    error: str = ""
    """What went wrong, raw text of the server included: hostile, at most 2,000 characters."""
    error_code: str | None = None
    """The server's own code, such as `rate_limit_exceeded` or `insufficient_quota`."""
    retry_after_s: float | None = None
    """From `retry-after-ms`, else `retry-after` (seconds or date)."""
    content: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    chunks: int = 0
    """Stream events with non-empty content, reasoning or tool delta. Not tokens."""
    chunk_gaps_ns: tuple[int, ...] = ()
    """Gaps between successive such chunks, by the time of the read that brought them."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    response_model: str | None = None
    request_id: str | None = None
    """The server's id (`x-request-id`, `apim-request-id`)."""
    reused_connection: bool = False
    simulated: bool = False
    """The server said so itself."""
    rate_headers: dict[str, str] = {}
    """`x-ratelimit-*` as sent."""
