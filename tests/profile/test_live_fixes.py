"""What is offered to mend lanes that do not answer, and what a result shows of a lane."""

from __future__ import annotations

import msgspec
import pytest

from console.live_check import _read
from console.profile import load_profile
from console.profile.live_fixes import live_fixes
from console.vocabulary.chat import ChatResult, Stamps
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome
from console.vocabulary.probed import Probed

TWO_KEYS = ('keys_off = ["key1"]', "")
LANE = Lane("lab", "qwen2.5", "qwen2.5", "key0")


def probed(state, deployment="qwen2.5", key="key0", provider="lab", model="qwen2.5") -> Probed:
    return Probed(
        lane=Lane(provider, model, deployment, key),
        state=state,
        text="what was said",
        key_source=f"env:{key}",
    )


def fixes(profile_file, probes, *replacements) -> str:
    return "\n".join(live_fixes(load_profile(profile_file(*replacements)).profile, probes))


def test_where_all_answer_there_is_nothing_to_mend(profile_file):
    assert fixes(profile_file, [probed("answers")]) == ""


def test_a_refused_key_is_switched_off_only_where_others_are_left(profile_file):
    both = [probed("answers"), probed("key_refused", key="key1")]
    assert '[providers.lab] keys_off = ["key1"]' in fixes(profile_file, both, TWO_KEYS)
    none = [probed("key_refused"), probed("key_refused", key="key1")]
    said = fixes(profile_file, none, TWO_KEYS)
    assert "keys_off" not in said
    assert "env:key0" in said
    assert "env:key1" in said


def test_keys_that_are_off_already_stay_off(profile_file):
    more = (
        'key1 = "env:LAB_KEY_1" }\nkeys_off = ["key1"]',
        'key1 = "env:LAB_KEY_1", key2 = "env:LAB_KEY_2" }\nkeys_off = ["key1"]',
    )
    said = fixes(profile_file, [probed("answers"), probed("quota_used_up", key="key2")], more)
    assert 'keys_off = ["key1", "key2"]' in said
    assert "quota is used up" in said


def test_a_key_that_serves_other_models_is_taken_from_one(profile_file):
    lanes = [
        probed("answers", "V3", provider="azure", model="V3"),
        probed("key_refused", "V3-2", provider="azure", model="V3"),
    ]
    assert "[models.V3] off = true" in fixes(profile_file, lanes)
    lanes = [
        probed("answers"),
        probed("answers", "other", "key1", model="other"),
        probed("key_refused", key="key1"),
    ]
    assert '[models."qwen2.5"] keys = ["key0"]' in fixes(profile_file, lanes, TWO_KEYS)


def test_where_no_deployment_is_known_the_base_url_is_suspected(profile_file):
    lanes = [probed("no_deployment", name, provider="azure", model="V3") for name in ("V3", "V3-2")]
    assert "is its base URL right?" in fixes(profile_file, lanes)
    lanes[0] = probed("answers", "V3", provider="azure", model="V3")
    assert '[providers.azure] deployments_off = ["V3-2"]' in fixes(profile_file, lanes)


def test_a_base_url_that_is_not_there_is_named_once_and_no_server_is_suspected(profile_file):
    missing = "environment variable LAB_URL is not set (export LAB_URL=…)"
    lanes = [
        msgspec.structs.replace(probed("no_url"), text=missing),
        msgspec.structs.replace(probed("no_url", key="key1"), text=f"{missing}; no key1"),
    ]
    assert fixes(profile_file, lanes, TWO_KEYS) == f"lab: {missing}\nlab: no key1"


@pytest.mark.parametrize("state", ["timeout", "no_server", "failed", "not_reached", "rate_limited"])
def test_every_other_state_has_a_word_of_what_to_do(profile_file, state: str):
    assert fixes(profile_file, [probed(state)]).startswith("lab: ")


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"outcome": Outcome.OK, "status": 200}, "answers"),
        ({"outcome": Outcome.CONTENT_FILTER, "status": 400}, "answers"),
        ({"outcome": Outcome.AUTH, "status": 401}, "key_refused"),
        ({"outcome": Outcome.AUTH, "status": 403}, "key_refused"),
        ({"outcome": Outcome.RATE_LIMITED, "status": 429}, "rate_limited"),
        ({"outcome": Outcome.OVERLOADED, "status": 429}, "rate_limited"),
        ({"outcome": Outcome.RATE_LIMITED, "status": 429, "error_code": "insufficient_quota"}, "quota_used_up"),
        ({"outcome": Outcome.OVERLOADED, "status": 503}, "failed"),
        ({"outcome": Outcome.SERVER_ERROR, "status": 500}, "failed"),
        ({"outcome": Outcome.BAD_REQUEST, "status": 404}, "no_deployment"),
        (
            {"outcome": Outcome.BAD_REQUEST, "status": 400, "error": "HTTP 400: the model `x` does not exist"},
            "no_deployment",
        ),
        ({"outcome": Outcome.BAD_REQUEST, "status": 400, "error": "HTTP 400: bad temperature"}, "failed"),
        (
            {"outcome": Outcome.BAD_REQUEST, "status": 400, "error": "max_tokens or model output limit was reached"},
            "answers",
        ),
        ({"outcome": Outcome.TIMEOUT_FIRST_TOKEN}, "timeout"),
        ({"outcome": Outcome.CANCELLED}, "timeout"),
        ({"outcome": Outcome.CONNECTION}, "no_server"),
        ({"outcome": Outcome.PROTOCOL, "status": 200}, "failed"),
    ],
)  # fmt: skip
def test_what_a_result_shows(fields: dict, state: str):
    read = _read(LANE, ChatResult(stamps=Stamps(sent_ns=0), **fields), 9.0, "env:K")
    assert read.state == state


def test_hostile_words_of_a_server_reach_no_terminal():
    stamps = Stamps(sent_ns=0)
    read = _read(LANE, ChatResult(outcome=Outcome.AUTH, stamps=stamps, error="\x1b[2J\nx" * 999), 9.0, "")
    assert "\x1b" not in read.text
    assert "\n" not in read.text
    assert len(read.text) <= 200
