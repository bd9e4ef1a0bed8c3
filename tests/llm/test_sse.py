from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples

from console.llm.sse import SseError, SseParser


def parse(*pieces: bytes) -> list[tuple[bytes, bytes]]:
    parser = SseParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.finish()


def plainly(stream: bytes) -> list[tuple[bytes, bytes]]:
    """The rules of the HTML standard, line by line, with nothing clever."""
    text = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    events: list[tuple[bytes, bytes]] = []
    name, data = b"", []
    for line in [*text.split(b"\n"), b""]:
        if not line:
            if data:
                events.append((name, b"\n".join(data)))
            name, data = b"", []
        else:
            field, _, value = line.partition(b":")
            value = value[1:] if value.startswith(b" ") else value
            if field == b"data":
                data.append(value)
            elif field == b"event":
                name = value
    return events


LINES = st.one_of(
    st.sampled_from(
        [b"", b"", b"", b":", b": ping", b"data", b"data:", b"data: ", b"event: error", b"id: 7", b"retry: 5"]
    ),
    st.sampled_from([b"data: [DONE]", b"\xef\xbb\xbfdata: bom", b"data:  two", b"unknown: x", b"data: a:b"]),
    st.text(max_size=6).map(lambda text: b"data: " + text.encode().replace(b"\n", b"").replace(b"\r", b"")),
)
STREAMS = st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"])), max_size=20).map(
    lambda lines: b"".join(line + end for line, end in lines)
)


@settings(max_examples=examples(150), deadline=None)
@given(stream=STREAMS, tail=LINES, cuts=st.lists(st.integers(0, 200), max_size=12))
def test_any_split_of_any_stream_gives_the_events_of_the_standard(
    stream: bytes, tail: bytes, cuts: list[int]
) -> None:
    stream += tail
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(edges)]
    assert parse(*pieces) == parse(stream) == plainly(stream)


def test_every_single_byte_split_including_inside_utf8_and_crlf() -> None:
    stream = (
        "data: é漢🎉\r\n\r\nevent: x\rdata: 1\ndata: 2\n\n: c\n\nid: 9\nretry: 30\ndata: [DONE]\n\n".encode()
    )
    whole = [(b"", "é漢🎉".encode()), (b"x", b"1\n2"), (b"", b"[DONE]")]
    assert parse(stream) == whole
    assert parse(*(stream[i : i + 1] for i in range(len(stream)))) == whole
    for cut in range(len(stream)):
        assert parse(stream[:cut], stream[cut:]) == whole


def test_an_empty_piece_between_carriage_return_and_line_feed_changes_nothing() -> None:
    assert parse(b"data: a\r", b"", b"\ndata: b\r\n\r\n") == [(b"", b"a\nb")]


def test_id_and_retry_are_kept() -> None:
    parser = SseParser()
    parser.feed(b"id: 9\nretry: 30\nretry: soon\nid: a\0b\ndata: x\n\n")
    assert (parser.last_id, parser.retry_ms) == (b"9", 30)


def test_a_missing_last_blank_line_loses_nothing() -> None:
    assert parse(b"data: a\n\ndata: b") == [(b"", b"a"), (b"", b"b")]


def test_a_line_of_200_kb_in_small_pieces() -> None:
    line = b"data: " + b"x" * 200_000
    pieces = [line[i : i + 1000] for i in range(0, len(line), 1000)]
    assert parse(*pieces, b"\n\ndata: y\n\n") == [(b"", b"x" * 200_000), (b"", b"y")]


@pytest.mark.parametrize("piece", [b"x" * 100, b"data: " + b"x" * 90 + b"\n"])
def test_an_event_without_end_is_refused(piece: bytes) -> None:
    parser = SseParser(max_event_bytes=1000)
    for _ in range(9):
        parser.feed(piece)
    with pytest.raises(SseError):
        parser.feed(piece * 2)


def test_many_small_events_never_reach_the_limit() -> None:
    parser = SseParser(max_event_bytes=100)
    for _ in range(50):
        assert parser.feed(b"data: 12345") == []
        assert parser.feed(b"67890\n\n: ping\n\n") == [(b"", b"1234567890")]
