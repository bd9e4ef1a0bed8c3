"""Adaptive mode after outages and pauses, on virtual time: it does not hammer meanwhile, and is back within a minute."""

from __future__ import annotations

import random
from collections import Counter

import anyio
import msgspec
import pytest
from engine_rig import Rig, ScriptedClient, ids, job, lane, now_ns

from console.vocabulary.command import Pause, Resume, Stop
from console.vocabulary.outcome import Outcome

LIMIT = 5
"""Requests per second that the server admits while it is well."""


def refusal(error):
    return {"outcome": Outcome.RATE_LIMITED, "status": 429, "error": error}


def server(begin_s, end_s, fields):
    """Return answers of a server with a hidden limit and an outage."""
    sent, dice = Counter(), random.Random(1)

    def answer(endpoint, request, number):
        at_s = now_ns() / 1e9
        if begin_s <= at_s < end_s:
            return 0.05, fields
        sent[int(at_s)] += 1
        if sent[int(at_s)] > LIMIT:
            return 0.05, refusal("rate limit reached")
        return dice.uniform(1.6, 2.4), {}

    return answer


def run(answer, seconds, *beside):
    """Run for so many seconds; return how many requests were sent in each second."""
    setups = [msgspec.structs.replace(lane("a", workers=100), adaptive=True)]
    rig = Rig([job(ids(20_000), setups)], setups, ScriptedClient(answer), attempts=100)

    async def stop(engine):
        await anyio.sleep(seconds)
        engine.steering.obey(Stop())

    rig.run(stop, *beside)
    return rig, Counter(at // 10**9 for at, _ in rig.client.sent)


def between(sent, begin_s, end_s):
    return sum(sent[second] for second in range(begin_s, end_s)) / (end_s - begin_s)


@pytest.mark.parametrize(
    ("begin_s", "error"),
    [
        (60, "rate limit reached"),
        (0, "too many concurrent requests"),
        pytest.param(0, "rate limit reached", marks=pytest.mark.slow),
        pytest.param(60, "too many concurrent requests", marks=pytest.mark.slow),
    ],
)
def test_after_an_outage_of_ten_minutes_it_is_back_within_a_minute(begin_s, error):
    end_s = begin_s + 600
    _, sent = run(server(begin_s, end_s, refusal(error)), end_s + 120)
    assert between(sent, begin_s + 30, end_s) <= 0.3
    assert between(sent, end_s + 60, end_s + 120) >= 0.9 * LIMIT


def test_a_pause_of_an_hour_is_not_taken_for_a_window_of_the_server():
    async def operate(engine):
        await refused.wait()
        await anyio.sleep(0.1)  # the last that was heard before is a refusal
        engine.steering.obey(Pause())
        await anyio.sleep(3600)
        engine.steering.obey(Resume())

    refused, well = anyio.Event(), server(0, 0, {})

    def answer(*asked):
        delay, fields = well(*asked)
        if fields and now_ns() > 60e9:
            refused.set()
        return delay, fields

    _, sent = run(answer, 3800, operate)
    assert between(sent, 3720, 3780) >= 0.9 * LIMIT


def test_a_lane_whose_server_says_in_words_to_come_back_in_hours_is_switched_off():
    rig, sent = run(lambda *_: (0.05, refusal("Rate limit reached. Please try again in 2h3m")), 60)
    assert sum(sent.values()) <= 10
    assert "the server asks to wait 7380 s" in rig.last.lanes[0].note


def test_a_limit_of_tokens_that_nobody_states_is_found_though_the_profile_has_none():
    used, refused = Counter(), Counter()

    def answer(endpoint, request, number):
        minute = now_ns() // (60 * 10**9)
        if used[minute] + 11 > 3000:
            refused[minute] += 1
            return 0.05, refusal("Rate limit reached for TPM")
        used[minute] += 11
        return 2.0, {"prompt_tokens": 2, "completion_tokens": 9}

    run(answer, 480)
    assert sum(used[minute] for minute in range(4, 8)) >= 0.93 * 4 * 3000
    assert sum(refused[minute] for minute in range(4, 8)) <= 0.02 * 4 * 3000 / 11
