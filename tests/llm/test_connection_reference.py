"""A connection against h11 on the same bytes: whatever a server sends, however it is cut, the two read the same answer."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any, cast

import h11
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples

from console.llm.connection import Connection
from console.llm.receiver import NEVER, Header
from console.llm.route import Origin, Route


class Wire:
    """Stands in for the loop, its transport and the pool, and notes what the connection does with them."""

    def __init__(self) -> None:
        self.closed = False
        self.released = 0
        self.lost_count = 0

    def get_extra_info(self, name: str) -> None: ...
    def write(self, data: bytes) -> None: ...
    def opened(self, connection: Connection) -> None: ...

    def call_later(self, delay: float, callback: object) -> None:
        raise AssertionError("no deadline was set")

    def abort(self) -> None:
        self.closed = True

    def release(self, connection: Connection) -> None:
        self.released += 1

    def lost(self, connection: Connection) -> None:
        self.lost_count += 1


class Noting:
    """A receiver that keeps everything, and fails where it is told anything after the end."""

    def __init__(self) -> None:
        self.status = 0
        self.data = b""
        self.end: str | Exception | None = None

    def sent(self, now_ns: int) -> int:
        return NEVER

    def head(self, status: int, headers: list[Header], now_ns: int) -> int:
        assert self.end is None
        assert not self.status
        self.status = status
        return NEVER

    def body(self, data: bytes, now_ns: int) -> int:
        assert self.end is None
        assert self.status
        assert data
        self.data += data
        return NEVER

    def complete(self, now_ns: int) -> None:
        assert self.end is None
        self.end = "complete"

    def expired(self, now_ns: int) -> Exception:
        raise AssertionError("no deadline was set")

    def failed(self, error: Exception) -> None:
        assert self.end is None
        self.end = error


def ours(pieces: list[bytes], method: str) -> tuple[Noting, Wire]:
    wire, noting = Wire(), Noting()
    loop = cast("asyncio.AbstractEventLoop", wire)
    connection = Connection(loop, Route(Origin("http", "h", 80)), wire, lambda: 0)
    connection.connection_made(cast("asyncio.BaseTransport", wire))
    connection.start(b"request", noting, bodiless=method == "HEAD")
    for piece in pieces:
        if wire.closed or wire.released:
            break  # what comes to an idle connection closes it: another test
        connection.data_received(piece)
    if not wire.released:
        connection.eof_received()
        connection.connection_lost(None)
        assert wire.lost_count == 1
    assert noting.end is not None
    assert wire.released + wire.closed <= 1 or isinstance(noting.end, Exception)
    return noting, wire


def theirs(sent: bytes, method: str) -> tuple[int, bytes, str, bool]:
    """Status, body, how it ended, and whether the connection may serve again, as h11 has it."""
    peer = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    peer.send(h11.Request(method=method, target="/", headers=[("Host", "h")]))
    peer.send(h11.EndOfMessage())
    status, body = 0, b""
    peer.receive_data(sent)
    ended = False
    try:
        while True:
            found: Any = peer.next_event()
            if found is h11.NEED_DATA:
                if ended:
                    return status, body, "cut", False
                ended = True
                peer.receive_data(b"")
            elif isinstance(found, h11.Response):
                status = found.status_code
            elif isinstance(found, h11.Data):
                body += found.data
            elif isinstance(found, h11.EndOfMessage):
                reusable = peer.their_state is h11.DONE and not peer.trailing_data[0].strip(b"\r\n")
                return status, body, "complete", reusable
            elif found is h11.PAUSED or isinstance(found, h11.ConnectionClosed):
                return status, body, "cut", False
    except h11.RemoteProtocolError as problem:
        return status, body, "cut" if "without sending complete" in str(problem) else "refused", False


BODIES = st.one_of(
    st.binary(max_size=40), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n\r\n", b"0\r\n\r\n", b"\r\n"])
)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """An answer with interim ones before it and perhaps a second one, or garbage, behind it."""
    interim = draw(st.lists(st.sampled_from([b"100 Continue", b"102 P", b"103 H\r\nLink: x"]), max_size=2))
    sent = b"".join(b"HTTP/1.1 %s\r\n\r\n" % one for one in interim)
    status = draw(st.sampled_from([200, 200, 200, 204, 304, 404, 500]))
    version = draw(st.sampled_from([b"1.1", b"1.1", b"1.0"]))
    extra = draw(
        st.sampled_from([b"", b"", b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"X: y\r\n"])
    )
    head = b"HTTP/%s %d X\r\n%s" % (version, status, extra)
    body = draw(BODIES)
    framing = draw(st.sampled_from(["length", "chunked", "eof", "none", "shorter", "longer"]))
    if framing == "chunked":
        sizes = draw(st.lists(st.integers(1, 15), max_size=4))
        sent += head + b"Transfer-Encoding: chunked\r\n\r\n"
        at = 0
        for size in sizes:
            part = body[at : at + size]
            at += size
            if part:
                extension = draw(st.sampled_from([b"", b";a=b"]))
                sent += b"%x%s\r\n%s\r\n" % (len(part), extension, part)
        sent += draw(st.sampled_from([b"0\r\n\r\n", b"0\r\n\r\n", b"0\r\nT: x\r\n\r\n", b""]))
    elif framing in ("length", "shorter", "longer"):
        said = max(0, len(body) + {"length": 0, "shorter": -1, "longer": 1}[framing])
        sent += head + b"Content-Length: %d\r\n\r\n" % said + body
    else:
        sent += head + b"\r\n" + (body if framing == "eof" else b"")
    return sent + draw(st.sampled_from([b"", b"", b"", b"junk", b"HTTP/1.1 200 OK\r\n\r\n"]))


@settings(max_examples=examples(250), deadline=None)
@given(
    sent=answers(),
    method=st.sampled_from(["GET", "GET", "POST", "HEAD"]),
    cuts=st.lists(st.integers(0, 300), max_size=8),
    end=st.one_of(st.none(), st.integers(0, 300)),
    bent=st.one_of(st.none(), st.tuples(st.integers(0, 300), st.integers(0, 255))),
)
def test_a_connection_reads_what_h11_reads(
    sent: bytes, method: str, cuts: list[int], end: int | None, bent: tuple[int, int] | None
) -> None:
    if bent is not None and bent[0] < len(sent):
        sent = sent[: bent[0]] + bytes([bent[1]]) + sent[bent[0] + 1 :]
    sent = sent[:end]
    edges = sorted({0, len(sent), *(cut % (len(sent) + 1) for cut in cuts)})
    noting, wire = ours([sent[a:b] for a, b in pairwise(edges)], method)
    status, body, ended, reusable = theirs(sent, method)
    if ended == "complete" and noting.end == "complete":
        assert (noting.status, noting.data) == (status, body)
    if ended == "complete" and bent is None:
        assert noting.end == "complete"
    if ended == "cut":
        assert noting.end != "complete"  # an answer that is cut never passes for whole
        assert body.startswith(noting.data) or noting.status != status
    if wire.released and bent is None and len(edges) <= 2:
        # h11 closes after any answer of HTTP/1.0; `Connection: keep-alive` is enough for us
        assert reusable or b"HTTP/1.0" in sent


@settings(max_examples=examples(100), deadline=None)
@given(sent=answers(), cuts=st.lists(st.integers(0, 300), min_size=1, max_size=12))
def test_how_an_answer_is_cut_into_reads_changes_nothing(sent: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(sent), *(cut % (len(sent) + 1) for cut in cuts)})
    in_pieces, _ = ours([sent[a:b] for a, b in pairwise(edges)], "GET")
    at_once, _ = ours([sent], "GET")
    by_byte, _ = ours([sent[at : at + 1] for at in range(len(sent))], "GET")
    for other in (in_pieces, by_byte):
        assert (other.status, other.data, str(other.end)) == (at_once.status, at_once.data, str(at_once.end))
