from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest

from console.llm.classify import (
    MAX_ERROR_CHARS,
    classify_error_object,
    classify_exception,
    classify_response,
    retry_after_s,
)
from console.llm.receiver import Disconnected
from console.vocabulary.outcome import Outcome


def outcome(status: int, body: object) -> Outcome:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify_response(status, [], data).outcome


def error(message: str, code: object = None, **more: object) -> dict[str, object]:
    return {"error": {"message": message, "code": code, **more}}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, error("Rate limit reached for gpt-4o", "rate_limit_exceeded"), Outcome.RATE_LIMITED),
        (429, error("You exceeded your current quota", "insufficient_quota"), Outcome.RATE_LIMITED),
        (429, b"", Outcome.RATE_LIMITED),
        (429, b"<html>slow down</html>", Outcome.RATE_LIMITED),
        (429, error("The system is experiencing high demand"), Outcome.OVERLOADED),
        (429, error("The engine is currently overloaded, please try again later"), Outcome.OVERLOADED),
        (400, {"code": "MPE-429", "message": "provider rate limit"}, Outcome.RATE_LIMITED),
        (400, {"code": "PL-002", "message": "TPM/RPM exceeded"}, Outcome.RATE_LIMITED),
        (400, error("Requests throttled by allocation policy"), Outcome.RATE_LIMITED),
        (400, error("too many requests"), Outcome.RATE_LIMITED),
        (400, {"message": "您的请求被限流"}, Outcome.RATE_LIMITED),
        (400, {"code": "CE-003", "message": "invalid key"}, Outcome.AUTH),
        (400, error("API key not valid. Please pass a valid API key."), Outcome.AUTH),
        (401, error("Incorrect API key provided", "invalid_api_key"), Outcome.AUTH),
        (403, error("forbidden"), Outcome.AUTH),
        (402, error("Insufficient Balance"), Outcome.AUTH),
        (400, error("The response was filtered", "content_filter"), Outcome.CONTENT_FILTER),
        (400, error("x", "bad", innererror={"code": "ResponsibleAIPolicyViolation"}), Outcome.CONTENT_FILTER),
        (400, error("This model's maximum context length is 4096 tokens; rate limit"), Outcome.BAD_REQUEST),
        (400, error("Unknown field"), Outcome.BAD_REQUEST),
        (404, error("The API deployment for this resource does not exist", "DeploymentNotFound"), Outcome.BAD_REQUEST),
        (413, b"too large", Outcome.BAD_REQUEST),
        (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, Outcome.BAD_REQUEST),
        (301, b"", Outcome.BAD_REQUEST),
        (408, b"", Outcome.SERVER_ERROR),
        (500, b"oops", Outcome.SERVER_ERROR),
        (502, b"<html>bad gateway</html>", Outcome.SERVER_ERROR),
        (504, b"", Outcome.SERVER_ERROR),
        (503, b"", Outcome.OVERLOADED),
        (529, error("Overloaded"), Outcome.OVERLOADED),
    ],
)  # fmt: skip
def test_status_and_body_give_the_outcome(status: int, body: object, expected: Outcome) -> None:
    assert outcome(status, body) is expected


def test_codes_and_messages_are_found_in_every_form() -> None:
    def read(body: object) -> tuple[str, str | None]:
        found = classify_response(400, [], json.dumps(body).encode())
        return found.error, found.error_code

    assert read(error("m", "c")) == ("HTTP 400: m", "c")
    assert read(error("m", None, type="t")) == ("HTTP 400: m", "t")
    assert read({"error": "plain", "code": 17}) == ("HTTP 400: plain", "17")
    assert read({"errorMsg": "m", "errorCode": "E-1"}) == ("HTTP 400: m", "E-1")
    assert read([{"error": {"message": "google", "code": 400}}]) == ("HTTP 400: google", "400")
    assert read({"detail": "Not Found"})[0] == "HTTP 400: Not Found"
    assert read("just text")[0] == "HTTP 400: just text"
    assert read(None)[0] == "HTTP 400: null"
    assert (
        classify_response(429, [], json.dumps(error("q", "insufficient_quota")).encode()).error_code
        == "insufficient_quota"
    )


@pytest.mark.parametrize(
    "said",
    [
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        "registry.ollama.ai/library/gemma:2b does not support tools",
        "Unrecognized request argument supplied: tools",
        "Unsupported parameter: 'tool_choice' is not supported with this model.",
        "tools param requires --jinja flag",
        "Function calling is not enabled for this model",
        "该模型不支持 tools 参数",
    ],
)
def test_a_server_without_tool_calling_gets_a_hint_at_the_protocol(said):
    found = classify_response(400, [], json.dumps(error(said)).encode())
    assert found.outcome is Outcome.BAD_REQUEST
    assert found.error.startswith(f"HTTP 400: {said} (where a server knows no tool calling")
    assert 'protocol = "text"' in found.error


@pytest.mark.parametrize(
    "said",
    [
        "An assistant message with 'tool_calls' must be followed by tool messages",
        "Unknown field",
        "temperature is not supported with this model",
    ],
)
def test_other_bad_requests_get_no_hint_at_the_protocol(said):
    assert classify_response(400, [], json.dumps(error(said)).encode()).error == f"HTTP 400: {said}"


def test_a_missing_deployment_gets_a_hint() -> None:
    assert "deployment" in classify_response(404, [], b"").error


def test_a_key_that_the_server_says_back_is_blotted_out_even_at_the_cut() -> None:
    key = "sk-canary-0123456789"
    body = json.dumps(error("x" * (MAX_ERROR_CHARS - 20) + key + " and again " + key, key)).encode()
    found = classify_response(401, [], body, secret_forms=(key,))
    assert "canary" not in found.error
    assert found.error_code == "[key]"
    assert len(found.error) <= MAX_ERROR_CHARS


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], None),
        ([(b"Retry-After", b"7")], 7.0),
        ([(b"retry-after", b"0.5")], 0.5),
        ([(b"retry-after-ms", b"250"), (b"Retry-After", b"1")], 0.25),
        ([(b"Retry-After", b"Sat, 21 Nov 2026 00:01:00 GMT"), (b"Date", b"Sat, 21 Nov 2026 00:00:30 GMT")], 30.0),
        ([(b"Retry-After", b"Sat, 21 Nov 2026 00:01:00 GMT")], 60.0),
        ([(b"Retry-After", b"Sat, 21 Nov 2020 00:01:00 GMT")], 0.0),
        ([(b"Retry-After", b"86400")], 86400.0),
        ([(b"Retry-After", b"soon")], None),
        ([(b"Retry-After", b"-3")], None),
        ([(b"Retry-After", b"nan")], None),
        ([(b"Retry-After", b"1e999")], None),
        ([(b"retry-after-ms", b"x"), (b"Retry-After", b"2")], 2.0),
    ],
)  # fmt: skip
def test_retry_after(headers: list[tuple[bytes, bytes]], expected: float | None) -> None:
    assert retry_after_s(headers, wall=datetime(2026, 11, 21, tzinfo=UTC)) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"message": "Rate limit", "code": 429}, Outcome.RATE_LIMITED),
        ({"message": "Rate limit reached", "type": "tokens"}, Outcome.RATE_LIMITED),
        ({"message": "Provider overloaded", "code": "x"}, Outcome.OVERLOADED),
        ({"message": "x", "type": "invalid_request_error"}, Outcome.BAD_REQUEST),
        ({"message": "x", "code": "content_filter"}, Outcome.CONTENT_FILTER),
        ({"message": "x", "code": 502}, Outcome.SERVER_ERROR),
        ("boom", Outcome.SERVER_ERROR),
        (12, Outcome.SERVER_ERROR),
    ],
)
def test_errors_inside_an_answer(raw: object, expected: Outcome) -> None:
    assert classify_error_object(raw).outcome is expected


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (httpx.ConnectTimeout("x"), Outcome.TIMEOUT_CONNECT),
        (httpx.ConnectError("x"), Outcome.CONNECTION),
        (httpx.ProxyError("x"), Outcome.CONNECTION),
        (httpx.ReadError("x"), Outcome.CONNECTION),
        (httpx.WriteError("x"), Outcome.CONNECTION),
        (Disconnected("x"), Outcome.CONNECTION),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), Outcome.CONNECTION),
        (httpx.RemoteProtocolError("x"), Outcome.PROTOCOL),
        (httpx.LocalProtocolError("x"), Outcome.BAD_REQUEST),
        (ValueError("x"), Outcome.PROTOCOL),
    ],
)
def test_exceptions(problem: Exception, expected: Outcome) -> None:
    assert classify_exception(problem).outcome is expected
