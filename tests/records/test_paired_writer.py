from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_rows import ARGUMENTS, judged, request, trace
from seeds import examples
from test_journal import SmallDisk, script_environment

from console.records.journal import Journal, JournalBlocked
from console.records.paired_writer import PairedWriter, open_rows
from console.records.read_journal import read_rows, segments_of
from console.records.read_traces import find_traces
from console.records.rows_codec import decode_trace
from console.vocabulary.chat import ToolCall
from console.vocabulary.errors import ConsoleError
from console.vocabulary.outcome import Verdict
from console.vocabulary.rows import RequestRow, Row, TestRow
from console.vocabulary.trace import Said, TraceRow, text_mark


def traces_of(run_dir: Path) -> list[TraceRow]:
    return [
        decode_trace(line)
        for segment in segments_of(run_dir, "traces")
        for line in segment.path.read_bytes().splitlines()
    ]


def test_traces_and_rows_go_to_files_of_their_own(tmp_path: Path) -> None:
    with open_rows(tmp_path, 3, traces="full") as writer:
        for row in (request(0), trace(0), judged(0)):
            writer.hold(row)
        writer.flush()
    assert list(read_rows(tmp_path)) == [request(0), judged(0)]
    assert traces_of(tmp_path) == [trace(0)]
    assert [path.name for path in (tmp_path / "traces").iterdir()] == ["03-0001.jsonl"]
    assert (tmp_path / "traces").stat().st_mode & 0o777 == 0o700
    assert segments_of(tmp_path, "traces")[0].path.stat().st_mode & 0o777 == 0o600


def test_only_segments_of_the_journal_are_announced(tmp_path: Path) -> None:
    announced: list[str] = []
    with open_rows(tmp_path, traces="full", rotate_bytes=1, on_rotate=announced.append) as writer:
        for number in range(3):
            writer.hold(trace(number))
            writer.append(judged(number))
    assert announced == [f"journal/00-000{number}.jsonl" for number in (1, 2, 3)]
    assert len(segments_of(tmp_path, "traces")) == 3


def test_without_traces_a_run_has_only_a_journal(tmp_path: Path) -> None:
    with open_rows(tmp_path) as writer:
        assert isinstance(writer, Journal)
    assert not (tmp_path / "traces").exists()


def test_a_journal_that_cannot_be_opened_leaves_no_thread_of_the_traces(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    with pytest.raises(ConsoleError, match="journal cannot be opened"):
        open_rows(tmp_path, traces="full")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "traces").write_text("in the way")
    with pytest.raises(ConsoleError, match="traces cannot be opened"):
        open_rows(tmp_path / "other", traces="full")


@settings(deadline=None, max_examples=examples(40))
@given(data=st.data())
def test_a_disk_that_fills_again_and_again_never_has_a_row_before_its_trace(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    run_dir = tmp_path_factory.mktemp("run")
    disk = SmallDisk(0)
    with open_rows(run_dir, traces="full", rotate_bytes=1500, write=disk) as writer:
        for number in range(6):
            disk.room += data.draw(st.integers(0, 1500), label="room")
            writer.hold(trace(number))
            writer.hold(judged(number))
            full = refusal_of(writer)
            assert writer.pending_rows == (0 if full is None else full.pending_rows)
            kept = {found.test for found in decodable(run_dir)}
            assert {row.test for row in read_rows(run_dir) if isinstance(row, TestRow)} <= kept
        disk.room = 100_000
        writer.flush()
    assert list(read_rows(run_dir)) == [judged(number) for number in range(6)]
    assert traces_of(run_dir) == [trace(number) for number in range(6)]


def refusal_of(writer: Journal | PairedWriter) -> JournalBlocked | None:
    try:
        writer.flush()
    except JournalBlocked as full:
        return full
    return None


def decodable(run_dir: Path) -> list[TraceRow]:
    lines = [
        line
        for segment in segments_of(run_dir, "traces")
        for line in segment.path.read_bytes().splitlines(keepends=True)
    ]
    return [decode_trace(line) for line in lines if line.endswith(b"\n")]


def test_every_row_on_the_disk_after_kill_9_has_its_trace_there(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import os, sys
        from pathlib import Path
        from made_rows import judged, trace
        from console.records.paired_writer import open_rows
        writer = open_rows(Path(sys.argv[1]), traces="full", rotate_bytes=20_000)
        number = 0
        while True:
            writer.hold(trace(number))
            writer.append(judged(number))
            os.write(1, b"%d\\n" % number)
            number += 1
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, env=script_environment()
    ) as writer:
        assert writer.stdout is not None
        while int(writer.stdout.readline()) < 500:
            pass
        writer.send_signal(signal.SIGKILL)
        writer.stdout.read()
    rows = [row.test for row in read_rows(tmp_path) if isinstance(row, TestRow)]
    kept = [found.test for found in decodable(tmp_path)]
    assert kept[: len(rows)] == rows
    assert len(kept) <= len(rows) + 1


def test_closing_a_blocked_writer_closes_both(tmp_path: Path) -> None:
    writer = open_rows(tmp_path, traces="full", write=SmallDisk(0))
    writer.hold(trace(0))
    writer.hold(judged(0))
    with pytest.raises(JournalBlocked):
        writer.close()
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.flush()


def test_names_that_are_no_tools_are_words_of_the_model(tmp_path: Path) -> None:
    called = (
        ToolCall("a", "file_reader", "{}"),
        ToolCall("b", "my secret", "{}"),
        ToolCall("c", "more", "{}"),
    )
    said = (
        Said(turn=1, role="assistant", calls=called),
        Said(turn=1, role="tool", tool="file_reader", failed="input: INVALID_INPUT"),
        Said(turn=1, role="tool", tool="my secret", failed="unknown_tool: INVALID_INPUT"),
        Said(turn=1, role="tool", tool="more", failed="not made: after failures"),
    )
    with open_rows(tmp_path, traces="hashes") as writer:
        writer.append(msgspec.structs.replace(trace(0), said=said))
    (kept,) = traces_of(tmp_path)
    marks = ["file_reader", text_mark("my secret"), text_mark("more")]
    assert [call.name for call in kept.said[0].calls] == marks
    assert [one.tool for one in kept.said[1:]] == marks


def test_no_content_keeps_who_spoke_and_what_was_called(tmp_path: Path) -> None:
    secret = judged(0, Verdict.FAILURE, detail="it said 'in/orders.csv'")
    down = judged(1, Verdict.INFRASTRUCTURE, detail="timeout_total")
    with open_rows(tmp_path, traces="hashes") as writer:
        for row in (trace(0), secret, down):
            writer.append(row)
    (found,) = traces_of(tmp_path)
    prompt, reply, result = found.said
    assert prompt.content == "<20 characters, blake2b 009eae7ba2fb2a4a>"
    assert (reply.content, reply.reasoning) == (text_mark("I read it."), text_mark("which tool?"))
    assert reply.calls == (ToolCall("c1", "file_reader", text_mark(ARGUMENTS)),)
    assert (result.tool, result.failed, result.role) == ("file_reader", "arguments: FILE_NOT_FOUND", "tool")
    details = [row.detail for row in read_rows(tmp_path) if isinstance(row, TestRow)]
    assert details == [text_mark(secret.detail), "timeout_total"]
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*.jsonl"))
    assert b"orders" not in written
    assert b"I read" not in written


def test_the_same_text_has_the_same_mark_and_no_text_has_none() -> None:
    assert text_mark("") == ""
    assert text_mark("a") == text_mark("a") != text_mark("b")
    assert text_mark("\ud800").startswith("<1 characters")


@pytest.mark.parametrize("traces", ["full", "hashes"])
def test_half_a_surrogate_from_a_tool_breaks_no_run(tmp_path: Path, traces: str) -> None:
    broken = trace(0, said=(Said(turn=1, role="tool", tool="file_reader", content="a\ud800b 😀"),))
    with open_rows(tmp_path, traces="full" if traces == "full" else "hashes") as writer:
        writer.append(broken)
    (found,) = traces_of(tmp_path)
    if traces == "full":
        assert found.said[0].content == "a\ufffdb 😀"
    assert found.said[0].tool == "file_reader"


def test_rows_that_are_no_traces_cost_no_file_of_their_own(tmp_path: Path) -> None:
    rows: list[Row] = [request(number) for number in range(3)]
    with open_rows(tmp_path, traces="full") as writer:
        assert isinstance(writer, PairedWriter)
        for row in rows:
            writer.append(row)
    assert [row for row in read_rows(tmp_path) if isinstance(row, RequestRow)] == rows
    assert os.path.getsize(tmp_path / "traces" / "00-0001.jsonl") == 0


def test_a_trace_is_found_as_it_was_written(tmp_path: Path) -> None:
    with open_rows(tmp_path, traces="full") as writer:
        for number in range(20):
            writer.append(trace(number))
    assert find_traces(tmp_path, judged(1).test).attempts == (trace(1),)
