"""How a request ended, and how a test ended. The two are never mixed."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How one request ended (law 5)."""

    OK = "ok"
    RATE_LIMITED = "rate_limited"
    """429, or a gateway that says the same with 400."""
    OVERLOADED = "overloaded"
    """503 or 529, or 429 that speaks of high demand."""
    SERVER_ERROR = "server_error"
    TIMEOUT_CONNECT = "timeout_connect"
    TIMEOUT_FIRST_TOKEN = "timeout_first_token"  # noqa: S105 - not a password
    TIMEOUT_IDLE = "timeout_idle"
    TIMEOUT_TOTAL = "timeout_total"
    CONNECTION = "connection"
    """Refused, reset, name not found, TLS failure: no complete answer came over the wire."""
    AUTH = "auth"
    """401 or 403."""
    BAD_REQUEST = "bad_request"
    CONTENT_FILTER = "content_filter"
    PROTOCOL = "protocol"
    """An answer came, but truncated or malformed."""
    CANCELLED = "cancelled"


TIMEOUTS = frozenset(
    {
        Outcome.TIMEOUT_CONNECT,
        Outcome.TIMEOUT_FIRST_TOKEN,
        Outcome.TIMEOUT_IDLE,
        Outcome.TIMEOUT_TOTAL,
    }
)

RETRYABLE = TIMEOUTS | {
    Outcome.RATE_LIMITED,
    Outcome.OVERLOADED,
    Outcome.SERVER_ERROR,
    Outcome.CONNECTION,
    Outcome.PROTOCOL,
}
"""Outcomes that another try may mend. The others say the same again."""


class Verdict(StrEnum):
    """How one test ended. Only FAILURE counts against a model."""

    FULL = "full"
    PARTIAL = "partial"
    FAILURE = "failure"
    """The model answered, and the answer was wrong."""
    INFRASTRUCTURE = "infrastructure"
    """No complete answer came: never counted against the model, and not done."""
    CANCELLED = "cancelled"


TERMINAL = frozenset({Verdict.FULL, Verdict.PARTIAL, Verdict.FAILURE})
"""Verdicts after which a test is done and is not run again."""
