"""The benchmarks' server, floor client and engine agree on what was sent; no wall-clock time is asserted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from benchmarks.engine_load import through_client, through_engine
from benchmarks.floor import through_floor
from benchmarks.memory import CLIENTS as MEMORY_CLIENTS
from benchmarks.sample import WrongAnswer
from benchmarks.serving import Serving, busy_between, serving
from benchmarks.truth import compare


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving() as running:
        yield running


@pytest.mark.parametrize("through", [through_floor, through_client, through_engine])
@pytest.mark.parametrize("chunks", [0, 1, 16])
@pytest.mark.parametrize("at_once", [False, True])
def test_every_request_is_answered_and_counted_once(server, through, chunks, at_once):
    before = server.stats()
    sample = through(server.base_url(chunks=chunks, at_once=at_once), in_flight=3, requests=20, chunks=chunks)
    after = server.stats()

    assert sample.requests == 20
    assert sample.cpu_s > 0
    assert after.requests - before.requests == 23, "twenty, and three that warm the connections"
    assert after.in_flight == 0
    assert busy_between(before, after).server > 0


@pytest.mark.parametrize("through", [through_floor, through_engine])
def test_what_a_client_saw_has_its_entry_in_the_log(server, through):
    server.take_log()
    base_url = server.base_url(chunks=5, ttft_ms=3, itl_ms=2, log=True)
    sample = through(base_url, in_flight=4, requests=12, chunks=5, keep=True)
    log = server.take_log()

    assert len(log) == 12, "what warms the connections is not logged"
    assert server.take_log() == []
    assert len({seen.number for seen in sample.seen}) == 12
    assert {seen.number for seen in sample.seen} == {entry.number for entry in log}
    for entry in log:
        assert len(entry.sent_ns) == 5
        assert entry.arrived_ns + 3_000_000 == entry.due_ns
        assert all(earlier < later for earlier, later in pairwise([entry.arrived_ns, *entry.sent_ns]))
    found = compare(sample, log)
    assert found.compared == 12
    assert len(found.gap_error) == 12 * 4
    assert len(found.late) == 12 * 5
    assert min(found.ttft_error) >= 0, "nothing is read before it is sent: both read one clock"
    assert min(found.way) >= 0


def test_nothing_is_sent_before_it_is_due(server):
    server.take_log()
    base_url = server.base_url(chunks=4, ttft_ms=10, itl_ms=4, log=True)
    through_floor(base_url, in_flight=2, requests=4, chunks=4)

    for entry in server.take_log():
        # Timers count whole milliseconds of a clock that is read once a turn.
        assert all(
            sent >= entry.due_ns + place * entry.itl_ns - 1_000_000
            for place, sent in enumerate(entry.sent_ns)
        )


def test_an_answer_that_is_not_the_one_asked_for_is_an_error(server):
    with pytest.raises(WrongAnswer, match="chunks of 16"):
        through_floor(server.base_url(chunks=3), in_flight=1, requests=1, chunks=16)
    with pytest.raises(WrongAnswer, match="3 chunks of 16"):
        through_engine(server.base_url(chunks=3), in_flight=1, requests=1, chunks=16)


def test_memory_is_measured_for_the_clients_that_are_compared():
    assert set(MEMORY_CLIENTS) == {"floor", "engine"}
