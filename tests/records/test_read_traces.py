from __future__ import annotations

import os
from pathlib import Path

import pytest
from made_rows import judged, trace

from console.records import read_traces
from console.records.paired_writer import open_rows
from console.records.read_traces import counted_first, find_traces
from console.records.rows_codec import encode_line
from console.vocabulary.outcome import Verdict
from console.vocabulary.trace import TraceRow


def write(run_dir: Path, *traces: TraceRow, process: int = 0) -> Path:
    with open_rows(run_dir, process, traces="full") as writer:
        for one in traces:
            writer.append(one)
    return sorted((run_dir / "traces").glob(f"{process:02d}-*"))[-1]


def test_attempts_come_in_their_order_from_whatever_process(tmp_path: Path) -> None:
    first = trace(1, Verdict.INFRASTRUCTURE)
    second = trace(1, Verdict.INFRASTRUCTURE, attempt=2)
    third = trace(1, attempt=3)
    write(tmp_path, trace(0), third, trace(11), process=1)
    write(tmp_path, first, trace(2), second, process=2)
    found = find_traces(tmp_path, judged(1).test)
    assert found.attempts == (first, second, third)
    assert not found.damages.any


def test_the_counted_attempt_comes_first(tmp_path: Path) -> None:
    first, second = trace(1, Verdict.INFRASTRUCTURE), trace(1, attempt=2)
    assert counted_first((first, second), 2, "full") == (second, first)
    assert counted_first((first, second), 1, "infrastructure") == (first, second)
    assert counted_first((first, second), 7, "full") == (first, second)


def test_of_two_traces_of_one_attempt_the_later_one_has_the_row() -> None:
    """A process that is killed between trace and row leaves the earlier one; the attempt is made again."""
    orphan = trace(1, said=())
    again = trace(1)
    assert counted_first((orphan, again), 1, "full") == (again, orphan)


def test_a_run_without_traces_has_none(tmp_path: Path) -> None:
    assert find_traces(tmp_path, "m/a/b/0.8/c/1") == find_traces(tmp_path / "nowhere", "x")
    assert find_traces(tmp_path, "x").attempts == ()


def test_ids_are_no_pattern_and_need_no_plain_characters(tmp_path: Path) -> None:
    odd = trace(0, test='a"b\\ é/optimal/easy/0.8/simple_task/1')
    write(tmp_path, odd, trace(0, test='a"b\\ é/optimal/easy/0.8/simple_task/11'))
    assert find_traces(tmp_path, odd.test).attempts == (odd,)


@pytest.mark.parametrize("cut", [1, 30, 60, 200])
def test_a_torn_tail_is_told_and_the_rest_is_read(tmp_path: Path, cut: int) -> None:
    segment = write(tmp_path, trace(0), trace(1))
    data = segment.read_bytes()
    segment.write_bytes(data[: data.index(b"\n") + 1 + cut])
    found = find_traces(tmp_path, judged(0).test)
    assert found.attempts == (trace(0),)
    assert (found.damages.torn, found.damages.damaged) == (1, 0)
    assert found.damages.located[0].where == "traces/00-0001.jsonl:2"


def test_a_damaged_trace_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    segment = write(tmp_path, trace(0), trace(1), trace(1, attempt=2))
    data = bytearray(segment.read_bytes())
    place = data.index(b'"test":"m1/optimal/easy/0.8/simple_task/1"') + 60
    data[place] ^= 1
    segment.write_bytes(data)
    found = find_traces(tmp_path, judged(1).test)
    assert found.attempts == (trace(1, attempt=2),)
    assert found.damages.damaged == 1
    assert "checksum" in found.damages.located[0].reason
    assert not find_traces(tmp_path, judged(0).test).damages.any, "another test's damage is not this one's"


def test_what_is_no_trace_is_told(tmp_path: Path) -> None:
    segment = write(tmp_path, trace(0))
    with segment.open("ab") as file:
        file.write(b"hello\n\x00\xff\n" + encode_line(judged(0)))
    found = find_traces(tmp_path, judged(0).test)
    assert found.attempts == (trace(0),)
    assert found.damages.damaged == 3


def test_a_line_without_end_is_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_traces, "_MOST_LINE_BYTES", 5000)
    segment = write(tmp_path, trace(0))
    with segment.open("ab") as file:
        file.write(b'{"type":"trace","test":' + b"x" * 20_000 + b"\n" + encode_line(trace(0, attempt=2)))
    found = find_traces(tmp_path, judged(0).test)
    assert found.attempts == (trace(0), trace(0, attempt=2))
    assert found.damages.damaged == 1


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, trace(0))
    os.mkfifo(tmp_path / "traces" / "00-0002.jsonl")
    assert find_traces(tmp_path, judged(0).test).attempts == (trace(0),)
