"""From status, headers and body, or from an exception, to an outcome (law 5), with text that is safe to keep."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, cast

import httpx
import msgspec

from console.llm.chunks import json_text
from console.llm.receiver import Disconnected, Header
from console.vocabulary.outcome import Outcome

MAX_ERROR_CHARS: Final = 2000
_MAX_CODE_CHARS: Final = 200
_MAX_NESTING: Final = 8
"""Errors within errors that are looked into."""
_REDACTED = "[key]"

_FILTER = re.compile(
    r"content_filter|ResponsibleAIPolicyViolation|content_policy_violation|content management policy"
    r"|data_?inspection_?failed",
    re.IGNORECASE,
)
_BAD_KEY = re.compile(
    r"CE-003|invalid_?api_?key|(?:invalid|incorrect|wrong) api.?key|api key not valid|authentication_error",
    re.IGNORECASE,
)
_THROTTLED = re.compile(
    r"rate[ _-]?limit|too many requests|throttl|\b(?:TPM|RPM|QPS)\b|MPE-429|PL-002|quota"
    r"|concurrency limit|too many concurrent|限流|请求过于频繁|频率超限",
    re.IGNORECASE,
)
_OVERLOADED = re.compile(
    r"high demand|overload|no capacity|at capacity|server is busy|system is busy", re.IGNORECASE
)
_ERROR_STATUS = re.compile(r"[45][0-9]{2}\Z")
_TOO_LONG = re.compile(r"context_length_exceeded|maximum context length", re.IGNORECASE)
_OF_TOOLS = re.compile(r"\btools?\b|\btool[ _-]?(?:choice|call|use)|function[ _-]?call", re.IGNORECASE)
_UNKNOWN_THERE = re.compile(
    r"\bnot (?:be |been |currently )?(?:support|enabl|allow|permit|available|implement)|unsupported"
    r"|n't support|unrecogni[sz]ed|unknown|extra (?:inputs|fields)|requires? --|--enable|--jinja|不支持",
    re.IGNORECASE,
)
_NO_TOOLS_HINT = (
    ' (where a server knows no tool calling, the profile says protocol = "text" of model or provider)'
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request did not succeed."""

    outcome: Outcome
    error: str
    error_code: str | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """What an error body says: its message, and every code in it."""

    message: str
    codes: tuple[str, ...] = ()

    @property
    def code(self) -> str | None:
        return self.codes[0] if self.codes else None

    @property
    def text(self) -> str:
        """All that may tell what kind of error it is."""
        return " ".join((*self.codes, self.message))


def classify_response(
    status: int,
    headers: Iterable[Header],
    body: bytes,
    *,
    secret_forms: tuple[str, ...] = (),
    wall: datetime | None = None,
) -> Failure:
    """Classify an HTTP answer that is no success.

    Args:
        status: anything but 2xx.
        headers: as received.
        body: the error body, as far as it came.
        secret_forms: texts that are blotted out, for servers like to quote the key.
        wall: the time that a date in `Retry-After` is held against where the server sends no `Date`.
    """
    said = _read_body(body)
    outcome, hint = _by_status(status, said)
    detail = said.message.strip() or f"(no text; HTTP {status})"
    return Failure(
        outcome,
        _presentable(f"HTTP {status}: {detail}{hint}", secret_forms),
        _code(said, secret_forms),
        retry_after_s(headers, wall),
    )


def classify_error_object(error: Any, *, secret_forms: tuple[str, ...] = ()) -> Failure:
    """Classify an error that came inside a stream or document of status 200."""
    said = _read_error(error)
    text = said.text
    status = next((int(code) for code in said.codes if _ERROR_STATUS.match(code)), None)
    if status is not None:
        outcome = _by_status(status, said)[0]
    elif _FILTER.search(text):
        outcome = Outcome.CONTENT_FILTER
    elif _BAD_KEY.search(text):
        outcome = Outcome.AUTH
    elif _TOO_LONG.search(text) or "invalid_request" in text:
        outcome = Outcome.BAD_REQUEST
    elif _OVERLOADED.search(text):
        outcome = Outcome.OVERLOADED
    elif _THROTTLED.search(text):
        outcome = Outcome.RATE_LIMITED
    else:
        outcome = Outcome.SERVER_ERROR
    message = _presentable(f"error inside the answer: {said.message.strip() or text}", secret_forms)
    return Failure(outcome, message, _code(said, secret_forms))


def classify_exception(error: Exception, *, secret_forms: tuple[str, ...] = ()) -> Failure:
    """Classify what the transport raised or returned: no complete answer came."""
    text = _presentable(str(error) or type(error).__name__, secret_forms)
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return Failure(Outcome.TIMEOUT_CONNECT, text)
    if isinstance(error, httpx.TimeoutException):
        return Failure(Outcome.TIMEOUT_TOTAL, text)
    if isinstance(error, Disconnected) or (
        isinstance(error, httpx.RemoteProtocolError) and text.startswith("Server disconnected")
    ):
        return Failure(Outcome.CONNECTION, text)
    if isinstance(error, httpx.NetworkError | httpx.ProxyError):
        return Failure(Outcome.CONNECTION, text)
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol | httpx.InvalidURL):
        return Failure(Outcome.BAD_REQUEST, text)
    if isinstance(error, httpx.HTTPError | ValueError):
        return Failure(Outcome.PROTOCOL, text)
    if isinstance(error, OSError | httpx.StreamError):
        return Failure(Outcome.CONNECTION, text)
    return Failure(Outcome.PROTOCOL, unreadable(error))


def unreadable(error: Exception) -> str:
    """Say that reading an answer failed in a way nobody foresaw: the type only, the text may quote anything."""
    return f"the answer could not be read ({type(error).__name__})"


def retry_after_s(headers: Iterable[Header], wall: datetime | None = None) -> float | None:
    """Return how long the server asks to wait: `retry-after-ms`, else `Retry-After` in seconds or as a date.

    A date is held against the server's own `Date`, so that clocks that disagree do no harm.
    """
    found = {name.lower(): value.decode("latin-1").strip() for name, value in headers}
    milliseconds = _non_negative(found.get(b"retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = found.get(b"retry-after")
    seconds = _non_negative(text)
    if seconds is not None or text is None:
        return seconds
    until = _date(text)
    if until is None:
        return None
    now = _date(found.get(b"date", "")) or wall or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _by_status(status: int, said: _Said) -> tuple[Outcome, str]:
    """Return outcome and a hint to append."""
    text = said.text
    if status in (401, 403):
        filtered = status == 403 and _FILTER.search(text)
        return (Outcome.CONTENT_FILTER if filtered else Outcome.AUTH), ""
    if status == 402:
        return Outcome.AUTH, " (the account behind the key cannot pay)"
    if status == 429:
        quota = "insufficient_quota" in text
        crowded = _OVERLOADED.search(text) is not None and not quota
        return (Outcome.OVERLOADED if crowded else Outcome.RATE_LIMITED), ""
    if status in (503, 529):
        return Outcome.OVERLOADED, ""
    if status >= 500 or status in (408, 409, 425):
        return Outcome.SERVER_ERROR, ""
    if 300 <= status < 400:
        return Outcome.BAD_REQUEST, " (redirects are not followed: is the base URL right?)"
    if 400 <= status < 500:
        return _by_client_error(status, text)
    return Outcome.PROTOCOL, ""


def _by_client_error(status: int, text: str) -> tuple[Outcome, str]:
    """Tell apart what gateways say with 400: a filter, a bad key, a throttle, or really a bad request."""
    if _FILTER.search(text):
        return Outcome.CONTENT_FILTER, ""
    if _BAD_KEY.search(text):
        return Outcome.AUTH, ""
    if status == 407:
        return Outcome.BAD_REQUEST, " (the proxy asks for a user and password)"
    if status == 404:
        return Outcome.BAD_REQUEST, " (is it the right base URL, and does the model or deployment exist?)"
    if not _TOO_LONG.search(text) and _THROTTLED.search(text):
        return Outcome.RATE_LIMITED, ""
    no_tools = _OF_TOOLS.search(text) and _UNKNOWN_THERE.search(text)
    return Outcome.BAD_REQUEST, _NO_TOOLS_HINT if no_tools else ""


def _read_body(body: bytes) -> _Said:
    try:
        return _read_error(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Said(body.decode("utf-8", "replace"))


def _read_error(raw: Any, depth: int = 0) -> _Said:
    """Find message and codes in the forms that servers use: nested in `error`, flat, a list, or plain text."""
    if depth > _MAX_NESTING:
        return _Said(raw if isinstance(raw, str) else json_text(raw))
    if isinstance(raw, list) and raw:
        return _read_error(cast("list[Any]", raw)[0], depth + 1)
    if not isinstance(raw, dict):
        return _Said(raw if isinstance(raw, str) else json_text(raw))
    found = cast("dict[str, Any]", raw)
    inner = found.get("error")
    if isinstance(inner, dict | list) and inner:
        return _read_error(cast("Any", inner), depth + 1)
    message = inner if isinstance(inner, str) else None
    for name in ("message", "msg", "errorMsg", "error_msg", "errorMessage", "error_message", "detail"):
        value = found.get(name)
        if message is None and value:
            message = value if isinstance(value, str) else json_text(value)
    codes: list[str] = []
    deeper = found.get("innererror")
    sources = [found, cast("dict[str, Any]", deeper)] if isinstance(deeper, dict) else [found]
    for source in sources:
        for name in ("code", "errorCode", "error_code", "type"):
            value = source.get(name)
            if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
                codes.append(value if isinstance(value, str) else json_text(value))
    return _Said(message if message is not None else json_text(found), tuple(codes))


def redact(text: str, secret_forms: tuple[str, ...], limit: int | None = None) -> str:
    """Blot secrets out, then cut at `limit`: the other way round, half a key is left at the edge."""
    for form in secret_forms:
        if form in text:
            text = text.replace(form, _REDACTED)
    return text if limit is None or len(text) <= limit else text[: limit - 1] + "…"


def _presentable(text: str, secret_forms: tuple[str, ...]) -> str:
    return redact(text, secret_forms, MAX_ERROR_CHARS)


def _code(said: _Said, secret_forms: tuple[str, ...]) -> str | None:
    return None if said.code is None else redact(said.code, secret_forms, _MAX_CODE_CHARS)


def _non_negative(text: str | None) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and 0 <= value < 1e9 else None


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
