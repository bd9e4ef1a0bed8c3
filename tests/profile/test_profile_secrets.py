"""Secrets are found by reference, all that are missing are said together, and none is ever shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from console.profile import (
    LoadedProfile,
    ad_hoc_profile,
    lane_setups,
    load_profile,
    resolve_endpoints,
    resolve_secret,
)
from console.profile import secrets as secrets_module
from console.profile.write import AD_HOC_FLAGS
from console.vocabulary.chat import Endpoint
from console.vocabulary.errors import ConsoleError, Problems

Write = Callable[..., str]


def python(code: str) -> str:
    return f"cmd:{sys.executable} -c {code!r}"


def test_a_secret_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY_0", " hunter2\n")
    secret = resolve_secret("env:LAB_KEY_0")
    assert secret.reveal() == "hunter2"
    assert "hunter2" not in f"{secret} {secret!r}"


def test_a_secret_from_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("hunter2\n")
    path.chmod(0o600)
    assert resolve_secret(f"file:{path}").reveal() == "hunter2"


def test_a_file_in_the_home_directory_may_be_named_by_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key").write_text("hunter2")
    (tmp_path / "key").chmod(0o400)
    assert resolve_secret("file:~/key").reveal() == "hunter2"


def test_the_first_line_of_a_command_is_the_secret() -> None:
    assert resolve_secret(python('print("hunter2"); print("more")')).reveal() == "hunter2"


def test_a_command_runs_without_a_shell() -> None:
    command = f"cmd:{sys.executable} -c 'import sys; print(sys.argv[1])' $HOME;ls"
    assert resolve_secret(command).reveal() == "$HOME;ls"


def test_a_command_is_ended_when_it_takes_too_long(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(secrets_module, "COMMAND_TIMEOUT_S", 0.3)
    note = tmp_path / "pid"
    code = f'import os, time; open("{note}", "w").write(str(os.getpid())); time.sleep(600)'
    with pytest.raises(ConsoleError, match=r"did not end within 0\.3 s"):
        resolve_secret(python(code))
    if note.exists():  # it may have been ended before it could say who it was
        with pytest.raises(ProcessLookupError):
            os.kill(int(note.read_text()), 0)


REFUSED = [
    ("env:NOT_SET", "environment variable NOT_SET is not set", "export NOT_SET=…"),
    ("env:EMPTY", "environment variable EMPTY is empty", "export EMPTY=…"),
    ("env:TWO_LINES", "env:TWO_LINES holds a character that no HTTP header may carry", None),
    ("file:{dir}/none", "{dir}/none: cannot be read: No such file or directory", None),
    ("file:{dir}", "{dir}: cannot be read: Is a directory", None),
    (
        "file:~nobody-of-this-name/key",
        "~nobody-of-this-name/key: cannot be read: Could not determine home directory.",
        None,
    ),
    ("file:{dir}/pipe", "{dir}/pipe: is not a regular file", None),
    ("file:{dir}/open", "{dir}/open: others may read or write it", "chmod 600 {dir}/open"),
    ("file:{dir}/empty", "file:{dir}/empty is empty", None),
    ("file:{dir}/binary", "{dir}/binary: is not text", None),
    ("file:{dir}/large", "{dir}/large: is too large for a key", None),
    (
        "cmd:no-such-program-here",
        "command no-such-program-here cannot be run: No such file or directory",
        None,
    ),
    ("cmd:'unclosed", "cmd: reference cannot be split into words: No closing quotation", None),
    ("cmd:{dir}/open", "command {dir}/open cannot be run: Permission denied", None),
    ("cmd:false", "command false failed with exit code 1", None),
    ("cmd:true", "command true wrote nothing", None),
    ("cmd:yes hunter2", "command yes wrote too much for a key", None),
    ("keyring:lab/me", "keyring:lab/me needs the keyring package", "pip install 'ultra-console[keyring]'"),
    ("hunter2", "this is no reference to a secret", "env:NAME, file:PATH, cmd:… or keyring:…"),
]


@pytest.mark.parametrize(
    ("reference", "message", "hint"), REFUSED, ids=[one[0].replace("/", "_") for one in REFUSED]
)
def test_a_secret_that_cannot_be_had_is_said_in_words_without_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, message: str, hint: str | None
) -> None:
    monkeypatch.setenv("EMPTY", " ")
    monkeypatch.setenv("TWO_LINES", "hunter2\nhunter2")
    monkeypatch.setitem(sys.modules, "keyring", None)
    for name, data in {"open": b"x", "empty": b"", "binary": b"\xff", "large": b"x" * 70_000}.items():
        (tmp_path / name).write_bytes(data)
        (tmp_path / name).chmod(0o644 if name == "open" else 0o600)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(ConsoleError) as caught:
        resolve_secret(reference.format(dir=tmp_path))
    assert caught.value.message == message.format(dir=tmp_path)
    assert caught.value.hint == (hint.format(dir=tmp_path) if hint else None)
    assert "hunter2" not in caught.value.message.replace("yes hunter2", "")


def test_a_secret_from_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    class Errors:
        class KeyringError(Exception):
            pass

    class Keyring:
        @staticmethod
        def get_password(service: str, user: str) -> str | None:
            if service == "locked":
                raise Errors.KeyringError("hunter2")
            return "hunter2" if (service, user) == ("a/b", "me") else None

    monkeypatch.setitem(sys.modules, "keyring", Keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", Errors)
    assert resolve_secret("keyring:a/b/me").reveal() == "hunter2"
    with pytest.raises(ConsoleError, match="keyring:a/you: there is no such entry"):
        resolve_secret("keyring:a/you")
    with pytest.raises(ConsoleError) as caught:
        resolve_secret("keyring:locked/me")
    assert caught.value.message == "keyring:locked/me: KeyringError"


def test_endpoints_of_real_providers(profile_file: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = profile_file(
        ('keys_off = ["key1"]', ""),
        (
            'key1 = "env:LAB_KEY_1"',
            'key1 = { secret = "env:LAB_KEY_1", base_url = "https://other.example.com/v1/" }',
        ),
    )
    for name, value in {
        "AZURE_OPENAI_API_KEY": "a",
        "LAB_KEY_0": "b",
        "LAB_KEY_1": "c",
        "LAB_URL": "http://lab/v1/",
    }.items():
        monkeypatch.setenv(name, value)
    profile = load_profile(path).profile
    endpoints = resolve_endpoints(profile, lane_setups(profile))
    assert {
        lane: (one.api, one.base_url, one.deployment, one.api_version) for lane, one in endpoints.items()
    } == {
        "azure/V3@key0": ("azure", "https://example.openai.azure.com", "V3", "2024-12-01-preview"),
        "azure/V3-2@key0": ("azure", "https://example.openai.azure.com", "V3-2", "2024-12-01-preview"),
        "lab/qwen2.5@key0": ("openai", "http://lab/v1", "qwen2.5", None),
        "lab/qwen2.5@key1": ("openai", "https://other.example.com/v1", "qwen2.5", None),
    }
    secrets = {lane: one.secret and one.secret.reveal() for lane, one in endpoints.items()}
    assert secrets == {
        "azure/V3@key0": "a",
        "azure/V3-2@key0": "a",
        "lab/qwen2.5@key0": "b",
        "lab/qwen2.5@key1": "c",
    }


def test_all_that_is_unset_is_said_together_and_once(profile_file: Write) -> None:
    profile = load_profile(profile_file(), ["providers.lab.keys_off=[]"]).profile
    with pytest.raises(Problems) as caught:
        resolve_endpoints(profile, lane_setups(profile))
    assert caught.value.exit_code == 2
    assert caught.value.lines() == [
        (
            "profile x: providers.azure.keys.key0: environment variable AZURE_OPENAI_API_KEY is not set"
            " (export AZURE_OPENAI_API_KEY=…)"
        ),
        "profile x: providers.lab.base_url: environment variable LAB_URL is not set (export LAB_URL=…)",
        "profile x: providers.lab.keys.key0: environment variable LAB_KEY_0 is not set (export LAB_KEY_0=…)",
        "profile x: providers.lab.keys.key1: environment variable LAB_KEY_1 is not set (export LAB_KEY_1=…)",
    ]


def test_what_is_unset_is_located_where_the_profile_refers_to_it(profile_file: Write) -> None:
    path = profile_file()
    loaded = load_profile(path, ["providers.lab.keys.key0=env:LAB_KEY_9"])
    with pytest.raises(Problems) as caught:
        resolve_endpoints(loaded, lane_setups(loaded.profile))
    assert caught.value.lines() == [
        (
            f"{path}:8: providers.azure.keys.key0: environment variable AZURE_OPENAI_API_KEY is not set"
            " (export AZURE_OPENAI_API_KEY=…)"
        ),
        f"{path}:12: providers.lab.base_url: environment variable LAB_URL is not set (export LAB_URL=…)",
        "--set providers.lab.keys.key0: environment variable LAB_KEY_9 is not set (export LAB_KEY_9=…)",
    ]


def test_what_is_unset_in_an_ad_hoc_profile_is_located_at_its_flag() -> None:
    made = ad_hoc_profile(base_url="http://127.0.0.1:9/v1", model="m", key_ref="env:NOT_SET")
    loaded = LoadedProfile(
        profile=made, name="ad-hoc", origin="command line", path=None, text="", flags=AD_HOC_FLAGS
    )
    with pytest.raises(Problems) as caught:
        resolve_endpoints(loaded, lane_setups(made))
    assert caught.value.lines() == ["--key: environment variable NOT_SET is not set (export NOT_SET=…)"]


def test_only_the_lanes_in_use_are_resolved(profile_file: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "a")
    profile = load_profile(profile_file()).profile
    assert len(resolve_endpoints(profile, lane_setups(profile, models=["V3"]))) == 2


def test_a_url_from_the_environment_is_checked_and_not_repeated(
    profile_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_KEY_0", "b")
    monkeypatch.setenv("LAB_URL", "https://me:hunter2@lab/v1")
    profile = load_profile(profile_file()).profile
    with pytest.raises(Problems) as caught:
        resolve_endpoints(profile, lane_setups(profile, models=["qwen2.5"]))
    assert caught.value.lines() == [
        (
            "profile x: providers.lab.base_url: environment variable LAB_URL holds a credential;"
            " keys belong into `keys`, by reference"
        )
    ]


def test_simulated_providers_need_no_secret_and_are_sent_the_name_of_the_key() -> None:
    profile = load_profile("sim").profile
    urls = {"azure": "http://127.0.0.1:1", "ideallab": "http://127.0.0.1:2/v1"}
    endpoints = resolve_endpoints(profile, lane_setups(profile), urls)
    azure: Endpoint = endpoints["azure/DeepSeek-V3-0324-2@key0"]
    lab = endpoints["ideallab/qwen2.5-7b-instruct@key2"]
    assert (azure.api, azure.base_url, azure.api_version) == ("azure", "http://127.0.0.1:1", "2024-10-21")
    assert (lab.api, lab.base_url, lab.api_version) == ("openai", "http://127.0.0.1:2/v1", None)
    assert azure.secret is not None
    assert azure.secret.reveal() == "sim-key0"
    assert lab.secret is not None
    assert lab.secret.reveal() == "sim-key2"


def test_a_real_profile_turned_into_a_simulated_one_sends_no_real_key(
    profile_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_KEY_0", "hunter2")
    profile = load_profile(profile_file(), ["providers.lab.api=sim"]).profile
    endpoint = resolve_endpoints(
        profile, lane_setups(profile, models=["qwen2.5"]), {"lab": "http://127.0.0.1:1/v1"}
    )
    secret = endpoint["lab/qwen2.5@key0"].secret
    assert secret is not None
    assert secret.reveal() == "sim-key0"
