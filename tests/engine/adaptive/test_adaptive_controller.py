"""The controller as a whole: what each kind of result does, and what never happens whatever comes."""

import math
from heapq import heappop, heappush

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples

from console.engine.adaptive.change import Change
from console.engine.adaptive.controller import LaneController
from console.vocabulary.chat import ChatResult, Stamps
from console.vocabulary.lane import Limits
from console.vocabulary.learnt import Learnt
from console.vocabulary.outcome import Outcome

S = 1_000_000_000
FREE = Limits()


def result(
    outcome: Outcome,
    sent_ns: int = 0,
    end_ns: int = S,
    *,
    error: str = "",
    hint_s: float | None = None,
    status: int | None = None,
    code: str | None = None,
    headers: dict[str, str] | None = None,
) -> ChatResult:
    answered = end_ns if outcome is Outcome.OK else None
    stamps = Stamps(sent_ns=sent_ns, first_content_ns=answered, last_content_ns=answered, end_ns=end_ns)
    return ChatResult(
        outcome=outcome,
        stamps=stamps,
        status=status,
        error=error,
        error_code=code,
        retry_after_s=hint_s,
        rate_headers=headers or {},
    )


class Load:
    """Requests at an even pace, each answered after a second with what `answer` says."""

    def __init__(self, controller: LaneController) -> None:
        self.controller = controller
        self.now_ns = 0
        self.open: list[tuple[int, int]] = []
        self.changes: list[Change] = []

    def run(
        self, seconds: float, outcomes: list[ChatResult] | None = None, *, per_s: float | None = None
    ) -> None:
        """Send at the controller's rate (or `per_s`), and end with each of `outcomes` in turn."""
        number = 0
        until_ns = self.now_ns + int(seconds * S)
        ticked_ns = self.now_ns
        while self.now_ns < until_ns:
            self.now_ns += int(S / (per_s or self.controller.rate))
            self.controller.sent(self.now_ns, 100.0)
            heappush(self.open, (self.now_ns + S, self.now_ns))
            while self.open and self.open[0][0] <= self.now_ns:
                end_ns, sent_ns = heappop(self.open)
                ended = outcomes[number % len(outcomes)] if outcomes else result(Outcome.OK, sent_ns, end_ns)
                if ended.outcome is Outcome.OK:
                    ended = result(Outcome.OK, sent_ns, end_ns)
                number += 1
                self.controller.ended(end_ns, sent_ns, ended)
            while self.now_ns - ticked_ns >= S:
                ticked_ns += S
                self.controller.tick(ticked_ns)
        self.changes += self.controller.drain_changes()


def refused(error: str, hint_s: float | None = None, **more: object) -> ChatResult:
    return result(Outcome.RATE_LIMITED, error=error, hint_s=hint_s, status=429, **more)  # type: ignore[arg-type]


def one_refusal(controller: LaneController, answer: ChatResult, at_s: float = 100.0) -> None:
    """Send a while at the rate there is, then have one request refused."""
    for number in range(40):
        controller.sent(int((at_s - 4 + number / 10) * S), 1000.0)
    sent_ns = int(at_s * S)
    controller.sent(sent_ns, 1000.0)
    controller.ended(sent_ns + 60_000_000, sent_ns, answer)


def test_grows_only_while_its_rate_is_used_up() -> None:
    idle, busy = Load(LaneController(FREE, now_ns=0)), Load(LaneController(FREE, now_ns=0))
    idle.run(20, per_s=0.5)
    busy.run(20)
    assert idle.controller.rate == 2.0
    assert busy.controller.rate > 50.0


def test_a_refusal_for_tokens_paces_tokens_and_leaves_the_rate() -> None:
    controller = LaneController(FREE, now_ns=0, start_rate=10.0)
    one_refusal(controller, refused("tokens per min (TPM)", 2.0))
    assert controller.rate == 10.0
    assert controller.token_rate is not None
    assert 0 < controller.token_rate <= 10_000.0


def test_a_refusal_for_concurrency_cuts_the_window_and_leaves_the_rate() -> None:
    controller = LaneController(FREE, now_ns=0, start_rate=10.0, start_window=100)
    one_refusal(controller, refused("too many concurrent requests"))
    assert controller.rate == 10.0
    assert controller.window == 70
    assert controller.token_rate is None


def test_a_refusal_without_type_is_taken_for_a_rate_at_first() -> None:
    controller = LaneController(FREE, now_ns=0, start_rate=12.0, start_window=100)
    one_refusal(controller, refused("Too Many Requests"))
    assert controller.rate == pytest.approx(0.95 * 10.0, rel=0.15)
    assert controller.window == 100


@pytest.mark.parametrize(
    "answer",
    [
        refused("quota", code="insufficient_quota"),
        refused("try later", 86400.0),
        result(Outcome.OVERLOADED, error="overloaded", hint_s=3600.0, status=529),
        result(Outcome.AUTH, error="HTTP 401", status=401),
    ],
)
def test_what_waiting_does_not_mend_parks_the_lane_once(answer: ChatResult) -> None:
    controller = LaneController(FREE, now_ns=0)
    for at_s in (10.0, 20.0):
        one_refusal(controller, answer, at_s)
    assert controller.park
    assert [change.what for change in controller.drain_changes()] == ["park"]
    assert controller.paused_until_ns == 0
    assert controller.rate == 2.0


def test_overload_pauses_as_asked_and_shrinks_by_its_share() -> None:
    load = Load(LaneController(FREE, now_ns=0, start_rate=10.0, start_window=40))
    ok = result(Outcome.OK)
    busy = result(Outcome.OVERLOADED, error="overloaded", hint_s=2.0, status=529)
    load.run(20, [ok, ok, ok, busy], per_s=10.0)
    assert load.controller.window < 10
    assert load.controller.paused_until_ns > 20 * S
    assert any(change.what == "pause" for change in load.changes)


def test_one_timeout_among_many_answers_shrinks_nothing_and_many_do() -> None:
    ok, late = result(Outcome.OK), result(Outcome.TIMEOUT_TOTAL)
    few, many = Load(LaneController(FREE, now_ns=0)), Load(LaneController(FREE, now_ns=0))
    few.run(30, [ok] * 40 + [late], per_s=10.0)
    many.run(30, [ok] * 4 + [late], per_s=10.0)
    assert few.controller.window >= 20
    assert many.controller.window < 10


def test_faults_freeze_growth_from_a_tenth_on_and_shrink_from_a_quarter_on() -> None:
    ok, fault = result(Outcome.OK), result(Outcome.SERVER_ERROR, status=500)
    freezing = Load(LaneController(FREE, now_ns=0, start_rate=10.0))
    shrinking = Load(LaneController(FREE, now_ns=0, start_rate=10.0))
    freezing.run(3)
    freezing.run(3, [ok] * 4 + [fault])
    before = freezing.controller.rate
    freezing.run(30, [ok] * 4 + [fault], per_s=before)
    shrinking.run(30, [ok, fault], per_s=10.0)
    assert freezing.controller.rate <= 1.5 * before
    assert not any("failed" in change.reason for change in freezing.changes)
    assert any("failed" in change.reason for change in shrinking.changes)


def test_a_stated_limit_is_a_ceiling_and_below_the_profiles_it_is_told() -> None:
    controller = LaneController(Limits(rpm=3000, tpm=1e6), now_ns=0, start_rate=40.0)
    headers = {"x-ratelimit-limit-requests": "600;w=60", "x-ratelimit-limit-tokens": "600000;w=60"}
    controller.sent(S, 10.0)
    controller.ended(2 * S, S, result(Outcome.OK, S, 2 * S, headers=headers))
    assert controller.rate == pytest.approx(9.8)
    assert controller.token_rate == pytest.approx(9800.0)
    assert any("temporary adjustment" in change.reason for change in controller.drain_changes())


def test_a_stated_limit_above_the_profiles_raises_nothing() -> None:
    controller = LaneController(Limits(qps=5.0), now_ns=0, start_rate=40.0)
    controller.sent(S, 10.0)
    headers = {"x-ratelimit-limit-requests": "60000;w=60"}
    controller.ended(2 * S, S, result(Outcome.OK, S, 2 * S, headers=headers))
    assert controller.rate == 5.0


def test_limits_set_by_hand_hold_at_once() -> None:
    controller = LaneController(FREE, now_ns=0, start_rate=50.0, start_window=200)
    controller.set_ceiling(Limits(workers=7, qps=3.0, tpm=6000), S)
    assert (controller.rate, controller.window, controller.token_rate) == (3.0, 7, 100.0)
    assert {change.what for change in controller.drain_changes()} == {"rate", "window", "tokens"}


def test_what_is_learnt_goes_to_the_next_run_and_through_json() -> None:
    first = LaneController(FREE, now_ns=0, start_rate=12.0, start_window=100)
    one_refusal(first, refused("Too Many Requests"))
    one_refusal(first, refused("too many concurrent requests"), 105.0)
    learnt = msgspec.json.decode(msgspec.json.encode(first.learnt(1e9)), type=Learnt)
    assert learnt.requests_per_s == pytest.approx(10.0, rel=0.15)
    assert learnt.capped

    fresh = LaneController(FREE, now_ns=0, learnt=learnt, learnt_age_s=learnt.age_s(1e9 + 60))
    stale = LaneController(FREE, now_ns=0, learnt=learnt, learnt_age_s=learnt.age_s(1e9 + 1000))
    bound = LaneController(Limits(qps=1.0, workers=3), now_ns=0, learnt=learnt, learnt_age_s=0.0)

    assert fresh.rate == pytest.approx(0.95 * learnt.requests_per_s)
    assert fresh.window == learnt.window
    assert stale.rate == pytest.approx(learnt.requests_per_s / 4)
    assert (bound.rate, bound.window) == (1.0, 3)


def test_nothing_learnt_says_nothing() -> None:
    assert LaneController(FREE, now_ns=0).learnt(5.0) == Learnt(at_s=5.0)


def test_cancelled_requests_count_for_nothing() -> None:
    load = Load(LaneController(FREE, now_ns=0))
    load.run(30, [result(Outcome.CANCELLED)], per_s=1.0)
    assert load.controller.window == 20
    assert load.controller.in_flight == len(load.open)
    assert not load.changes


def test_late_refusals_after_a_cut_change_nothing() -> None:
    controller = LaneController(FREE, now_ns=0, start_rate=12.0)
    one_refusal(controller, refused("Too Many Requests", 1.0))
    before = (controller.rate, controller.paused_until_ns)
    for number in range(30):
        controller.ended(102 * S, int((96 + number / 10) * S), refused("Too Many Requests", 1.0))
    assert (controller.rate, controller.paused_until_ns) == before


_OUTCOMES = st.sampled_from(list(Outcome))
_HINTS = st.sampled_from([None, 0.0, 0.02, 1.0, 7.0, 60.0, 119.0, 1e8])
_TEXTS = st.sampled_from(
    ["", "TPM", "RPM", "concurrency", "限流", "try again in 4m", "high demand", "token limit"]
)
_HEADERS = st.sampled_from(
    [
        {},
        {"x-ratelimit-limit-requests": "600;w=60"},
        {"x-ratelimit-limit-tokens": "1e3;w=60"},
        {"x-ratelimit-limit-requests": "inf", "x-ratelimit-limit-tokens": "-5"},
        {"x-ratelimit-remaining-tokens": "0"},
    ]
)
_CEILINGS = st.builds(
    Limits,
    workers=st.none() | st.integers(1, 300),
    qps=st.none() | st.floats(0.01, 200),
    rpm=st.none() | st.floats(1, 6000),
    tpm=st.none() | st.floats(100, 1e7),
)
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["send", "send", "end", "end", "tick"]),
        st.integers(0, 20_000_000_000),
        st.integers(0, 1000),
        _OUTCOMES,
        _HINTS,
        _TEXTS,
        _HEADERS,
        st.sampled_from([0.0, 1.0, 1500.0, 1e6]),
    ),
    max_size=150,
)


@settings(max_examples=examples(75), deadline=None)
@given(ceiling=_CEILINGS, steps=_STEPS)
def test_whatever_comes_in_whatever_order_the_limits_hold_and_nothing_stops(
    ceiling: Limits, steps: list[tuple[str, int, int, Outcome, float | None, str, dict[str, str], float]]
) -> None:
    controller = LaneController(ceiling, now_ns=0)
    now_ns = 0
    open_ns: list[int] = []
    for what, later_ns, pick, outcome, hint_s, text, headers, tokens in steps:
        now_ns += later_ns
        if what == "send":
            controller.sent(now_ns, tokens)
            open_ns.append(now_ns)
        elif what == "end" and open_ns:
            sent_ns = open_ns.pop(pick % len(open_ns))
            ended = result(outcome, sent_ns, now_ns, error=text, hint_s=hint_s, status=429, headers=headers)
            controller.ended(now_ns, sent_ns, ended)
        else:
            controller.tick(now_ns)
        assert math.isfinite(controller.rate)
        assert controller.rate >= min(0.01, ceiling.qps or 1.0, (ceiling.rpm or 60) / 60)
        assert controller.window >= 1
        assert controller.in_flight == len(open_ns)
        assert controller.paused_until_ns <= now_ns + 120 * S
        if ceiling.qps is not None:
            assert controller.rate <= ceiling.qps
        if ceiling.rpm is not None:
            assert controller.rate <= ceiling.rpm / 60
        if ceiling.workers is not None:
            assert controller.window <= ceiling.workers
        if ceiling.tpm is not None:
            assert controller.token_rate is not None
            assert 0 < controller.token_rate <= ceiling.tpm / 60
    msgspec.json.encode(controller.learnt(1.0))
    for change in controller.drain_changes():
        assert change.reason
    assert controller.drain_changes() == []
