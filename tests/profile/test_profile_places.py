"""Where a name leads: a path, the user's own, the built-in ones."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from console.profile import find_profile, list_profiles, load_profile, user_profiles_dir
from console.vocabulary.errors import ConsoleError

Write = Callable[..., str]


def own(name: str, text: str) -> Path:
    directory = user_profiles_dir()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.toml"
    path.write_text(text)
    return path


def test_users_profiles_live_under_xdg_config_home(clean_environment: Path) -> None:
    assert user_profiles_dir() == clean_environment / "config" / "ultra-console" / "profiles"


def test_a_relative_xdg_config_home_is_ignored_as_its_specification_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert user_profiles_dir().is_absolute()


def test_a_users_profile_comes_before_the_built_in_of_its_name(profile_file: Write) -> None:
    assert find_profile("sim").builtin
    path = own("sim", Path(profile_file()).read_text().replace('name = "x"', 'name = "sim"'))
    loaded = load_profile("sim")
    assert (loaded.path, loaded.origin, loaded.builtin) == (path, str(path), False)
    places = [(place.name, place.path, place.hidden) for place in list_profiles() if place.name == "sim"]
    assert places == [("sim", None, True), ("sim", path, False)]


def test_a_broken_profile_of_the_user_does_not_fall_back_to_the_built_in() -> None:
    user_profiles_dir().mkdir(parents=True)
    (user_profiles_dir() / "sim.toml").symlink_to("nowhere")
    with pytest.raises(ConsoleError, match="there is no such file"):
        load_profile("sim")


def test_a_path_is_a_path(profile_file: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    profile_file()
    monkeypatch.chdir(tmp_path)
    assert load_profile("x.toml").path == Path("x.toml")
    assert load_profile("./x.toml").origin == "./x.toml"
    (tmp_path / "x").write_text((tmp_path / "x.toml").read_text())
    assert load_profile("./x").name == "x"


def test_a_file_without_a_name_goes_by_its_own(profile_file: Write) -> None:
    assert load_profile(profile_file(('name = "x"\n', ""), name="mine.toml")).profile.name == "mine"
    assert load_profile(profile_file(('name = "x"\n', ""), name="not a name.toml")).profile.name == "unnamed"


@pytest.mark.parametrize(
    ("ref", "hint"),
    [
        ("simm", "did you mean sim?"),
        ("corected-0824", "did you mean corrected-0824?"),
        ("Sim", "did you mean sim?"),
        (
            "zzz",
            "there are: sim, corrected-0824, corrected-0824-batch, phase-analysis, repaired, summary-0819, ultra-0827",
        ),
        ("", "there are: "),
        ("..", "there are: "),
        ("si m", "did you mean sim?"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(ref: str, hint: str) -> None:
    with pytest.raises(ConsoleError) as caught:
        load_profile(ref)
    assert caught.value.message == f"there is no profile '{ref}'"
    assert (caught.value.hint or "").startswith(hint)
    assert caught.value.exit_code == 2


def test_a_byte_order_mark_is_no_error(profile_file: Write, tmp_path: Path) -> None:
    path = tmp_path / "bom.toml"
    path.write_bytes(b"\xef\xbb\xbf" + Path(profile_file()).read_bytes().replace(b"\n", b"\r\n"))
    assert load_profile(str(path)).profile.name == "x"


def test_importing_profiles_brings_in_nothing_heavy() -> None:
    code = (
        "import sys, console.profile, console.cli.profile\n"
        "heavy = {'textual', 'polars', 'httpx', 'rich', 'anyio', 'keyring'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
