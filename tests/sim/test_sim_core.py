"""The provider core with times passed in: quotas, slots, load, faults and answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from console.sim.admission import Admission
from console.sim.answers import Answer, count_tokens, join_pieces, split_answer
from console.sim.config import SimConfig, check_config, config_from_json, config_to_json
from console.sim.provider import AnswerPlan, Ask, SimulatedProvider, key_label
from console.sim.quotas import MINUTE_NS, SECOND_NS, Window, go_duration
from console.sim.rejection import Rejection
from console.vocabulary.chat import ToolCall
from console.vocabulary.errors import ConsoleError
from console.vocabulary.outcome import Outcome
from console.vocabulary.simulated import SimBehaviour
from console.vocabulary.tokens import offered_tokens
from console.work.protocol import offered_tools


def provider(seed: int = 1, **settings: Any) -> SimulatedProvider:
    return SimulatedProvider(SimBehaviour(**settings), seed=seed)


def ask(content: str = "Say hello to me", **fields: Any) -> Ask:
    return Ask(
        deployment=fields.pop("deployment", "m"), messages=({"role": "user", "content": content},), **fields
    )


def plan_of(served: SimulatedProvider, wanted: Ask) -> AnswerPlan:
    begun = served.begin(0, wanted)
    assert not isinstance(begun, Rejection)
    served.release(begun[0], 0, "ok")
    return begun[1]


def text_of(plan: AnswerPlan) -> str:
    return join_pieces(plan.pieces)[0]


def admitted(answer: Admission | Rejection) -> Admission:
    assert isinstance(answer, Admission)
    return answer


def rejected(answer: object) -> Rejection:
    assert isinstance(answer, Rejection)
    return answer


def test_answers_depend_on_seed_model_and_messages_and_not_on_the_order_of_arrival():
    questions = [f"question {number}" for number in range(20)]
    forward, backward = provider(), provider()
    first = {question: text_of(plan_of(forward, ask(question))) for question in questions}
    second = {question: text_of(plan_of(backward, ask(question))) for question in reversed(questions)}
    assert first == second
    assert len(set(first.values())) == 20
    assert text_of(plan_of(provider(seed=2), ask(questions[0]))) != first[questions[0]]
    assert text_of(plan_of(provider(), ask(questions[0], deployment="other"))) != first[questions[0]]


def test_order_of_keys_in_a_message_does_not_matter():
    turned = Ask(deployment="m", messages=({"content": "Say hello to me", "role": "user"},))
    assert plan_of(provider(), ask()).pieces == plan_of(provider(), turned).pieces


def test_deployments_of_one_model_give_the_same_answers():
    served = SimulatedProvider(SimBehaviour(), seed=1, model_of={"m-2": "m"})
    first, second = plan_of(served, ask()), plan_of(served, ask(deployment="m-2"))
    assert first.pieces == second.pieces
    assert second.model == "m"


def test_length_is_max_tokens_with_ignore_eos_and_about_the_mean_without():
    forced = plan_of(provider(), ask(max_tokens=17, ignore_eos=True))
    assert (forced.completion_tokens, forced.finish_reason) == (17, "length")
    cut = plan_of(provider(output_tokens=100), ask(max_tokens=5))
    assert (cut.completion_tokens, cut.finish_reason) == (5, "length")
    served = provider(output_tokens=100)
    lengths = [plan_of(served, ask(str(number))).completion_tokens for number in range(300)]
    assert 95 < sum(lengths) / 300 < 105
    assert len(set(lengths)) > 20
    assert plan_of(served, ask("0")).finish_reason == "stop"


def test_tokens_are_words():
    plan = plan_of(provider(), ask("one two  three\nfour"))
    assert plan.prompt_tokens == 4
    assert plan.completion_tokens == len(text_of(plan).split())


def test_offered_tools_are_part_of_the_prompt():
    served, asked = provider(), ask("one two  three\nfour")
    offering = msgspec.structs.replace(asked, tools=offered_tools())
    assert plan_of(served, offering).prompt_tokens == 4 + round(offered_tokens(offered_tools()))
    assert offered_tokens(offered_tools()) > 1000


def test_odd_messages_are_counted_and_do_not_break():
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "two words"}, {"type": "image"}, 7]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"function": {"name": "f", "arguments": "a b"}}],
        },
        {"role": "assistant", "tool_calls": 5, "content": 3},
        {"role": "assistant", "tool_calls": [1, {"function": "x"}]},
    ]
    assert count_tokens(messages) == 2 + 3 + 2


def test_an_answer_survives_being_cut_into_tokens():
    calls = (ToolCall("c1", "file_reader", '{"path": "a.txt"}'), ToolCall("c2", "empty", ""))
    answer = Answer(text="  two  words\n", reasoning="well then", tool_calls=calls)
    assert join_pieces(split_answer(answer)) == (answer.text, answer.reasoning, calls)
    assert split_answer(Answer()) == []


def test_a_player_is_asked_first_and_its_answer_is_cut_at_max_tokens():
    class Parrot:
        def answer(
            self,
            *,
            seed: int,
            model: str,
            messages: Sequence[Any],
            tools: Any,
            max_tokens: int | None,
            skill: float,
        ) -> Answer | None:
            if messages[-1]["content"] == "unknown":
                return None
            return Answer(reasoning="hm", text=f"{seed} {model} {skill} end")

    served = SimulatedProvider(SimBehaviour(skill=0.5), seed=9, player=Parrot())
    plan = plan_of(served, ask("hi"))
    assert (text_of(plan), plan.finish_reason, plan.reasoning_tokens) == ("9 m 0.5 end", "stop", 1)
    short = plan_of(served, ask("hi", max_tokens=3))
    assert (text_of(short), short.finish_reason) == ("9 m", "length")
    assert plan_of(served, ask("unknown")).pieces == plan_of(provider(seed=9), ask("unknown")).pieces


def test_a_player_that_fails_leaves_nothing_in_flight():
    class Broken:
        def answer(self, **_: Any) -> Answer | None:
            raise RuntimeError("player")

    served = SimulatedProvider(SimBehaviour(slots=1), seed=1, player=Broken())
    with pytest.raises(RuntimeError, match="player"):
        served.begin(0, ask())
    assert served.in_flight == 0
    assert served.deployments["m"].serving == 0


def test_key_and_deployment_concurrency_are_held_and_freed():
    served = provider(key_concurrency=2, deployment_concurrency=3)
    held = [admitted(served.admit(0, "m", "a", 1)) for _ in range(2)]
    refused = rejected(served.admit(0, "m", "a", 1))
    assert (refused.status, refused.outcome) == (429, Outcome.RATE_LIMITED)
    assert "concurrent" in refused.message
    held.append(admitted(served.admit(0, "m", "b", 1)))
    assert rejected(served.admit(0, "m", "c", 1)).status == 429
    served.release(held[0], 5, "ok")
    served.release(held[0], 6, "ok")
    admitted(served.admit(7, "m", "a", 1))
    assert (served.keys["a"].peak, served.deployments["m"].peak) == (2, 3)
    assert served.in_flight == 3


def test_requests_per_second_are_counted_in_one_second_windows_per_key():
    served = provider(key_qps=2)
    late = SECOND_NS - 1
    assert [isinstance(served.admit(at, "m", "a", 1), Admission) for at in (0, late, late)] == [
        True,
        True,
        False,
    ]
    admitted(served.admit(late, "m", "b", 1))
    admitted(served.admit(SECOND_NS, "m", "a", 1))


def test_a_fractional_rate_admits_who_paces_exactly():
    served = provider(key_qps=2.5)
    for number in range(50):
        admitted(served.admit(round(number * SECOND_NS / 2.5), "m", "a", 1))
    slow = Window(0.001, SECOND_NS)
    assert (slow.capacity, slow.period_ns) == (1, 1000 * SECOND_NS)


def test_requests_and_tokens_per_minute_are_held_with_their_headers():
    served = provider(key_rpm=3, deployment_tpm=100)
    first = admitted(served.admit(30 * SECOND_NS, "m", "a", 60))
    assert dict(first.headers) == {
        "x-ratelimit-limit-requests": "3",
        "x-ratelimit-remaining-requests": "2",
        "x-ratelimit-reset-requests": "30s",
        "x-ratelimit-limit-tokens": "100",
        "x-ratelimit-remaining-tokens": "40",
        "x-ratelimit-reset-tokens": "30s",
    }
    over_tokens = rejected(served.admit(40 * SECOND_NS, "m", "a", 41))
    assert (over_tokens.status, over_tokens.kind, over_tokens.retry_after_s) == (429, "tokens", 20.0)
    assert dict(over_tokens.headers)["retry-after"] == "20"
    for _ in range(2):
        admitted(served.admit(41 * SECOND_NS, "m", "a", 10))
    over_requests = rejected(served.admit(42 * SECOND_NS, "m", "a", 1))
    assert dict(over_requests.headers)["x-ratelimit-remaining-requests"] == "0"
    admitted(served.admit(MINUTE_NS, "m", "a", 100))


def test_a_refused_request_uses_no_quota():
    served = provider(key_qps=5, deployment_tpm=10)
    for _ in range(9):
        rejected(served.admit(0, "m", "a", 11))
    for _ in range(5):
        admitted(served.admit(0, "m", "a", 2))


def test_azure_sends_no_reset_and_names_its_codes():
    served = provider(dialect="azure", key_rpm=1, retry_after="ms")
    headers = dict(admitted(served.admit(0, "m", "a", 1)).headers)
    assert headers == {"x-ratelimit-limit-requests": "1", "x-ratelimit-remaining-requests": "0"}
    refused = rejected(served.admit(SECOND_NS // 4, "m", "a", 1))
    assert refused.code == "429"
    assert dict(refused.headers)["retry-after-ms"] == "59750"
    assert refused.retry_after_s == 59.75


def test_a_quota_per_second_is_not_stated_as_these_headers_speak_of_minutes():
    served = provider(key_qps=1)
    assert admitted(served.admit(0, "m", "a", 1)).headers == ()
    assert dict(rejected(served.admit(0, "m", "a", 1)).headers) == {"retry-after": "1"}


def test_retry_after_can_be_left_out():
    served = provider(key_concurrency=1, retry_after="none")
    admitted(served.admit(0, "m", "a", 1))
    refused = rejected(served.admit(0, "m", "a", 1))
    assert refused.headers == ()
    assert refused.retry_after_s is None


@pytest.mark.parametrize(
    ("settings", "code"),
    [({"key_qps": 1}, "MPE-429"), ({"key_rpm": 1}, "PL-002"), ({"key_concurrency": 1}, "MPE-429")],
)
def test_the_gateway_throttles_with_400(settings: dict[str, Any], code: str):
    served = provider(throttle="400", **settings)
    admitted(served.admit(0, "m", "a", 1))
    refused = rejected(served.admit(0, "m", "a", 1))
    assert (refused.status, refused.code, refused.outcome) == (400, code, Outcome.RATE_LIMITED)
    assert "rate limit" in refused.message


def test_unknown_keys_and_deployments_are_refused():
    plain = provider(keys=("right",), models=("m",))
    assert rejected(plain.admit(0, "m", key_label("wrong"), 1)).status == 401
    assert rejected(plain.admit(0, "m", key_label(None), 1)).outcome is Outcome.AUTH
    assert rejected(plain.admit(0, "x", key_label("right"), 1)).status == 404
    admitted(plain.admit(0, "m", key_label("right"), 1))
    refused = rejected(provider(keys=("right",), throttle="400").admit(0, "m", key_label("wrong"), 1))
    assert (refused.status, refused.code, refused.outcome) == (400, "CE-003", Outcome.AUTH)
    assert b"wrong" not in refused.body()


def test_slots_queue_in_order_and_the_bound_is_answered_503():
    served = provider(slots=1, queue=2)
    first, second, third = (admitted(served.admit(at, "m", "a", 1)) for at in (0, 1, 2))
    overloaded = rejected(served.admit(3, "m", "a", 1))
    assert (overloaded.status, overloaded.outcome) == (503, Outcome.OVERLOADED)
    served_at: list[tuple[str, int]] = []
    second.on_served = lambda now_ns: served_at.append(("second", now_ns))
    third.on_served = lambda now_ns: served_at.append(("third", now_ns))
    assert (first.served_ns, second.served_ns) == (0, None)
    served.release(first, 10, "ok")
    assert served_at == [("second", 10)]
    served.release(second, 20, "ok")
    assert served_at == [("second", 10), ("third", 20)]
    assert (served.deployments["m"].peak_serving, served.deployments["m"].peak_waiting) == (1, 2)


def test_who_leaves_the_queue_is_passed_over():
    served = provider(slots=1, queue=2)
    first, second, third = (admitted(served.admit(at, "m", "a", 1)) for at in (0, 1, 2))
    served.release(second, 5, "cancelled")
    served.release(first, 6, "ok")
    assert third.served_ns == 6
    assert second.served_ns is None


def test_a_queue_of_zero_admits_while_a_slot_is_free():
    served = provider(slots=1, queue=0)
    admitted(served.admit(0, "m", "a", 1))
    assert rejected(served.admit(0, "m", "a", 1)).status == 503
    admitted(served.admit(0, "n", "a", 1))


def test_delays_grow_with_the_share_of_busy_slots():
    served = provider(slots=4, load_factor=2, ttft_ms=100, itl_ms=10, ttft_spread=0, itl_spread=0)
    held = [admitted(served.admit(0, "m", "a", 1)) for _ in range(2)]
    assert (served.ttft_ns(held[0]), served.gap_ns(held[0])) == (200_000_000, 20_000_000)
    for _ in range(2):
        admitted(served.admit(0, "m", "a", 1))
    assert served.ttft_ns(held[0]) == 300_000_000


def test_delays_have_the_median_and_the_spread_that_were_asked_for():
    served = provider(ttft_ms=100, ttft_spread=0.5)
    held = admitted(served.admit(0, "m", "a", 1))
    drawn = sorted(served.ttft_ns(held) / 1e6 for _ in range(4001))
    assert 95 < drawn[2000] < 105
    assert 1.5 < drawn[3366] / drawn[2000] < 1.8  # one sigma: e ** 0.5 = 1.65


def test_faults_come_at_their_rate_and_do_not_depend_on_the_order_of_arrival():
    def failed(order: Sequence[int]) -> set[int]:
        served = provider(error_rate=0.3)
        return {number for number in order if isinstance(served.begin(0, ask(str(number))), Rejection)}

    forward = failed(range(400))
    assert forward == failed(list(reversed(range(400))))
    assert 80 < len(forward) < 160


def test_a_failed_request_has_a_new_chance_when_it_is_sent_again():
    served = provider(error_rate=0.5)
    outcomes = [isinstance(served.begin(0, ask("again")), Rejection) for _ in range(40)]
    assert {True, False} == set(outcomes)
    assert served.outcomes[Outcome.SERVER_ERROR] == sum(outcomes)


def test_a_cut_lies_in_the_middle():
    served = provider(cut_rate=1)
    for number in range(50):
        plan = plan_of(served, ask(str(number), max_tokens=9, ignore_eos=True))
        assert plan.cut_after is not None
        assert 1 <= plan.cut_after <= 8


def test_durations_are_written_as_go_does():
    assert [go_duration(ns) for ns in (20_000_000, 1_500_000_000, 360 * SECOND_NS, 61_250_000_000)] == [
        "20ms",
        "1.5s",
        "6m0s",
        "1m1.25s",
    ]


def test_a_configuration_survives_its_json_and_wrong_ones_are_named():
    config = SimConfig(seed=3, providers={"a": SimBehaviour(keys=("k",), slots=3)}, model_of={"m-2": "m"})
    assert config_from_json(config_to_json(config)) == config
    for line, text in (
        (b"{", "malformed"),
        (b'{"providers": {}}', "no provider"),
        (b'{"providers": {"a": {"slots": 0}}}', "slots: 0 is not ≥ 1"),
        (b'{"providers": {"a": {"key_qps": 0}}}', "key_qps: 0 is not > 0"),
        (b'{"providers": {"a": {"skill": 1.5}}}', "skill: 1.5 is not ≤ 1"),
        (b'{"providers": {"a/b": {}}}', "cannot name"),
        (b'{"providers": {"__stats": {}}}', "cannot name"),
    ):
        with pytest.raises(ConsoleError, match=text):
            config_from_json(line)
    with pytest.raises(ConsoleError):
        check_config(SimConfig(providers={"": SimBehaviour()}))
