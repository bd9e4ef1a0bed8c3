"""The live probe and the setup of a first profile, driven by keys on profiles in memory."""

from __future__ import annotations

import tomllib

import pytest
from fakes import Told, opened
from fakes.profiles import FakeProfiles
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Input

from console.app import StartAt
from console.profile.load import load_source
from console.profile.places import ProfileSource
from console.screens.profiles.probe import Probe
from console.screens.profiles.screen import Profiles
from console.screens.profiles.setup import Setup
from console.screens.profiles.setup_steps import STEPS, answer_fault, profile_table, profile_text
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import Lane
from console.vocabulary.probed import Probed

pytestmark = pytest.mark.anyio

HERE = StartAt("profiles")


def lane(deployment: str, key: str = "key0") -> Lane:
    return Lane(
        "lab", "qwen2.5-7b-instruct" if deployment != "qwen2.5-72b-instruct" else deployment, deployment, key
    )


def answering() -> FakeProfiles:
    return FakeProfiles(
        answers=[
            Probed(lane=lane("qwen2.5-72b-instruct"), state="answers", ttft_ms=212.4, status=200),
            Probed(
                lane=lane("qwen-a"),
                state="key_refused",
                status=401,
                text="\x1b]0;no\x07 bad key",
                key_source="env:LAB_KEY_0",
            ),
            Probed(lane=lane("qwen-b"), state="rate_limited", status=429, text="slow down"),
        ],
        fixes=["key key0 of lab is refused: put one that is valid into env:LAB_KEY_0"],
    )


async def to_mine(pilot, until) -> None:
    app = pilot.app
    await until(pilot, "effective totals")
    app.screen.picker.highlight("mine")
    await until(pilot, lambda: app.screen.editor.name == "mine" and "mine" in app.screen.editor.drafts)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["narrow", "wide"])
async def test_a_probe_says_its_cost_first_then_each_answer_then_what_mends_the_rest(
    size, until, golden
) -> None:
    told = Told(profiles=answering())
    app = opened(told, HERE)
    async with app.run_test(size=size) as pilot:
        await to_mine(pilot, until)
        await pilot.press("p")
        shown = await until(pilot, "Enter ask")
        assert "sends 3 requests, one a lane, to 1 provider" in shown
        assert "answers" not in shown
        await pilot.press("x", "enter")
        await until(pilot, "asking: 1 of 3 lanes answer")
        await until(pilot, "212 ms")
        told.profiles.go_on.set()
        await until(pilot, "done: 2 of 3 lanes answer, 1 does not")
        await pilot.press("down")
        shown = await until(pilot, "KEY REFUSED · HTTP 401")
        assert "KEY REFUSED" in shown
        golden(f"profiles-probe-{size[0]}", shown)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Profiles))


async def test_a_probe_can_be_stopped_and_what_was_answered_stays(until) -> None:
    told = Told(profiles=answering())
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await to_mine(pilot, until)
        await pilot.press("p")
        await until(pilot, "Enter ask")
        await pilot.press("x", "enter")
        await until(pilot, "asking: 1 of 3")
        await pilot.press("escape")
        await until(pilot, "stopped: 1 of 3 lanes answer")
        await until(pilot, lambda: told.profiles.stopped)
        assert isinstance(app.screen, Probe)
        await pilot.press("x", "escape")
        await until(pilot, lambda: isinstance(app.screen, Profiles))


async def test_a_probe_asks_nothing_unless_it_is_confirmed(until) -> None:
    told = Told(profiles=answering())
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await to_mine(pilot, until)
        await pilot.press("p")
        await until(pilot, "Enter ask")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Profiles))
        assert not told.profiles.stopped


async def test_a_first_start_asks_what_is_to_be_tested_and_the_simulator_needs_nothing_more(
    until, golden
) -> None:
    told = Told(profiles=FakeProfiles(own={}, first_start=True))
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "an endpoint of mine")
        golden("profiles-setup-80", await until(pilot, "claude_sonnet4"))
        await pilot.press("s")
        await until(pilot, "[2 LAUNCH]")
        assert (app.session.profile, told.profiles.put_off) == ("sim", True)


async def test_the_setup_is_offered_once(until) -> None:
    told = Told(profiles=FakeProfiles(own={}, first_start=True))
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "an endpoint of mine")
        await pilot.press("escape")
        await until(pilot, "[2 LAUNCH]")
        await pilot.press("1")
        await until(pilot, "[1 PROFILES]")
        await pilot.pause()
        assert isinstance(app.screen, Profiles)
        assert told.profiles.put_off


async def answer(pilot, until, title: str, text: str) -> None:
    await until(pilot, title)
    pilot.app.screen.query_one(Input).value = text
    await pilot.press("enter")


async def test_an_endpoint_is_asked_for_step_by_step_checked_and_used(until, golden) -> None:
    told = Told(profiles=FakeProfiles(own={}, first_start=True, set_variables={"LAB_KEY"}))
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "an endpoint of mine")
        await pilot.press("e")
        await answer(pilot, until, "1 of 6: kind of API", "grpc")
        await until(pilot, "is not")
        await answer(pilot, until, "1 of 6", "openai")
        for wrong, said in (
            ("ftp://x", "is not an http"),
            ("http://me:pw@h/v1", "holds a credential"),
            ("", "something has to be said"),
        ):
            await answer(pilot, until, "2 of 6: base URL", wrong)
            await until(pilot, said)
        await answer(pilot, until, "2 of 6", "http://127.0.0.1:8000/v1")
        await answer(pilot, until, "3 of 6: API key", "sk-abcdef")
        golden("profiles-setup-key-80", await until(pilot, "a key itself never stands in a"))
        app.screen.query_one(Input).value = "env:NOPE"
        await until(pilot, "NOPE is not set here")
        await answer(pilot, until, "3 of 6", "env:LAB_KEY")
        await until(pilot, "4 of 6: models")
        await pilot.press("escape")  # back, with what was said kept
        await until(pilot, "env:LAB_KEY")
        await pilot.press("x", "backspace", "enter")
        await answer(pilot, until, "4 of 6: models", "small, large")
        for wrong in ("0", "-1", "abc", "1000000000"):
            await answer(pilot, until, "5 of 6: workers", wrong)
            await until(pilot, "is not a whole number")
        await answer(pilot, until, "5 of 6", "8")
        await answer(pilot, until, "6 of 6: name", "sim")
        await until(pilot, "is built in")
        await answer(pilot, until, "6 of 6", "lab")
        await until(pilot, "This will be written as your profile lab")
        assert told.profiles.own == {}
        await pilot.press("x", "enter")
        await until(pilot, "Your profile lab is written, and launches use it.")
        profile = load_source(told.profiles.read("lab"), environ={}).profile
        assert list(profile.models) == ["small", "large"]
        assert profile.providers["endpoint"].keys["key0"].secret == "env:LAB_KEY"
        await pilot.press("x", "enter")
        await until(pilot, "[2 LAUNCH]")
        assert app.session.profile == "lab"


async def test_the_setup_can_be_had_again_and_given_up_at_every_step(until) -> None:
    told = Told()
    app = opened(told, HERE)
    async with app.run_test(size=(60, 15)) as pilot:
        await until(pilot, "DeepSeek")
        await pilot.press("N")
        await until(pilot, "1 of 6")
        app.screen.query_one(Input).value = "azure"
        await pilot.press("x", "backspace", "enter")
        await answer(pilot, until, "2 of 7: base URL", "http://h")
        await until(pilot, "3 of 7: API version")
        for _ in range(3):
            assert isinstance(app.screen, Setup)
            await pilot.press("x", "escape")
            await pilot.pause()
        await until(pilot, lambda: isinstance(app.screen, Profiles))
        assert list(told.profiles.own) == ["mine", "broken"]


async def test_a_name_that_cannot_be_written_is_said_and_the_answers_stay(until) -> None:
    told = Told(
        profiles=FakeProfiles(
            unwritable=ConsoleError("cannot be written: No space left on device", where="/p/lab.toml")
        )
    )
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "DeepSeek")
        await pilot.press("N")
        for title, text in (
            ("1 of", "openai"),
            ("2 of", "http://h/v1"),
            ("3 of", ""),
            ("4 of", "m"),
            ("5 of", "4"),
            ("6 of", "lab"),
        ):
            await answer(pilot, until, title, text)
        await until(pilot, "This will be written")
        await pilot.press("x", "enter")
        await until(pilot, "No space left on device")
        assert isinstance(app.screen, Setup)


ANSWERS = st.fixed_dictionaries(
    {
        "api": st.sampled_from(["openai", "azure", "grpc", ""]),
        "base_url": st.sampled_from(["http://h/v1", "env:URL", "h", "http://a b"]),
        "api_version": st.sampled_from(["2024-12-01-preview", ""]),
        "key": st.sampled_from(["", "env:A", "sk-1", "cmd:pass show", "keyring:a"]),
        "models": st.text(max_size=10) | st.sampled_from(["a b", "a,b", "模型", 'x"y']),
        "workers": st.sampled_from(["1", "0", "x", "4.5", "99999999"]),
        "name": st.sampled_from(["mine", "a b", "..", "实验"]),
    }
)


@given(ANSWERS)
def test_answers_without_a_fault_make_a_valid_profile(answers) -> None:
    faults = [
        step.id for step in STEPS if step.asked(answers) and answer_fault(step, answers, answers[step.id])
    ]
    text = profile_text(answers)
    if not faults:
        assert tomllib.loads(text) == profile_table(answers)
        load_source(ProfileSource(name="x", origin="x", path=None, text=text), environ={})
    for step in STEPS:
        fault = answer_fault(step, answers, answers[step.id])
        assert step.id != "key" or "sk-1" not in (fault or "")
