"""`profile check --live` as a user runs it, against real servers: what answers, what does not, and what mends it."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from commands import Simulator, ultra, ultra_here

CANARIES = {"LAB_KEY_0": "sk-canary-aaaaaaaaaaaa", "LAB_KEY_1": "sk-canary-bbbbbbbbbbbb"}

PROFILE = """\
name = "mine"
[providers.lab]
api = "openai"
base_url = "{url}"
keys = {{ key0 = "env:LAB_KEY_0"{more_keys} }}
{provider}
[models.small]
provider = "lab"
class = "open"
deployments = {deployments}
[limits.lab.open]
fixed = {{ workers = 1 }}
adaptive = {{ workers = 2 }}
[timeouts]
first_token = {first_token}
"""


def check(folder: Path, url: str, *more: str, keys=None, **settings: object) -> tuple[int, list[dict], str]:
    """Write a profile, check it live, and return code, records and whatever was said."""
    filled = {"more_keys": "", "provider": "", "deployments": '["small"]', "first_token": 20, **settings}
    path = folder / "mine.toml"
    path.write_text(PROFILE.format(url=url, **filled))
    code, out, err = ultra_here(
        "profile", "check", "--live", str(path), "--json", *more, **(CANARIES if keys is None else keys)
    )
    assert not any(canary in out + err for canary in CANARIES.values())
    return code, [json.loads(line) for line in out.splitlines()], err


def of(records: list[dict], kind: str) -> list[dict]:
    return [record for record in records if record["type"] == kind]


def states(records: list[dict]) -> dict[str, str]:
    return {record["lane"]: record["state"] for record in of(records, "probe")}


def fixes(records: list[dict]) -> str:
    return "\n".join(record["text"] for record in of(records, "fix"))


def test_all_answer(tmp_path: Path):
    with Simulator("--ttft-ms", "20") as simulator:
        code, records, err = check(tmp_path, simulator.url, more_keys=', key1 = "env:LAB_KEY_1"')
    assert code == 0, err
    assert records[0] == {"type": "cost", "requests": 2, "prompt_tokens": 7, "output_tokens": 16}
    assert set(states(records).values()) == {"answers"}
    assert all(record["ttft_ms"] > 0 and record["simulated"] for record in of(records, "probe"))
    assert fixes(records) == ""


def test_a_dead_key_and_one_that_is_not_there_are_told_apart_from_a_good_one(tmp_path: Path):
    with Simulator("--keys", CANARIES["LAB_KEY_0"], "--ttft-ms", "20") as simulator:
        code, records, err = check(
            tmp_path, simulator.url, deployments='["a", "b"]',
            more_keys=', key1 = "env:LAB_KEY_1", key2 = "env:LAB_KEY_2"',
        )  # fmt: skip
    assert code == 4, err
    assert states(records) == {
        "lab/a@key0": "answers", "lab/a@key1": "key_refused", "lab/a@key2": "no_key",
        "lab/b@key0": "answers", "lab/b@key1": "key_refused", "lab/b@key2": "no_key",
    }  # fmt: skip
    assert 'keys_off = ["key1", "key2"]' in fixes(records)
    assert "env:LAB_KEY_1" in fixes(records)
    assert "export LAB_KEY_2=" in fixes(records)


def test_a_deployment_that_is_missing(tmp_path: Path):
    with Simulator("--models", "a", "--ttft-ms", "20") as simulator:
        code, records, err = check(tmp_path, simulator.url, deployments='["a", "b"]')
        assert code == 4, err
        assert states(records) == {"lab/a@key0": "answers", "lab/b@key0": "no_deployment"}
        assert 'deployments_off = ["b"]' in fixes(records)
        fixed = check(tmp_path, simulator.url, deployments='["a", "b"]', provider='deployments_off = ["b"]')
    assert (fixed[0], states(fixed[1])) == (0, {"lab/a@key0": "answers"})


def test_a_server_that_is_not_there(tmp_path: Path):
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        code, records, err = check(tmp_path, f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
    assert code == 4, err
    assert states(records) == {"lab/small@key0": "no_server"}
    assert "is the server up" in fixes(records)


def test_a_base_url_that_is_not_there_is_no_dead_server(tmp_path: Path):
    code, records, err = check(tmp_path, "env:LAB_URL_THAT_IS_NOT_SET")
    assert code == 4, err
    assert states(records) == {"lab/small@key0": "no_url"}
    assert "environment variable LAB_URL_THAT_IS_NOT_SET is not set" in fixes(records)
    assert "is the server up" not in fixes(records)


def test_a_server_that_is_slow_and_one_that_is_slower_than_the_whole_check(tmp_path: Path):
    with Simulator("--ttft-ms", "60000") as simulator:
        code, records, err = check(tmp_path, simulator.url, first_token=0.3)
        assert code == 4, err
        assert states(records) == {"lab/small@key0": "timeout"}
        assert "[timeouts]" in fixes(records)
        names = ", ".join(f'"d{number}"' for number in range(20))
        code, records, err = check(tmp_path, simulator.url, "--timeout", "0.5", deployments=f"[{names}]")
    assert code == 4, err
    assert set(states(records).values()) == {"timeout", "not_reached"}


def test_one_that_lets_no_more_through_is_alive(tmp_path: Path):
    with Simulator("--key-rpm", "1", "--ttft-ms", "20") as simulator:
        code, records, err = check(tmp_path, simulator.url, deployments='["a", "b"]')
    assert code == 0, err
    assert sorted(states(records).values()) == ["answers", "rate_limited"]


def test_the_limits_of_the_profile_hold_for_the_check_as_well(tmp_path: Path):
    names = '["a", "b", "c", "d"]'
    with Simulator("--key-qps", "4", "--key-concurrency", "1", "--ttft-ms", "20") as simulator:
        code, records, err = check(
            tmp_path, simulator.url, deployments=names, provider="limits = { key = { qps = 4, workers = 1 } }"
        )
    assert code == 0, err
    assert set(states(records).values()) == {"answers"}  # none was refused


def test_simulated_providers_are_served_and_say_so(tmp_path: Path):
    code, out, err = ultra("profile", "check", "--live", "--model", "gpt-4o-mini")
    assert code == 0, err
    assert "sends 1 request, one a lane, of about 7 tokens and at most 16 in answer" in out
    assert "azure/gpt-4o-mini@key0  answers, TTFT" in out
    assert "SIMULATED" in out
    assert "1 of 1 lanes answer" in out


def test_what_is_wrong_before_anything_is_sent_is_a_usage_error(tmp_path: Path):
    assert ultra_here("profile", "check", "--live", "--model", "no-such")[0] == 2
    (tmp_path / "bad.toml").write_text("name = 1")
    assert ultra_here("profile", "check", "--live", str(tmp_path / "bad.toml"))[0] == 2
