"""The client of this product: one chat request in, one classified and timed result out."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import anyio
import httpx
import msgspec

from console.llm.body import PulledBody, Timing
from console.llm.classify import Failure, classify_exception, classify_response
from console.llm.dialects import Prepared, prepare
from console.llm.receiver import NEVER
from console.llm.result import not_read, not_sent, result_of
from console.llm.route import Route
from console.llm.stream import AnswerReader
from console.llm.transport import Transport
from console.vocabulary.chat import ChatRequest, ChatResult, Departure, Endpoint, Timeouts
from console.vocabulary.errors import ConsoleError, ExitCode
from console.vocabulary.outcome import Outcome
from console.vocabulary.safe_text import safe_line

_CLOSE_S = 1.0
_MAX_LIST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Target:
    """An endpoint with the part of its requests that never changes."""

    prepared: Prepared
    route: Route | None
    """None where the transport is not ours."""
    head: bytes = field(repr=False)
    """Request line and headers up to and with `Content-Length: `."""


class LlmClient:
    """Sends chat requests. What happens on the wire is never raised but classified in the result.

    With the transport of this product an answer is read inside the event loop's read callback. Any other httpx
    transport works too, on any loop that anyio knows: a simulator in this process, or httpx's `MockTransport`.
    """

    def __init__(
        self,
        *,
        timeouts: Timeouts,
        now_ns: Callable[[], int] = time.perf_counter_ns,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Send through `transport`, which is closed with the client; by default one of our own."""
        self._timeouts = timeouts
        self._now_ns = now_ns
        self._transport = Transport(now_ns=now_ns) if transport is None else transport
        self._targets: dict[Endpoint, _Target] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    @property
    def transport(self) -> httpx.AsyncBaseTransport:
        """What requests go through."""
        return self._transport

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def warm(self, endpoint: Endpoint) -> None:
        """See to it that a request can be sent without connecting first; that it cannot, its sending tells.

        Raises:
            ConsoleError: if the base URL of `endpoint` is none: nothing could ever be sent to it.
        """
        target = self._targets.get(endpoint)
        if target is None:
            target = self._targets[endpoint] = self._target(endpoint)
        if isinstance(self._transport, Transport) and target.route is not None:
            await self._transport.warm(target.route, connect_s=self._timeouts.connect)

    async def complete(
        self, endpoint: Endpoint, request: ChatRequest, departure: Departure | None = None
    ) -> ChatResult:
        """Send one request and wait for the whole answer.

        Cancelling it closes its connection and raises nothing but the cancellation.

        Args:
            endpoint: where to.
            request: what.
            departure: says when it may be sent, and is told when it is.

        Raises:
            ConsoleError: if the base URL of `endpoint` is none: nothing could ever be sent to it.
        """
        target = self._targets.get(endpoint)
        if target is None:
            target = self._targets[endpoint] = self._target(endpoint)
        timeouts = self._timeouts
        reader = AnswerReader(
            timeouts,
            start_ns=self._now_ns(),
            stream=request.stream,
            keep_content=request.keep_content,
            departure=departure,
        )
        try:
            body = target.prepared.body(request)
        except ValueError as problem:
            return not_sent(reader, problem, now_ns=self._now_ns())
        transport = self._transport
        try:
            if isinstance(transport, Transport) and target.route is not None:
                wire = b"%s%d\r\n\r\n%s" % (target.head, len(body), body)
                connect_s = min(timeouts.connect, timeouts.total)
                error = await transport.exchange(
                    target.route, wire, reader, connect_s=connect_s, departure=departure
                )
            else:
                error = await self._pull(target.prepared, body, reader)
            return result_of(
                reader,
                error,
                now_ns=self._now_ns(),
                timeouts=timeouts,
                secret_forms=target.prepared.secret_forms,
            )
        except Exception as problem:  # noqa: BLE001 - reported: no answer of one server may end a whole run
            return not_read(reader, problem, now_ns=self._now_ns())

    async def list_models(self, endpoint: Endpoint) -> tuple[str, ...]:
        """Return the ids that the server lists, sorted.

        Raises:
            ConsoleError: if it does not answer with such a list.
        """
        prepared = prepare(endpoint)
        where = f"{prepared.models_url.scheme}://{prepared.models_url.host}{prepared.models_url.path}"
        headers = [*prepared.headers[1:]]
        request = httpx.Request(
            "GET",
            prepared.models_url,
            headers=headers,
            extensions={"timeout": {"connect": self._timeouts.connect, "read": self._timeouts.idle}},
        )
        try:
            with anyio.fail_after(self._timeouts.total):
                status, answered, body = await self._fetch(request)
        except TimeoutError:
            message = f"no list of models within {self._timeouts.total:g} s"
            raise ConsoleError(message, where=where, exit_code=ExitCode.CHECK_FAILED) from None
        except httpx.HTTPError as problem:
            failure = classify_exception(problem, secret_forms=prepared.secret_forms)
            raise _no_list(where, failure) from None
        if status != 200:
            raise _no_list(
                where, classify_response(status, answered, body, secret_forms=prepared.secret_forms)
            )
        try:
            listed = msgspec.json.decode(body, type=_ModelList)
        except (ValueError, RecursionError):
            failure = Failure(Outcome.PROTOCOL, "the answer is not a list of models")
            raise _no_list(where, failure) from None
        return tuple(sorted({model.id for model in listed.data}))

    async def _fetch(self, request: httpx.Request) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        response = await self._transport.handle_async_request(request)
        try:
            body = bytearray()
            async with _pieces(response) as pieces:
                async for data in pieces:
                    body += data
                    if len(body) > _MAX_LIST_BYTES:
                        raise httpx.RemoteProtocolError("the answer is too large")
        finally:
            await response.aclose()
        return response.status_code, response.headers.raw, bytes(body)

    def _target(self, endpoint: Endpoint) -> _Target:
        prepared = prepare(endpoint)
        if not isinstance(self._transport, Transport):
            return _Target(prepared, None, b"")
        route = self._transport.route(prepared.url)
        lines = [
            b"POST %s%s HTTP/1.1\r\nHost: %s\r\n"
            % (route.target_prefix, prepared.url.raw_path, route.origin.host_header.encode("ascii"))
        ]
        lines.extend(b"%s: %s\r\n" % header for header in prepared.headers)
        lines.extend((route.proxy_headers, b"Content-Length: "))
        return _Target(prepared, route, b"".join(lines))

    async def _pull(self, prepared: Prepared, body: bytes, reader: AnswerReader) -> Exception | None:
        """Send through a transport that is not ours, and feed the reader with what it yields."""
        request = httpx.Request(
            "POST",
            prepared.url,
            headers=list(prepared.headers),
            content=body,
            extensions={"timeout": {"connect": self._timeouts.connect}},
        )
        if reader.departure is not None:
            # Nobody could tell when: what is waited for is the time.
            while wait_ns := reader.departure.claim(self._now_ns()):  # noqa: ASYNC110
                await anyio.sleep(wait_ns / 1e9)
        with anyio.CancelScope(deadline=self._deadline(reader.sent(self._now_ns()))) as scope:
            try:
                response = await self._transport.handle_async_request(request)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                return error
            try:
                return await self._pull_body(response, reader, scope)
            except (httpx.HTTPError, httpx.StreamError, ValueError) as error:
                return error
            finally:
                with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_S):
                    await response.aclose()
        return reader.expired(self._now_ns())

    async def _pull_body(
        self, response: httpx.Response, reader: AnswerReader, scope: anyio.CancelScope
    ) -> Exception | None:
        timing = response.extensions.get("timing")
        if isinstance(timing, Timing):
            reader.stamps.connect_start_ns = timing.connect_start_ns
            reader.stamps.connected_ns = timing.connected_ns
            reader.stamps.sent_ns = timing.sent_ns
            reader.reused = timing.reused
        else:
            reader.reused = False
        deadline_ns = reader.head(response.status_code, response.headers.raw, self._now_ns())
        scope.deadline = self._deadline(deadline_ns)
        if isinstance(response.stream, PulledBody):
            async with aclosing(response.stream.reads()) as reads:
                async for read_ns, data in reads:
                    scope.deadline = self._deadline(reader.body(data, read_ns))
        else:
            async with _pieces(response) as pieces:
                async for data in pieces:
                    scope.deadline = self._deadline(reader.body(data, self._now_ns()))
        reader.complete(self._now_ns())
        return None

    def _deadline(self, deadline_ns: int) -> float:
        """Translate a deadline of our clock into one of anyio's."""
        if deadline_ns >= NEVER:
            return float("inf")
        return anyio.current_time() + (deadline_ns - self._now_ns()) / 1e9


class _Model(msgspec.Struct):
    id: str


class _ModelList(msgspec.Struct):
    data: list[_Model]


def make_async_client(**kwargs: Any) -> httpx.AsyncClient:
    """Return an `httpx.AsyncClient` over our transport; `kwargs` are httpx's own, and win."""
    kwargs.setdefault("transport", Transport(trust_env=kwargs.get("trust_env", True)))
    return httpx.AsyncClient(**kwargs)


@asynccontextmanager
async def _pieces(response: httpx.Response) -> AsyncGenerator[AsyncIterator[bytes], None]:
    """Iterate over a body that may be left early: a generator is closed here and not by the garbage collector."""
    stream = response.stream
    if not isinstance(stream, httpx.AsyncByteStream):
        raise httpx.RemoteProtocolError("the transport gave a stream that is not asynchronous")
    pieces = aiter(stream)
    try:
        yield pieces
    finally:
        if isinstance(pieces, AsyncGenerator):
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_S):
                await pieces.aclose()


def _no_list(where: str, failure: Failure) -> ConsoleError:
    return ConsoleError(
        f"no list of models: {safe_line(failure.error, 300)}",
        where=where,
        hint="is the base URL right, and does the server serve /models?",
        exit_code=ExitCode.CHECK_FAILED,
    )
