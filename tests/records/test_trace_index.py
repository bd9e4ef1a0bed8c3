"""The index of traces finds what a search through all of them finds."""

from __future__ import annotations

from made_rows import add_traces, make_run, trace

from console.records.read_traces import find_traces
from console.records.trace_index import TraceIndex
from console.vocabulary.outcome import Verdict


def test_every_test_is_found_with_all_its_attempts_in_all_segments():
    run_dir = make_run()
    odd = trace(0, test='m1/opt"imal/\u00fc/0.8/x/1')
    add_traces(run_dir, trace(1, Verdict.INFRASTRUCTURE), trace(2), odd)
    add_traces(run_dir, trace(1, attempt=2), trace(3), process=1)
    index = TraceIndex(run_dir)
    for one in (trace(1), trace(2), trace(3), odd):
        assert index.find(one.test) == find_traces(run_dir, one.test)
    assert [found.attempt for found in index.find(trace(1).test).attempts] == [1, 2]
    assert index.find("m1/optimal/easy/0.8/simple_task/99").attempts == ()


def test_what_a_live_run_writes_later_is_found_later():
    run_dir = make_run()
    index = TraceIndex(run_dir)
    assert index.find(trace(1).test).attempts == ()
    add_traces(run_dir, trace(1))
    assert len(index.find(trace(1).test).attempts) == 1
    add_traces(run_dir, trace(1, attempt=2), trace(2))
    assert len(index.find(trace(1).test).attempts) == 2
    assert len(index.find(trace(2).test).attempts) == 1


def test_a_line_in_the_middle_of_being_written_is_left_for_later_and_a_damaged_one_is_told():
    run_dir = make_run()
    add_traces(run_dir, trace(1), trace(2))
    (path,) = (run_dir / "traces").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    index = TraceIndex(run_dir)
    assert index.find(trace(2).test).attempts == ()
    path.write_bytes(whole)
    assert len(index.find(trace(2).test).attempts) == 1
    path.write_bytes(whole.replace(b"I read it.", b"I ate it!!"))
    found = TraceIndex(run_dir).find(trace(2).test)
    assert found.attempts == ()
    assert found.damages.damaged == 1
    assert found.damages.located[0].where.endswith(":2")
