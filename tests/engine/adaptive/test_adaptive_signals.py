"""What real providers' refusals are taken to say."""

import json

import pytest

from console.engine.adaptive.signals import Limit, Reading, Says, read, stated_limit
from console.llm.classify import classify_response
from console.vocabulary.chat import ChatResult, Stamps
from console.vocabulary.outcome import Outcome


def answer(status: int, body: object, headers: dict[str, str] | None = None) -> ChatResult:
    """Make a result as the client does: by its own classification of status, headers and body."""
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    text = body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False).encode()
    failure = classify_response(status, raw, text)
    rates = {name: value for name, value in (headers or {}).items() if name.startswith("x-ratelimit")}
    return ChatResult(
        outcome=failure.outcome,
        stamps=Stamps(sent_ns=0, end_ns=1),
        status=status,
        error=failure.error,
        error_code=failure.error_code,
        retry_after_s=failure.retry_after_s,
        rate_headers=rates,
    )


def error(message: str, code: str = "", kind: str = "") -> dict[str, object]:
    return {"error": {"message": message, "code": code, "type": kind}}


OPENAI_RPM = error(
    "Rate limit reached for gpt-4o in organization org-x on requests per min (RPM): Limit 500, Used 500, "
    "Requested 1. Please try again in 120ms. Visit https://example.com to learn more.",
    "rate_limit_exceeded",
    "requests",
)
OPENAI_TPM = error(
    "Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Used 28000, "
    "Requested 4000. Please try again in 4.1s.",
    "rate_limit_exceeded",
    "tokens",
)
AZURE_CALLS = error(
    "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-02-15-preview have "
    "exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after 6 seconds.",
    "429",
)
AZURE_TOKENS = error(
    "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-02-15-preview have "
    "exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 31 seconds.",
    "429",
)


@pytest.mark.parametrize(
    ("result", "says", "hint_s"),
    [
        (answer(429, OPENAI_RPM), Says.RATE, 0.12),
        (answer(429, OPENAI_TPM), Says.TOKENS, 4.1),
        (answer(429, AZURE_CALLS, {"retry-after": "6"}), Says.RATE, 6.0),
        (answer(429, AZURE_TOKENS), Says.TOKENS, 31.0),
        (answer(429, AZURE_TOKENS, {"retry-after-ms": "30712"}), Says.TOKENS, 30.712),
        (answer(429, "", {"x-ratelimit-remaining-tokens": "0"}), Says.TOKENS, None),
        (answer(429, "", {"x-ratelimit-remaining-requests": "0"}), Says.RATE, None),
        (
            answer(429, "", {"x-ratelimit-remaining-requests": "0", "x-ratelimit-remaining-tokens": "0"}),
            Says.UNTYPED,
            None,
        ),
        (answer(429, "Too Many Requests"), Says.UNTYPED, None),
        (answer(429, error("Rate limit exceeded")), Says.UNTYPED, None),
        (answer(429, error("Too many concurrent requests for this model")), Says.CONCURRENCY, None),
        (answer(429, error("Max parallel request limit reached")), Says.CONCURRENCY, None),
        (answer(429, {"code": 1302, "message": "您当前使用该API的并发数过高"}), Says.CONCURRENCY, None),
        (
            answer(
                429,
                error("Crossed TPM / RPM / Max Parallel Request Limit. current rpm: 5, rpm limit: 4"),
            ),
            Says.UNTYPED,
            None,
        ),
        (answer(400, {"code": "MPE-429", "message": "当前请求被限流，请稍后重试"}), Says.UNTYPED, None),
        (answer(400, {"errorCode": "PL-002", "message": "QPM limit"}), Says.RATE, None),
        (answer(400, {"message": "请求过于频繁"}), Says.RATE, None),
        (answer(400, {"message": "TPM 超限"}), Says.TOKENS, None),
        (answer(429, error("The system is currently experiencing high demand")), Says.OVERLOADED, None),
        (answer(529, error("Overloaded", kind="overloaded_error")), Says.OVERLOADED, None),
        (answer(503, error("The engine is currently overloaded")), Says.OVERLOADED, None),
        (answer(503, "", {"retry-after": "3"}), Says.OVERLOADED, 3.0),
        (answer(503, "<html>upstream connect error</html>"), Says.FAULT, None),
        (answer(500, error("oops")), Says.FAULT, None),
        (answer(502, "<html>Bad Gateway</html>"), Says.FAULT, None),
        (answer(400, error("max_tokens is too large")), Says.NOTHING, None),
        (answer(429, error("You exceeded your current quota", "insufficient_quota")), Says.PARK, None),
        (answer(429, error("Please retry after 86400 seconds")), Says.PARK, 86400.0),
        (
            answer(429, error("requests per day (RPD): Limit 200. Please try again in 7m12s.")),
            Says.PARK,
            432.0,
        ),
        (answer(401, error("Incorrect API key provided")), Says.PARK, None),
    ],
)
def test_a_refusal_is_read_by_what_it_says(result: ChatResult, says: Says, hint_s: float | None) -> None:
    reading = read(result)

    assert reading.says is says
    assert reading.hint_s == (None if hint_s is None else pytest.approx(hint_s))


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (Outcome.OK, Says.NOTHING),
        (Outcome.CANCELLED, Says.NOTHING),
        (Outcome.CONTENT_FILTER, Says.NOTHING),
        (Outcome.TIMEOUT_FIRST_TOKEN, Says.TIMEOUT),
        (Outcome.TIMEOUT_IDLE, Says.TIMEOUT),
        (Outcome.TIMEOUT_TOTAL, Says.TIMEOUT),
        (Outcome.TIMEOUT_CONNECT, Says.FAULT),
        (Outcome.CONNECTION, Says.FAULT),
        (Outcome.PROTOCOL, Says.FAULT),
    ],
)
def test_every_other_outcome_has_its_meaning(outcome: Outcome, says: Says) -> None:
    assert read(ChatResult(outcome=outcome, stamps=Stamps())).says is says


def test_a_park_gives_its_reason_in_our_own_words() -> None:
    result = answer(429, error("\x1b]52;c;evil\x07 exceeded", "insufficient_quota"))

    assert read(result) == Reading(Says.PARK, None, "the quota is used up")


@pytest.mark.parametrize(
    ("headers", "limit"),
    [
        ({"x-ratelimit-limit-requests": "600"}, Limit(10.0, None)),
        ({"x-ratelimit-limit-tokens": "30000"}, Limit(None, 500.0)),
        ({"x-ratelimit-limit-requests": "100, 100;w=10"}, Limit(10.0, None)),
        (
            {"x-ratelimit-limit-requests": "10", "x-ratelimit-renewalperiod-requests": "10"},
            Limit(1.0, None),
        ),
        ({"x-ratelimit-limit-requests": "-1"}, Limit()),
        ({"x-ratelimit-limit-requests": "nan"}, Limit()),
        ({"x-ratelimit-limit-requests": "many"}, Limit()),
        ({"x-ratelimit-limit-requests": "600", "x-ratelimit-renewalperiod-requests": "0"}, Limit()),
        ({"x-ratelimit-remaining-requests": "3"}, Limit()),
    ],
)
def test_a_stated_limit_is_read_per_second(headers: dict[str, str], limit: Limit) -> None:
    result = ChatResult(outcome=Outcome.OK, stamps=Stamps(), rate_headers=headers)

    assert stated_limit(result) == limit


def test_openai_states_the_limit_in_the_words_of_its_refusal() -> None:
    assert stated_limit(answer(429, OPENAI_TPM)) == Limit(None, 500.0)
    assert stated_limit(answer(429, OPENAI_RPM)).requests_per_s == pytest.approx(500 / 60)
