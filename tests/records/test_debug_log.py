"""`debug.log` tells of the rows of its lanes, once they are written, and never stands in the way of the journal."""

from __future__ import annotations

import msgspec
import pytest
from made_rows import judged, request

from console.phases.plan import Plan
from console.records.debug_log import DebugLog
from console.records.journal import JournalBlocked
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome, Verdict

OTHER = Lane("azure", "m1", "m1-a", "key1")


class Kept:
    def __init__(self):
        self.rows, self.blocked = [], False

    def hold(self, row):
        self.rows.append(row)

    def flush(self):
        if self.blocked:
            raise JournalBlocked(OSError(28, "No space left on device"), 1, 1)


def test_rows_of_its_lanes_are_told_once_they_are_written(tmp_path):
    kept = Kept()
    log = DebugLog(kept, tmp_path, ["azure/m1-a@key0"])
    bad = request(
        2, outcome=Outcome.BAD_REQUEST, error="no\x1b[2J tools\nhere", latency_ns=None, ttft_ns=None
    )
    rows = [
        request(1),
        request(3, lane=OTHER),
        bad,
        judged(1, Verdict.PARTIAL, score=0.5, turns=4, requests=5, job="j", detail="it said boo"),
    ]
    for row in rows:
        log.hold(row)
    assert (tmp_path / "debug.log").read_text() == ""
    kept.blocked = True
    with pytest.raises(JournalBlocked):
        log.flush()
    assert (tmp_path / "debug.log").read_text() == ""
    kept.blocked = False
    log.flush()
    assert kept.rows == rows
    first, second, third = (tmp_path / "debug.log").read_text().splitlines()
    test = "m1/optimal/easy/0.8/simple_task"
    assert first == (
        f"     1.000 s  azure/m1-a@key0  {test}/1 attempt 1  request turn 1 try 1: ok, waited 0.0 ms, TTFT 200.0 ms, "
        "took 1000.0 ms, 10 + 8 tokens"
    )
    assert "bad_request" in second
    assert "\x1b" not in second
    assert third.endswith("test: partial, score 0.5, 4 turns, 5 requests, took 1000.0 ms, of job j")
    assert (tmp_path / "debug.log").stat().st_mode & 0o777 == 0o600


def test_each_of_several_processes_has_a_log_of_its_own(tmp_path):
    DebugLog(Kept(), tmp_path, [], process=2)
    assert (tmp_path / "debug-02.log").is_file()


def test_a_shard_is_counted_within_each_job():
    def job(name, *lanes):
        fields = dict.fromkeys(("phase", "model", "provider", "difficulty", "group", "rate"), "x")
        shards = [{"lane_id": lane} for lane in lanes]
        return {"id": name, **fields, "prompt_types": [], "tests": [], "shards": shards}

    plan = msgspec.convert(
        {
            "title": "x", "profile": "x", "rate_mode": "fixed", "seed": 0, "lanes": [], "attempts": 1,
            "timeouts": {}, "jobs": [job("one", "a", "b"), job("two", "c")],
        },
        Plan,
    )  # fmt: skip
    found = [sorted(plan.lanes_of_shard(number)) for number in (None, 0, 1, 2, 3)]
    assert found == [[], ["a", "b", "c"], ["a", "c"], ["b"], []]
