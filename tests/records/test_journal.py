from __future__ import annotations

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_rows import ended, judged, request, started
from seeds import examples

from console.records import journal as journal_module
from console.records.journal import Journal, JournalBlocked
from console.records.read_journal import read_rows, segments_of
from console.vocabulary.errors import ConsoleError
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import Row


def segment(run_dir: Path, name: str = "00-0001.jsonl") -> Path:
    return run_dir / "journal" / name


def test_each_line_is_json_that_ends_in_the_crc_of_what_precedes_it(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.append(request(1, error='quote " and\nnewline and é'))
    line = segment(tmp_path).read_bytes()
    assert line.count(b"\n") == 1
    body, crc = line[: -len(',"crc":"00000000"}\n')], line[-len('00000000"}\n') : -3]
    assert crc == b"%08x" % zlib.crc32(body)
    assert json.loads(line)["test"] == "m1/optimal/easy/0.8/simple_task/1"


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    rows = [started(), request(1, outcome=Outcome.RATE_LIMITED, retry_after_s=1.5), judged(1), ended(1, 1)]
    with Journal.open(tmp_path) as journal:
        journal.append(rows[0])
        for row in rows[1:]:
            journal.hold(row)
        journal.flush()
        scan = read_rows(tmp_path)
        assert list(scan) == rows, "readable while the writer is still open"
        assert scan.rows == 4
        assert not scan.damages.any


def test_a_row_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        for number in range(5):
            journal.append(request(number))
            assert segment(tmp_path).read_bytes().count(b"\n") == number + 1


def test_journal_and_segments_are_private(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        with Journal.open(tmp_path) as journal:
            journal.append(request())
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "journal").stat().st_mode) == 0o700
    assert stat.S_IMODE(segment(tmp_path).stat().st_mode) == 0o600


def test_opening_again_takes_a_new_segment_and_leaves_the_torn_one_alone(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.append(request(1))
    torn = segment(tmp_path).read_bytes()[:-30]
    segment(tmp_path).write_bytes(torn)
    with Journal.open(tmp_path) as journal:
        journal.append(request(2))
    assert segment(tmp_path).read_bytes() == torn
    scan = read_rows(tmp_path)
    assert list(scan) == [request(2)]
    assert scan.damages.torn == 1


def test_processes_have_segments_of_their_own(tmp_path: Path) -> None:
    with Journal.open(tmp_path, 1) as one, Journal.open(tmp_path, 0) as zero:
        one.append(request(1))
        zero.append(request(0))
    assert [found.name for found in segments_of(tmp_path)] == [
        "journal/00-0001.jsonl",
        "journal/01-0001.jsonl",
    ]
    assert list(read_rows(tmp_path)) == [request(0), request(1)]


def test_segments_rotate_between_rows_and_are_announced(tmp_path: Path) -> None:
    announced: list[str] = []
    size = len(journal_module.encode_line(request(0)))
    with Journal.open(tmp_path, rotate_bytes=2 * size, on_rotate=announced.append) as journal:
        for number in range(5):
            journal.append(request(number))
    assert announced == [f"journal/00-000{number}.jsonl" for number in (1, 2, 3)]
    assert [found.name for found in segments_of(tmp_path)] == announced
    assert [len(found.path.read_bytes().splitlines()) for found in segments_of(tmp_path)] == [2, 2, 1]
    assert list(read_rows(tmp_path)) == [request(number) for number in range(5)]


def test_segments_are_read_by_number_also_beyond_9999(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    segment(tmp_path, "00-9999.jsonl").touch()
    with Journal.open(tmp_path) as journal:
        journal.append(request(1))
    with Journal.open(tmp_path) as journal:
        journal.append(request(2))
    assert [found.number for found in segments_of(tmp_path)] == [9999, 10000, 10001]


def test_a_journal_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    with pytest.raises(ConsoleError, match="cannot be opened") as raised:
        Journal.open(tmp_path)
    assert raised.value.exit_code == 2


def test_written_rows_are_synced_soon_and_idle_journals_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = threading.Semaphore(0)

    def sync(fd: int) -> None:
        os.fsync(fd)
        synced.release()

    monkeypatch.setattr(journal_module, "_sync_data", sync)
    with Journal.open(tmp_path) as journal:
        journal.append(request(1))
        assert synced.acquire(timeout=5), "the row was never synced"
        journal.append(request(2))
        assert synced.acquire(timeout=5)
    assert synced.acquire(timeout=5), "close syncs"
    assert not any(thread.name == "journal-sync" for thread in threading.enumerate())


def test_a_failed_sync_surfaces_at_the_next_append_and_no_row_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = threading.Event()
    failing.set()
    tried = threading.Semaphore(0)

    def sync(fd: int) -> None:
        tried.release()
        if failing.is_set():
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(journal_module, "_sync_data", sync)
    with Journal.open(tmp_path) as journal:
        journal.append(request(0))
        assert tried.acquire(timeout=5)
        failing.clear()
        written: list[Row] = [request(0)]
        with pytest.raises(JournalBlocked, match="Input/output error") as raised:
            fill(journal, written)
        assert raised.value.errno == errno.EIO
        assert raised.value.pending_rows == 1
        journal.flush()
    assert list(read_rows(tmp_path)) == written


def refusal(journal: Journal, row: Row) -> JournalBlocked | None:
    """Append a row; return how the disk refused it, if it did."""
    try:
        journal.append(row)
    except JournalBlocked as full:
        return full
    return None


def fill(journal: Journal, written: list[Row]) -> None:
    """Append rows for 5 s or until one is refused, which is in `written` as well."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        written.append(request(len(written)))
        journal.append(written[-1])


class SmallDisk:
    """`os.write` onto a disk that has room for so many bytes."""

    def __init__(self, room: int, error: int = errno.ENOSPC) -> None:
        self.room = room
        self.error = error

    def __call__(self, fd: int, data: memoryview) -> int:
        if self.room == 0:
            raise OSError(self.error, os.strerror(self.error))
        taken = os.write(fd, data[: self.room])
        self.room -= taken
        return taken


@pytest.mark.parametrize(
    ("error", "step"), [(errno.ENOSPC, 1), (errno.EDQUOT, 97), (errno.EIO, 97), (errno.EFBIG, 97)]
)
def test_a_disk_that_is_full_at_any_byte_loses_and_doubles_no_row(
    tmp_path: Path, error: int, step: int
) -> None:
    rows = [request(number, error="x") for number in range(3)]
    whole = b"".join(journal_module.encode_line(row) for row in rows)
    for room in range(0, len(whole), step):
        run_dir = tmp_path / str(room)
        run_dir.mkdir()
        disk = SmallDisk(room, error)
        with Journal.open(run_dir, write=disk) as journal:
            blocked = 0
            for row in rows:
                full = refusal(journal, row)
                if full is not None:
                    blocked += 1
                    assert full.errno == error
                    assert full.pending_bytes > 0
                    assert full.pending_rows == blocked
            assert blocked
            assert segment(run_dir).read_bytes() == whole[:room]
            disk.room = len(whole)
            journal.flush()
            assert journal.pending_rows == 0
        assert segment(run_dir).read_bytes() == whole
        if room % 100:
            continue  # one in a hundred is read as well
        scan = read_rows(run_dir)
        assert list(scan) == rows
        assert not scan.damages.any


@settings(
    deadline=None, max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_disk_that_fills_again_and_again_ends_as_one_that_never_did(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    run_dir = tmp_path_factory.mktemp("run")
    disk = SmallDisk(0)
    rows = [request(number) for number in range(6)]
    size = len(journal_module.encode_line(rows[0]))
    with Journal.open(run_dir, write=disk, rotate_bytes=2 * size) as journal:
        for row in rows:
            disk.room += data.draw(st.integers(0, 2 * size), label="room")
            full = refusal(journal, row)
            assert journal.pending_rows == (0 if full is None else full.pending_rows)
        disk.room = 10 * size
        journal.flush()
    scan = read_rows(run_dir)
    assert list(scan) == rows
    assert not scan.damages.any
    for found in segments_of(run_dir):
        assert found.path.read_bytes().endswith(b"\n"), "no line is spread over two segments"


def test_closing_a_blocked_journal_says_what_is_lost_and_closes(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, write=SmallDisk(10))
    with pytest.raises(JournalBlocked):
        journal.append(request(1))
    with pytest.raises(JournalBlocked) as raised:
        journal.close()
    assert raised.value.pending_rows == 1
    journal.close()
    with pytest.raises(ValueError, match="closed"):
        journal.append(request(2))
    assert not any(thread.name == "journal-sync" for thread in threading.enumerate())


def test_a_segment_that_cannot_be_announced_blocks_once_and_goes_on(tmp_path: Path) -> None:
    announced: list[str] = []

    def announce(name: str) -> None:
        announced.append(name)
        if len(announced) == 2:
            try:
                raise OSError(errno.ENOSPC, "No space left on device")
            except OSError as error:
                raise ConsoleError("cannot be written") from error

    with Journal.open(tmp_path, rotate_bytes=1, on_rotate=announce) as journal:
        journal.append(request(1))
        with pytest.raises(JournalBlocked, match="No space"):
            journal.append(request(2))
        journal.flush()
    assert list(read_rows(tmp_path)) == [request(1), request(2)]


def test_the_first_segment_that_cannot_be_announced_fails_the_opening(tmp_path: Path) -> None:
    def announce(name: str) -> None:
        raise ConsoleError("run.toml cannot be written")

    with pytest.raises(ConsoleError, match="cannot be written"):
        Journal.open(tmp_path, on_rotate=announce)
    assert not any(thread.name == "journal-sync" for thread in threading.enumerate())


def test_a_full_tmpfs_blocks_and_a_freed_one_goes_on(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    mount = tmp_path / "disk"
    mount.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"mounting is not allowed here: {mounted.stderr.decode().strip()}")
    try:
        (mount / "ballast").write_bytes(b"x" * 40_000)
        written: list[Row] = []
        with Journal.open(mount) as journal:
            with pytest.raises(JournalBlocked) as raised:
                fill(journal, written)
            assert raised.value.errno == errno.ENOSPC
            scan = read_rows(mount)
            assert list(scan) == written[:-1], "all that was said to be written can be read now"
            (mount / "ballast").unlink()
            journal.flush()
        scan = read_rows(mount)
        assert list(scan) == written
        assert not scan.damages.any
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def test_a_file_size_limit_blocks_with_its_own_error(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import resource, sys
        from pathlib import Path
        from made_rows import request
        from console.records.journal import Journal, JournalBlocked
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 10_000))
        journal = Journal.open(Path(sys.argv[1]))
        number = 0
        try:
            while True:
                number += 1
                journal.append(request(number))
        except JournalBlocked as error:
            print(error.errno, number)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        journal.close()
        """
    )
    done = run_script(script, str(tmp_path))
    assert done.returncode == 0, done.stderr
    error, number = map(int, done.stdout.split())
    assert error == errno.EFBIG
    scan = read_rows(tmp_path)
    assert list(scan) == [request(n) for n in range(1, number + 1)]


def test_every_row_said_to_be_written_survives_kill_9(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import os, sys
        from pathlib import Path
        from made_rows import request
        from console.records.journal import Journal
        journal = Journal.open(Path(sys.argv[1]), rotate_bytes=50_000)
        number = 0
        while True:
            journal.append(request(number, error="x" * (number % 3000)))
            os.write(1, b"%d\\n" % number)
            number += 1
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        env=script_environment(),
    ) as writer:
        assert writer.stdout is not None
        said = -1
        while said < 2000:
            said = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        said = max([said, *(int(line) for line in writer.stdout.read().split(b"\n")[:-1] if line)])
    scan = read_rows(tmp_path)
    numbers = [row.at_ns // 10**9 for row in scan]  # type: ignore[union-attr]
    assert numbers == list(range(len(numbers)))
    assert said + 1 <= len(numbers) <= said + 2
    assert scan.damages.damaged == 0
    assert scan.damages.torn <= 1


def test_a_short_write_is_completed_within_the_same_append(tmp_path: Path) -> None:
    def write(fd: int, data: memoryview) -> int:
        return os.write(fd, data[:7])

    with Journal.open(tmp_path, write=write) as journal:
        journal.append(request(1))
        assert journal.pending_rows == 0
        assert list(read_rows(tmp_path)) == [request(1)]


def test_several_rows_are_one_write(tmp_path: Path) -> None:
    sizes: list[int] = []

    def write(fd: int, data: memoryview) -> int:
        sizes.append(len(data))
        return os.write(fd, data)

    with Journal.open(tmp_path, write=write) as journal:
        for number in range(10):
            journal.hold(request(number))
        journal.flush()
    assert len(sizes) == 1


def script_environment() -> dict[str, str]:
    root = Path(__file__).parents[2]
    return {**os.environ, "PYTHONPATH": f"{root}:{Path(__file__).parent}"}


def run_script(script: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *args],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=script_environment(),
    )
