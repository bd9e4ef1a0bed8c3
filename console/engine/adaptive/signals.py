"""What the end of a request says about its lane's limits: by type of the refusal, never by its class alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from console.engine.backoff import LONGEST_HINT_S
from console.vocabulary.chat import ChatResult
from console.vocabulary.outcome import TIMEOUTS, Outcome


class Says(StrEnum):
    """What a result says."""

    NOTHING = "nothing"
    """An answer, a bad request, a filter, a cancellation: no news about limits."""
    RATE = "rate"
    """Too many requests in a time."""
    TOKENS = "tokens"
    """Too many tokens in a time."""
    CONCURRENCY = "concurrency"
    """Too many requests at once."""
    UNTYPED = "untyped"
    """Too much of something; which, is for `Hypothesis` to find out."""
    OVERLOADED = "overloaded"
    """The server has too much to do, with or without us."""
    TIMEOUT = "timeout"
    """Nothing came for longer than we wait: a sign of queueing."""
    FAULT = "fault"
    """The server or the line failed. Says nothing about limits, unless it happens a lot."""
    PARK = "park"
    """The lane is of no use for now, and waiting will not mend it."""


REFUSALS: Final = frozenset({Says.RATE, Says.TOKENS, Says.CONCURRENCY, Says.UNTYPED})


class Limit(msgspec.Struct, frozen=True, gc=False):
    """What the server itself says a limit is, per second; None: it does not say."""

    requests_per_s: float | None = None
    tokens_per_s: float | None = None


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What was read out of one result."""

    says: Says
    hint_s: float | None = None
    """How long the server asks to wait: from its headers, else from its words."""
    reason: str = ""
    """For PARK: why, in our own words; nothing that a server wrote."""


_NOTHING: Final = Reading(Says.NOTHING)
_NO_LIMIT: Final = Limit()

_CONCURRENCY = re.compile(
    r"concurren|parallel|in.?flight|simultaneous|max.?connections|并发|同时请求", re.IGNORECASE
)
_TOKENS = re.compile(
    r"\bTPM\b|\btoken rate limit|tokens?[ _-]?(?:per|/)[ _-]?(?:min|sec|day|hour)|token.{0,12}(?:quota|limit)"
    r"|input_tokens|output_tokens|每分钟.{0,4}token|tokens?.{0,4}(?:超限|限流|超过)",
    re.IGNORECASE,
)
_REQUESTS = re.compile(
    r"\b(?:RPM|RPS|QPM|QPS|TPS)\b|\bcall rate limit|requests?[ _-]?(?:per|/)[ _-]?(?:min|sec|day|hour)"
    r"|请求过于频繁|频率超限|每(?:分钟|秒).{0,4}请求|请求(?:数|频率).{0,4}超",
    re.IGNORECASE,
)
_CAPACITY = re.compile(r"high demand|overload|capacity|busy|繁忙|过载", re.IGNORECASE)
_TRY_AGAIN = re.compile(
    r"(?:try again|retry) (?:in|after) (?:(?P<h>\d+)h)?(?:(?P<m>\d+)m(?!s))?(?:(?P<n>\d+(?:\.\d+)?) ?(?P<u>ms|milli|s))?",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"(?P<what>tokens|requests) per (?P<unit>min|sec|day|hour)\w*[^:]{0,20}: *limit:? (?P<n>\d+)",
    re.IGNORECASE,
)
_UNIT_S: Final = {"sec": 1.0, "min": 60.0, "hour": 3600.0, "day": 86400.0}
_WINDOW = re.compile(r";\s*w\s*=\s*(\d+)")
_USED_UP: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})


def read(result: ChatResult) -> Reading:
    """Return what `result` says about its lane.

    429, a gateway's HTTP 400, and an error inside a stream are all one outcome by now. Where both requests and
    tokens are named (LiteLLM lists all its limits in one sentence) the text decides nothing.
    """
    outcome = result.outcome
    if outcome is Outcome.OK:
        return _NOTHING
    if outcome is Outcome.RATE_LIMITED:
        return _refusal(result)
    if outcome is Outcome.OVERLOADED:
        return _overload(result)
    if outcome is Outcome.AUTH:
        return Reading(Says.PARK, None, "the key is refused")
    if outcome in TIMEOUTS and outcome is not Outcome.TIMEOUT_CONNECT:
        return Reading(Says.TIMEOUT)
    if outcome in (Outcome.SERVER_ERROR, Outcome.CONNECTION, Outcome.PROTOCOL, Outcome.TIMEOUT_CONNECT):
        return Reading(Says.FAULT)
    return _NOTHING


def stated_limit(result: ChatResult, believed: Sequence[str] = ("requests", "tokens")) -> Limit:
    """Return what the server says its limits are: in `x-ratelimit-limit-*`, else in the words of a refusal.

    Per minute, unless it says otherwise (`;w=10`, or a `renewalperiod` header in seconds).

    Args:
        result: what came of a request.
        believed: the headers whose period is known.
    """
    headers = result.rate_headers
    requests = _header_limit(headers, "requests") if "requests" in believed else None
    tokens = _header_limit(headers, "tokens") if "tokens" in believed else None
    if result.outcome is Outcome.RATE_LIMITED:
        said = _STATED.search(result.error)
        if said is not None:
            per_s = float(said["n"][:15]) / _UNIT_S[said["unit"].lower()]
            if per_s > 0 and said["what"].lower() == "tokens":
                tokens = per_s if tokens is None else min(tokens, per_s)
            elif per_s > 0:
                requests = per_s if requests is None else min(requests, per_s)
    return _NO_LIMIT if requests is None and tokens is None else Limit(requests, tokens)


def _refusal(result: ChatResult) -> Reading:
    hint_s = _hint_s(result)
    if result.error_code in _USED_UP or "insufficient_quota" in result.error:
        return Reading(Says.PARK, hint_s, "the quota is used up")
    if hint_s is not None and hint_s > LONGEST_HINT_S:
        return Reading(Says.PARK, hint_s, f"the server asks to wait {hint_s:.0f} s")
    return Reading(_type(result), hint_s)


def _type(result: ChatResult) -> Says:
    text = f"{result.error_code or ''} {result.error}"
    said = [
        says
        for says, pattern in (
            (Says.CONCURRENCY, _CONCURRENCY),
            (Says.TOKENS, _TOKENS),
            (Says.RATE, _REQUESTS),
        )
        if pattern.search(text)
    ]
    if len(said) == 1:
        return said[0]
    left = [
        says
        for says, name in ((Says.TOKENS, "tokens"), (Says.RATE, "requests"))
        if result.rate_headers.get(f"x-ratelimit-remaining-{name}", "").strip() in ("0", "-1")
    ]
    return left[0] if len(left) == 1 else Says.UNTYPED


def _overload(result: ChatResult) -> Reading:
    """Tell a server that says it has too much to do from one that just answered 503 once, as proxies do."""
    hint_s = _hint_s(result)
    if hint_s is not None and hint_s > LONGEST_HINT_S:
        return Reading(Says.PARK, hint_s, f"the server asks to wait {hint_s:.0f} s")
    if result.status == 503 and hint_s is None and not _CAPACITY.search(result.error):
        return Reading(Says.FAULT)
    return Reading(Says.OVERLOADED, hint_s)


def _hint_s(result: ChatResult) -> float | None:
    if result.retry_after_s is not None:
        return result.retry_after_s
    said = _TRY_AGAIN.search(result.error)
    if said is None or not any(said.group("h", "m", "n")):
        return None
    hours, minutes, number, unit = said.group("h", "m", "n", "u")
    seconds = float(number[:12]) if number else 0.0
    if unit and unit.lower() in ("ms", "milli"):
        seconds /= 1000
    return seconds + 60.0 * float((minutes or "0")[:6]) + 3600.0 * float((hours or "0")[:6])


def _header_limit(headers: dict[str, str], name: str) -> float | None:
    text = headers.get(f"x-ratelimit-limit-{name}")
    if text is None:
        return None
    limit = _number(text.split(",")[0].split(";")[0])
    window = _WINDOW.search(text)
    period_s = _number(window[1] if window else headers.get(f"x-ratelimit-renewalperiod-{name}", "60"))
    return limit / period_s if limit and period_s else None


def _number(text: str) -> float | None:
    """Return a positive number that is one, else None: -1 is some servers' word for unlimited."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < 1e12 else None
