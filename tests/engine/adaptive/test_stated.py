"""What a server states of its limits is believed as per minute until its resets speak against it."""

from __future__ import annotations

from random import Random

import pytest

from console.engine.adaptive.signals import Limit
from console.engine.adaptive.stated import StatedLimits, duration_s
from console.vocabulary.chat import ChatResult, Stamps
from console.vocabulary.outcome import Outcome


def answer(limit: str, remaining: float | None = None, reset: str | None = None) -> ChatResult:
    headers = {"x-ratelimit-limit-requests": limit}
    if remaining is not None:
        headers["x-ratelimit-remaining-requests"] = f"{remaining:.0f}"
    if reset is not None:
        headers["x-ratelimit-reset-requests"] = reset
    return ChatResult(outcome=Outcome.OK, stamps=Stamps(), rate_headers=headers)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20ms", 0.02),
        ("1.5s", 1.5),
        ("6m0s", 360.0),
        ("7", 7.0),
        ("1h2m3s", 3723.0),
        ("", None),
        ("soon", None),
        ("s", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert duration_s(text) == seconds


def test_a_bucket_per_minute_is_believed() -> None:
    stated = StatedLimits()
    for used in range(1, 400):
        stated.take(answer("600", 600 - used, f"{used * 100}ms"))
    assert stated.limit == Limit(10.0, None)


def test_a_window_of_a_minute_is_believed_also_at_its_end() -> None:
    stated = StatedLimits()
    for left_s in (42, 30, 20, 12, 5, 1):
        stated.take(answer("600", 10 * left_s, f"{left_s}s"))
    assert stated.limit == Limit(10.0, None)


def test_a_window_of_a_second_is_not_taken_for_one_of_a_minute() -> None:
    rng = Random(1)
    for limit in (2, 10, 100, 1000):
        stated = StatedLimits()
        for _ in range(2000):
            left_s = rng.random()
            used = min(limit, 1 + int(limit * rng.random() * (1 - left_s)))
            stated.take(answer(str(limit), limit - used, f"{left_s * 1000:.0f}ms"))
            assert stated.limit == Limit()


def test_a_limit_without_period_or_reset_is_not_believed() -> None:
    stated = StatedLimits()
    assert not stated.take(answer("5"))
    assert not stated.take(answer("5", 4))
    assert stated.limit == Limit()


def test_a_limit_that_names_its_period_is_believed_whatever_its_resets_say() -> None:
    stated = StatedLimits()
    stated.take(answer("10, 10;w=1", 2, "100ms"))
    assert stated.limit == Limit(10.0, None)


def test_a_limit_that_changes_is_taken_in() -> None:
    stated = StatedLimits()
    assert stated.take(answer("600;w=60"))
    assert not stated.take(answer("600;w=60"))
    assert stated.take(answer("300;w=60"))
    assert stated.limit == Limit(5.0, None)
