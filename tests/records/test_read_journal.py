from __future__ import annotations

import zlib
from pathlib import Path

import msgspec
import pytest
from made_rows import add_rows, ended, judged, request, started

from console.records.journal import Journal
from console.records.read_journal import read_end, read_rows
from console.records.rows_codec import encode_line
from console.vocabulary.errors import ConsoleError
from console.vocabulary.rows import EventRow


def segment(run_dir: Path, name: str = "00-0001.jsonl") -> Path:
    path = run_dir / "journal" / name
    path.parent.mkdir(exist_ok=True)
    return path


def sealed(body: bytes) -> bytes:
    """A line with the right checksum, whatever is in it; `body` lacks its closing brace."""
    return b'%b,"crc":"%08x"}\n' % (body, zlib.crc32(body))


def test_a_run_without_a_journal_has_no_rows(tmp_path: Path) -> None:
    assert list(read_rows(tmp_path)) == []
    add_rows(tmp_path, [])
    assert list(read_rows(tmp_path)) == []


def test_a_tail_torn_at_any_byte_costs_that_row_and_nothing_else(tmp_path: Path) -> None:
    before = encode_line(request(1)) + encode_line(judged(1))
    last = encode_line(request(2, error="é\\\"'"))
    for cut in range(len(last) + 1):
        segment(tmp_path).write_bytes(before + last[:cut])
        scan = read_rows(tmp_path)
        rows = list(scan)
        whole = cut >= len(last) - 1  # only the newline is missing: the checksum proves the row
        assert rows == [request(1), judged(1)] + ([request(2, error="é\\\"'")] if whole else [])
        assert scan.damages.torn == (0 if whole or cut == 0 else 1)
        assert scan.damages.damaged == 0
        assert [damage.where for damage in scan.damages.located] == (
            ["journal/00-0001.jsonl:3"] if scan.damages.torn else []
        )


def test_a_flipped_bit_anywhere_in_a_line_is_found_and_only_that_line_is_skipped(tmp_path: Path) -> None:
    lines = [encode_line(request(number)) for number in range(3)]
    for place in range(len(lines[1]) - 1):
        hurt = bytearray(lines[1])
        hurt[place] ^= 0x01
        if hurt[place] == ord("\n"):
            continue  # then it is two lines
        segment(tmp_path).write_bytes(lines[0] + hurt + lines[2])
        scan = read_rows(tmp_path)
        assert list(scan) == [request(0), request(2)], place
        assert scan.damages.damaged == 1
        assert scan.damages.located[0].where == "journal/00-0001.jsonl:2"


def test_a_flip_that_makes_a_newline_damages_two_half_lines(tmp_path: Path) -> None:
    line = encode_line(request(0))
    segment(tmp_path).write_bytes(line[:50] + b"\n" + line[51:] + encode_line(request(1)))
    scan = read_rows(tmp_path)
    assert list(scan) == [request(1)]
    assert scan.damages.damaged == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\n", "no checksum"),
        (b"\x00" * 300 + b"\n", "no checksum"),
        (b'{"type":"request"}\n', "no checksum"),
        (sealed(b'{"type":"request"'), "not a valid row"),
        (sealed(b'{"type":"request","test":7'), "not a valid row"),
        (sealed(b'{"type":"run_ended","at_ns":1,"state":"x","planned":"many","done":1'), "not a valid row"),
        (sealed(b'{"type":"request","test":"x'), "not valid JSON"),
        (sealed(b'{"type":"event","at_ns":1,"level":"\xff","kind":"x"'), "not valid"),
        (sealed(b'{"no":"type"'), "not a valid row"),
    ],
)
def test_lines_that_are_no_rows_are_counted_located_and_skipped(
    tmp_path: Path, line: bytes, reason: str
) -> None:
    segment(tmp_path).write_bytes(encode_line(request(0)) + line + encode_line(request(1)))
    scan = read_rows(tmp_path)
    assert list(scan) == [request(0), request(1)]
    assert scan.damages.damaged == 1
    assert reason in scan.damages.located[0].reason


def test_rows_and_fields_of_a_newer_version_are_no_damage(tmp_path: Path) -> None:
    known = msgspec.json.encode(request(0))[:-1] + b',"colour":"blue"'
    segment(tmp_path).write_bytes(
        sealed(b'{"type":"weather","at_ns":1') * 2 + sealed(known) + sealed(b'{"type":"moon"')
    )
    scan = read_rows(tmp_path)
    assert list(scan) == [request(0)]
    assert scan.damages.unknown == {"weather": 2, "moon": 1}
    assert scan.damages.damaged == 0


def test_many_damaged_lines_are_all_counted_but_not_all_told(tmp_path: Path) -> None:
    segment(tmp_path).write_bytes(b"broken\n" * 1000)
    scan = read_rows(tmp_path)
    assert list(scan) == []
    assert scan.damages.damaged == 1000
    assert len(scan.damages.located) == 50


def test_a_second_pass_counts_again(tmp_path: Path) -> None:
    add_rows(tmp_path, [request(0)])
    scan = read_rows(tmp_path)
    assert list(scan) == list(scan) == [request(0)]
    assert scan.rows == 1


def test_an_unreadable_segment_is_located(tmp_path: Path) -> None:
    add_rows(tmp_path, [started()])
    scan = read_rows(tmp_path)
    segment(tmp_path).unlink()
    segment(tmp_path).mkdir()
    with pytest.raises(ConsoleError, match="cannot be read") as raised:
        list(scan)
    assert raised.value.where == str(segment(tmp_path))


def test_the_end_of_a_run_is_read_from_the_tail(tmp_path: Path) -> None:
    assert read_end(tmp_path) is None
    add_rows(tmp_path, [started(), request(0)])
    assert read_end(tmp_path) is None
    event = EventRow(at_ns=1, level="info", kind="bye")
    add_rows(tmp_path, [*(request(number) for number in range(3000)), ended(5, 4), event])
    assert read_end(tmp_path) == ended(5, 4)
    add_rows(tmp_path, [started(resumed=True)])
    assert read_end(tmp_path) is None, "a resumed run has not ended"
    add_rows(tmp_path, [ended(5, 5)])
    assert read_end(tmp_path) == ended(5, 5)


def test_a_torn_end_is_no_end(tmp_path: Path) -> None:
    segment(tmp_path).write_bytes(encode_line(started()) + encode_line(ended(1, 1))[:-2])
    assert read_end(tmp_path) is None


def test_of_several_processes_the_first_says_how_the_run_ended(tmp_path: Path) -> None:
    add_rows(tmp_path, [started()], process=0)
    add_rows(tmp_path, [started(), ended(1, 1)], process=1)
    assert read_end(tmp_path) is None
    add_rows(tmp_path, [ended(2, 2)], process=0)
    assert read_end(tmp_path) == ended(2, 2)


def test_a_live_journal_is_read_up_to_its_last_row(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.append(request(0))
        scan = read_rows(tmp_path)
        assert list(scan) == [request(0)]
        journal.append(request(1))
        assert list(scan) == [request(0), request(1)]
