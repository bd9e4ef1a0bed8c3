"""How a simulated provider says no, in the words of each dialect."""

from __future__ import annotations

from typing import Literal

import msgspec

from console.sim.quotas import SECOND_NS
from console.vocabulary.outcome import Outcome
from console.vocabulary.simulated import SimBehaviour

Quota = Literal["concurrency", "requests per second", "requests per minute", "tokens per minute"]
Headers = tuple[tuple[str, str], ...]


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is not answered by the model."""

    status: int
    code: str
    message: str
    outcome: Outcome
    """What a client should make of it."""
    kind: str = "invalid_request_error"
    """OpenAI's `type` of the error."""
    headers: Headers = ()
    retry_after_s: float | None = None
    """What the headers say, in seconds."""

    def body(self) -> bytes:
        """Return the JSON body."""
        error = {"message": self.message, "type": self.kind, "param": None, "code": self.code}
        return msgspec.json.encode({"error": error})


def over_quota(
    behaviour: SimBehaviour, quota: Quota, subject: str, wait_ns: int, rate_headers: Headers
) -> Rejection:
    """Refuse a request beyond a quota: 429, or as the original gateway does 400 with a throttle body."""
    retry_headers, retry_after_s = retry_hint(behaviour, wait_ns)
    headers = rate_headers + retry_headers
    kind = "tokens" if quota.startswith("tokens") else "requests"
    if behaviour.throttle == "400":
        if quota.endswith("minute"):
            code, message = "PL-002", f"platform TPM/RPM rate limit reached: {quota} of this {subject}"
        else:
            code, message = "MPE-429", f"provider rate limit reached: {quota} of this {subject}"
        return Rejection(
            status=400,
            code=code,
            message=message,
            outcome=Outcome.RATE_LIMITED,
            kind=kind,
            headers=headers,
            retry_after_s=retry_after_s,
        )
    wait_s = -(-wait_ns // SECOND_NS)
    if quota == "concurrency":
        message = f"Too many concurrent requests on this {subject}. Please retry when some have ended."
    else:
        message = f"Rate limit reached for this {subject} on {quota}. Please retry after {wait_s} seconds."
    return Rejection(
        status=429,
        code="429" if behaviour.dialect == "azure" else "rate_limit_exceeded",
        message=message,
        outcome=Outcome.RATE_LIMITED,
        kind=kind,
        headers=headers,
        retry_after_s=retry_after_s,
    )


def queue_full(behaviour: SimBehaviour, rate_headers: Headers) -> Rejection:
    """Refuse a request because every slot is busy and the queue is full."""
    retry_headers, retry_after_s = retry_hint(behaviour, SECOND_NS)
    return Rejection(
        status=503,
        code="503" if behaviour.dialect == "azure" else "overloaded",
        message="The server is overloaded: every slot is busy and the queue is full.",
        outcome=Outcome.OVERLOADED,
        kind="server_error",
        headers=rate_headers + retry_headers,
        retry_after_s=retry_after_s,
    )


def server_fault(behaviour: SimBehaviour, rate_headers: Headers) -> Rejection:
    """Answer 500, as `error_rate` asks."""
    return Rejection(
        status=500,
        code="500" if behaviour.dialect == "azure" else "server_error",
        message="The server had an error while processing the request (simulated fault).",
        outcome=Outcome.SERVER_ERROR,
        kind="server_error",
        headers=rate_headers,
    )


def unknown_key(behaviour: SimBehaviour) -> Rejection:
    """Refuse a credential that is not among the accepted ones. The credential is not in the text."""
    if behaviour.throttle == "400":
        return Rejection(status=400, code="CE-003", message="The API key is invalid.", outcome=Outcome.AUTH)
    return Rejection(
        status=401,
        code="401" if behaviour.dialect == "azure" else "invalid_api_key",
        message="Access denied: the API key is missing or invalid.",
        outcome=Outcome.AUTH,
    )


def unknown_deployment(behaviour: SimBehaviour) -> Rejection:
    """Refuse a name that this provider does not serve."""
    azure = behaviour.dialect == "azure"
    return Rejection(
        status=404,
        code="DeploymentNotFound" if azure else "model_not_found",
        message="The deployment does not exist." if azure else "The model does not exist.",
        outcome=Outcome.BAD_REQUEST,
    )


def bad_request(message: str, *, status: int = 400, code: str = "invalid_request") -> Rejection:
    """Refuse a request that is wrong in itself."""
    return Rejection(status=status, code=code, message=message, outcome=Outcome.BAD_REQUEST)


def retry_hint(behaviour: SimBehaviour, wait_ns: int) -> tuple[Headers, float | None]:
    """Return the headers that tell when to come again, and the seconds they mean."""
    seconds = max(1, -(-wait_ns // SECOND_NS))
    if behaviour.retry_after == "seconds":
        return (("retry-after", str(seconds)),), float(seconds)
    if behaviour.retry_after == "ms":
        milliseconds = max(1, -(-wait_ns // 1_000_000))
        headers = (("retry-after-ms", str(milliseconds)), ("retry-after", str(seconds)))
        return headers, milliseconds / 1000
    return (), None
