from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from made_rows import add_rows, ended, judged, make_run, request, run_file, started

from console.records.run_dir import (
    create_run_dir,
    find_run,
    hold_run_lock,
    is_live,
    list_runs,
    new_run_id,
    read_run_file,
    read_run_head,
    runs_home,
    write_run_file,
)
from console.records.run_list import remove_run
from console.vocabulary.errors import ConsoleError
from console.vocabulary.outcome import Verdict

NOW = datetime(2026, 11, 20, 23, 15, 7, tzinfo=UTC)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_runs_live_in_the_state_directory(clean_environment: Path) -> None:
    home = runs_home()
    assert home == clean_environment / "state" / "ultra-console" / "runs"
    assert mode(home) == 0o700


def test_a_relative_state_directory_is_ignored_as_the_standard_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert runs_home(create=False) == tmp_path / ".local/state/ultra-console/runs"
    assert not (tmp_path / ".local").exists()


def test_ids_name_time_phase_and_profile_and_are_free(tmp_path: Path) -> None:
    assert new_run_id(NOW, "5.1", "sim", tmp_path) == "20261120-231507-5.1-sim"
    (tmp_path / "20261120-231507-5.1-sim").mkdir()
    assert new_run_id(NOW, "5.1", "sim", tmp_path) == "20261120-231507-5.1-sim-2"
    (tmp_path / "20261120-231507-5.1-sim-2").mkdir()
    assert new_run_id(NOW, "5.1", "sim", tmp_path) == "20261120-231507-5.1-sim-3"
    assert new_run_id(NOW, "5.1, 5.2 / x", "../my", tmp_path) == "20261120-231507-5.1-5.2-x-my"
    create_run_dir(tmp_path, new_run_id(NOW, "é" * 500, "x" * 500, tmp_path))


def test_a_run_directory_is_private_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o777)
    try:
        path = create_run_dir(tmp_path, "r")
    finally:
        os.umask(old)
    assert mode(path) == 0o700
    assert path == tmp_path / "r"


def test_a_taken_name_is_refused_or_numbered(tmp_path: Path) -> None:
    create_run_dir(tmp_path, "r")
    with pytest.raises(ConsoleError, match="exists already") as raised:
        create_run_dir(tmp_path, "r")
    assert raised.value.exit_code == 2
    assert raised.value.where == str(tmp_path / "r")
    assert create_run_dir(tmp_path, "r", numbered=True).name == "r-2"
    assert sorted(os.listdir(tmp_path)) == ["r", "r-2"]


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a b", "-x", ".hidden", "x" * 101, "a\x1b[2J"]
)
def test_a_name_that_is_none_is_refused_and_nothing_is_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConsoleError, match="no name for a run") as raised:
        create_run_dir(tmp_path / "new", name)
    assert "\x1b" not in raised.value.message
    assert os.listdir(tmp_path) == []


def test_a_place_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConsoleError, match="cannot hold runs") as raised:
        create_run_dir(tmp_path / "file" / "deep" / "deeper", "r")
    assert raised.value.exit_code == 2
    with pytest.raises(ConsoleError):
        create_run_dir(tmp_path / "file", "r")
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that takes no directory")
def test_a_file_system_that_takes_no_directory_says_why() -> None:
    with pytest.raises(ConsoleError, match="cannot be made: ") as raised:
        create_run_dir(Path("/proc"), "r")
    assert raised.value.where == "/proc/r"


def test_a_read_only_directory_says_permission_denied(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import os, sys
        from pathlib import Path
        from console.records.run_dir import create_run_dir
        from console.vocabulary.errors import ConsoleError
        if os.geteuid() == 0:
            os.setgid(65534); os.setuid(65534)  # root may write anywhere
        try:
            create_run_dir(Path(sys.argv[1]) / "deep", "r")
        except ConsoleError as error:
            print(error.exit_code, error.lines())
        """
    )
    place = Path("/usr")
    done = subprocess.run(
        [sys.executable, "-c", script, str(place)], capture_output=True, text=True, timeout=60, check=True
    )
    assert "Permission denied" in done.stdout or "Read-only" in done.stdout
    assert done.stdout.startswith("2 ")
    assert not (place / "deep").exists()


def test_a_run_file_comes_back_as_it_was_without_what_is_absent(tmp_path: Path) -> None:
    written = run_file(
        "r",
        simulated=None,
        phases=["5.1"],
        args=["run", "--phase", "5.1"],
        selection={"models": ("a", "b"), "model_class": None, "deep": {"x": None, "y": [1, None]}},
        versions={"python": "3.11"},
        profile_record={"providers": {"azure": {"keys": ["env:KEY"]}}},
        segments=["journal/00-0001.jsonl"],
        control_socket="/run/x.sock",
        seed=7,
        storage="json",
    )
    write_run_file(tmp_path, written)
    found = read_run_file(tmp_path)
    assert found == msgspec.structs.replace(written, selection={"models": ["a", "b"], "deep": {"y": [1]}})
    assert mode(tmp_path / "run.toml") == 0o600
    assert "profile_record" in tomllib.loads((tmp_path / "run.toml").read_text())
    assert os.listdir(tmp_path) == ["run.toml"], "no temporary file is left"


def test_the_head_is_read_without_the_tables(tmp_path: Path) -> None:
    write_run_file(tmp_path, run_file("r", args=["[not a table]"], profile_record={"a": {"b": [1, 2]}}))
    text = (tmp_path / "run.toml").read_text()
    (tmp_path / "run.toml").write_text(text + "[broken")
    assert read_run_head(tmp_path).run_id == "r"
    with pytest.raises(ConsoleError, match="is not a run file"):
        read_run_file(tmp_path)


@pytest.mark.parametrize("content", [b"", b"run_id = 3", b"\xff\xfe", b"run_id = "])
def test_a_damaged_run_file_is_located(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.toml").write_bytes(content)
    with pytest.raises(ConsoleError) as raised:
        read_run_file(tmp_path)
    assert raised.value.where == str(tmp_path / "run.toml")
    assert raised.value.exit_code == 2


def test_a_run_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    write_run_file(tmp_path, run_file("old"))
    with pytest.raises(ConsoleError, match="cannot be written"):
        write_run_file(tmp_path / "missing", run_file("new"))
    assert read_run_file(tmp_path).run_id == "old"


def test_a_run_lives_as_long_as_its_lock_is_held(tmp_path: Path) -> None:
    assert not is_live(tmp_path)
    with hold_run_lock(tmp_path):
        assert is_live(tmp_path)
        with pytest.raises(ConsoleError, match=f"held by process {os.getpid()}"):
            with hold_run_lock(tmp_path):
                pass
    assert not is_live(tmp_path)
    with hold_run_lock(tmp_path):
        assert is_live(tmp_path)


def test_a_killed_engine_is_not_live_even_if_its_id_is_used_again(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from console.records.run_dir import hold_run_lock
        with hold_run_lock(Path(sys.argv[1])):
            print("held", flush=True)
            sys.stdin.read()
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_live(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    (tmp_path / ".lock").write_text(f"{os.getpid()}\n")  # as if its id were ours now
    assert not is_live(tmp_path)


def test_a_lock_that_a_child_inherited_does_not_keep_a_dead_engine_alive(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    with hold_run_lock(tmp_path):
        (tmp_path / ".lock").write_text(f"{gone.pid}\n")
        assert not is_live(tmp_path)


def test_runs_are_listed_newest_first_with_their_states() -> None:
    assert list_runs() == ()
    make_run([started(), judged(0), ended(1, 1)], "b-finished", created="2026-01-03T00:00:00+00:00")
    make_run([started(), judged(0), ended(3, 1, "interrupted")], "c", created="2026-01-02T00:00:00+00:00")
    make_run(
        [started(), judged(0), judged(0), judged(1, Verdict.INFRASTRUCTURE)],
        "a-killed",
        created="2026-01-01T12:00:00+02:00",
        simulated=True,
    )
    live = make_run([started()], "d-live", created="2026-01-01T11:00:00+00:00")
    (live / "plan.json").write_text('{"title":"x","jobs":[{"tests":["a","b"]},{"tests":["c"]}]}')
    (runs_home() / "no-run").mkdir()
    (runs_home() / "file").touch()
    with hold_run_lock(live):
        found = list_runs()
    assert [(info.run_id, info.state, info.done, info.planned) for info in found] == [
        ("b-finished", "finished", 1, 1),
        ("c", "interrupted", 1, 3),
        ("d-live", "live", 0, 3),
        ("a-killed", "partial", 1, None),
    ]
    assert [info.simulated for info in found] == [False, False, False, True]
    assert found[0].title == "5.1"


def test_a_run_whose_run_file_is_damaged_is_still_listed() -> None:
    run_dir = make_run([], "r")
    (run_dir / "run.toml").write_text("=")
    (found,) = list_runs()
    assert found.run_id == "r"
    assert "unreadable" in found.title


def test_a_run_is_found_by_id_beginning_directory_or_as_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = make_run([], "20260101-1-sim", created="2026-01-01T00:00:00+00:00")
    two = make_run([], "20260101-2-sim", created="2026-01-02T00:00:00+00:00")
    outside = make_run([], "elsewhere", home=tmp_path / "out")
    assert find_run() == two
    assert find_run("20260101-1-sim") == one
    assert find_run("20260101-1") == one
    assert find_run(str(outside)) == outside
    monkeypatch.chdir(outside)
    assert find_run(".") == outside
    monkeypatch.chdir(outside.parent)
    assert find_run("elsewhere") == outside


def test_what_is_no_run_is_answered_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(ConsoleError, match="there are no runs") as none:
        find_run()
    assert "ultra-console run" in (none.value.hint or "")
    for number in range(10):
        make_run([], f"run-{number}", created=f"2026-01-{number + 1:02d}T00:00:00+00:00")
    with pytest.raises(ConsoleError, match="no run 'x'") as raised:
        find_run("x")
    assert raised.value.hint == "there are " + ", ".join(f"run-{9 - n}" for n in range(8)) + " and 2 more"
    with pytest.raises(ConsoleError, match="'run-' is the beginning of 10 runs"):
        find_run("run-")
    with pytest.raises(ConsoleError, match="this is no run") as raised:
        find_run(str(tmp_path))
    assert raised.value.where == str(tmp_path / "run.toml")


def test_a_whole_id_wins_over_being_the_beginning_of_others() -> None:
    one = make_run([], "run")
    make_run([], "run-2")
    assert find_run("run") == one


def test_a_live_run_is_not_removed_and_a_removed_one_is_gone() -> None:
    run_dir = make_run([started(), request(0)], "r")
    with hold_run_lock(run_dir), pytest.raises(ConsoleError, match="held by process"):
        remove_run(run_dir)
    assert run_dir.exists()
    remove_run(run_dir)
    assert os.listdir(runs_home()) == []


def test_a_large_journal_is_not_read_to_list_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.records.run_list._COUNTED_BYTES", 100)
    run_dir = make_run([started(), judged(0)], "r")
    assert list_runs()[0].done is None
    add_rows(run_dir, [ended(9, 8)])
    assert list_runs()[0].done == 8
