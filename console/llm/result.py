"""What came of one request: the reader's findings and the transport's error as a `ChatResult`."""

from __future__ import annotations

from typing import Final

import httpx

from console.llm.chunks import MalformedError, Usage, is_count
from console.llm.classify import (
    Failure,
    classify_error_object,
    classify_exception,
    classify_response,
    redact,
    unreadable,
)
from console.llm.receiver import Header
from console.llm.stream import AnswerReader, Phase
from console.vocabulary.chat import ChatResult, Timeouts, ToolCall
from console.vocabulary.names import SIMULATED_HEADER
from console.vocabulary.outcome import Outcome

_SIMULATED = SIMULATED_HEADER.encode("ascii")
_RATE_PREFIX: Final = b"x-ratelimit-"
_REQUEST_IDS = {b"x-request-id": 0, b"apim-request-id": 1, b"x-ms-request-id": 2, b"request-id": 3}
"""With their ranks: the first of these that is there is the one to ask a provider about."""
_BEGINNINGS: Final = frozenset(
    name[: len(_RATE_PREFIX)] for name in (_RATE_PREFIX, _SIMULATED, *_REQUEST_IDS)
)
"""Of the headers that are kept, so that one look passes over each of the others."""
_MAX_NAME_CHARS: Final = 200
"""Of a model, a request id and a header: they are in every row."""
_MAX_REASON_CHARS: Final = 64
_MAX_MALFORMED_CHARS: Final = 300
_MAX_RATE_HEADERS: Final = 32
_MIN_SECRET_CHARS: Final = 8
"""A shorter key (`x`, `EMPTY`: what servers without keys are given) is a word like others in what a model writes."""
_OK = Failure(Outcome.OK, "")


def result_of(
    reader: AnswerReader,
    error: Exception | None,
    *,
    now_ns: int,
    timeouts: Timeouts,
    secret_forms: tuple[str, ...],
) -> ChatResult:
    """Put together what is known of a request that has ended.

    Args:
        reader: what took the answer.
        error: what ended the exchange, if it did not end by itself.
        now_ns: the end, where the answer has none of its own.
        timeouts: for the words of a timeout.
        secret_forms: texts that must not be shown.
    """
    if error is None:
        try:
            reader.settle()
        except ValueError as problem:
            error = problem
    failure = _failure(reader, error, timeouts, secret_forms)
    stamps = reader.stamps
    if stamps.end_ns is None or (failure is not _OK and not reader.ended):
        stamps.end_ns = now_ns
    result = ChatResult(
        outcome=failure.outcome,
        stamps=stamps,
        status=reader.status,
        error=failure.error,
        error_code=failure.error_code,
        retry_after_s=failure.retry_after_s,
        content=reader.content,
        reasoning=reader.reasoning,
        tool_calls=reader.tool_calls,
        finish_reason=reader.finish_reason,
        chunks=reader.chunks,
        chunk_gaps_ns=tuple(reader.gaps_ns),
        response_model=reader.model,
        reused_connection=reader.reused and stamps.sent_ns is not None,
    )
    if reader.usage is not None:
        _take_usage(result, reader.usage)
    _take_headers(result, reader.headers)
    _make_keepable(result, secret_forms)
    return result


def not_read(reader: AnswerReader, error: Exception, *, now_ns: int) -> ChatResult:
    """Return the result of a request whose answer made our own reading fail."""
    reader.stamps.end_ns = now_ns
    return ChatResult(
        outcome=Outcome.PROTOCOL, stamps=reader.stamps, status=reader.status, error=unreadable(error)
    )


def not_sent(reader: AnswerReader, error: Exception, *, now_ns: int) -> ChatResult:
    """Return the result of a request that could not even be written down."""
    reader.stamps.end_ns = now_ns
    text = f"the request cannot be sent: {error}"[:2000]
    return ChatResult(outcome=Outcome.BAD_REQUEST, stamps=reader.stamps, error=text)


def _failure(
    reader: AnswerReader, error: Exception | None, timeouts: Timeouts, secret_forms: tuple[str, ...]
) -> Failure:
    """Decide the outcome. What the server said goes before how the exchange ended."""
    if reader.status is not None and not 200 <= reader.status < 300:
        body = b"".join(reader.document or ())
        return classify_response(reader.status, reader.headers, body, secret_forms=secret_forms)
    if reader.error_object is not None:
        return classify_error_object(reader.error_object, secret_forms=secret_forms)
    if isinstance(error, MalformedError):
        failure = classify_exception(error, secret_forms=secret_forms)
        return Failure(failure.outcome, redact(failure.error, (), _MAX_MALFORMED_CHARS))
    if reader.whole:
        if reader.finish_reason == "content_filter":
            return Failure(Outcome.CONTENT_FILTER, "the answer was cut by the server's content filter")
        return _OK
    if reader.expired_phase is not None:
        return _timeout(reader.expired_phase, timeouts)
    if error is not None:
        return _broken(reader, error, secret_forms)
    if not reader.answered:
        return Failure(Outcome.PROTOCOL, "the answer holds no choices")
    return Failure(Outcome.PROTOCOL, "the stream ended without [DONE] and without a finish_reason")


def _timeout(phase: Phase, timeouts: Timeouts) -> Failure:
    if phase is Phase.TOTAL:
        return Failure(Outcome.TIMEOUT_TOTAL, f"not complete within {timeouts.total:g} s")
    if phase is Phase.IDLE:
        return Failure(
            Outcome.TIMEOUT_IDLE, f"nothing came for {timeouts.idle:g} s in the middle of the answer"
        )
    return Failure(Outcome.TIMEOUT_FIRST_TOKEN, f"no content within {timeouts.first_token:g} s")


def _broken(reader: AnswerReader, error: Exception, secret_forms: tuple[str, ...]) -> Failure:
    failure = classify_exception(error, secret_forms=secret_forms)
    if failure.outcome is Outcome.CONNECTION and reader.chunks and isinstance(error, httpx.NetworkError):
        return Failure(Outcome.CONNECTION, f"connection lost after {reader.chunks} chunks: {failure.error}")
    return failure


def _take_usage(result: ChatResult, usage: Usage) -> None:
    result.prompt_tokens = _count(usage.prompt_tokens)
    result.completion_tokens = _count(usage.completion_tokens)
    if usage.completion_tokens_details is not None:
        result.reasoning_tokens = _count(usage.completion_tokens_details.reasoning_tokens)
    if usage.prompt_tokens_details is not None:
        result.cached_tokens = _count(usage.prompt_tokens_details.cached_tokens)


def _count(value: int | None) -> int | None:
    """Leave out what cannot be a count: one such number would spoil the sums of a whole run."""
    return value if is_count(value) else None


def _take_headers(result: ChatResult, headers: list[Header]) -> None:
    """Keep the few headers that are worth it; the others may hold anything."""
    rank = len(_REQUEST_IDS)
    rates: dict[str, str] = {}
    for raw_name, raw_value in headers:
        if raw_name[: len(_RATE_PREFIX)].lower() not in _BEGINNINGS:
            continue
        name = raw_name.lower()
        if name[: len(_RATE_PREFIX)] == _RATE_PREFIX:
            if len(rates) < _MAX_RATE_HEADERS:
                rates[raw_name.decode("latin-1")] = raw_value.decode("latin-1").strip()
        elif name == _SIMULATED:
            result.simulated = raw_value.strip().lower() not in (b"", b"0", b"false")
        elif _REQUEST_IDS.get(name, rank) < rank:
            rank = _REQUEST_IDS[name]
            result.request_id = raw_value.decode("latin-1").strip()
    if rates:
        result.rate_headers = rates


def _make_keepable(result: ChatResult, forms: tuple[str, ...]) -> None:
    """Blot secrets out of everything that a server wrote, and cut afterwards what has no right to be long.

    The one place where this is done, so that no field is forgotten: results go into journals and onto screens.
    """
    if forms:
        long_forms = tuple(form for form in forms if len(form) >= _MIN_SECRET_CHARS)
        result.content = redact(result.content, long_forms)
        result.reasoning = redact(result.reasoning, long_forms)
        result.error = redact(result.error, forms)
        if result.tool_calls:
            result.tool_calls = tuple(
                ToolCall(*(redact(text, long_forms) for text in (call.id, call.name, call.arguments)))
                for call in result.tool_calls
            )
    result.error_code = _kept(result.error_code, forms, _MAX_NAME_CHARS)
    result.finish_reason = _kept(result.finish_reason, forms, _MAX_REASON_CHARS)
    result.response_model = _kept(result.response_model, forms, _MAX_NAME_CHARS)
    result.request_id = _kept(result.request_id, forms, _MAX_NAME_CHARS)
    if result.rate_headers:
        result.rate_headers = {
            redact(name, forms, _MAX_NAME_CHARS).lower(): redact(value, forms, _MAX_NAME_CHARS)
            for name, value in result.rate_headers.items()
        }


def _kept(text: str | None, forms: tuple[str, ...], limit: int) -> str | None:
    return text if text is None or (not forms and len(text) <= limit) else redact(text, forms, limit)
