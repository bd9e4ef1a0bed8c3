"""Shared files are ours alone, lie where all runs look, tell no key, and go when nobody uses them."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from console.broker import place as place_module
from console.broker.boot import boot_id
from console.broker.naming import plain_url, shared_name
from console.broker.place import VARIABLE, Place, clean, share_folder
from console.broker.share import Share
from console.broker.shared_pacer import SharedPacer, SharedPassage
from console.broker.unusable import ShareError
from console.vocabulary.secret import Secret

S = 1_000_000_000
CANARY = "canary-7f3e9d"


def test_runs_meet_in_the_runtime_directory_else_with_the_state_or_where_they_are_told(monkeypatch, tmp_path):
    assert share_folder() == Path(os.environ["XDG_RUNTIME_DIR"]) / "ultra-console" / "share"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr(place_module, "_is_ours", lambda folder: folder == Path(f"/run/user/{os.geteuid()}"))
    assert share_folder() == Path(f"/run/user/{os.geteuid()}/ultra-console/share")
    monkeypatch.setattr(place_module, "_is_ours", lambda folder: False)
    assert share_folder() == Path(os.environ["XDG_STATE_HOME"]) / "ultra-console" / "share"
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert share_folder() == tmp_path


def test_folders_are_0700_and_files_0600_whatever_the_umask(tmp_path):
    old = os.umask(0o022)
    try:
        share = Share(Place(tmp_path / "a" / "share"))
        share.pacer("x", 1.0)
        share.slots("x", 1)
        share.lease("x", run="r", holder="h", job="j")
    finally:
        os.umask(old)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a", share.place.folder)} == {0o700}
    files = list(share.place.folder.iterdir())
    assert {path.name.split("-")[0] for path in files} == {"alive", "pace", "slots", "lease"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    share.close()


def test_a_folder_that_others_may_enter_is_refused_with_a_hint(place):
    place.folder.mkdir(mode=0o700)
    place.folder.chmod(0o750)
    with pytest.raises(ShareError, match="only you") as caught:
        Share(place)
    assert "chmod 700" in caught.value.hint


def test_what_is_no_folder_or_a_link_to_one_is_refused(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("")
    for name in ("link", "file", "file/below"):
        with pytest.raises(ShareError):
            Share(Place(tmp_path / name))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_others_is_refused(place):
    share = Share(place)
    path = place.folder / place.file_name("pace", "x")
    path.write_bytes(b"")
    os.chown(path, 12345, -1)
    with pytest.raises(ShareError, match="yours"):
        share.pacer("x", 1.0)
    os.chown(place.folder, 12345, -1)
    with pytest.raises(ShareError, match="only you"):
        Share(place)


def test_links_pipes_and_folders_in_the_place_of_a_file_are_refused_and_not_followed(place, tmp_path):
    share = Share(place)
    target = tmp_path / "target"
    target.write_text("mine")
    path = place.folder / place.file_name("pace", "x")
    for put in (
        lambda: path.symlink_to(target),
        lambda: os.mkfifo(path),
        lambda: os.link(target, path),
        lambda: path.mkdir(),
    ):
        put()
        with pytest.raises(ShareError):
            share.pacer("x", 1.0)
        if not path.is_dir():
            path.unlink()
    assert target.read_text() == "mine"


def test_a_file_that_others_could_read_is_closed_to_them(place):
    share = Share(place)
    share.pacer("x", 1.0)
    path = place.folder / place.file_name("pace", "x")
    path.chmod(0o644)
    share.pacer("x", 1.0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("garbage", [b"", b"short", b"\xff" * 5000, bytes(10_000), b"{}\n" * 999])
def test_garbage_is_replaced(place, garbage):
    place.prepare()
    for kind in ("pace", "slots", "lease"):
        (place.folder / place.file_name(kind, "x")).write_bytes(garbage)
    share = Share(place, lambda: 100 * S)
    pacer, slots = share.pacer("x", 10.0), share.slots("x", 2)
    lease = share.lease("x", run="r", holder="h", job="j")
    passage = SharedPassage([pacer])
    assert passage.try_pass(100 * S, [1.0]) <= S // 10
    assert passage.try_pass(100 * S + S // 10, [1.0]) in (0, S // 10)
    assert [slots.take() for _ in range(3)] == [True, True, False]
    lease.request(100 * S)
    assert lease.poll(130 * S)
    share.close()


def test_a_folder_taken_away_in_mid_run_is_made_again_and_one_that_cannot_be_is_a_typed_error(place):
    pacer = SharedPacer(place, "x", 10.0)
    passage = SharedPassage([pacer])
    assert passage.try_pass(S, [1.0]) == 0
    for path in place.folder.iterdir():
        path.unlink()
    place.folder.rmdir()
    assert passage.try_pass(3 * S, [1.0]) == 0
    assert list(place.folder.iterdir())
    for path in place.folder.iterdir():
        path.unlink()
    place.folder.rmdir()
    place.folder.write_text("in the way")
    for second in (5, 6):
        with pytest.raises(ShareError):
            passage.try_pass(second * S, [1.0])


def test_files_unused_for_a_day_go_and_those_in_use_and_those_of_others_stay(place):
    share = Share(place)
    pacer = share.pacer("x", 1.0)
    foreign = place.folder / "notes.txt"
    foreign.write_text("mine")
    used = share.slots("x", 1)
    two_days_on = time.time() + 2 * 86_400
    assert clean(place, time.time()) == 0
    used_path = place.folder / place.file_name("slots", "x")
    os.utime(used_path, (two_days_on, two_days_on))
    assert clean(place, two_days_on) == 1
    assert foreign.exists()
    assert used_path.exists()
    assert len(list(place.folder.glob("alive-*"))) == 1, "the lock of a living process is held"
    # The pacer whose file went is told, and goes on with the new one that the others open.
    passage = SharedPassage([pacer])
    assert passage.try_pass(S, [1.0]) == 0
    assert SharedPassage([SharedPacer(place, "x", 1.0)]).try_pass(S, [1.0]) == S
    used.close()
    share.close()
    assert clean(place, two_days_on + 2 * 86_400) == 2


def test_names_tell_apart_what_is_apart_and_only_that():
    key = Secret(CANARY, "test")
    url = "https://api.example.com/v1"
    name = shared_name("qps", "key", url, secret=key)
    assert name == shared_name(
        "qps", "key", "HTTPS://API.example.com:443/v1/", secret=Secret(CANARY, "elsewhere")
    )
    others = {
        shared_name("rpm", "key", url, secret=key),
        shared_name("qps", "provider", url, secret=key),
        shared_name("qps", "key", "https://api.example.com/v2", secret=key),
        shared_name("qps", "key", url, secret=Secret(CANARY + "x", "test")),
        shared_name("qps", "key", url),
        shared_name("qps", "key", url, "a", "b", secret=key),
        shared_name("qps", "key", url, "ab", secret=key),
    }
    assert len(others | {name}) == 8
    assert plain_url("http://[::1]:8080/x/") == "http://[::1]:8080/x"


def test_neither_a_key_nor_its_fingerprint_is_in_any_file_or_name(place):
    key = Secret(CANARY, "test")
    name = shared_name("qps", "key", "https://api.example.com", secret=key)
    share = Share(place)
    share.pacer(name, 1.0).charge(S)
    assert share.slots(name, 1).take()
    assert share.lease(name, run="r", holder="h", job="j").request(S)
    seen = b"".join(path.name.encode() + path.read_bytes() for path in place.folder.iterdir())
    for hidden in (
        CANARY,
        key.fingerprint,
        key.mark("ultra-console shared limit 1"),
        name,
        "api.example.com",
    ):
        assert hidden.encode() not in seen
    share.close()


def test_a_boot_has_one_name_for_every_process():
    code = "from console.broker.boot import boot_id; print(boot_id())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == boot_id() != ""
