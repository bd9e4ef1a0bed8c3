"""The profiles screen on the real backend: real files, the real simulator, and what the command line makes of them."""

from __future__ import annotations

import os
import stat

import pytest

from console.app import ConsoleApp, StartAt
from console.cli.backend import real_backend
from console.profile import find_profile, load_profile, user_profiles_dir
from console.profile.write import create_profile
from console.screens.profiles.probe import Probe
from console.screens.profiles.screen import Profiles
from console.screens.profiles.setup import Setup
from console.vocabulary.errors import ConsoleError

pytestmark = pytest.mark.anyio

HERE = StartAt("profiles")


def names() -> list[str]:
    return sorted(path.name for path in user_profiles_dir().iterdir())


async def test_a_profile_is_copied_edited_saved_and_used(until) -> None:
    app = ConsoleApp(real_backend(), HERE)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("n", "l", "a", "b", "enter")
        await until(pilot, "written: ")
        path = user_profiles_dir() / "lab.toml"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        await pilot.press("e", "c", "7", "enter", "down", "plus", "ctrl+s")
        await until(pilot, "saved: ")
        profile = load_profile("lab").profile
        assert profile.limits["azure"].open.fixed.workers == 7
        assert profile.limits["azure"].open.adaptive.workers == 101
        text = path.read_text()
        original = find_profile("sim").text.replace('name = "sim"', 'name = "lab"')
        assert text == original.replace(
            "fixed = { workers = 50 }\nadaptive = { workers = 100 }",
            "fixed = { workers = 7 }\nadaptive = { workers = 101 }",
        )
        await until(pilot, "7 × 3 = 21")
        await pilot.press("m", "L")
        await until(pilot, "[2 LAUNCH]")
        assert (app.session.profile, app.session.changes) == ("lab", ("rate_mode=adaptive",))
        assert load_profile(app.session.profile, app.session.changes).profile.rate_mode == "adaptive"
    assert names() == ["lab.toml"]


async def test_a_file_changed_by_another_program_is_not_written_over(until) -> None:
    path = create_profile("lab", find_profile("sim").text.replace('name = "sim"', 'name = "lab"'))
    app = ConsoleApp(real_backend("lab"), StartAt("profiles", profile="lab"))
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("e", "plus")
        await until(pilot, "not saved")
        path.write_text(path.read_text() + "# theirs\n")
        await pilot.press("ctrl+s")
        await until(pilot, "changed by somebody else")
        assert "workers = 51" not in path.read_text()
        await pilot.press("k")
        await until(pilot, "the old text is")
    assert "workers = 51" in path.read_text()
    assert path.with_name("lab.toml~").read_text().endswith("# theirs\n")


async def test_the_simulator_is_probed(until) -> None:
    app = ConsoleApp(real_backend(), HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("p")
        await until(pilot, "sends 30 requests, one a lane")
        await pilot.press("x", "enter")
        await until(pilot, "done: 30 of 30 lanes answer", tries=1500)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Profiles))


async def test_a_lane_that_nobody_serves_is_told_with_what_mends_it(until, monkeypatch) -> None:
    monkeypatch.setenv("LAB_KEY", "secret-value")
    text = """
[providers.lab]
api = "openai"
base_url = "http://127.0.0.1:9/v1"
keys = { key0 = "env:LAB_KEY" }
[models.m]
provider = "lab"
class = "open"
[limits.lab.open]
fixed = { workers = 1 }
"""
    create_profile("lab", text)
    app = ConsoleApp(real_backend("lab"), StartAt("profiles", profile="lab"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "1 × 1 = 1")
        await pilot.press("p")
        await until(pilot, "sends 1 request, one a lane")
        await pilot.press("x", "enter")
        shown = await until(pilot, "is the server up", tries=1500)
        assert "NO SERVER" in shown
        assert "secret-value" not in shown
        assert isinstance(app.screen, Probe)


async def test_somebody_without_a_profile_is_asked_once(until) -> None:
    backend = real_backend(ask_setup=True)
    assert backend.profiles.is_first_start()
    app = ConsoleApp(backend, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, Setup))
        await pilot.press("escape")
        await until(pilot, "[2 LAUNCH]")
    assert not real_backend(ask_setup=True).profiles.is_first_start()
    assert not real_backend().profiles.is_first_start()


def test_no_name_is_taken_that_the_command_line_could_not_use() -> None:
    profiles = real_backend().profiles
    create_profile("lab", find_profile("sim").text.replace('name = "sim"', 'name = "lab"'))
    for name in (
        "",
        " ",
        "a b",
        "..",
        "../x",
        "/etc/x",
        "实验",
        "x" * 65,
        "x.toml",
        "sim",
        "run",
        "lab",
        "-x",
    ):
        assert profiles.name_fault(name) is not None, name
        with pytest.raises(ConsoleError):
            profiles.create(name, find_profile("sim").text)
    assert profiles.name_fault("lab-2") is None
    assert names() == ["lab.toml"]


def test_a_built_in_profile_is_not_written_over_nor_deleted() -> None:
    profiles = real_backend().profiles
    with pytest.raises(ConsoleError, match="built in"):
        profiles.save(profiles.read("sim"), "x", force=True, keep_old=False)
    with pytest.raises(ConsoleError, match="no profile 'sim' of yours"):
        profiles.delete("sim")


def test_a_directory_that_is_none_is_said_in_words() -> None:
    user_profiles_dir().parent.mkdir(parents=True)
    user_profiles_dir().write_text("a file")
    profiles = real_backend(ask_setup=True).profiles
    with pytest.raises(ConsoleError, match="cannot be written: File exists"):
        profiles.create("lab", find_profile("sim").text)
    os.unlink(user_profiles_dir())
