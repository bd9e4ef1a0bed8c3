"""What is supposed of providers that the profile guesses little or nothing of."""

from __future__ import annotations

from pathlib import Path

from rehearsal_rig import guessed, prepared, rehearsed

from console.rehearsal.supposed import Thinking, suppose
from console.sim.answers import Answer, count_pieces
from console.sim.player import TestPlayer


def test_a_guess_is_taken_at_its_word(tmp_path: Path):
    guess = "[providers.lab.guess]\nttft_ms = 1000\nitl_ms = 0\noutput_tokens = 100\nkey_qps = 3"
    ready = prepared(guessed(tmp_path, guess))
    supposed = suppose(ready.loaded.profile, ready.plan.lanes, TestPlayer())
    behaviour = supposed.behaviours["lab"]
    assert (behaviour.ttft_ms, behaviour.itl_ms, behaviour.output_tokens) == (1000, 0, 100)
    assert (behaviour.key_qps, behaviour.retry_after) == (3, "seconds")
    assert supposed.assumptions[0] == (
        "lab: guessed in the profile: TTFT 1000 ms, 0 ms a token, 100 tokens an answer; "
        "at most 3 requests/s a key"
    )
    secrets = [endpoint.secret for endpoint in supposed.endpoints.values()]
    assert [str(secret and secret.reveal()) for secret in secrets] == ["sim-key0", "sim-key1"]


def test_what_is_not_guessed_is_assumed_and_said(tmp_path: Path):
    rehearsal = rehearsed(guessed(tmp_path))
    assert rehearsal.assumptions[0] == (
        "lab: assumed, as the profile guesses nothing: TTFT 600 ms, 20 ms a token, 300 tokens an answer; no quota"
    )
    half = rehearsed(guessed(tmp_path, "[providers.lab.guess]\nttft_ms = 50"))
    assert half.assumptions[0].startswith("lab: guessed in the profile: TTFT 50 ms; assumed")
    assert half.duration_s < rehearsal.duration_s


def test_guessed_answers_are_as_long_as_guessed_and_say_what_the_player_says():
    class Short:
        def answer(self, **_) -> Answer:
            return Answer(text="three words only")

    def answer(number: int, max_tokens: int | None) -> Answer:
        said = Thinking(Short(), 200).answer(
            seed=0, model="m", messages=({"role": "user", "content": str(number)},), tools=(), max_tokens=max_tokens, skill=1.0
        )  # fmt: skip
        assert said is not None
        assert said.text == "three words only"
        return said

    lengths = [count_pieces(answer(number, None))[1] for number in range(400)]
    assert 190 < sum(lengths) / len(lengths) < 210
    assert 60 < min(lengths) < 160
    assert max(count_pieces(answer(number, 150))[1] for number in range(50)) == 150


def test_an_answer_longer_than_guessed_is_left_as_it_is():
    class Long:
        def answer(self, **_) -> Answer:
            return Answer(text="word " * 50)

    said = Thinking(Long(), 5).answer(seed=0, model="m", messages=(), tools=(), max_tokens=10, skill=1.0)
    assert said == Answer(text="word " * 50)
