"""Profiles written back: TOML that loads to the same, records, ad-hoc profiles, new files."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples

from console.profile import (
    ad_hoc_profile,
    builtin_names,
    diff,
    dump_toml,
    find_profile,
    lane_setups,
    load_profile,
    new_profile,
    profile_from_record,
    profile_record,
    resolve_endpoints,
    user_profiles_dir,
)
from console.profile.load import check_profile
from console.profile.write import write_new
from console.vocabulary.errors import ConsoleError, Problems

Write = Callable[..., str]


@pytest.mark.parametrize("name", builtin_names())
def test_a_dumped_profile_loads_to_an_equal_one(name: str, tmp_path: Path) -> None:
    profile = load_profile(name).profile
    path = tmp_path / f"{name}.toml"
    path.write_text(dump_toml(profile))
    assert load_profile(str(path)).profile == profile
    assert profile_from_record(tomllib.loads(tomli_w.dumps(profile_record(profile)))) == profile


def test_a_dump_holds_what_was_written_in_its_short_form(profile_file: Write) -> None:
    profile = load_profile(profile_file()).profile
    raw = tomllib.loads(Path(profile_file()).read_text())
    assert tomllib.loads(dump_toml(profile)) == raw


def limits(workers: st.SearchStrategy[int]) -> st.SearchStrategy[dict[str, Any]]:
    rate = st.floats(min_value=1e-3, max_value=1e6)
    return st.fixed_dictionaries({"workers": workers}, optional={"qps": rate, "rpm": rate, "tpm": rate})


COUNT = st.integers(min_value=1, max_value=1_000_000)
PROFILES = st.fixed_dictionaries(
    {
        "name": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True),
        "providers": st.fixed_dictionaries(
            {
                "p": st.fixed_dictionaries(
                    {"api": st.just("sim")},
                    optional={
                        "keys": st.one_of(
                            st.just(["a", "b"]),
                            st.just({"a": "env:A", "b": {"secret": "env:B", "base_url": "http://h/v1"}}),
                        ),
                        "burst": st.floats(min_value=0, max_value=10),
                        "limits": st.fixed_dictionaries(
                            {}, optional={"key": limits(COUNT), "model": limits(COUNT)}
                        ),
                        "lease": st.fixed_dictionaries(
                            {}, optional={"to": st.sampled_from(["job", "model"]), "holders": COUNT}
                        ),
                        "sim": st.fixed_dictionaries({}, optional={"slots": COUNT, "models": st.just(["m"])}),
                    },
                )
            }
        ),
        "models": st.fixed_dictionaries(
            {
                "m.1/x": st.fixed_dictionaries(
                    {"provider": st.just("p"), "class": st.just("open")},
                    optional={
                        "deployments": st.just(["d", {"name": "e", "provider": "p"}]),
                        "split": st.sampled_from(["pull", "even", "lease"]),
                        "off": st.booleans(),
                    },
                )
            }
        ),
        "limits": st.fixed_dictionaries(
            {
                "p": st.fixed_dictionaries(
                    {
                        "open": st.fixed_dictionaries(
                            {"fixed": limits(COUNT), "adaptive": limits(COUNT)},
                            optional={
                                "per": st.sampled_from(["lane", "job"]),
                                "prompt_multiplier": st.booleans(),
                            },
                        )
                    }
                )
            }
        ),
    },
    optional={
        "description": st.text(max_size=10),
        "rate_mode": st.sampled_from(["fixed", "adaptive"]),
        "start": st.fixed_dictionaries(
            {"shard_delays": st.lists(st.floats(min_value=0, max_value=99), max_size=3)}
        ),
    },
)


@settings(max_examples=examples(60), deadline=None)
@given(PROFILES)
def test_any_valid_profile_survives_being_written(raw: dict[str, Any]) -> None:
    profile, found = check_profile(raw)
    assert profile is not None
    assert found == []
    again, found = check_profile(tomllib.loads(dump_toml(profile)))
    assert (again, found) == (profile, [])
    assert profile_from_record(tomllib.loads(tomli_w.dumps(profile_record(profile)))) == profile
    assert diff(profile, profile).same


def test_a_record_holds_references_and_no_key(profile_file: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_OPENAI_API_KEY", "LAB_KEY_0"):
        monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("LAB_URL", "http://lab/v1")
    profile = load_profile(profile_file()).profile
    resolve_endpoints(profile, lane_setups(profile))
    record = tomli_w.dumps(profile_record(profile))
    assert "hunter2" not in record
    assert "env:LAB_KEY_0" in record


def test_a_record_that_somebody_bent_is_refused() -> None:
    record = profile_record(load_profile("sim").profile)
    record["limits"]["azure"]["open"]["fixed"]["workers"] = 0
    with pytest.raises(
        Problems, match=r"run\.toml: limits\.azure\.open\.fixed\.workers: 0 is not a whole number"
    ):
        profile_from_record(record)


def test_an_ad_hoc_profile_has_one_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = ad_hoc_profile(base_url="http://127.0.0.1:8000/v1", model="org/model", workers=7)
    (setup,) = lane_setups(profile)
    assert (profile.name, setup.lane.id, setup.limits.workers) == ("ad-hoc", "server/org/model@-", 7)
    assert resolve_endpoints(profile, [setup])[setup.lane.id].secret is None
    monkeypatch.setenv("K", "hunter2")
    azure = ad_hoc_profile(
        base_url="https://h", model="m", api="azure", key_ref="env:K", api_version="2024-10-21", workers=1
    )
    endpoint = resolve_endpoints(azure, lane_setups(azure))["server/m@key0"]
    assert (endpoint.api, endpoint.api_version) == ("azure", "2024-10-21")
    assert endpoint.secret is not None
    assert endpoint.secret.reveal() == "hunter2"


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"base_url": "h:80"}, "--base-url: the value is not an http:// or https:// URL"),
        ({"model": "a b"}, "--model: the key is not a name (1 to 200 characters without spaces or commas)"),
        (
            {"key_ref": "sk-hunter2"},
            "--key: the value is not a reference, and a key itself never stands in a profile",
        ),
        ({"api": "azure"}, "--api-version: is missing"),
        ({"workers": 0}, "--max-concurrency: 0 is not a whole number ≥ 1"),
    ],
)
def test_a_wrong_ad_hoc_flag_is_located_at_the_flag(bad: dict[str, Any], said: str) -> None:
    with pytest.raises(Problems) as caught:
        ad_hoc_profile(**{"base_url": "http://h/v1", "model": "m", "workers": 1, **bad})
    assert len(caught.value.problems) == 1
    assert caught.value.lines()[0].startswith(said)
    assert "hunter2" not in caught.value.lines()[0]


def test_a_new_profile_keeps_comments_and_is_private(clean_environment: Path) -> None:
    path = new_profile("mine", "ultra-0827")
    assert path == user_profiles_dir() / "mine.toml"
    assert path.read_text() == find_profile("ultra-0827").text.replace('name = "ultra-0827"', 'name = "mine"')
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["mine.toml"]
    assert load_profile("mine").profile.name == "mine"


def test_a_new_profile_never_overwrites(clean_environment: Path) -> None:
    path = new_profile("mine", "sim")
    path.write_text("mine, edited")
    with pytest.raises(ConsoleError) as caught:
        new_profile("mine", "ultra-0827")
    assert caught.value.lines() == [f"{path}: is there already; nothing was written"]
    assert path.read_text() == "mine, edited"


def test_a_broken_profile_is_not_copied(profile_file: Write) -> None:
    path = profile_file(("workers = 50", "workers = 0"))
    with pytest.raises(Problems):
        new_profile("mine", path)
    assert not user_profiles_dir().exists()


@pytest.mark.parametrize("before", ["", 'name = "x" # why\n', "name = '''x'''\n"])
def test_the_name_is_put_where_it_stood_or_on_top(profile_file: Write, before: str) -> None:
    path = profile_file(('name = "x"\n', before))
    assert load_profile(str(new_profile("mine", path))).profile.name == "mine"


def test_a_name_over_several_lines_is_not_cut(profile_file: Write) -> None:
    path = profile_file(('name = "x"\n', 'name = """\nx"""\n'))
    with pytest.raises(ConsoleError):
        new_profile("mine", path)
    assert not (user_profiles_dir() / "mine.toml").exists()


def test_a_place_that_cannot_be_written_is_said(clean_environment: Path) -> None:
    (clean_environment / "config").write_text("a file where a directory should be")
    with pytest.raises(ConsoleError, match=r"cannot be written: (Not a directory|File exists)"):
        new_profile("mine", "sim")


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_new(tmp_path / "x.toml", "text")
    assert list(tmp_path.iterdir()) == []
