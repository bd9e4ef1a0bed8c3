"""What was learnt is kept in one file that several runs share, and no state of that file harms anybody."""

from __future__ import annotations

import fcntl
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from console.records import learnt_store
from console.records.learnt_store import KEPT_FOR_S, MOST_BYTES, KnownLane, LearntStore
from console.vocabulary.errors import ConsoleError
from console.vocabulary.learnt import Learnt

NOW_S = 2_000_000_000.0


def entry(at_s: float = NOW_S, *, model: str = "m", **figures) -> KnownLane:
    return KnownLane(
        provider="p", model=model, deployment=model, key="key0", base_url="http://x/v1", key_source="env:K",
        learnt=Learnt(at_s=at_s, **figures),
    )  # fmt: skip


def test_what_is_put_is_read_again_from_a_private_file(tmp_path: Path):
    store = LearntStore(tmp_path / "new" / "state")
    assert store.read(NOW_S) == {}
    put = {"a": entry(requests_per_s=9.3, k_s=20.0), "b": entry(window=12, capped=True, tokens_per_s=1e4)}
    store.put(put, NOW_S)
    assert store.read(NOW_S + 5) == put
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def test_it_is_in_the_state_directory(clean_environment: Path):
    LearntStore().put({"a": entry(window=3)}, NOW_S)
    assert (clean_environment / "state" / "ultra-console" / "learnt.json").is_file()


def test_entries_expire_after_thirty_days_also_where_the_clock_was_set_back(tmp_path: Path):
    store = LearntStore(tmp_path)
    store.put({"young": entry(NOW_S, window=1), "old": entry(NOW_S - KEPT_FOR_S + 1, window=1)}, NOW_S)
    assert set(store.read(NOW_S)) == {"young", "old"}
    assert set(store.read(NOW_S + 2)) == {"young"}
    assert set(store.read(NOW_S - KEPT_FOR_S)) == {"old"}
    store.put({"new": entry(NOW_S + 3, window=1)}, NOW_S + 3)
    assert set(json.loads(store.path.read_text())["lanes"]) == {"young", "new"}


def test_the_youngest_stay_where_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(learnt_store, "MOST_ENTRIES", 5)
    store = LearntStore(tmp_path)
    for number in range(8):
        store.put({str(number): entry(NOW_S + number, window=1)}, NOW_S + number)
    assert set(store.read(NOW_S + 8)) == {"3", "4", "5", "6", "7"}


def test_the_file_stays_small_whatever_names_are_like(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(learnt_store, "MOST_BYTES", 20_000)
    store = LearntStore(tmp_path)
    store.put({str(n): entry(NOW_S, model="x" * 100_000, window=1) for n in range(200)}, NOW_S)
    assert store.path.stat().st_size <= 20_000
    kept = store.read(NOW_S)
    assert kept
    assert all(len(one.model) == 500 for one in kept.values())


GARBAGE = {
    "empty": b"",
    "no JSON": b"\x00\xffnonsense",
    "another form": b'{"version": 1, "lanes": [1, 2]}',
    "another version": b'{"version": 2, "lanes": {}}',
    "a rate of nothing": b'{"version":1,"lanes":{"a":{"provider":"p","model":"m","deployment":"d","key":"k",'
    b'"base_url":"u","learnt":{"at_s":2e9,"requests_per_s":0}}}}',
    "deep": b"[" * 100_000,
    "huge": b" " * (MOST_BYTES + 1),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_an_empty_file_and_the_next_save_mends_it(name: str, tmp_path: Path):
    store, said = LearntStore(tmp_path), []
    store.path.write_bytes(GARBAGE[name])
    assert store.read(NOW_S, said.append) == {}
    assert len(said) == 1
    assert str(store.path) in said[0]
    store.put({"a": entry(window=2)}, NOW_S)
    assert set(store.read(NOW_S, said.append)) == {"a"}
    assert len(said) == 1


def test_what_cannot_be_read_or_written_is_an_error_in_words(tmp_path: Path):
    blocked = LearntStore(tmp_path / "file" / "state")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConsoleError, match="cannot be written"):
        blocked.put({"a": entry(window=1)}, NOW_S)
    linked = LearntStore(tmp_path)
    (tmp_path / "elsewhere.json").write_text("{}")
    linked.path.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(ConsoleError, match="cannot be read"):
        linked.read(NOW_S)
    assert (tmp_path / "elsewhere.json").read_text() == "{}"
    directory = LearntStore(tmp_path / "other")
    directory.path.mkdir(parents=True)
    with pytest.raises(ConsoleError, match="cannot be read"):
        directory.read(NOW_S)


def test_who_cannot_have_the_lock_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(learnt_store, "_PATIENCE_S", 0.05)
    store = LearntStore(tmp_path)
    store.put({"a": entry(window=1)}, NOW_S)
    with open(tmp_path / "learnt.lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ConsoleError, match="another process holds its lock"):
            store.put({"b": entry(window=1)}, NOW_S)
    assert set(store.read(NOW_S)) == {"a"}


PUT_MANY = """
import sys
from pathlib import Path
from console.records.learnt_store import KnownLane, LearntStore
from console.vocabulary.learnt import Learnt
store, name = LearntStore(Path(sys.argv[1])), sys.argv[2]
for n in range(20):
    known = KnownLane(provider="p", model="m", deployment="d", key="k", base_url="u", learnt=Learnt(at_s=2e9, window=n + 1))
    store.put({f"{name}-{n}": known}, 2e9)
"""


def test_runs_at_once_lose_nothing_of_each_other(tmp_path: Path):
    processes = [subprocess.Popen([sys.executable, "-c", PUT_MANY, str(tmp_path), name]) for name in "abcd"]
    assert [process.wait(60) for process in processes] == [0] * 4
    kept = LearntStore(tmp_path).read(NOW_S)
    assert set(kept) == {f"{name}-{n}" for name in "abcd" for n in range(20)}
    assert {path.name for path in tmp_path.iterdir()} == {"learnt.json", "learnt.lock"}


RATE, WINDOW = {"requests_per_s": 9.0}, {"window": 5}


@pytest.mark.parametrize(
    ("old", "new", "own", "stays"),
    [
        (entry(NOW_S, **RATE), entry(NOW_S + 1, requests_per_s=4.0), False, False),
        (entry(NOW_S, **WINDOW), entry(NOW_S + 1, **RATE), False, False),
        (entry(NOW_S, **WINDOW), entry(NOW_S + 1, window=7), False, False),
        (entry(NOW_S, **RATE), entry(NOW_S + 1, **WINDOW), False, True),  # it had little to do
        (
            entry(NOW_S, **RATE),
            entry(NOW_S - 1, requests_per_s=4.0),
            False,
            True,
        ),  # taken over, not met again
        (entry(NOW_S, **RATE), entry(NOW_S + 1, **WINDOW), True, False),  # what it took for a rate was none
    ],
)
def test_the_better_knowledge_stays(old, new, own, stays, tmp_path: Path):
    store = LearntStore(tmp_path)
    store.put({"a": old}, NOW_S)
    store.put({"a": new}, NOW_S, own={"a"} if own else ())
    assert store.read(NOW_S)["a"] == (old if stays else new)
