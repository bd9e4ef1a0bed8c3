"""Files of one's own: written over, renamed, deleted, and never lost."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from console.profile import builtin_names, load_profile, user_profiles_dir
from console.profile.save import ChangedOnDisk, delete_profile, rename_profile, save_over
from console.profile.write import create_profile
from console.vocabulary.errors import ConsoleError, Problems


@pytest.fixture
def own(profile_file) -> Path:
    path = create_profile("x", Path(profile_file()).read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path


def files(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir())


def test_a_file_is_replaced_and_keeps_its_mode(own: Path) -> None:
    own.chmod(0o640)
    text = own.read_text()
    assert save_over(own, "new", read=text, keep_old=False) is None
    assert (own.read_text(), stat.S_IMODE(own.stat().st_mode)) == ("new", 0o640)
    assert files(own) == ["x.toml"]


def test_the_old_text_can_be_kept_beside_it(own: Path) -> None:
    text = own.read_text()
    assert save_over(own, "new", read=text, keep_old=True) == own.with_name("x.toml~")
    assert own.with_name("x.toml~").read_text() == text
    assert files(own) == ["x.toml", "x.toml~"]


def test_a_link_stays_a_link(own: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    os.replace(own, real)
    own.symlink_to(real)
    save_over(own, "new", read=None, keep_old=False)
    assert own.is_symlink()
    assert real.read_text() == "new"


def test_a_file_that_somebody_else_has_changed_is_left_alone(own: Path) -> None:
    text = own.read_text()
    own.write_text("theirs")
    with pytest.raises(ChangedOnDisk, match="changed by somebody else"):
        save_over(own, "mine", read=text, keep_old=False)
    assert own.read_text() == "theirs"
    own.unlink()
    with pytest.raises(ChangedOnDisk, match="no longer there"):
        save_over(own, "mine", read=text, keep_old=False)
    save_over(own, "mine", read=None, keep_old=True)
    assert (own.read_text(), files(own)) == ("mine", ["x.toml"])


def test_what_cannot_be_written_is_said_in_words(own: Path) -> None:
    if os.geteuid() == 0:
        gone = own.parent / "no" / "x.toml"
        with pytest.raises(ConsoleError, match="cannot be written: No such file"):
            save_over(gone, "new", read=None, keep_old=False)
        return
    own.parent.chmod(0o500)
    with pytest.raises(ConsoleError, match="cannot be written: Permission denied"):
        save_over(own, "new", read=None, keep_old=False)
    own.parent.chmod(0o700)


def test_what_is_deleted_is_kept_under_another_name(own: Path) -> None:
    text = own.read_text()
    kept = delete_profile(own)
    assert kept.read_text() == text
    assert files(own) == ["x.toml~"]
    with pytest.raises(ConsoleError, match="cannot be deleted: No such file"):
        delete_profile(own)


def test_a_profile_gets_another_name(own: Path) -> None:
    text = own.read_text().replace('name = "x"', 'name = "y"')
    path = rename_profile(own, "y", text)
    assert files(path) == ["y.toml"]
    assert load_profile("y").profile.name == "y"


def test_no_name_is_taken_twice_and_no_broken_text_is_written(own: Path) -> None:
    text = own.read_text()
    create_profile("y", text)
    with pytest.raises(ConsoleError, match="is there already"):
        rename_profile(own, "y", text)
    for name in builtin_names():
        with pytest.raises(ConsoleError, match="built in"):
            rename_profile(own, name, text)
    with pytest.raises(Problems):
        create_profile("z", "name = 3")
    assert sorted(path.name for path in user_profiles_dir().iterdir()) == ["x.toml", "y.toml"]
